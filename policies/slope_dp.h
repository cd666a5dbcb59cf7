/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slope_dp - the cheapest path of one store, exactly, by slopes.
 *
 * A store changes its energy by some amount at every step at a convex piecewise
 * linear cost and keeps inside a window at the step's end.  The cost to go is
 * convex piecewise linear too, kept as its slopes in rising order: a step back
 * in time merges the step's slopes into it (an inf-convolution) and cuts off
 * what lies outside the window.  Exact as long as the pieces fit the memory;
 * then neighbours are averaged.  (Rockafellar, Convex Analysis, th. 16.4.)
 *
 * Energies in any unit, costs in any other.
 */
#ifndef POLICIES_SLOPE_DP_H
#define POLICIES_SLOPE_DP_H

#include <stddef.h>

enum { SLOPE_PIECES_MAX = 10, SLOPE_LIVE_MAX = 1024 };

struct slope_piece {
    double slope;
    double width; /* >= 0 */
};

struct slope_step {
    double lo; /* window at the end of the step */
    double hi;
    double change_min; /* where the pieces begin */
    int n;
    struct slope_piece pieces[SLOPE_PIECES_MAX]; /* slopes never fall */
};

struct slope_problem {
    int n_steps;
    double start;
    const struct slope_step *steps;
    int n_final; /* cost of the energy at the end, from the last window's lo */
    struct slope_piece final[SLOPE_PIECES_MAX];
};

/* In the caller's memory; 'pool' holds the costs to go of all steps. */
struct slope_work {
    struct slope_piece *pool;
    size_t n_pool;
    size_t *first; /* n_steps + 1 */
    double *begin; /* n_steps + 1 */
    struct slope_piece live[2][SLOPE_LIVE_MAX];
};

/* energy[t] at the end of every step. */
void slope_dp_solve(const struct slope_problem *p, struct slope_work *w,
                    double *energy);

#endif
