/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fast - exponentials for what runs a million times a second.
 *
 * Without a call, without a branch that depends on the argument, and the same
 * bits whatever the C library: a table of 2^(i/64) and a short series for exp,
 * the series of the inverse hyperbolic tangent for log.  Within 1e-10 of the
 * exact value, relative; the logarithm within 2e-14, absolute.
 */
#ifndef MODELS_FAST_H
#define MODELS_FAST_H

#include <stdint.h>
#include <string.h>

enum { FAST_EXP2_STEPS = 64 };

/* 64 / ln(2): of a power of e in those of the table. */
#define FAST_64THS 92.33248261689366

/* 2^(i/64) */
extern const double fast_exp2_table[FAST_EXP2_STEPS];

/* The whole number nearest to x, |x| < 2^51, and the same modulo 2^51. */
static inline uint64_t fast_nearest(double x, double *whole)
{
    /* Added to a double, it leaves the nearest whole number in its low bits. */
    static const double shifter = 0x1.8p52;
    double shifted = x + shifter;
    *whole = shifted - shifter;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    return bits & (((uint64_t)1 << 51) - 1);
}

/* 2^(n/64) of -60000 < n < 60000. */
static inline double fast_exp2_64th(double n)
{
    /* Powers of ln(2) / 64 over the factorials. */
    static const double c1 = 1.0830424696249145e-2;
    static const double c2 = 5.864904955056170e-5;
    static const double c3 = 2.1173137155464776e-7;
    double nearest;
    uint64_t whole = fast_nearest(n, &nearest);
    double f = n - nearest;
    double more = f * c1 + f * f * (c2 + f * c3);
    double scale = fast_exp2_table[whole % FAST_EXP2_STEPS];
    uint64_t bits;
    memcpy(&bits, &scale, sizeof(bits));
    bits += whole / FAST_EXP2_STEPS << 52;
    memcpy(&scale, &bits, sizeof(scale));
    return scale + scale * more;
}

/* e^x; x beyond +-600 counts as that.  Not a number stays so. */
static inline double fast_exp(double x)
{
    x = x < -600.0 ? -600.0 : x;
    x = x > 600.0 ? 600.0 : x;
    return fast_exp2_64th(x * FAST_64THS);
}

/* ln x of a normal x > 0. */
static inline double fast_log(double x)
{
    static const double ln2 = 0.6931471805599453;
    static const uint64_t one = (uint64_t)1023 << 52;
    static const uint64_t fraction = ((uint64_t)1 << 52) - 1;
    /* Above the square root of 2 the next power is nearer. */
    static const uint64_t to_root = 0x95f619980c433u;
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    uint64_t up = bits + to_root;
    double power = (double)((int64_t)(up >> 52) - 1023);
    bits = (up & fraction) + one - to_root;
    double m;
    memcpy(&m, &bits, sizeof(m));
    double s = (m - 1.0) / (m + 1.0);
    double z = s * s;
    double series =
        2.0 / 3.0 +
        z * (2.0 / 5.0 +
             z * (2.0 / 7.0 +
                  z * (2.0 / 9.0 +
                       z * (2.0 / 11.0 + z * (2.0 / 13.0 + z * 2.0 / 15.0)))));
    return power * ln2 + (2.0 * s + s * z * series);
}

/* x^p of a normal x > 0. */
static inline double fast_pow(double x, double p)
{
    return fast_exp(p * fast_log(x));
}

#endif
