/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lead - how far the grid may go ahead of load changes that are announced.
 *
 * A jump of J that the grid follows from the moment it comes, at its ramp
 * limit R, takes J^2 / 2R of the batteries.  Where the ramp is half over when
 * the jump comes, they first store and then give J^2 / 8R, with half the
 * power.  Several jumps the same way are one of their sum at their centre of
 * gravity; of all ways to begin the earliest that is due counts.  A jump back
 * ends them: for a short pulse it does not pay to move.  Pure.
 */
#ifndef POLICIES_LEAD_H
#define POLICIES_LEAD_H

#include <stdint.h>

struct lead_jump {
    double in_s; /* from now; < 0: it has just come, the level follows */
    double by_w; /* + rise */
};

enum { LEAD_JUMPS_MAX = 64 };

struct lead {
    int64_t n;
    struct lead_jump jumps[LEAD_JUMPS_MAX]; /* by time, the nearest first */
};

/* Puts 'jump' into its place; one that is over, or of a full list the farthest,
 * is left out.  Neither field is NAN. */
void lead_add(struct lead *l, struct lead_jump jump);

/* By how much the grid should be above (+) or below (-) the load's level now;
 * ramp_w_per_s > 0. */
double lead_w(const struct lead *l, double ramp_w_per_s);

#endif
