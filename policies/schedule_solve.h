/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_solve - the planner: the cheapest schedule of a problem, with a
 * certificate.
 *
 * OPTIMAL: the certified gap is at most 1e-6 of max(1, |cost|); the cost is
 * recomputed from the powers, the bound from below from the multipliers.
 * FEASIBLE: a schedule of the same solver with a larger gap.  Where something
 * is violated, cost and gap are those with the penalties (schedule_lp.h).
 *
 * A battery charges or discharges, not both.  Where doing both would pay
 * (negative prices, power that cannot be exported), directions are branched on
 * (schedule_search.h) until the gap is closed or the budget is used up; the gap
 * then says what is not proven.
 *
 * The budget counts the iterations of all programmes of a call together,
 * n_iterations of the answer tells them; SCHEDULE_ITERATIONS_MAX unless another
 * number is asked for, SCHEDULE_ITERATIONS_LIMIT at most.
 */
#ifndef POLICIES_SCHEDULE_SOLVE_H
#define POLICIES_SCHEDULE_SOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/schedule_settle.h"

enum {
    SCHEDULE_ITERATIONS_MAX = 400, /* unless asked for more */
    SCHEDULE_ITERATIONS_LIMIT = 20000,
};

struct schedule_shape {
    int n_steps;
    int n_batteries;
    int n_segments; /* of any battery, at most */
    int n_classes;
};

/* Doubles that schedule_solve needs for problems up to this shape. */
size_t schedule_memory(const struct schedule_shape *shape);

struct schedule_solver; /* in the caller's memory */

/* In 'base' of 'n' doubles; NULL when that is not enough to begin. */
struct schedule_solver *schedule_solver(double *base, size_t n);

/* Asks, some hundred times a second and within an iteration as well, whether
 * time is up; NULL: never. */
typedef bool schedule_stop_fn(void *context);

struct schedule_budget {
    int n_iterations; /* 0: SCHEDULE_ITERATIONS_MAX */
    schedule_stop_fn *stop;
    /* The same of the part of the time that the solver may take, so that what
     * comes after it has the rest; NULL: all of it. */
    schedule_stop_fn *soon;
    void *context;
};

/* False where not even a first schedule came out (no memory, no iteration, a
 * number that is none in the problem): 'out' is then void. */
bool schedule_solve(struct schedule_solver *s,
                    const struct schedule_problem *problem,
                    const struct schedule_budget *budget, struct schedule *out);

/* The steps of a price below 0, at which losses pay, share their power. */
void schedule_share_where_losses_pay(const struct schedule_problem *p,
                                     struct schedule_ways *out);

#endif
