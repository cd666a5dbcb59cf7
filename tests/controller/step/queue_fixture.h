/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site whose work can wait, in closed loop, and the ramp of its grid. */
#ifndef TESTS_CONTROLLER_STEP_QUEUE_FIXTURE_H
#define TESTS_CONTROLLER_STEP_QUEUE_FIXTURE_H

#include "tests/loop_fixture.h"

enum { MEAN = 40 }; /* ticks of the mean that the ramp is judged on */

static const double DEMAND_W = 100e6;
static const double PERIOD_S = 0.25;

/* A loop and its grid: the means over ten seconds. */
struct bench {
    struct loop_fixture f;
    double grid_w[MEAN]; /* a ring */
    double mean_w[MEAN]; /* likewise */
    double sum_w;
    int64_t n;
    double steepest_pu; /* of the ramp limit */
    double demand_wh;
    double served_wh;
};

/* Pods of 150 MW whose floors are 50; a plan without budgets. */
static inline void begin(struct bench *b, double deadline_s)
{
    struct site *site = fixture_site(4, 4, 0);
    site->classes[0].firm = false;
    site->classes[0].deadline_s = deadline_s;
    site->control.period_s = PERIOD_S;
    *b = (struct bench){.f = loop_open(site, POLICY_BALLAST, DEMAND_W)};
    struct plan *plan = b->f.plan;
    plan->status = PLAN_OPTIMAL;
    plan->start_at_ms = LOOP_UTC_MS;
    plan->expires_at_ms = INT64_MAX;
    plan->n_slots = 1;
    plan->step_s[0] = 1e6;
    plan->grid_max_w[0] = 160e6;
    plan->soc_pu[0] = 0.6;
    plan->class_w[0][0] = INFINITY;
    plan->cheap_per_kwh = NAN;
    plan->peak_w = INFINITY;
}

static inline void judge(struct bench *b)
{
    double limit_w = b->f.site->grid.ramp_max_w_per_s * MEAN * PERIOD_S;
    int64_t at = b->n % MEAN;
    b->sum_w += b->f.plant->grid_w - b->grid_w[at];
    b->grid_w[at] = b->f.plant->grid_w;
    double mean_w = b->sum_w / MEAN;
    if (b->n >= 2 * MEAN) {
        double steep = fabs(mean_w - b->mean_w[at]) / limit_w;
        b->steepest_pu = fmax(b->steepest_pu, steep);
    }
    b->mean_w[at] = mean_w;
    b->n++;
}

static inline void run(struct bench *b, double seconds, double demand_w)
{
    for (double s = 0.0; s < seconds; s += PERIOD_S) {
        loop_tick(&b->f, demand_w);
        b->demand_wh += b->f.plant->demand_w * PERIOD_S / 3600.0;
        b->served_wh += b->f.plant->pods_w * PERIOD_S / 3600.0;
        judge(b);
    }
}

static inline double waiting_wh(const struct bench *b)
{
    double wh = 0.0;
    for (int i = 0; i < b->f.site->n_pods; i++) {
        wh += b->f.plant->pods[i].waits.wh;
    }
    return wh;
}

static inline double lost_wh(const struct bench *b)
{
    double wh = 0.0;
    for (int i = 0; i < b->f.site->n_pods; i++) {
        wh += b->f.plant->pods[i].lost_wh;
    }
    return wh;
}

static inline double *budget_w(struct bench *b)
{
    return &b->f.plan->class_w[0][0];
}

#endif
