/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear - what moving energy through a battery costs, by throughput.
 *
 * Physics apart, the books: a battery is replaced after WEAR_CYCLES equivalent
 * full cycles, so every kWh discharged costs the replacement per kWh over
 * those.  A straight line; depth, rate, temperature and age do not enter.
 */
#ifndef MODELS_WEAR_H
#define MODELS_WEAR_H

#include "models/site.h"

/* "more than 10,000 cycles" is claimed for a Megablock (pv magazine, 2025);
 * 6,000 to 80 % is what LFP grid batteries are commonly warranted for. */
#define WEAR_CYCLES 6000.0

/* Site currency per kWh discharged at the terminals. */
static inline double wear_per_kwh(const struct site_battery *b)
{
    return b->replacement_per_kwh / WEAR_CYCLES;
}

/* Equivalent full cycles of 'throughput_wh', charge and discharge together. */
static inline double wear_efc(const struct site_battery *b,
                              double throughput_wh)
{
    return throughput_wh / (2.0 * b->energy_wh);
}

#endif
