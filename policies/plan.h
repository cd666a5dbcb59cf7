/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan - a schedule for the batteries from a problem: charge cheap, discharge
 * dear, within a reserve.
 *
 * This planner is a rule: it charges in the cheapest and discharges in the
 * dearest quarter of the slots where the spread pays for losses and wear, uses
 * less than half of the power (the rest smooths) and stays away from the ends
 * of the state-of-charge window.  Its status is always RULE.
 */
#ifndef POLICIES_PLAN_H
#define POLICIES_PLAN_H

#include "models/plan.h"
#include "models/site.h"

/* A plan enters this many ticks after its problem was built, live and in
 * replay alike. */
enum { PLAN_DELAY_TICKS = 10 };

void plan_solve(const struct site *site, const struct problem *problem,
                struct plan *plan);

#endif
