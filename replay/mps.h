/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mps - a planner's problem as a linear programme in a free-format MPS file,
 * so that any solver can check us: clp, cbc, glpsol, HiGHS, lp_solve.
 *
 * Units are MW, MWh and the site's currency.  Columns (t from 0, s a segment,
 * left out where there is one): imp[t] exp[t] the grid's power, ch[NAME.s,t]
 * and dis[NAME.s,t] of a battery at its terminals, e[NAME.s,t] its energy above
 * soc_min at the step's end, sv[NAME,t] and q[NAME,t] what a class is served
 * and its queue, peak, and one, fixed at 1, which carries the constant of the
 * objective: what the solver reports is objective_cur.  Rows: bal[t] ramp[t]
 * top[t] (the peak) soc[NAME.s,t] level[NAME,t] chmax[NAME,t] dismax[NAME,t]
 * queue[NAME,t], and one[NAME,t] at a price below 0: charge and discharge, as
 * parts of the most that each can be, are 1 together at most.
 *
 * All limits are hard, as in ../shared/CONTRACT.md: where they cannot be met
 * the file says so, by being infeasible.  Only the window of a state of charge
 * that begins outside it, or a floor that no power reaches in time, is what
 * can be reached (schedule_tube).  Segments of one price are one.  Names are
 * shortened to letters, digits, _ and -, and numbered where two become one.
 */
#ifndef REPLAY_MPS_H
#define REPLAY_MPS_H

#include <stdio.h>

#include "models/err.h"
#include "models/schedule.h"

/* Write 'p' to 'out'; ERR_IO (errno is set) or ERR_MEMORY. */
CHECKED enum err mps_write(FILE *out, const struct schedule_problem *p);

/* How little can be violated: MWh beyond the grid's limits, MW beyond the ramp,
 * MWh below the classes' floors, MWh that the windows of the state of charge
 * are missed by, each summed over all steps. */
struct mps_least {
    enum schedule_tier tier;     /* to be the least */
    double most[SCHEDULE_TIERS]; /* of the tiers above it */
};

/* The same problem with limits that give way; its optimum is the least of one
 * tier's violation and has nothing to do with money. */
CHECKED enum err mps_write_least(FILE *out, const struct schedule_problem *p,
                                 const struct mps_least *least);

#endif
