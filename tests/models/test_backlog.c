/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/backlog: what comes in goes out, the oldest first, and not
 * after its deadline. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/backlog.h"
#include "models/random.h"

enum { SEED = 3, RUNS = 200, STEPS = 2000 };

static const double HOUR_S = 3600.0;

static double flow(struct backlog *b, double asked_w, double done_w,
                   double dt_s)
{
    return backlog_step(b, &(struct backlog_flow){.deadline_s = HOUR_S,
                                                  .asked_w = asked_w,
                                                  .done_w = done_w,
                                                  .dt_s = dt_s});
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)) + 1e-12;
}

static void nothing_waits_where_all_is_done(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    assert_true(flow(&b, 5.0, 5.0, 1.0) <= 0.0);
    assert_true(b.wh <= 0.0);
    assert_true(backlog_age_s(&b, HOUR_S) <= 0.0);
    assert_true(backlog_spare_s(&b, HOUR_S, 1.0) == INFINITY);
}

static void what_is_left_waits_and_is_done_later(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    flow(&b, 10.0, 4.0, 600.0);
    assert_true(near(b.wh, 1.0));
    flow(&b, 10.0, 13.0, 600.0);
    assert_true(near(b.wh, 0.5));
    flow(&b, 10.0, 13.0, 600.0);
    assert_true(b.wh <= 0.0);
}

/* Old work is done before what comes: its age is what takes as long to do. */
static void the_oldest_is_done_first(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    for (int k = 0; k < 6000; k++) {
        double lost_wh = flow(&b, 10.0, k < 200 ? 0.0 : 10.0, 10.0);
        assert_true(lost_wh <= 0.0);
    }
    double age_s = backlog_age_s(&b, HOUR_S);
    assert_true(age_s > 1990.0 && age_s < 2000.0 + HOUR_S / BACKLOG_BINS + 20);
}

static void what_waits_for_too_long_is_gone(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    flow(&b, 3600.0, 0.0, 1.0);
    double at_s = 1.0;
    double lost_wh = 0.0;
    while (!(lost_wh > 0.0) && at_s < 2.0 * HOUR_S) {
        lost_wh = flow(&b, 0.0, 0.0, 1.0);
        at_s += 1.0;
    }
    assert_true(near(lost_wh, 1.0) && b.wh <= 0.0);
    assert_true(at_s >= (1.0 - 1.0 / BACKLOG_BINS) * HOUR_S);
    assert_true(at_s <= HOUR_S);
    /* likewise where more comes */
    b = (struct backlog){.wh = 0.0};
    double sum_wh = 0.0;
    for (int k = 0; k < 7200; k++) {
        sum_wh += flow(&b, 7.2, 0.0, 1.0);
        assert_true(backlog_age_s(&b, HOUR_S) <= HOUR_S);
    }
    assert_true(near(sum_wh + b.wh, 14.4));
    assert_true(b.wh <= 7.2 && b.wh > 7.2 * (1.0 - 2.0 / BACKLOG_BINS));
}

/* The spare time is over just when there is still time at that power. */
static void spare_time_is_what_is_left(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    flow(&b, 2000.0, 0.0, 60.0); /* a minute's */
    double spare_s = backlog_spare_s(&b, HOUR_S, 1000.0);
    assert_true(near(spare_s, HOUR_S - 60.0 - 120.0));
    assert_true(backlog_spare_s(&b, HOUR_S, 0.0) == -INFINITY);
    assert_true(near(backlog_then_wh(&b, HOUR_S, 3500.0), b.wh));
    assert_true(backlog_then_wh(&b, HOUR_S, 3600.0) <= 0.0);
}

static void without_a_deadline_it_waits_for_ever(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    for (int k = 0; k < 100; k++) {
        struct backlog_flow f = {.deadline_s = INFINITY,
                                 .asked_w = k == 0 ? 10.0 : 0.0,
                                 .dt_s = HOUR_S};
        assert_true(backlog_step(&b, &f) <= 0.0);
    }
    assert_true(near(b.wh, 10.0));
    assert_true(near(backlog_age_s(&b, INFINITY), 100.0 * HOUR_S));
    assert_true(near(backlog_then_wh(&b, INFINITY, 1e9), 10.0));
    assert_true(backlog_spare_s(&b, INFINITY, 0.0) == INFINITY);
}

/* Any flows: nothing goes astray, nothing is older than it may be. */
static void no_energy_goes_astray(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t s = random_seed(SEED);
    for (int run = 0; run < RUNS; run++) {
        struct backlog b = {.wh = 0.0};
        double in_wh = 0.0;
        double out_wh = 0.0;
        for (int k = 0; k < STEPS; k++) {
            double dt_s = random_draw(&s, 0.1, k % 50 == 0 ? 8000.0 : 20.0);
            double asked_w = random_draw(&s, 0.0, 1e6);
            double most_w = asked_w + b.wh * 3600.0 / dt_s;
            double done_w = fmin(random_draw(&s, 0.0, 1.2e6), most_w);
            double lost_wh = flow(&b, asked_w, done_w, dt_s);
            in_wh += asked_w * dt_s / 3600.0;
            out_wh += done_w * dt_s / 3600.0 + lost_wh;
            assert_true(backlog_valid(&b));
            assert_true(backlog_age_s(&b, HOUR_S) <= HOUR_S);
        }
        assert_true(fabs(in_wh - out_wh - b.wh) < 1e-9 * in_wh);
    }
}

static void impossible_ones_are_refused(void **state)
{
    (void)state;
    struct backlog b = {.wh = 0.0};
    assert_true(backlog_valid(&b));
    b.wh = (double)NAN;
    assert_false(backlog_valid(&b));
    b = (struct backlog){.newest = BACKLOG_BINS};
    assert_false(backlog_valid(&b));
    b = (struct backlog){.bin_s = -1.0};
    assert_false(backlog_valid(&b));
    b = (struct backlog){.wh = 1.0};
    b.bins_wh[3] = -1.0;
    assert_false(backlog_valid(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits_where_all_is_done),
        cmocka_unit_test(what_is_left_waits_and_is_done_later),
        cmocka_unit_test(the_oldest_is_done_first),
        cmocka_unit_test(what_waits_for_too_long_is_gone),
        cmocka_unit_test(spare_time_is_what_is_left),
        cmocka_unit_test(without_a_deadline_it_waits_for_ever),
        cmocka_unit_test(no_energy_goes_astray),
        cmocka_unit_test(impossible_ones_are_refused),
    };
    return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
