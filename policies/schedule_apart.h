/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_apart - a bound from batteries one by one; private to
 * schedule_solve.
 *
 * At the multipliers of a programme's balance every battery is on its own, and
 * its best way through the horizon, one direction at a time, is found by a
 * dynamic programme over what it stores (Lagrange; Geoffrion, Mathematical
 * Programming Study 2, 1974).  With the rest's part of the dual it is a bound
 * from below, at least that of the programme itself but for rounding.
 *
 * The segments of a battery are taken apart by the multipliers of their
 * energies: what they store together, and both powers, are one.
 */
#ifndef POLICIES_SCHEDULE_APART_H
#define POLICIES_SCHEDULE_APART_H

#include "policies/schedule_curve.h"
#include "policies/schedule_lp.h"

/* Its memory. */
struct schedule_apart {
    struct schedule_curve curves[5];
};

/* Of the schedules that keep all limits and the directions of 'ways', site
 * currency; the programme at hand is theirs.  -INFINITY where it takes too many
 * points, INFINITY where there is none. */
double schedule_apart_bound(struct schedule_apart *a,
                            const struct schedule_lp *lp,
                            const struct schedule_problem *p,
                            const struct schedule_ways *ways);

#endif
