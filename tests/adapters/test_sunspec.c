/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of adapters/sunspec over register images in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/sunspec.h"

struct image {
    uint16_t regs[65536];
    int from; /* served addresses: others are refused */
    int to;
    int n_reads;
    int lost_after; /* reads until the link is lost, 0 never */
};

static struct image image; /* 128 kB */

static enum err read_image(void *ctx, int addr, int n, uint16_t *regs)
{
    struct image *im = ctx;
    im->n_reads++;
    if (im->lost_after > 0 && im->n_reads > im->lost_after) {
        return ERR_TIMEOUT;
    }
    if (addr < im->from || addr + n > im->to) {
        return ERR_REFUSED;
    }
    memcpy(regs, im->regs + addr, (size_t)n * sizeof(regs[0]));
    return ERR_NONE;
}

static const struct sunspec_reader reader = {read_image, &image};

/* Lays (id, L) pairs from 'base'; returns the address after them. */
static int lay(int base, const uint16_t (*models)[2], int n)
{
    memset(&image, 0, sizeof(image));
    image.to = 65536;
    image.regs[base] = 0x5375;
    image.regs[base + 1] = 0x6e53;
    int at = base + 2;
    for (int i = 0; i < n; i++) {
        image.regs[at] = models[i][0];
        image.regs[at + 1] = models[i][1];
        at += 2 + models[i][1];
    }
    return at;
}

static enum err walk(int base, struct sunspec *out)
{
    char why[160] = "";
    enum err e = sunspec_walk(&reader, base, out, why, sizeof(why));
    assert_true((e == ERR_UNKNOWN || e == ERR_SYNTAX) == (why[0] != '\0'));
    return e;
}

static void test_walks_a_device(void **state)
{
    (void)state;
    static const uint16_t models[][2] = {
        {1, 66}, {701, 160}, {64001, 7}, {713, 7}, {0xffff, 0}};
    struct sunspec s;
    lay(40000, models, 5);
    assert_int_equal(walk(40000, &s), ERR_NONE);
    assert_int_equal(s.n_models, 4);
    assert_int_equal(sunspec_find(&s, 701)->addr, 40070);
    /* The device's own length counts, not the standard's 153. */
    assert_int_equal(sunspec_find(&s, 713)->addr, 40070 + 162 + 9);
    assert_null(sunspec_find(&s, 802));
    lay(0, models, 5);
    assert_int_equal(walk(0, &s), ERR_NONE);
    assert_int_equal(s.models[0].addr, 2);
}

static void test_end_model_without_length(void **state)
{
    (void)state;
    static const uint16_t models[][2] = {{1, 66}, {0xffff, 0}};
    struct sunspec s;
    int end = lay(40000, models, 2);
    image.to = end - 1; /* the L of the end model is not served */
    assert_int_equal(walk(40000, &s), ERR_NONE);
    assert_int_equal(s.n_models, 1);
    image.to = end - 2; /* nor its ID */
    assert_int_equal(walk(40000, &s), ERR_NONE);
    assert_int_equal(s.n_models, 1);
}

static void test_wrong_base(void **state)
{
    (void)state;
    static const uint16_t models[][2] = {{1, 66}, {0xffff, 0}};
    struct sunspec s;
    lay(40000, models, 2);
    assert_int_equal(walk(0, &s), ERR_UNKNOWN); /* other data */
    image.from = 40000;
    assert_int_equal(walk(0, &s), ERR_UNKNOWN); /* exception */
    image.lost_after = 1;
    image.n_reads = 0;
    assert_int_equal(walk(40000, &s), ERR_TIMEOUT); /* on the way */
}

static void test_hostile_chains_end(void **state)
{
    (void)state;
    struct sunspec s;
    static const uint16_t huge[][2] = {{1, 66}, {701, 1001}};
    lay(40000, huge, 2);
    assert_int_equal(walk(40000, &s), ERR_SYNTAX);
    static const uint16_t beyond[][2] = {{1, 66}, {701, 900}, {702, 900}};
    lay(63000, beyond, 3);
    assert_int_equal(walk(63000, &s), ERR_SYNTAX);
    static const uint16_t not_common[][2] = {{701, 153}, {1, 66}, {0xffff, 0}};
    lay(40000, not_common, 3);
    assert_int_equal(walk(40000, &s), ERR_SYNTAX);
    static const uint16_t nothing[][2] = {{0xffff, 0}};
    lay(40000, nothing, 1);
    assert_int_equal(walk(40000, &s), ERR_SYNTAX);

    /* No end: models of length 0 for ever. */
    static const uint16_t common[][2] = {{1, 66}};
    int at = lay(0, common, 1);
    for (int i = at; i < 65536; i += 2) {
        image.regs[i] = 701;
    }
    assert_int_equal(walk(0, &s), ERR_SYNTAX);
    assert_true(image.n_reads <= 3 + 2 * SUNSPEC_MODELS_MAX);
}

/* Any image ends in a bounded number of reads and within bounds. */
static void test_random_images(void **state)
{
    (void)state;
    uint64_t seed = 42;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 300; round++) {
        static const uint16_t common[][2] = {{1, 66}};
        int base = round % 2 == 0 ? 40000 : 0;
        int at = lay(base, common, 1);
        uint16_t mask = round % 3 == 0 ? 0xffff : 0x03ff;
        for (int i = at; i < 65536; i++) {
            seed ^= seed >> 12;
            seed ^= seed << 25;
            seed ^= seed >> 27;
            image.regs[i] = (uint16_t)(seed >> 20) & mask;
        }
        struct sunspec s;
        (void)walk(base, &s);
        assert_true(image.n_reads <= 3 + 2 * SUNSPEC_MODELS_MAX);
        assert_in_range(s.n_models, 0, SUNSPEC_MODELS_MAX);
        for (int i = 0; i < s.n_models; i++) {
            assert_true(s.models[i].addr + 2 + s.models[i].length <= 65536);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks_a_device),
        cmocka_unit_test(test_end_model_without_length),
        cmocka_unit_test(test_wrong_base),
        cmocka_unit_test(test_hostile_chains_end),
        cmocka_unit_test(test_random_images),
    };
    return cmocka_run_group_tests_name("sunspec", tests, NULL, NULL);
}
