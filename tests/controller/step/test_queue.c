/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/queue in closed loop: what waits is known about,
 * done later, and not later than its deadline; and where the estimate is wrong
 * the grid does not feel it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/controller/step/queue_fixture.h"

enum { SEED = 5, RUNS = 6 };

/* Somebody else has done or brought some of it. */
static void change_queue(struct bench *b, double times)
{
    for (int i = 0; i < b->f.site->n_pods; i++) {
        struct backlog *q = &b->f.plant->pods[i].waits;
        q->wh *= times;
        for (int k = 0; k < BACKLOG_BINS; k++) {
            q->bins_wh[k] *= times;
        }
    }
}

static void what_waits_is_known_and_done_later(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, 8.0 * 3600.0);
    run(&b, 1800, DEMAND_W);
    assert_true(waiting_wh(&b) <= 0.0);
    assert_int_equal(b.f.state->queues[0].behind, 0);
    *budget_w(&b) = 70e6;
    run(&b, 3600, DEMAND_W);
    double wh = waiting_wh(&b);
    assert_true(b.f.plant->pods_w < 71e6);
    assert_true(wh > 24e6 && wh < 31e6);
    assert_true(fabs(b.f.state->queues[0].waits.wh - wh) < 0.1 * wh);
    assert_true(fabs(b.f.out->record.waiting_wh - wh) < 0.1 * wh);
    *budget_w(&b) = 120e6; /* 20 MW beside what comes */
    run(&b, 1200, DEMAND_W);
    assert_true(b.f.plant->pods_w > 116e6);
    assert_true(waiting_wh(&b) < wh - 4e6);
    *budget_w(&b) = INFINITY;
    run(&b, 2 * 3600, DEMAND_W);
    assert_true(waiting_wh(&b) < 1e5);
    assert_int_equal(b.f.state->queues[0].behind, 0);
    assert_true(fabs(b.f.plant->pods_w - DEMAND_W) < 1e5);
    assert_true(fabs(b.demand_wh - b.served_wh) < 1e5);
    assert_true(b.steepest_pu < 1.01);
    loop_close(&b.f);
}

/* The budget goes on, but what waits has to be done. */
static void nothing_waits_beyond_its_deadline(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, 3600.0);
    run(&b, 600, DEMAND_W);
    *budget_w(&b) = 70e6;
    double oldest_s = 0.0;
    for (int k = 0; k < 120; k++) {
        run(&b, 60, DEMAND_W);
        for (int i = 0; i < b.f.site->n_pods; i++) {
            const struct backlog *q = &b.f.plant->pods[i].waits;
            oldest_s = fmax(oldest_s, backlog_age_s(q, 3600.0));
        }
    }
    print_message("waited %.0f s at most\n", oldest_s);
    assert_true(oldest_s > 900.0 && oldest_s < 3600.0);
    assert_true(lost_wh(&b) <= 0.0);
    assert_true(b.steepest_pu < 1.01);
    loop_close(&b.f);
}

/* Work comes and goes no faster than the ramp lets the grid. */
static void budgets_are_no_edges(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, 8.0 * 3600.0);
    run(&b, 900, DEMAND_W);
    double before_w = b.f.plant->pods_w;
    double most_w = 0.0;
    for (int k = 0; k < 2400; k++) {
        *budget_w(&b) = k < 1200 ? 60e6 : INFINITY;
        run(&b, 1.0, DEMAND_W);
        most_w = fmax(most_w, fabs(b.f.plant->pods_w - before_w));
        before_w = b.f.plant->pods_w;
    }
    print_message("%.3g MW in a second at most\n", most_w / 1e6);
    assert_true(most_w < 1e6);
    assert_true(b.steepest_pu < 1.01);
    loop_close(&b.f);
}

/* All pods fall back at once, long before they should. */
static void a_queue_that_ends_early_breaks_no_ramp(void **state)
{
    (void)state;
    static const double times[] = {0.0, 0.2, 0.5};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct bench b;
        begin(&b, 8.0 * 3600.0);
        run(&b, 900, DEMAND_W);
        *budget_w(&b) = 60e6;
        run(&b, 3600, DEMAND_W);
        change_queue(&b, times[i]);
        *budget_w(&b) = 150e6;
        run(&b, 7200, DEMAND_W);
        print_message("x %.1f: %.3f of the ramp\n", times[i], b.steepest_pu);
        assert_true(b.steepest_pu < 1.01);
        assert_true(waiting_wh(&b) <= 0.0);
        assert_int_equal(b.f.state->queues[0].behind, 0);
        loop_close(&b.f);
    }
}

/* What nobody knew of is done as well, and ends without an edge, too. */
static void a_queue_that_is_larger_is_done_as_well(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, 8.0 * 3600.0);
    run(&b, 900, DEMAND_W);
    *budget_w(&b) = 60e6;
    run(&b, 1800, DEMAND_W);
    change_queue(&b, 2.0);
    *budget_w(&b) = INFINITY;
    run(&b, 4 * 3600, DEMAND_W);
    print_message("%.3f of the ramp, %.2f MWh left\n", b.steepest_pu,
                  waiting_wh(&b) / 1e6);
    assert_true(b.steepest_pu < 1.01);
    assert_true(waiting_wh(&b) < 1e5);
    assert_true(lost_wh(&b) <= 0.0);
    loop_close(&b.f);
}

/* There comes more than ever while some is held back: that is not what waits,
 * and nobody holds it back for ever. */
static void a_demand_that_grows_is_served(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, 2.0 * 3600.0);
    run(&b, 900, DEMAND_W);
    *budget_w(&b) = 70e6;
    run(&b, 900, DEMAND_W);
    for (int k = 0; k < 90; k++) {
        run(&b, 10.0, DEMAND_W + 0.5e6 * k);
    }
    *budget_w(&b) = INFINITY;
    run(&b, 5 * 3600, DEMAND_W + 45e6);
    assert_true(b.f.plant->pods_w > DEMAND_W + 44e6);
    assert_true(b.steepest_pu < 1.01);
    loop_close(&b.f);
}

/* Any budgets, and others at work on the queues: no ramp is broken, and all
 * that was asked for is done, lost or waits. */
static void the_ramp_holds_and_no_energy_goes_astray(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t seed = random_seed(SEED);
    for (int k = 0; k < RUNS; k++) {
        struct bench b;
        begin(&b, random_draw(&seed, 0.5, 6.0) * 3600.0);
        double demand_w = DEMAND_W;
        double changed_wh = 0.0;
        run(&b, 900, demand_w);
        for (int i = 0; i < 60; i++) {
            double w = random_draw(&seed, 40e6, 170e6);
            *budget_w(&b) = w < 150e6 ? w : INFINITY;
            if (random_draw(&seed, 0.0, 1.0) < 0.1) {
                double before_wh = waiting_wh(&b);
                change_queue(&b, random_draw(&seed, 0.0, 1.5));
                changed_wh += waiting_wh(&b) - before_wh;
            }
            run(&b, random_draw(&seed, 30.0, 400.0), demand_w);
        }
        double off_wh = b.demand_wh + changed_wh - b.served_wh - lost_wh(&b) -
                        waiting_wh(&b);
        print_message("%.3f of the ramp, %.2f MWh lost, %.2f left\n",
                      b.steepest_pu, lost_wh(&b) / 1e6, waiting_wh(&b) / 1e6);
        assert_true(b.steepest_pu < 1.01);
        assert_true(fabs(off_wh) < 1e-6 * b.demand_wh);
        loop_close(&b.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_known_and_done_later),
        cmocka_unit_test(nothing_waits_beyond_its_deadline),
        cmocka_unit_test(budgets_are_no_edges),
        cmocka_unit_test(a_queue_that_ends_early_breaks_no_ramp),
        cmocka_unit_test(a_queue_that_is_larger_is_done_as_well),
        cmocka_unit_test(a_demand_that_grows_is_served),
        cmocka_unit_test(the_ramp_holds_and_no_energy_goes_astray),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
