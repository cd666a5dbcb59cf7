/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_search - the solver's search over the directions of batteries;
 * private to schedule_solve.
 *
 * The programme lets a battery charge and discharge at once, which a negative
 * price of power pays for.  Where it does, the steps concerned share their
 * power (SCHEDULE_WAY_SHARED).  A schedule is rounded from that (dive), and
 * looked for around it (improve); then what is left is branched on, the node of
 * the lowest bound first, each bounded by its programme and by its batteries
 * one by one (schedule_apart.h).  The bound of a problem is the least of its
 * open nodes. Deterministic, and all of it within one budget of iterations.
 */
#ifndef POLICIES_SCHEDULE_SEARCH_H
#define POLICIES_SCHEDULE_SEARCH_H

#include "policies/schedule_apart.h"
#include "policies/schedule_solve.h"

enum { SCHEDULE_NODES_MAX = 4096 };

extern const double schedule_gap_optimal_pu;

/* A decision on top of its parent's. */
struct schedule_node {
    int parent; /* -1: the root */
    int battery;
    int step;
    int8_t way;
    bool open;
    double bound_cur; /* of the parent, or its own */
};

struct schedule_solver {
    struct ipm_memory memory;
    struct schedule_lp lp;
    struct schedule_ways root;
    struct schedule_ways ways;
    struct schedule_node nodes[SCHEDULE_NODES_MAX];
    struct schedule trial;
    struct schedule_apart apart;
};

struct schedule_search {
    struct schedule_solver *s;
    const struct schedule_problem *p;
    const struct schedule_budget *budget;
    struct schedule *best;
    double best_cur; /* cost with penalties; INFINITY: none yet */
    double bound_cur;
    int n_iterations;
    int n_left;
    int n_nodes;
    int dive_next;         /* at so many nodes */
    double relaxed_gap_pu; /* of a programme without branches */
    double rough_pu;       /* gap at which a programme will do to branch on */
    double leaf_cur;       /* least bound of the nodes without a choice left */
    double improved_cur;   /* the best schedule when it was last improved on */
    double part;           /* of its steps to open next */
    bool keeps_grid;       /* some schedule does */
    bool fits;             /* the programme at hand is the best schedule's */
};

/* Of max(1, |cost|). */
double schedule_search_gap(const struct schedule_search *at);

/* The budget is used up. */
bool schedule_search_over(const struct schedule_search *at);

/* The programme at hand to its end, or until its bound reaches the best cost;
 * its bound, at least 'bound_cur'.  Keeps the schedule where it is the best. */
double schedule_search_run(struct schedule_search *at, double bound_cur);

/* The same of a programme that is yet to be opened, from 'ways'. */
double schedule_search_solve(struct schedule_search *at, double bound_cur);

/* What a battery does in a step of the programme at hand. */
struct schedule_flow {
    double in; /* scaled */
    double out;
    double both_pu; /* of the full powers, the lesser */
};

struct schedule_flow schedule_flow(const struct schedule_lp *lp, int i, int t);

extern const double schedule_both_min_pu; /* below it is none */

/* policies/schedule_dive.c: from the programme at hand to a schedule of one
 * direction at a time, some steps after the other. */
void schedule_dive(struct schedule_search *at);

/* Directions for all that does both, and their programme. */
void schedule_round(struct schedule_search *at);

/* policies/schedule_improve.c: from the best schedule, with other directions in
 * a part of its steps. */
void schedule_improve(struct schedule_search *at, double part);

/* Of the programme at hand, whose batteries may do both at once. */
double schedule_search_relaxed_gap(const struct schedule_lp *lp);

/* All of it: fills 'best', best_cur and bound_cur. */
void schedule_search_ways(struct schedule_search *at);

#endif
