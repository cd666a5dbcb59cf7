/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads that are unkind to the ramp, in ticks of 100 ms. */
#ifndef TESTS_CONTROLLER_STEP_UNKIND_LOAD_H
#define TESTS_CONTROLLER_STEP_UNKIND_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "models/random.h"

/* The load stays between these.  Ten batteries of 10 MW and 20 MWh have power
 * and energy for all of it from any grid power between, and what leaks of an
 * edge of all of it, 0.158 s of 38 MW, is 0.36 of what the mean forgives. */
static const double LOW_W = 82e6;
static const double HIGH_W = 120e6;

/* One of the ways, by 'kind' 0 to 3, after a load of 'w' before tick 'k'. */
static inline double next_load(uint64_t *seed, int k, int kind, double w)
{
    double often = kind == 0 ? 0.005 : kind == 1 ? 0.03 : 0.1;
    bool phase = kind == 3 && k % 110 == 0; /* as long as the mean, and back */
    if (kind == 3 ? phase : random_draw(seed, 0.0, 1.0) < often) {
        bool end = random_draw(seed, 0.0, 1.0) < 0.5;
        double other_w = w < 0.5 * (LOW_W + HIGH_W) ? HIGH_W : LOW_W;
        return end || kind == 3 ? other_w : random_draw(seed, LOW_W, HIGH_W);
    }
    return w;
}

#endif
