/* SPDX-License-Identifier: GPL-3.0-or-later */
/* problem - parts of the planner's problem: its time grid, the cars. */
#ifndef CONTROLLER_STEP_PROBLEM_H
#define CONTROLLER_STEP_PROBLEM_H

#include "controller/step/step_state.h"
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

/* What the cars of fleet 'f' charge behind the grid connection, as last
 * seen. */
double problem_charging_w(const struct step_cfg *cfg,
                          const struct step_state *state, int f);

/*
 * The cars behind the grid connection, at 'utc_ms': those that can wait as
 * buckets, those that charge in any case in the load of the slots at once.
 * 'load_w' must not hold what they charge.  Fleets without either go on with
 * what they charge now, less and less of it.
 */
void problem_cars(const struct step_cfg *cfg, const struct step_state *state,
                  int64_t utc_ms, struct problem *p);

/*
 * The classes whose work can wait, as far as it does not, taken out of the load
 * of the slots: what they draw by now where that goes on, what is foreseen
 * else.  False where there is none.
 */
bool problem_classes(const struct step_cfg *cfg, const struct step_state *state,
                     struct problem *p);

/* What may be drawn beside the usual load to do what waited: by how much the
 * load may fall at once when nothing waits any more. */
double problem_beside_w(const struct step_cfg *cfg,
                        const struct step_state *state);

/* How much of the load at 'at_ms' is that of now, going on (0..1), the rest is
 * foreseen. */
double problem_soon_share(const struct step_cfg *cfg,
                          const struct step_state *state, int64_t now_ms,
                          int64_t at_ms);

#endif
