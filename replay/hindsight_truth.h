/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hindsight_truth - what really came, in the steps of a linear programme.
 *
 * Filled tick by tick from a run of the policy `none`: what the site would
 * draw without batteries and without holding anything back.  Steps are aligned
 * to the clock (UTC), so the first and the last may be shorter: 10 s for up to
 * two hours, else the planner's 15 min, and the 30, 45 or 60 min that are
 * needed for more than 30 days.
 */
#ifndef REPLAY_HINDSIGHT_TRUTH_H
#define REPLAY_HINDSIGHT_TRUTH_H

#include <stdint.h>

#include "models/err.h"
#include "replay/replay.h"

enum {
    HINDSIGHT_STEPS_MAX = 2880,
    HINDSIGHT_FINE_MS = 10000,
    HINDSIGHT_COARSE_MS = 900000,
    HINDSIGHT_COARSEST_MS = 3600000,
};

/* Means over a step. */
struct hindsight_step {
    double s; /* its length */
    int64_t n_ticks;
    int64_t begin_ms; /* UTC of its first tick */
    double demand_w;
    double other_w;
    double fleet_w;
    double price_per_kwh; /* of the bill */
    double limit_w;       /* on imports, in force */
    /* By classes: what is asked for, what of it the pods' floors let be held
     * back, and what they could do beside it. */
    double asked_w[SITE_CLASSES_MAX];
    double room_w[SITE_CLASSES_MAX];
    double more_w[SITE_CLASSES_MAX];
};

struct hindsight_truth {
    const struct site *site;
    const struct zone *zone; /* of the billing months; NULL: UTC */
    int64_t start_utc_ms;
    int64_t step_ms;
    int64_t n;
    double start_w; /* of the grid, before the first tick */
    double mean_per_kwh;
    struct hindsight_step steps[HINDSIGHT_STEPS_MAX];
};

/* 0: too long for any step. */
int64_t hindsight_step_ms(double duration_s, int64_t start_utc_ms);

/* The step of the tick that begins 't_s' after the start. */
int64_t hindsight_step_at(const struct hindsight_truth *t, double t_s);

/* Set site, zone, start_utc_ms and step_ms before, all else to 0. */
void hindsight_truth_add(struct hindsight_truth *t,
                         const struct replay_told *told);

/* Sums to means. */
void hindsight_truth_end(struct hindsight_truth *t);

#endif
