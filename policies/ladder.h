/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ladder - a schedule, whatever happens.
 *
 * The rungs, taken from the top: OPTIMAL and FEASIBLE (the solver, within its
 * budget), HEURISTIC (battery by battery), SHIFTED (the last good schedule
 * moved on to now, up to an age), RULE (no look ahead; cannot fail).  Every
 * answer passes schedule_check(), which shares nothing with the solver; what
 * it refuses is noted with the reason and the next rung is taken.  A FEASIBLE
 * answer whose gap is large competes with the heuristic: the cheaper is taken.
 *
 * A problem with a number that is none goes to SHIFTED and RULE with that
 * number mended (the one before it, or none of that limit); its cost is told
 * as NAN.
 *
 * Nothing is allocated and no clock is read: time is up when the budget's
 * stop says so.  Solver and heuristic ask it between their parts (an iteration,
 * a battery) and what is left then is SHIFTED and RULE, which take no time to
 * speak of.  Some MB: allocated once, at the start, by the caller.
 */
#ifndef POLICIES_LADDER_H
#define POLICIES_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/schedule.h"
#include "policies/schedule_check.h"
#include "policies/schedule_heuristic.h"
#include "policies/schedule_solve.h"

enum { LADDER_TRIES_MAX = 8, LADDER_AGE_MAX_S = 7200 };

/* What became of a rung. */
#define LADDER_VERDICT_LIST(X)                                 \
    X(TAKEN, "taken")                                          \
    X(DEARER, "another rung's schedule is cheaper")            \
    X(NUMBER, "a number of the problem is none")               \
    X(UNSOLVED, "no schedule came out within the budget")      \
    X(REFUSED, "the check refused it")                         \
    X(NO_LAST, "there is no last schedule")                    \
    X(TOO_OLD, "the last schedule is too old")                 \
    X(OTHER_ASSETS, "the last schedule is of other batteries") \
    X(TOO_LATE, "time was up")
#define LADDER_VERDICT_ENUM(name, text) LADDER_##name,
enum ladder_verdict {
    LADDER_VERDICT_LIST(LADDER_VERDICT_ENUM) LADDER_VERDICTS
};
#undef LADDER_VERDICT_ENUM

const char *ladder_verdict_text(enum ladder_verdict v);

struct ladder_try {
    int64_t rung;    /* enum plan_status; FEASIBLE for the solver's failure */
    int64_t verdict; /* enum ladder_verdict */
    struct schedule_verdict check; /* why, where it was REFUSED */
};

/* For tests: sees, and may spoil, what a rung made before it is checked. */
typedef void ladder_spoil_fn(void *context, enum plan_status rung,
                             struct schedule *s);

struct ladder_request {
    const struct schedule_problem *problem;
    int64_t at_ms; /* UTC of the first step */
    struct schedule_budget budget;
    ladder_spoil_fn *spoil; /* NULL in production */
    void *spoil_context;
};

/* The last good schedule, as far as it is needed.  Stores that only charge
 * (cars) come and go: they are found again by their names. */
struct ladder_last {
    bool there;
    int64_t at_ms;
    int64_t n_steps;
    int64_t n_batteries;
    int64_t n_classes;
    double step_s[SCHEDULE_STEPS_MAX];
    bool cars[SCHEDULE_BATTERIES_MAX];
    char names[SCHEDULE_BATTERIES_MAX + SCHEDULE_CLASSES_MAX][SITE_NAME_MAX];
    double battery_w[SCHEDULE_BATTERIES_MAX][SCHEDULE_STEPS_MAX];
    double served_w[SCHEDULE_CLASSES_MAX][SCHEDULE_STEPS_MAX];
};

struct ladder {
    struct schedule_solver *solver; /* NULL: the memory was not enough */
    double *heuristic;              /* its memory; NULL likewise */
    size_t n_heuristic;
    double age_max_s;
    struct ladder_last last;
    int64_t n_tries; /* of the last call, in order */
    struct ladder_try tries[LADDER_TRIES_MAX];
    struct schedule_problem mended;
    struct schedule trial;
};

/* Doubles that problems up to 'shape' need. */
size_t ladder_memory(const struct schedule_shape *shape);

/* The caller's memory and what it is for. */
struct ladder_memory {
    struct schedule_shape shape;
    double *base;
    size_t n; /* too little costs rungs, never an answer */
};

void ladder_init(struct ladder *l, const struct ladder_memory *memory);

/* Always fills 'out'; its status says which rung it is. */
void ladder_solve(struct ladder *l, const struct ladder_request *r,
                  struct schedule *out);

#endif
