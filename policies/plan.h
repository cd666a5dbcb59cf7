/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan - from a problem to the plan that the step follows.
 *
 * The site's batteries are planned as at most PLAN_GROUPS_MAX stores, buckets
 * of cars as stores that only charge, classes of compute as far as there is
 * something to decide about them; policies/ladder solves that, checks it and
 * goes down its rungs where it has to.
 *
 * What a demand charge is worth to a plan: it looks ahead two days, a peak is
 * paid for a month.  The part of it that lies in the horizon counts.
 *
 * A plan that turns a battery around in the next minutes and saves next to
 * nothing by that is not taken: the last one is continued, and says so ('kept',
 * with the gap that this costs).
 */
#ifndef POLICIES_PLAN_H
#define POLICIES_PLAN_H

#include <stddef.h>

#include "models/plan.h"
#include "models/site.h"
#include "policies/ladder.h"

/* A plan enters this many ticks after its problem was built, live and in
 * replay alike. */
enum { PLAN_DELAY_TICKS = 10 };

/* Of the planner's thread, from a problem to its plan. */
#define PLAN_DEADLINE_S 0.05
#define PLAN_SOLVER_S 0.03 /* of it */
#define PLAN_SEARCH_S \
    0.044 /* and with the heuristic; to judge takes the rest */

/* Memory of the planner and what it remembers from one plan to the next; some
 * MB, allocated once by the caller. */
struct plan_solver;

size_t plan_solver_size(const struct site *site);
/* 'site' must outlive it. */
void plan_solver_init(struct plan_solver *s, const struct site *site);

struct plan_request {
    const struct problem *problem;
    schedule_stop_fn *stop; /* asked whether time is up; NULL: never */
    schedule_stop_fn *soon; /* whether the solver's part of it is */
    void *context;
    ladder_spoil_fn *spoil; /* for tests; NULL */
    void *spoil_context;
};

/* Always fills 'plan'; its status says which rung it is. */
void plan_solve(struct plan_solver *s, const struct plan_request *request,
                struct plan *plan);

#endif
