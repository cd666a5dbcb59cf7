/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site with a day to plan. */
#ifndef TESTS_POLICIES_PLAN_FIXTURE_H
#define TESTS_POLICIES_PLAN_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policies/plan.h"
#include "tests/site_fixture.h"

static const int64_t START_MS = 1763683200000;

struct bench {
    struct site *site;
    struct problem *p;
    struct plan_solver *solver;
    struct plan *plan;
    struct plan_request request;
};

static inline void describe(struct bench *b)
{
    struct problem *p = b->p;
    p->tick = 100;
    p->start_at_ms = START_MS;
    p->n_slots = 96;
    p->peak_w = INFINITY;
    p->billed_s = 86400.0;
    p->ramp_max_w_per_s = b->site->grid.ramp_max_w_per_s;
    p->grid_start_w = 100e6;
    for (int i = 0; i < 96; i++) {
        p->step_s[i] = 900.0;
        p->import_per_kwh[i] = 0.05;
        p->load_w[i] = 100e6;
        p->import_max_w[i] = 160e6;
    }
    for (int i = 0; i < b->site->n_batteries; i++) {
        p->available[i] = 1.0;
        p->soc_pu[i] = 0.5;
        p->soc_start_pu[i] = 0.6;
    }
}

static inline struct bench open_bench(int n_batteries)
{
    struct bench b = {.site = fixture_site(n_batteries, 1, 0)};
    b.p = calloc(1, sizeof(*b.p));
    b.plan = calloc(1, sizeof(*b.plan));
    b.solver = malloc(plan_solver_size(b.site));
    assert_true(b.p != NULL && b.plan != NULL && b.solver != NULL);
    plan_solver_init(b.solver, b.site);
    describe(&b);
    b.request.problem = b.p;
    return b;
}

static inline void close_bench(struct bench *b)
{
    free(b->plan);
    free(b->solver);
    free(b->p);
    free(b->site);
}

static inline void solve(struct bench *b)
{
    plan_solve(b->solver, &b->request, b->plan);
}

/* A night, a day and an evening. */
static inline void three_prices(struct problem *p)
{
    for (int i = 0; i < 96; i++) {
        p->import_per_kwh[i] = i < 32 ? 0.02 : i < 64 ? 0.06 : 0.3;
    }
}

/* Which stop of the solver lets time run out. */
struct clock {
    int64_t asked;
    int64_t until;
};

static inline bool runs_out(void *context)
{
    struct clock *c = context;
    return c->asked++ >= c->until;
}

/* The last good plan was solved a quarter of an hour before. */
static inline void solve_before(struct bench *b)
{
    three_prices(b->p);
    solve(b);
    assert_int_equal(b->plan->status, PLAN_OPTIMAL);
    b->p->start_at_ms += 900000;
}

#endif
