/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/availability: a lot that fills in the morning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/availability.h"
#include "models/random.h"

enum { SLOT_MS = 900 * 1000, DAY = 96, CARS = 200, AHEAD = 96 };

static const int64_t MONDAY_MS = 1483315200000; /* 2017-01-02 */

/* Cars that come around eight and leave around five, on working days; half of
 * the owners say when. */
struct lot {
    uint64_t random;
    double leaves_h[CARS]; /* hours since Monday; NAN: not here */
    bool says[CARS];
};

static struct availability_now slot_of(struct lot *lot, double now_h)
{
    struct availability_now now = {0};
    int weekday = (int)(now_h / 24.0) % 7;
    double hour = fmod(now_h, 24.0);
    for (int i = 0; i < CARS; i++) {
        if (isfinite(lot->leaves_h[i]) && lot->leaves_h[i] <= now_h) {
            lot->leaves_h[i] = NAN;
            now.left += 1.0;
        }
        double draw = random_draw(&lot->random, 0.0, 1.0);
        bool comes = weekday < 5 && hour >= 7.0 && hour < 9.0 && draw < 0.25;
        if (!isfinite(lot->leaves_h[i]) && comes) {
            double stay_h = random_draw(&lot->random, 7.5, 9.5);
            lot->leaves_h[i] = now_h + stay_h;
            lot->says[i] = random_draw(&lot->random, 0.0, 1.0) < 0.5;
            now.arrived += 1.0;
        }
        if (isfinite(lot->leaves_h[i])) {
            double left_h = lot->leaves_h[i] - now_h;
            now.plugged[availability_bucket(lot->says[i] ? left_h : NAN)]++;
        }
    }
    return now;
}

static double plugged_of(const struct availability_now *now)
{
    double sum = 0.0;
    for (int i = 0; i < AVAILABILITY_BUCKETS; i++) {
        sum += now->plugged[i];
    }
    return sum;
}

static struct availability *fresh(struct lot *lot, uint64_t seed)
{
    *lot = (struct lot){.random = random_seed(seed)};
    for (int i = 0; i < CARS; i++) {
        lot->leaves_h[i] = NAN;
    }
    struct availability *a = malloc(sizeof(*a));
    assert_non_null(a);
    availability_init(a, 900.0, AHEAD, CARS);
    return a;
}

static void lot_is_learnt(void **state)
{
    (void)state;
    enum { N = 6 * 7 * DAY };
    static struct availability_at said[N + AHEAD][2];
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct lot lot;
        struct availability *a = fresh(&lot, seed);
        static const int LEADS[] = {4, 32};
        double error[2] = {0};
        double naive[2] = {0};
        double covered[2] = {0};
        static double y[N];
        int n = 0;
        for (int i = 0; i < N; i++) {
            struct availability_now now = slot_of(&lot, (double)i / 4.0);
            y[i] = plugged_of(&now);
            availability_feed(a, MONDAY_MS + (int64_t)i * SLOT_MS, &now);
            for (int k = 0; k < 2; k++) {
                said[i + LEADS[k]][k] = availability_ahead(a, LEADS[k]);
                if (i >= 3 * 7 * DAY) {
                    const struct availability_at *at = &said[i][k];
                    error[k] += fabs(at->mean - y[i]);
                    naive[k] += fabs(y[i - LEADS[k]] - y[i]);
                    covered[k] += y[i] >= at->q10 && y[i] <= at->q90;
                }
            }
            n += i >= 3 * 7 * DAY;
        }
        for (int k = 0; k < 2; k++) {
            print_message("seed %d, %d min: %.2f cars, persistence %.2f, "
                          "covered %.2f\n",
                          (int)seed, LEADS[k] * 15, error[k] / n, naive[k] / n,
                          covered[k] / n);
            assert_true(error[k] < 0.35 * naive[k]);
            assert_true(covered[k] / n > 0.75);
        }
        free(a);
    }
}

static void announced_departures_are_believed(void **state)
{
    (void)state;
    struct lot lot;
    struct availability *a = fresh(&lot, 1);
    struct availability_now now = {0};
    now.plugged[AVAILABILITY_1H] = 10.0;
    now.plugged[AVAILABILITY_8H] = 20.0;
    availability_feed(a, MONDAY_MS, &now);
    assert_true(fabs(availability_staying(a, 0.0) - 30.0) < 1e-9);
    assert_true(fabs(availability_staying(a, 0.5) - 25.0) < 1e-9);
    assert_true(fabs(availability_staying(a, 4.0) - 20.0) < 1e-9);
    assert_true(fabs(availability_staying(a, 6.0) - 10.0) < 1e-9);
    assert_true(fabs(availability_staying(a, 9.0)) < 1e-9);
    free(a);
}

static void hostile_counts_change_nothing(void **state)
{
    (void)state;
    struct lot lot;
    struct availability *a = fresh(&lot, 1);
    static const double BAD[] = {NAN, INFINITY, -1.0, CARS + 1.0, 1e300};
    assert_true(isnan(availability_ahead(a, 1).mean));
    for (int i = 0; i < 5; i++) {
        struct availability_now now = {0};
        now.plugged[2] = BAD[i];
        availability_feed(a, MONDAY_MS, &now);
        assert_int_equal(a->habit.n, 0);
    }
    struct availability_now now = {.arrived = CARS, .left = CARS};
    now.plugged[0] = CARS;
    uint64_t r = random_seed(4);
    for (int i = 0; i < 200; i++) {
        availability_feed(a, MONDAY_MS + (int64_t)i * SLOT_MS, &now);
        now.plugged[0] =
            random_draw(&r, 0.0, 1.0) < 0.1 ? 1e300 : (double)(i % CARS);
        for (int k = 1; k <= AHEAD; k += 7) {
            struct availability_at at = availability_ahead(a, k);
            assert_true(isfinite(at.mean) && at.q10 >= 0.0 && at.q90 <= CARS);
            assert_true(at.q10 <= at.q50 && at.q50 <= at.q90);
        }
    }
    free(a);
}

/* What was said of slots that were never heard is not taken for what was said
 * of the one that comes after them. */
static void gap_is_not_scored(void **state)
{
    (void)state;
    enum { HEARD = 200, GAP = 5 };
    struct lot lot;
    struct availability *a = fresh(&lot, 1);
    struct availability_now now = {0};
    for (int i = 0; i < HEARD; i++) {
        now.plugged[AVAILABILITY_NOT_SAID] = i % 2 == 0 ? 10.0 : 90.0;
        availability_feed(a, MONDAY_MS + (int64_t)i * SLOT_MS, &now);
    }
    int64_t before[OUTLOOK_LEADS] = {0};
    for (int64_t i = 0; i < a->habit.n_leads; i++) {
        before[i] = a->conformal[i].n;
    }
    int64_t next_ms = MONDAY_MS + (int64_t)(HEARD + GAP) * SLOT_MS;
    availability_feed(a, next_ms, &now);
    for (int64_t i = 0; i < a->habit.n_leads; i++) {
        int64_t ahead = a->habit.leads[i].ahead;
        int64_t steps = (ahead < GAP ? ahead : GAP) + 1;
        assert_int_equal(a->conformal[i].n, before[i] + (ahead > GAP));
        assert_int_equal(a->past[i].n, HEARD - ahead + steps);
    }
    free(a);
}

static void buckets_are_as_written(void **state)
{
    (void)state;
    assert_int_equal(availability_bucket(-1.0), AVAILABILITY_1H);
    assert_int_equal(availability_bucket(1.0), AVAILABILITY_1H);
    assert_int_equal(availability_bucket(1.1), AVAILABILITY_2H);
    assert_int_equal(availability_bucket(16.0), AVAILABILITY_16H);
    assert_int_equal(availability_bucket(400.0), AVAILABILITY_LATER);
    assert_int_equal(availability_bucket(NAN), AVAILABILITY_NOT_SAID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lot_is_learnt),
        cmocka_unit_test(announced_departures_are_believed),
        cmocka_unit_test(hostile_counts_change_nothing),
        cmocka_unit_test(gap_is_not_scored),
        cmocka_unit_test(buckets_are_as_written),
    };
    return cmocka_run_group_tests_name("availability", tests, NULL, NULL);
}
