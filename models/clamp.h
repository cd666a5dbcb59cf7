/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clamp - a value held inside its bounds.
 */
#ifndef MODELS_CLAMP_H
#define MODELS_CLAMP_H

#include <math.h>

/* 'x' in [lo, hi]; 'lo' wins where they cross, and NAN becomes 'hi'. */
static inline double clamp(double x, double lo, double hi)
{
    return fmax(lo, fmin(hi, x));
}

#endif
