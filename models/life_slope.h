/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life_slope - how fast a vehicle's pack loses capacity, as rates for a guard.
 *
 * Loss by the clock, by state of charge and temperature, and loss by one more
 * equivalent full cycle (EFC), by its depth below full; both in ppm of the
 * capacity and by the same laws as the life engine (models/life_model.h).
 *
 * A law y = k x^p has no useful slope at x = 0, so k counts as the mean slope
 * over the life of a pack, k X^(p-1): X is 8 years by the clock, and the 42
 * EFC a year of a commuter by cycles (../shared/reference/degradation.md
 * sections 6 and 7).
 *
 * Of the two models of a chemistry the worse counts, also where they cross: by
 * the clock the rate begins at the higher one and rises with the steeper one,
 * so that a kelvin never costs less than it does in either; of a cycle the
 * slice of depth that is added costs what it does in the dearer one, at the
 * worst temperature from 10 to 40 degrees C.  Where a law falls with state of
 * charge or depth, the highest value below counts on.
 *
 * Temperatures count from 0 to 50 degrees C, also where the source measured
 * less: a law that were clamped would make it free to warm a cold pack.
 *
 * Everything is finite, never negative, and rises with each argument; what is
 * not a number counts as the worst there is.
 */
#ifndef MODELS_LIFE_SLOPE_H
#define MODELS_LIFE_SLOPE_H

#include "models/site.h"

#define LIFE_SLOPE_MAX_C 50.0 /* the lowest is 0 */

enum {
    LIFE_SLOPE_KELVINS = 50,
    LIFE_SLOPE_SOCS = 40,
    LIFE_SLOPE_DEPTHS = 40,
};

/* Plain; for reading through the functions below. */
struct life_slope {
    float calendar[LIFE_SLOPE_SOCS + 1][LIFE_SLOPE_KELVINS + 1];
    float cycle[LIFE_SLOPE_DEPTHS];
    double steepest; /* of calendar, in a kelvin */
};

void life_slope_init(struct life_slope *s, enum chemistry c);

/* Of a pack at rest; the state of charge 0..1. */
double life_slope_ppm_per_day(const struct life_slope *s, double soc_pu,
                              double temp_c);

/* Of that, what the last 'rise_k' >= 0 up to the temperature add. */
double life_slope_heat_ppm_per_day(const struct life_slope *s, double soc_pu,
                                   double temp_c, double rise_k);

/* Of what goes out and in again at 'depth_pu' below full. */
double life_slope_ppm_per_efc(const struct life_slope *s, double depth_pu);

#endif
