/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/regcodec.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const int type_regs[REG_TYPE_COUNT] = {
#define REG_TYPE_REGS(name, word, regs) [REG_##name] = regs,
    REG_TYPE_LIST(REG_TYPE_REGS)
#undef REG_TYPE_REGS
};

static const char *const type_words[REG_TYPE_COUNT] = {
#define REG_TYPE_WORD(name, word, regs) [REG_##name] = word,
    REG_TYPE_LIST(REG_TYPE_WORD)
#undef REG_TYPE_WORD
};

static const double power_of_10[REG_SF_MAX + 1] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
};

int regcodec_regs(enum reg_type type)
{
    assert((unsigned)type < REG_TYPE_COUNT);
    return type_regs[type];
}

const char *regcodec_word(enum reg_type type)
{
    assert((unsigned)type < REG_TYPE_COUNT);
    return type_words[type];
}

static bool is_signed(enum reg_type type)
{
    return type == REG_I16 || type == REG_I32 || type == REG_I64;
}

static bool is_float(enum reg_type type)
{
    return type == REG_F32 || type == REG_F64;
}

uint64_t regcodec_absent(enum reg_type type)
{
    int bits = 16 * regcodec_regs(type);
    assert(bits > 0 && !is_float(type));
    if (is_signed(type)) {
        return UINT64_C(1) << (bits - 1);
    }
    return UINT64_MAX >> (64 - bits);
}

static uint16_t swapped(uint16_t x)
{
    return (uint16_t)((x << 8) | (x >> 8));
}

uint64_t regcodec_raw(const struct reg_codec *c, const uint16_t *regs)
{
    assert(c->n_regs >= 1 && c->n_regs <= REG_NUMBER_MAX);
    uint64_t raw = 0;
    for (int i = 0; i < c->n_regs; i++) {
        uint16_t word = regs[c->low_word_first ? c->n_regs - 1 - i : i];
        raw = (raw << 16) | (c->swap_bytes ? swapped(word) : word);
    }
    return raw;
}

void regcodec_put(const struct reg_codec *c, uint64_t raw, uint16_t *regs)
{
    assert(c->n_regs >= 1 && c->n_regs <= REG_NUMBER_MAX);
    for (int i = c->n_regs - 1; i >= 0; i--) {
        uint16_t word = (uint16_t)(raw & 0xffff);
        regs[c->low_word_first ? c->n_regs - 1 - i : i] =
            c->swap_bytes ? swapped(word) : word;
        raw >>= 16;
    }
}

/* The bits as the type reads them; NAN for every float NaN. */
static double number_of(const struct reg_codec *c, uint64_t raw)
{
    switch (c->type) {
    case REG_I16:
        return (double)(int16_t)(uint16_t)raw;
    case REG_I32:
        return (double)(int32_t)(uint32_t)raw;
    case REG_I64:
        return (double)(int64_t)raw;
    case REG_F32: {
        uint32_t bits = (uint32_t)raw;
        float x = 0.0f;
        memcpy(&x, &bits, sizeof(x));
        return (double)x;
    }
    case REG_F64: {
        double x = 0.0;
        memcpy(&x, &raw, sizeof(x));
        return x;
    }
    case REG_BIT:
        return (double)((raw >> c->bit) & 1);
    case REG_U16:
    case REG_ENUM:
    case REG_U32:
    case REG_U64:
    case REG_STR:
    case REG_TYPE_COUNT:
        break;
    }
    return (double)raw;
}

static bool usable(int sf)
{
    return sf == REG_SF_NONE || (sf >= -REG_SF_MAX && sf <= REG_SF_MAX);
}

/* Division for negative exponents: 10^-3 is not a double, 10^3 is. */
static double scaled(const struct reg_codec *c, double x, int sf)
{
    if (sf == REG_SF_NONE) {
        return x * c->scale + c->offset;
    }
    return sf < 0 ? x / power_of_10[-sf] : x * power_of_10[sf];
}

static double unscaled(const struct reg_codec *c, double x, int sf)
{
    if (sf == REG_SF_NONE) {
        return (x - c->offset) / c->scale;
    }
    return sf < 0 ? x * power_of_10[-sf] : x / power_of_10[sf];
}

enum reg_state regcodec_decode(const struct reg_codec *c, const uint16_t *regs,
                               int sf, double *value)
{
    assert(c->type != REG_STR);
    *value = NAN;
    uint64_t raw = regcodec_raw(c, regs);
    if (!is_float(c->type) && c->has_absent && raw == c->absent) {
        return REG_ABSENT;
    }
    double x = number_of(c, raw);
    if (isnan(x)) {
        return REG_ABSENT;
    }
    if (!usable(sf)) {
        return REG_BAD;
    }
    x = scaled(c, x, sf);
    if (!isfinite(x) || x < c->min || x > c->max) {
        return REG_BAD;
    }
    x *= c->factor;
    if (!isfinite(x)) {
        return REG_BAD;
    }
    *value = x;
    return REG_OK;
}

/* 2^(bits of the number), of the part above zero for signed types. */
static double top_of(const struct reg_codec *c)
{
    return ldexp(1.0, 16 * c->n_regs - (is_signed(c->type) ? 1 : 0));
}

static enum err float_bits(const struct reg_codec *c, double x, uint64_t *raw)
{
    if (c->type == REG_F64) {
        memcpy(raw, &x, sizeof(*raw));
        return ERR_NONE;
    }
    if (fabs(x) > 3.4028234663852886e38) { /* FLT_MAX */
        return ERR_RANGE;
    }
    float f = (float)x;
    uint32_t bits = 0;
    memcpy(&bits, &f, sizeof(bits));
    *raw = bits;
    return ERR_NONE;
}

static enum err integer_bits(const struct reg_codec *c, double x, uint64_t *raw)
{
    x = nearbyint(x);
    double top = top_of(c);
    if (!(x < top && x >= (is_signed(c->type) ? -top : 0.0))) {
        return ERR_RANGE;
    }
    uint64_t bits = x < 0.0 ? (uint64_t)(int64_t)x : (uint64_t)x;
    bits &= UINT64_MAX >> (64 - 16 * c->n_regs);
    if (c->has_absent && bits == c->absent) {
        return ERR_RANGE;
    }
    *raw = bits;
    return ERR_NONE;
}

enum err regcodec_encode(const struct reg_codec *c, double value, int sf,
                         uint16_t *regs)
{
    assert(c->type != REG_STR && c->type != REG_BIT);
    double x = value / c->factor;
    if (!isfinite(x) || x < c->min || x > c->max || !usable(sf)) {
        return ERR_RANGE;
    }
    x = unscaled(c, x, sf);
    if (!isfinite(x)) {
        return ERR_RANGE;
    }
    uint64_t raw = 0;
    enum err e =
        is_float(c->type) ? float_bits(c, x, &raw) : integer_bits(c, x, &raw);
    if (e == ERR_NONE) {
        regcodec_put(c, raw, regs);
    }
    return e;
}

void regcodec_text(const struct reg_codec *c, const uint16_t *regs, char *out,
                   size_t size)
{
    assert(size > 0);
    size_t n = 0;
    for (int i = 0; i < 2 * c->n_regs && n + 1 < size; i++) {
        bool high = (i % 2 == 0) != c->swap_bytes;
        int byte = high ? regs[i / 2] >> 8 : regs[i / 2] & 0xff;
        if (byte == 0) {
            break;
        }
        out[n++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
    }
    while (n > 0 && out[n - 1] == ' ') {
        n--;
    }
    out[n] = '\0';
}
