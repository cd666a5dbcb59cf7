/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack_life - how fast a vehicle's pack loses capacity, as two rates.
 *
 * What the pack guard asks of a model of battery life, and no more: the loss
 * by time and the loss by throughput, both in ppm of the capacity, at the mean
 * slope over the life of the pack (the raw slope of a new one is infinite).
 * Rates are finite, never negative, and rise with state of charge, temperature
 * and depth; arguments outside the fitted range are clamped to it.
 *
 * Calendar, NCA (Panasonic 18650B; NREL BLAST-Lite, after Keil 2016):
 *
 *   y = k t^0.512,  k = 75.4 exp(-3340/T) exp(353 s/T)   T in K, t in days
 *
 * taken over 8 years, k 2922^(0.512 - 1) a day; fitted at 25 to 50 degrees C,
 * clamped above, continued below to 0.  Cycles: the table of B. Xu's group for
 * NCA (71, 214, 464 $/MWh for depths to 0.2, 0.6 and 1, at 100 $/kWh over 20 %
 * of the capacity), which is well above the cycle law of BLAST-Lite.  Both by
 * ../shared/reference/degradation.md sections 3.3, 4 and 6.
 *
 * The other chemistries are bounded by it: 'scale' is how much more heat costs
 * the worse model of each in ../shared/vectors/wear/one_kw_study.csv (eight
 * years, +5 to +20 K), and 1 where it costs less.
 */
#ifndef MODELS_PACK_LIFE_H
#define MODELS_PACK_LIFE_H

#include "models/site.h"

/* What the calendar rate is fitted to, at the top. */
#define PACK_LIFE_MAX_C 50.0

struct pack_life {
    /* of a pack at rest; the state of charge 0..1 */
    double (*calendar_ppm_per_day)(double soc_pu, double pack_c);
    /* per equivalent full cycle, at 'depth_pu' below full */
    double (*cycle_ppm_per_efc)(double depth_pu);
    double scale; /* of the calendar rate */
};

/* The one for 'chemistry'; static storage. */
const struct pack_life *pack_life_of(enum chemistry chemistry);

#endif
