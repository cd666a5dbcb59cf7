/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear_warranty - an account of the throughput that a warranty allows.
 *
 * A warranty of a stationary battery is commonly bound to its throughput; the
 * site file says it as equivalent full cycles (EFC) a year.  The allowance
 * grows with time and use takes from it.  What is not used is carried, up to
 * one year's; where use runs ahead of it, every kWh gets dearer:
 *
 *   per kWh discharged = most x min(1, ahead / allowance of 30 days)
 *   most = replacement_per_kwh / (allowance of 15 years)
 *
 * The dual price of the allowance, and bounded: at most what a battery costs
 * over all the EFC that a warranty of 15 years covers (10 USD/MWh at
 * 60 USD/kWh and 400 a year).  It is a price, not a ban: more can be paid for
 * on a day when the spread is worth it.
 *
 * A battery without such a warranty (warranty_efc_per_y not finite, or 0) has
 * no price here; its use is counted all the same.
 */
#ifndef MODELS_WEAR_WARRANTY_H
#define MODELS_WEAR_WARRANTY_H

#include <stdbool.h>

#include "models/site.h"

#define WEAR_WARRANTY_CARRY_Y 1.0
#define WEAR_WARRANTY_AHEAD_D 30.0
#define WEAR_WARRANTY_Y 15.0

/* All zero: nothing used, nothing carried. */
struct wear_warranty {
    double used_efc;
    double spare_efc; /* allowed and not used; < 0: ahead by so much */
};

/* 'efc' were used in the last 'dt_s', both >= 0. */
void wear_warranty_use(struct wear_warranty *w, const struct site_battery *b,
                       double efc, double dt_s);

/* Whether it is one that can be, from whoever kept it. */
bool wear_warranty_valid(const struct wear_warranty *w);

/* Per kWh discharged at the terminals, on top of wear; 0 where nothing is
 * ahead. */
double wear_warranty_per_kwh(const struct wear_warranty *w,
                             const struct site_battery *b);

/* The bound of the price above; 0 without a warranty. */
double wear_warranty_most_per_kwh(const struct site_battery *b);

#endif
