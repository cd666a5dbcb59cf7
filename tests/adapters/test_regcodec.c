/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/regcodec: a table over every type, round trips from a
 * fixed seed, what cannot be encoded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/regcodec.h"

static struct reg_codec codec(enum reg_type type)
{
    struct reg_codec c = {
        .type = type,
        .n_regs = regcodec_regs(type),
        .scale = 1.0,
        .min = -INFINITY,
        .max = INFINITY,
        .factor = 1.0,
    };
    if (type != REG_F32 && type != REG_F64 && type != REG_BIT &&
        type != REG_STR) {
        c.has_absent = true;
        c.absent = regcodec_absent(type);
    }
    return c;
}

static const struct {
    const char *what;
    enum reg_type type;
    uint16_t regs[4];
    int sf;
    enum reg_state state;
    double value;
} readings[] = {
    {"u16", REG_U16, {1927}, 3, REG_OK, 1927000.0},
    {"u16 largest", REG_U16, {0xfffe}, REG_SF_NONE, REG_OK, 65534.0},
    {"u16 absent", REG_U16, {0xffff}, 0, REG_ABSENT, NAN},
    {"enum absent", REG_ENUM, {0xffff}, REG_SF_NONE, REG_ABSENT, NAN},
    {"i16", REG_I16, {0xffff}, 0, REG_OK, -1.0},
    {"i16 least", REG_I16, {0x8001}, 0, REG_OK, -32767.0},
    {"i16 absent", REG_I16, {0x8000}, 0, REG_ABSENT, NAN},
    {"u32", REG_U32, {0x0001, 0x0002}, REG_SF_NONE, REG_OK, 65538.0},
    {"u32 absent", REG_U32, {0xffff, 0xffff}, 0, REG_ABSENT, NAN},
    {"i32 (libmodbus' macro says -65736)",
     REG_I32,
     {0xffff, 0xff38},
     0,
     REG_OK,
     -200.0},
    {"i32 absent", REG_I32, {0x8000, 0}, 0, REG_ABSENT, NAN},
    {"u64", REG_U64, {0, 1, 0, 0}, 0, REG_OK, 4294967296.0},
    {"u64 absent",
     REG_U64,
     {0xffff, 0xffff, 0xffff, 0xffff},
     0,
     REG_ABSENT,
     NAN},
    {"i64", REG_I64, {0xffff, 0xffff, 0xffff, 0xfffe}, 0, REG_OK, -2.0},
    {"i64 absent", REG_I64, {0x8000, 0, 0, 0}, 0, REG_ABSENT, NAN},
    {"f32", REG_F32, {0x42f6, 0xe979}, REG_SF_NONE, REG_OK, 123.45600128},
    {"f32 minus zero", REG_F32, {0x8000, 0}, REG_SF_NONE, REG_OK, -0.0},
    {"f32 denormal",
     REG_F32,
     {0, 1},
     REG_SF_NONE,
     REG_OK,
     1.401298464324817e-45},
    {"f32 nan", REG_F32, {0x7fc0, 0}, REG_SF_NONE, REG_ABSENT, NAN},
    {"f32 other nan", REG_F32, {0xff80, 1}, REG_SF_NONE, REG_ABSENT, NAN},
    {"f32 inf", REG_F32, {0x7f80, 0}, REG_SF_NONE, REG_BAD, NAN},
    {"f32 -inf", REG_F32, {0xff80, 0}, REG_SF_NONE, REG_BAD, NAN},
    {"f64", REG_F64, {0x3ff8, 0, 0, 0}, REG_SF_NONE, REG_OK, 1.5},
    {"f64 nan", REG_F64, {0x7ff8, 0, 0, 0}, REG_SF_NONE, REG_ABSENT, NAN},
    {"f64 inf", REG_F64, {0x7ff0, 0, 0, 0}, REG_SF_NONE, REG_BAD, NAN},
    {"sf -2", REG_U16, {6300}, -2, REG_OK, 63.0},
    {"sf 10", REG_U16, {1}, 10, REG_OK, 1e10},
    {"sf -10", REG_U16, {1}, -10, REG_OK, 1e-10},
    {"sf too large", REG_U16, {1}, 11, REG_BAD, NAN},
    {"sf too small", REG_U16, {1}, -11, REG_BAD, NAN},
    {"sf absent", REG_U16, {1}, REG_SF_BAD, REG_BAD, NAN},
    {"absent beats a bad sf", REG_U16, {0xffff}, 11, REG_ABSENT, NAN},
};

static void test_decodes_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        struct reg_codec c = codec(readings[i].type);
        double value = 0.0;
        enum reg_state s =
            regcodec_decode(&c, readings[i].regs, readings[i].sf, &value);
        bool same = isnan(readings[i].value)
                        ? isnan(value)
                        : fabs(value - readings[i].value) <=
                              1e-9 * fabs(readings[i].value);
        if (s != readings[i].state || !same) {
            fail_msg("%s: state %d value %.12g, want %d %.12g",
                     readings[i].what, (int)s, value, (int)readings[i].state,
                     readings[i].value);
        }
    }
}

static void test_word_and_byte_order(void **state)
{
    (void)state;
    static const struct {
        bool low_word_first;
        bool swap_bytes;
        uint16_t regs[2];
    } cases[] = {
        {false, false, {0x0102, 0x0304}}, /* ABCD */
        {true, false, {0x0304, 0x0102}},  /* CDAB */
        {false, true, {0x0201, 0x0403}},  /* BADC */
        {true, true, {0x0403, 0x0201}},   /* DCBA */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reg_codec c = codec(REG_U32);
        c.low_word_first = cases[i].low_word_first;
        c.swap_bytes = cases[i].swap_bytes;
        assert_int_equal(regcodec_raw(&c, cases[i].regs), 0x01020304);
        uint16_t regs[2] = {0, 0};
        regcodec_put(&c, 0x01020304, regs);
        assert_memory_equal(regs, cases[i].regs, sizeof(regs));
    }
}

static void test_bits_scale_sign_and_range(void **state)
{
    (void)state;
    double value = 0.0;
    struct reg_codec bit = codec(REG_BIT);
    bit.bit = 3;
    const uint16_t bits[] = {0x0008, 0xfff7};
    assert_int_equal(regcodec_decode(&bit, &bits[0], REG_SF_NONE, &value),
                     REG_OK);
    assert_true(value == 1.0);
    assert_int_equal(regcodec_decode(&bit, &bits[1], REG_SF_NONE, &value),
                     REG_OK);
    assert_true(value == 0.0);

    /* 0.1 kW steps from -40, discharge positive, in W with charge positive */
    struct reg_codec c = codec(REG_U16);
    c.scale = 0.1;
    c.offset = -40.0;
    c.factor = -1e3;
    c.min = -40.0;
    c.max = 60.0;
    const uint16_t ok[] = {500};
    assert_int_equal(regcodec_decode(&c, ok, REG_SF_NONE, &value), REG_OK);
    assert_true(fabs(value - -10e3) < 1e-6);
    const uint16_t high[] = {1001};
    assert_int_equal(regcodec_decode(&c, high, REG_SF_NONE, &value), REG_BAD);
    assert_true(isnan(value));
    uint16_t regs[1] = {7};
    assert_int_equal(regcodec_encode(&c, -10e3, REG_SF_NONE, regs), ERR_NONE);
    assert_int_equal(regs[0], 500);
    assert_int_equal(regcodec_encode(&c, -60.1e3, REG_SF_NONE, regs),
                     ERR_RANGE);
    assert_int_equal(regs[0], 500);
}

static void test_refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum reg_type type;
        double value;
        int sf;
    } cases[] = {
        {"nan", REG_I32, NAN, 0},
        {"inf", REG_I32, INFINITY, 0},
        {"u16 negative", REG_U16, -1.0, 0},
        {"u16 reads as absent", REG_U16, 65535.0, 0},
        {"u16 too large", REG_U16, 65536.0, 0},
        {"i16 reads as absent", REG_I16, -32768.0, 0},
        {"i16 too large", REG_I16, 32768.0, 0},
        {"i32 reads as absent", REG_I32, -2147483648.0, 0},
        {"i32 too large", REG_I32, 2147483648.0, 0},
        {"u32 reads as absent", REG_U32, 4294967295.0, 0},
        {"u64 too large", REG_U64, 1.8446744073709552e19, 0},
        {"i64 too large", REG_I64, 9.3e18, 0},
        {"f32 too large", REG_F32, 1e39, REG_SF_NONE},
        {"f64 nan", REG_F64, NAN, REG_SF_NONE},
        {"sf unusable", REG_I32, 1.0, REG_SF_BAD},
        {"sf out of range", REG_I32, 1.0, 42},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reg_codec c = codec(cases[i].type);
        uint16_t regs[4] = {1, 2, 3, 4};
        const uint16_t before[4] = {1, 2, 3, 4};
        if (regcodec_encode(&c, cases[i].value, cases[i].sf, regs) !=
                ERR_RANGE ||
            memcmp(regs, before, sizeof(regs)) != 0) {
            fail_msg("%s: was encoded", cases[i].what);
        }
    }
}

static void test_texts(void **state)
{
    (void)state;
    struct reg_codec c = codec(REG_STR);
    c.n_regs = 4;
    char out[16];
    static const struct {
        uint16_t regs[4];
        const char *text;
    } cases[] = {
        {{0x4162, 0x6364, 0, 0}, "Abcd"},
        {{0x4162, 0x6364, 0x6566, 0x6768}, "Abcdefgh"}, /* not terminated */
        {{0x4120, 0x2020, 0x2020, 0x2020}, "A"},
        {{0, 0x4142, 0, 0}, ""},
        {{0x411b, 0x5bff, 0x420a, 0}, "A?[?B?"}, /* no escapes pass */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        regcodec_text(&c, cases[i].regs, out, sizeof(out));
        assert_string_equal(out, cases[i].text);
    }
    char small[4];
    regcodec_text(&c, cases[1].regs, small, sizeof(small));
    assert_string_equal(small, "Abc");
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

static struct reg_codec random_codec(uint64_t *seed)
{
    static const enum reg_type types[] = {REG_U16, REG_I16, REG_U32, REG_I32,
                                          REG_U64, REG_I64, REG_F32, REG_F64};
    struct reg_codec c = codec(types[next(seed) % 8]);
    c.low_word_first = next(seed) % 2 == 0;
    c.swap_bytes = next(seed) % 2 == 0;
    c.factor = next(seed) % 2 == 0 ? 1.0 : -1000.0;
    return c;
}

/* Whatever the registers hold, what comes out is finite or marked; and what
 * was decoded exactly encodes to the same registers. */
static void test_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 200000; i++) {
        struct reg_codec c = random_codec(&seed);
        uint64_t bits = next(&seed);
        uint16_t regs[4] = {(uint16_t)bits, (uint16_t)(bits >> 16),
                            (uint16_t)(bits >> 32), (uint16_t)(bits >> 48)};
        int sf = (int)(next(&seed) % 23) - 11;
        double value = 0.0;
        enum reg_state s = regcodec_decode(&c, regs, sf, &value);
        assert_true((s == REG_OK) == (isfinite(value) != 0));
        if (s != REG_OK || c.n_regs == 4 || c.type == REG_F32) {
            continue; /* more digits than a double keeps through a scale */
        }
        uint16_t again[4] = {0, 0, 0, 0};
        assert_int_equal(regcodec_encode(&c, value, sf, again), ERR_NONE);
        assert_memory_equal(again, regs, (size_t)c.n_regs * sizeof(regs[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_every_type),
        cmocka_unit_test(test_word_and_byte_order),
        cmocka_unit_test(test_bits_scale_sign_and_range),
        cmocka_unit_test(test_refuses_what_does_not_fit),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests_name("regcodec", tests, NULL, NULL);
}
