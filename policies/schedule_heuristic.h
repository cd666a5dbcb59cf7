/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_heuristic - a schedule that cannot fail: classes first, then one
 * battery after the other by its own dynamic programme against what the others
 * leave, then what exceeds the grid's limit is deferred or shed.
 *
 * Exact for one battery of one segment, without ramp, demand charge and
 * classes; else near the optimum.  Segments count with their mean price, ramps
 * not at all, the demand charge as a price above a peak that is searched for.
 */
#ifndef POLICIES_SCHEDULE_HEURISTIC_H
#define POLICIES_SCHEDULE_HEURISTIC_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/schedule_settle.h"
#include "policies/schedule_solve.h"

/* Doubles that it needs for so many steps. */
size_t schedule_heuristic_memory(int n_steps);

/* What it works in, and whom it asks before every battery whether time is up;
 * a battery takes about as long as an iteration of the solver. */
struct schedule_heuristic_room {
    double *base;
    size_t n;
    schedule_stop_fn *stop; /* NULL: never */
    void *context;
};

/* Status HEURISTIC, gap NAN.  False when the memory does not do, a number of
 * the problem is none or time was up before a first schedule. */
bool schedule_heuristic(const struct schedule_problem *p,
                        const struct schedule_heuristic_room *room,
                        struct schedule *out);

#endif
