/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clamp - a value held inside its bounds.
 */
#ifndef MODELS_CLAMP_H
#define MODELS_CLAMP_H

#include <math.h>

/* fmax and fmin without a call: what is not a number yields to what is.  Of
 * two zeros it is the second. */
static inline double max_of(double a, double b)
{
    return a > b || isnan(b) ? a : b;
}

static inline double min_of(double a, double b)
{
    return a < b || isnan(b) ? a : b;
}

/* 'x' in [lo, hi]; 'lo' wins where they cross, and NAN becomes 'hi'. */
static inline double clamp(double x, double lo, double hi)
{
    return max_of(lo, min_of(hi, x));
}

#endif
