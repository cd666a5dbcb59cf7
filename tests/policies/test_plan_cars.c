/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan: when cars charge. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/policies/plan_fixture.h"
#include "tests/site_fixture.h"

/* 1 MWh into the packs at 1 MW. */
static void add_cars(struct problem *p, double departs_s)
{
    p->buckets[p->n_buckets++] = (struct problem_bucket){
        .fleet = 0, .power_w = 1e6, .need_wh = 1e6, .departs_s = departs_s};
}

static double charged_wh(const struct bench *b, int from, int to)
{
    double wh = 0.0;
    for (int i = from; i < to; i++) {
        wh += 0.9 * b->plan->fleet_charge_w[0][i] * 0.25;
    }
    return wh;
}

static void open_lot(struct bench *b)
{
    *b = open_bench(2);
    b->site->n_fleets = 1;
    b->site->fleets[0] = fleet_usual(160.0);
    three_prices(b->p);
}

/* Slots of a quarter of an hour: cheap up to 32, dear from 64 on. */
static void cars_charge_at_the_cheapest_slots_before_they_leave(void **state)
{
    (void)state;
    static const struct {
        double departs_s;
        int from, to; /* in which all of it is charged */
        int says;     /* slots with a set-point */
    } rows[] = {
        {24 * 900.0, 0, 24, 24},
        {60 * 900.0, 0, 32, 60},
        {24.5 * 900.0, 0, 25, 25},
        {90 * 900.0, 0, 32, 90},
        {5.0 * 900.0, 0, 5, 5},
        {INFINITY, 0, 32, 48},
        {72 * 3600.0 /* 3 d */, 0, 0, 96},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct bench b;
        open_lot(&b);
        add_cars(b.p, rows[r].departs_s);
        solve(&b);
        assert_int_equal(b.plan->status, PLAN_OPTIMAL);
        assert_int_equal(b.plan->n_violations, 0);
        double want_wh = rows[r].to > 0 ? 1e6 : 0.0;
        assert_true(fabs(charged_wh(&b, rows[r].from, rows[r].to) - want_wh) <
                    2e3);
        for (int i = 0; i < 96; i++) {
            double w = b.plan->fleet_charge_w[0][i];
            bool says = i < rows[r].says;
            assert_true(says ? w >= 0.0 && w <= 1e6 + 10.0 : w == INFINITY);
            double want_w = 100e6 + b.plan->battery_w[i] + (says ? w : 0.0);
            assert_true(fabs(b.plan->grid_w[i] - want_w) < 10.0);
        }
        close_bench(&b);
    }
}

/* What cannot be charged any more is no violation: all that can is. */
static void cars_that_leave_too_soon_get_all_that_can_be(void **state)
{
    (void)state;
    struct bench b;
    open_lot(&b);
    for (int i = 0; i < 4; i++) {
        b.p->import_per_kwh[i] = 5.0;
    }
    add_cars(b.p, 2.5 * 900.0);
    solve(&b);
    assert_int_equal(b.plan->n_violations, 0);
    assert_true(charged_wh(&b, 0, 3) > 0.97 * 0.9 * 1e6 * 0.625);
    close_bench(&b);
}

/* Cars that charge in any case are in the load, and in the set-point. */
static void what_must_charge_is_asked_for_as_well(void **state)
{
    (void)state;
    struct bench b;
    open_lot(&b);
    b.p->must[0] = (struct problem_must){2e5, 1350.0};
    for (int i = 0; i < 96; i++) {
        b.p->import_per_kwh[i] = i < 20 ? 0.5 : 0.02;
    }
    add_cars(b.p, 80 * 900.0);
    solve(&b);
    assert_true(fabs(b.plan->fleet_charge_w[0][0] - 2e5) < 10.0);
    assert_true(fabs(b.plan->fleet_charge_w[0][1] - 1e5) < 10.0);
    assert_true(fabs(b.plan->fleet_charge_w[0][2]) < 10.0);
    assert_true(fabs(charged_wh(&b, 20, 80) - 1e6) < 2e3);
    close_bench(&b);
}

/* As many as there may be, of any need, power and time, in any prices. */
static void any_buckets_are_planned(void **state)
{
    (void)state;
    uint64_t seed = random_seed(31);
    struct bench b;
    open_lot(&b);
    for (int round = 0; round < 40; round++) {
        b.p->start_at_ms += 300000;
        b.p->n_buckets = 0;
        for (int i = 0; i < PLAN_BUCKETS_MAX; i++) {
            add_cars(b.p, random_draw(&seed, -3600.0, 2e5));
            b.p->buckets[i].power_w = pow(10.0, random_draw(&seed, 2.0, 7.0));
            b.p->buckets[i].need_wh = pow(10.0, random_draw(&seed, 1.0, 7.0));
        }
        for (int i = 0; i < 96; i++) {
            b.p->import_per_kwh[i] = random_draw(&seed, -0.2, 1.0);
            b.p->export_per_kwh[i] = fmin(b.p->import_per_kwh[i], 0.0);
        }
        solve(&b);
        assert_true(b.plan->status >= PLAN_OPTIMAL &&
                    b.plan->status <= PLAN_HEURISTIC);
        for (int i = 0; i < 96; i++) {
            assert_true(b.plan->fleet_charge_w[0][i] >= 0.0);
            assert_true(isfinite(b.plan->grid_w[i]));
        }
    }
    close_bench(&b);
}

/* A quarter of an hour on, with other cars, and no time to plan. */
static void cars_that_came_do_not_cost_the_last_plan(void **state)
{
    (void)state;
    struct bench b;
    open_lot(&b);
    add_cars(b.p, 24.0 * 900.0);
    add_cars(b.p, 80.0 * 900.0);
    solve_before(&b);
    b.p->buckets[0].departs_s -= 900.0;
    b.p->buckets[1].departs_s -= 901.0; /* a clock of whole seconds */
    add_cars(b.p, 60.0 * 900.0);
    three_prices(b.p);
    double planned_w = b.plan->battery_w[9];
    struct clock clock = {.until = 0};
    b.request.stop = runs_out;
    b.request.context = &clock;
    solve(&b);
    assert_int_equal(b.plan->status, PLAN_SHIFTED);
    assert_true(planned_w > 1e5);
    assert_true(fabs(b.plan->battery_w[8] - planned_w) < 1.0);
    assert_true(charged_wh(&b, 0, 60) > 1.9e6); /* of 3 MWh until 80 */
    assert_true(charged_wh(&b, 0, 80) > 2.9e6);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cars_charge_at_the_cheapest_slots_before_they_leave),
        cmocka_unit_test(cars_that_leave_too_soon_get_all_that_can_be),
        cmocka_unit_test(what_must_charge_is_asked_for_as_well),
        cmocka_unit_test(any_buckets_are_planned),
        cmocka_unit_test(cars_that_came_do_not_cost_the_last_plan),
    };
    return cmocka_run_group_tests_name("plan_cars", tests, NULL, NULL);
}
