/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_settle - what powers come to: from battery_w and served_w of a
 * schedule all the rest.
 *
 * Powers are brought within what the assets can do (rating, state of charge,
 * demand, queue) and, where a hair is missing, into the windows of the state of
 * charge; the energy is simulated (discharge takes
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

/* Changes battery_w such that all windows of the state of charge are kept, as
 * far as 98 % of the power can. */
void schedule_hold_windows(const struct schedule_problem *p,
                           struct schedule *s);

#endif
