/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan: when work that can wait is done. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/policies/plan_fixture.h"
#include "tests/site_fixture.h"

enum { SEED = 4, RUNS = 60 };

/* 10 MW of work that can wait, of pods that can do 20 above their floors. */
static struct bench open_batch(void)
{
    struct bench b = open_bench(0);
    b.site->classes[0].firm = false;
    b.site->classes[0].value_per_kwh = 1.0;
    struct problem_class *c = &b.p->classes[0];
    c->planned = 1;
    c->least_w = 5e6;
    c->max_w = 20e6;
    c->per_w = 1.2;
    c->deadline_s = 12.0 * 3600.0;
    for (int i = 0; i < 96; i++) {
        c->queue_max_wh[i] = 10e6 * fmin(0.25 * (i + 1), 12.0);
        c->demand_w[i] = 10e6;
        b.p->load_w[i] = 50e6;
        /* dear for six hours, then cheap, dear again at the end */
        b.p->import_per_kwh[i] = i < 24 || i >= 88 ? 0.3 : 0.02;
    }
    return b;
}

static void work_is_done_where_power_is_cheap(void **state)
{
    (void)state;
    struct bench b = open_batch();
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_OPTIMAL);
    double done_wh = 0.0;
    for (int i = 0; i < 24; i++) {
        assert_true(b.plan->class_w[0][i] < 5e6 + 1e4);
        assert_true(fabs(b.plan->grid_w[i] - 50e6) < 1e4);
    }
    for (int i = 24; i < 48; i++) { /* what waited and what comes */
        assert_true(fabs(b.plan->class_w[0][i] - 25e6) < 1e5);
        done_wh += 0.25 * (b.plan->class_w[0][i] - 5e6);
    }
    assert_true(fabs(done_wh - 48 * 10e6 * 0.25) < 1e6);
    for (int i = 50; i < 88; i++) { /* nothing waits: no budget */
        assert_true(b.plan->class_w[0][i] == INFINITY);
        assert_true(fabs(b.plan->grid_w[i] - 62e6) < 1e5);
    }
    /* to wait beyond the end is dearer than power */
    assert_true(b.plan->class_w[0][95] == INFINITY);
    close_bench(&b);
}

static void nothing_is_planned_to_wait_beyond_its_deadline(void **state)
{
    (void)state;
    struct bench b = open_batch();
    b.p->classes[0].deadline_s = 3600.0;
    for (int i = 0; i < 96; i++) {
        b.p->classes[0].queue_max_wh[i] = 10e6 * fmin(0.25 * (i + 1), 1.0);
    }
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_OPTIMAL);
    double queue_wh = 0.0;
    for (int i = 0; i < 24; i++) {
        double w = b.plan->class_w[0][i];
        double served_w = isfinite(w) ? w - 5e6 : 10e6;
        queue_wh = fmax(queue_wh + 0.25 * (10e6 - served_w), 0.0);
        assert_true(queue_wh < 10e6 + 1e5);
    }
    /* the last hour before it gets cheap */
    assert_true(b.plan->class_w[0][23] < 5e6 + 1e4);
    assert_true(queue_wh > 10e6 - 1e5);
    close_bench(&b);
}

static void what_waits_already_is_done(void **state)
{
    (void)state;
    struct bench b = open_batch();
    for (int i = 0; i < 96; i++) {
        b.p->import_per_kwh[i] = 0.05;
    }
    b.p->classes[0].demand_w[0] += 30e6 * 4.0; /* 30 MWh */
    solve(&b);
    for (int i = 0; i < 11; i++) {
        assert_true(fabs(b.plan->class_w[0][i] - 25e6) < 1e5);
    }
    assert_true(b.plan->class_w[0][14] == INFINITY);
    close_bench(&b);
}

static bool always(void *context)
{
    (void)context;
    return true;
}

/* What waits before slot 'end' by the plan's budgets. */
static double waits_wh(const struct bench *b, int end)
{
    const struct problem_class *c = &b->p->classes[0];
    double queue_wh = 0.0;
    for (int i = 0; i < end; i++) {
        double w = b->plan->class_w[0][i];
        double most_w = isfinite(w) ? w - c->least_w : c->max_w;
        double wh = 0.25 * (c->demand_w[i] - most_w);
        queue_wh = fmax(queue_wh + wh, 0.0);
    }
    return queue_wh;
}

/* No time to look ahead: all is done as it comes, what waits as well. */
static void a_rule_holds_nothing_back(void **state)
{
    (void)state;
    struct bench b = open_batch();
    b.p->classes[0].demand_w[0] += 30e6 * 4.0; /* 30 MWh */
    b.request.stop = always;
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_RULE);
    assert_true(waits_wh(&b, 4) < 30e6 - 3.0 * 2.5e6);
    assert_true(waits_wh(&b, 13) < 1e5);
    assert_true(waits_wh(&b, 96) < 1e5);
    close_bench(&b);
}

/* The last plan moved on does what that put off. */
static void a_plan_moved_on_does_what_it_put_off(void **state)
{
    (void)state;
    struct bench b = open_batch();
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_OPTIMAL);
    struct problem_class *c = &b.p->classes[0];
    b.p->start_at_ms += 4 * 900000; /* an hour that was held back waits */
    c->demand_w[0] += 10e6 * 4.0;
    for (int i = 0; i < 96; i++) {
        b.p->import_per_kwh[i] = i < 20 || i >= 84 ? 0.3 : 0.02;
    }
    b.request.stop = always;
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_SHIFTED);
    assert_true(b.plan->class_w[0][0] < 5e6 + 1e5);
    assert_true(waits_wh(&b, 20) > 50e6);
    assert_true(waits_wh(&b, 48) < 1e6);
    close_bench(&b);
}

/* Any demand and prices: budgets between the floors and what the pods can do,
 * and nothing is done before it is there. */
static void budgets_are_within_the_pods(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t seed = SEED;
    for (int run = 0; run < RUNS; run++) {
        struct bench b = open_batch();
        struct problem_class *c = &b.p->classes[0];
        double most = random_draw(&seed, 0.0, 25e6);
        for (int i = 0; i < 96; i++) {
            c->demand_w[i] = random_draw(&seed, 0.0, fmin(most, c->max_w));
            b.p->import_per_kwh[i] = random_draw(&seed, -0.1, 0.4);
        }
        solve(&b);
        assert_true(b.plan->status == PLAN_OPTIMAL);
        for (int i = 0; i < 96; i++) {
            double w = b.plan->class_w[0][i];
            assert_true(w == INFINITY ||
                        (w >= c->least_w - 1.0 && w <= 25e6 + 1e3));
        }
        close_bench(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_done_where_power_is_cheap),
        cmocka_unit_test(nothing_is_planned_to_wait_beyond_its_deadline),
        cmocka_unit_test(what_waits_already_is_done),
        cmocka_unit_test(a_rule_holds_nothing_back),
        cmocka_unit_test(a_plan_moved_on_does_what_it_put_off),
        cmocka_unit_test(budgets_are_within_the_pods),
    };
    return cmocka_run_group_tests_name("plan_classes", tests, NULL, NULL);
}
