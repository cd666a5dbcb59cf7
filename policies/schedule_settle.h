/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_settle - what powers come to: from battery_w and served_w of a
 * schedule all the rest.
 *
 * Powers are brought within what the assets can do (rating, window of the
 * state of charge, demand, queue), the energy is simulated (discharge takes
 * from the cheapest segment first, charge fills it first: with prices that
 * never fall no other order costs less), and grid_w, soc_pu, objective_cur and
 * the violations follow.  Excess below a 1e-7th of the largest power is none.
 */
#ifndef POLICIES_SCHEDULE_SETTLE_H
#define POLICIES_SCHEDULE_SETTLE_H

#include "policies/schedule_lp.h"

/* The cost with the penalties of what is violated, site currency. */
double schedule_settle(const struct schedule_problem *p,
                       const struct schedule_penalties *penalties,
                       struct schedule *s);

#endif
