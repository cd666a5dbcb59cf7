/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replan - when a new plan is due, live and in replay alike, and what became
 * of the plans so far.
 *
 * Every plan_every, and at once (but not more often than every 5 s) when
 * something happened that a plan depends on: other prices or the next one in
 * force, an instruction of the utility, a job that starts or stops, a battery
 * lost or back, a new billing month.  Sooner than plan_every, too, where the
 * wall clock stopped the solver and another rung had to do: the machine may
 * have been busy.
 */
#ifndef CONTROLLER_REPLAN_H
#define CONTROLLER_REPLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "models/plan.h"
#include "models/site.h"
#include "models/snapshot.h"

struct replan {
    double age_s;                    /* of the last problem */
    uint64_t seen[PLAN_CAUSE_COUNT]; /* what it was built from */
    uint64_t causes; /* of the problem that is due, bits by enum plan_cause */
    int64_t price_mono_ms[SITE_PRICES_MAX];
    uint64_t prices[SITE_PRICES_MAX]; /* what was published */
    bool again;                       /* the last plan was cut short */
};

/* The first problem is due at once. */
void replan_init(struct replan *r);

/* One tick; 'under_way': a plan waits for its tick, another one would overtake
 * it.  True where a problem is to be built now, for 'causes'. */
bool replan_due(struct replan *r, const struct site *site,
                const struct snapshot *in, bool under_way);

/* 'plan' came into force. */
void replan_enter(struct replan *r, const struct plan *plan);

/* Of the plans that were in force. */
struct plan_tally {
    uint64_t n[PLAN_STATUS_COUNT];
    uint64_t n_by[PLAN_CAUSE_COUNT];
    uint64_t n_kept;     /* continued the one before, which pays as well */
    uint64_t n_cut;      /* stopped by the wall clock */
    uint64_t n_violated; /* said that something cannot be met */
    uint64_t n_turns;    /* times that the planned power changed direction */
    int64_t direction;   /* planned last: -1, 1, 0 before the first */
    double s;            /* time told of */
};

/* 'plan' comes into force. */
void plan_tally_enter(struct plan_tally *t, const struct plan *plan);

/* One tick in which 'planned_w' was planned for the batteries. */
void plan_tally_tick(struct plan_tally *t, const struct site *site,
                     double planned_w, double dt_s);

/* Changes of direction in a day, NAN before there was an hour. */
double plan_tally_turns_per_day(const struct plan_tally *t);

#endif
