/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * share_terms - what one more kW costs on each battery, and who begins.
 *
 *   wear     the price of cycling, linear and square in the power
 *            (models/wear.h), of the battery as it has aged
 *   losses   half of them as a fixed part of the energy, half with the square
 *            of the power, at the price of energy
 *   holding  a stored Wh that is given a few hours earlier ages it less
 *   place    who is fuller than it should be discharges more, and charges less
 *   start    at small powers a few work and the others rest: the emptiest
 *            begins to charge, the fullest to discharge, and the next in line
 *            joins where the ones before it have got some work to do
 *
 * Nothing here jumps: a reported state of charge is followed over minutes, the
 * line is changed only by a clear difference, and a battery takes half a
 * minute to move up in it.  What the batteries do together never depends on it.
 */
#ifndef POLICIES_SHARE_TERMS_H
#define POLICIES_SHARE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/life.h"
#include "models/site.h"
#include "policies/share.h"

/* Of one battery, slow to change. */
struct share_cost {
    double linear_cur_per_wh;
    double square_cur_per_w2h;
    double hold_cur_per_wh;
};

/* Pointer-free; a copy is a checkpoint. */
struct share_state {
    struct share_cost cost[SITE_BATTERIES_MAX];
    double place_pu[SITE_BATTERIES_MAX];       /* followed; NAN: not seen */
    double charge_late_pu[SITE_BATTERIES_MAX]; /* 0 begins, 1 comes last */
    double discharge_late_pu[SITE_BATTERIES_MAX];
    int64_t line[SITE_BATTERIES_MAX]; /* batteries, the emptiest first */
    int64_t turn;                     /* whose cost is looked at next */
    double turn_s;                    /* since the last one */
};

/* What of this tick matters; of each battery where there is a pointer. */
struct share_now {
    const double *soc_pu;    /* NAN: not to be used */
    const double *target_pu; /* where it should be; NAN: nobody says */
    const struct life *life;
    double per_kwh; /* of energy; not finite or negative: nothing */
    double dt_s;
};

/* New batteries, in the site's order. */
void share_reset(const struct site *site, struct share_state *state);

/* Costs of this tick, into 'b'; its limits and answers are left alone. */
void share_price(const struct site *site, struct share_state *state,
                 const struct share_now *now, struct share_battery *b);

/* Whether it is one that share_price() can have left. */
bool share_valid(const struct site *site, const struct share_state *state);

#endif
