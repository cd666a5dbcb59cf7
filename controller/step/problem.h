/* SPDX-License-Identifier: GPL-3.0-or-later */
/* problem - the time grid of the planner's problem. */
#ifndef CONTROLLER_STEP_PROBLEM_H
#define CONTROLLER_STEP_PROBLEM_H

#include "models/plan.h"
#include "models/snapshot.h"

/*
 * Lengths of the slots from 'in->utc_ms' on: 5 min for two hours, 15 min for
 * ten more, 60 min to the horizon.  Every slot but the first begins at a
 * multiple of its length in UTC, so that quarter hours and full hours are
 * boundaries; where an instruction of the utility begins or ends there is one
 * too.  No slot is shorter than half a minute: a boundary that is closer than
 * that to another is left out, one that is closer to the start begins later.
 *
 * Returns how many, 1 .. PLAN_SLOTS_MAX.
 */
int64_t problem_grid(const struct snapshot *in, double horizon_s,
                     double step_s[PLAN_SLOTS_MAX]);

#endif
