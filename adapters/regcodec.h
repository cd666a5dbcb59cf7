/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * regcodec - one value in Modbus registers, and back.
 *
 * Own code from uint16_t: libmodbus' helpers are wrong for negatives and mean
 * other word orders in other releases (reference/protocols.md 7.1).  Pure.
 *
 * raw -> x = raw * 10^sf, or raw * scale + offset   in the point's unit
 *     -> range check min <= x <= max
 *     -> x * factor                                 base unit, inner sign
 */
#ifndef ADAPTERS_REGCODEC_H
#define ADAPTERS_REGCODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

/* name, word in a map, registers (0: given by the map) */
#define REG_TYPE_LIST(X) \
    X(U16, "u16", 1)     \
    X(I16, "i16", 1)     \
    X(ENUM, "enum", 1)   \
    X(U32, "u32", 2)     \
    X(I32, "i32", 2)     \
    X(U64, "u64", 4)     \
    X(I64, "i64", 4)     \
    X(F32, "f32", 2)     \
    X(F64, "f64", 4)     \
    X(BIT, "bit", 1)     \
    X(STR, "str", 0)
#define REG_TYPE_ENUM(name, word, regs) REG_##name,
enum reg_type { REG_TYPE_LIST(REG_TYPE_ENUM) REG_TYPE_COUNT };
#undef REG_TYPE_ENUM

enum {
    REG_NUMBER_MAX = 4,  /* registers of the largest number */
    REG_READ_MAX = 125,  /* registers of one read, of one write */
    REG_WRITE_MAX = 123, /* Modbus application protocol 1.1b3, 6.3, 6.12 */
    REG_SF_MAX = 10,     /* |sf|, SunSpec schema.json */
    REG_SF_NONE = 100,   /* no scale factor: scale and offset hold */
    REG_SF_BAD = 101,    /* the scale factor is unusable */
};

/* What became of a value. */
enum reg_state {
    REG_NEVER,  /* not read, or the device has no such register */
    REG_ABSENT, /* read as "not implemented" */
    REG_BAD,    /* not finite, out of range, scale factor unusable */
    REG_OK,
};

struct reg_codec {
    enum reg_type type;
    int n_regs;
    int bit; /* of BIT, 0..15 */
    bool low_word_first;
    bool swap_bytes; /* within each register */
    bool has_absent; /* integers: the pattern for "not implemented" */
    uint64_t absent;
    double scale; /* not 0 */
    double offset;
    double min; /* in the point's unit */
    double max;
    double factor; /* unit into base unit, with the sign; not 0 */
};

/* Registers that 'type' takes, 0 for STR. */
int regcodec_regs(enum reg_type type);

/* The word of 'type' in a map; static storage. */
const char *regcodec_word(enum reg_type type);

/* The SunSpec pattern for "not implemented" of an integer type: all ones
 * where unsigned, the smallest value where signed. */
uint64_t regcodec_absent(enum reg_type type);

/* The bits of the number in 'regs', big-endian as a number. */
uint64_t regcodec_raw(const struct reg_codec *c, const uint16_t *regs);

/*
 * Decode a number.  'sf' is -10..10, REG_SF_NONE or REG_SF_BAD; anything else
 * counts as REG_SF_BAD.  'value' is finite with REG_OK and NAN without.
 */
enum reg_state regcodec_decode(const struct reg_codec *c, const uint16_t *regs,
                               int sf, double *value);

/*
 * Encode 'value' (base unit, inner sign), rounded to the nearest step.
 * Errors: ERR_RANGE where it is not finite, outside min..max, does not fit
 * the type or would read as "not implemented"; 'regs' is untouched then.
 */
CHECKED enum err regcodec_encode(const struct reg_codec *c, double value,
                                 int sf, uint16_t *regs);

/* Put raw bits into registers, word order and byte swap applied. */
void regcodec_put(const struct reg_codec *c, uint64_t raw, uint16_t *regs);

/*
 * A string of 'c->n_regs' registers: up to the first NUL, printable ASCII
 * only (others become '?'), trailing blanks cut; at most 'size' bytes with
 * the NUL.
 */
void regcodec_text(const struct reg_codec *c, const uint16_t *regs, char *out,
                   size_t size);

#endif
