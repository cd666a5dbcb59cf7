/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ladder, a day to plan, and what the ladder made of it. */
#ifndef TESTS_POLICIES_LADDER_FIXTURE_H
#define TESTS_POLICIES_LADDER_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/ladder.h"

enum { STEPS = 96 };

static const int64_t noon_ms = 1750000000000;

/* What the tests need, some MB. */
static struct {
    struct ladder ladder;
    struct schedule_problem problem;
    struct schedule answer;
    struct ladder_memory memory;
} * f;

static inline int set_up(void **state)
{
    (void)state;
    static const struct schedule_shape shape = {
        .n_steps = STEPS,
        .n_batteries = 8,
        .n_segments = SCHEDULE_SEGMENTS_MAX,
        .n_classes = 4,
    };
    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return -1;
    }
    f->memory.shape = shape;
    f->memory.n = ladder_memory(&shape);
    f->memory.base = calloc(f->memory.n, sizeof(*f->memory.base));
    return f->memory.base != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(f->memory.base);
    free(f);
    return 0;
}

static inline void fill(double *x, int64_t n, double value)
{
    for (int64_t t = 0; t < n; t++) {
        x[t] = value;
    }
}

/* A day in which storing pays: dear evenings, a limit that binds. */
static inline void make_day(struct schedule_problem *p)
{
    memset(p, 0, sizeof(*p));
    p->n_steps = STEPS;
    fill(p->step_s, STEPS, 900.0);
    fill(p->load_w, STEPS, 8e6);
    fill(p->import_per_kwh, STEPS, 0.03);
    fill(p->import_per_kwh + 64, 16, 0.15);
    fill(p->import_max_w, STEPS, 14e6);
    fill(p->import_max_w + 64, 8, 9e6);
    p->ramp_max_w_per_s = INFINITY;
    p->grid_start_w = NAN;
    p->n_batteries = 1;
    struct schedule_battery *b = &p->batteries[0];
    snprintf(b->name, sizeof(b->name), "b1");
    b->energy_wh = 20e6;
    fill(b->charge_max_w, STEPS, 4e6);
    fill(b->discharge_max_w, STEPS, 4e6);
    fill(b->soc_ceiling_pu, STEPS, 1.0);
    b->charge_eff_pu = b->discharge_eff_pu = 0.95;
    b->soc_min_pu = 0.1;
    b->soc_max_pu = 0.9;
    b->soc_start_pu = 0.5;
    b->soc_end_min_pu = 0.5;
    b->n_segments = 1;
    b->segments[0] = (struct schedule_segment){0.8, 0.4, 0.005};
    p->n_classes = 1;
    struct schedule_class *c = &p->classes[0];
    snprintf(c->name, sizeof(c->name), "web");
    fill(c->demand_w, STEPS, 2e6);
    c->value_per_kwh = 3.0;
    c->min_pu = 0.5;
}

static inline void start(void)
{
    make_day(&f->problem);
    ladder_init(&f->ladder, &f->memory);
    assert_non_null(f->ladder.solver);
}

static inline enum plan_status climb(const struct ladder_request *with)
{
    struct ladder_request r = *with;
    r.problem = &f->problem;
    r.at_ms = r.at_ms != 0 ? r.at_ms : noon_ms;
    memset(&f->answer, 0xff, sizeof(f->answer)); /* all of it is written */
    ladder_solve(&f->ladder, &r, &f->answer);
    return (enum plan_status)f->answer.status;
}

static inline void leave_a_good_one(void)
{
    struct ladder_request r = {.at_ms = noon_ms};
    assert_int_equal(climb(&r), PLAN_OPTIMAL);
}

/* The verdict on 'rung' in the last call, -1 without one. */
static inline int64_t verdict_on(enum plan_status rung)
{
    for (int64_t i = 0; i < f->ladder.n_tries; i++) {
        if (f->ladder.tries[i].rung == (int64_t)rung) {
            return f->ladder.tries[i].verdict;
        }
    }
    return -1;
}

static inline bool always(void *context)
{
    (void)context;
    return true;
}

static inline void check_passes(void)
{
    struct schedule_verdict v;
    if (!schedule_check(&f->problem, &f->answer, &v)) {
        fail_msg("%s is at fault: %s, asset %lld, step %lld, by %g",
                 plan_status_name((enum plan_status)f->answer.status),
                 schedule_fault_text(v.fault), (long long)v.asset,
                 (long long)v.step, v.by);
    }
}

#endif
