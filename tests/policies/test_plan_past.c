/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan_past: what the dearest three hours of a day come to,
 * the heaviest day of a month, what is remembered, gaps, clocks that jump. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/plan_parts.h"

#define QUARTER_MS INT64_C(900000)
static const int64_t start_ms = INT64_C(1795219200000);

static double see(struct plan_past *s, int64_t utc_ms, double per_kwh,
                  double load_w)
{
    static struct problem p;
    p.start_at_ms = utc_ms;
    p.import_per_kwh[0] = per_kwh;
    p.load_w[0] = load_w;
    p.billed_s = 2e9 - (double)(utc_ms - start_ms) / 1e3;
    plan_past_see(s, &p);
    return s->dear_per_kwh;
}

/* Feeds 'n' quarter hours of which every 96 have 'top' at 'dear'. */
static double feed(struct plan_past *s, int64_t from, int64_t n, int top,
                   double dear)
{
    double mean = NAN;
    for (int64_t k = from; k < from + n; k++) {
        double x = k % PLAN_DAY < top ? dear : 0.02;
        mean = see(s, start_ms + k * QUARTER_MS, x, 1e6);
    }
    return mean;
}

static void nothing_is_known_before_a_day(void **state)
{
    (void)state;
    struct plan_past s = {.now = 0};
    assert_true(isnan(feed(&s, 0, PLAN_DAY - 1, 12, 0.1)));
    assert_true(fabs(feed(&s, PLAN_DAY - 1, 1, 12, 0.1) - 0.1) < 1e-12);
}

static void the_dearest_three_hours_count(void **state)
{
    (void)state;
    static const struct {
        int top;
        double mean;
    } cases[] = {{0, 0.02}, {6, 0.06}, {12, 0.1}, {40, 0.1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_past s = {.now = 0};
        double mean = feed(&s, 0, 3 * PLAN_DAY, cases[i].top, 0.1);
        assert_true(fabs(mean - cases[i].mean) < 1e-12);
    }
}

static void a_dear_day_is_forgotten_in_weeks(void **state)
{
    (void)state;
    struct plan_past s = {.now = 0};
    feed(&s, 0, 7 * PLAN_DAY, 12, 0.05);
    double after = feed(&s, 7 * PLAN_DAY, PLAN_DAY, 12, 0.75);
    double week = feed(&s, 8 * PLAN_DAY, 7 * PLAN_DAY, 12, 0.05);
    double month = feed(&s, 15 * PLAN_DAY, 28 * PLAN_DAY, 12, 0.05);
    assert_true(after > 0.1 && after < 0.2);
    assert_true(week < after && week > 0.055);
    assert_true(month < 0.053);
}

static void asking_again_changes_nothing(void **state)
{
    (void)state;
    struct plan_past s = {.now = 0};
    double mean = feed(&s, 0, 2 * PLAN_DAY, 12, 0.1);
    int64_t last_ms = start_ms + (2 * PLAN_DAY - 1) * QUARTER_MS;
    for (int i = 1; i < 3; i++) {
        double again = see(&s, last_ms + i * 300000, 0.02, 1e6);
        assert_true(again >= mean && again <= mean);
    }
}

static void a_clock_that_jumps_begins_anew(void **state)
{
    (void)state;
    static const int64_t jumps[] = {-1, -1000, 1000, 1000000};
    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        struct plan_past s = {.now = 0};
        int64_t last = 2 * PLAN_DAY - 1;
        feed(&s, 0, last + 1, 12, 0.1);
        int64_t ms = start_ms + (last + jumps[i]) * QUARTER_MS;
        assert_true(isnan(see(&s, ms, 0.3, 1e6)));
        assert_true(feed(&s, last + jumps[i], PLAN_DAY, 12, 0.1) > 0.09);
    }
}

/* Between the cheapest and the dearest price, whatever comes. */
static void it_stays_within_the_prices(void **state)
{
    (void)state;
    const uint64_t seed = 96;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    struct plan_past s = {.now = 0};
    int64_t k = 0;
    for (int i = 0; i < 5000; i++) {
        k += random_draw(&random, 0.0, 1.0) < 0.05 ? 7 : 1;
        double x = random_draw(&random, -0.3, 0.9);
        double mean = see(&s, start_ms + k * QUARTER_MS, x, 1e6);
        assert_true(isnan(mean) || (mean >= -0.3 && mean <= 0.9));
        assert_true(i < 200 || isfinite(mean));
    }
}

/* The heaviest day is remembered for the month, a lighter one changes
 * nothing, and a new month begins anew. */
static void the_heaviest_day_counts_for_a_month(void **state)
{
    (void)state;
    struct plan_past s = {.now = 0};
    static const double days_w[] = {8e6, 11e6, 9e6};
    static const double want_w[] = {8e6, 11e6, 11e6};
    for (int d = 0; d < 3; d++) {
        for (int64_t k = 0; k < PLAN_DAY; k++) {
            int64_t n = d * PLAN_DAY + k;
            see(&s, start_ms + n * QUARTER_MS, 0.02,
                days_w[d] + (k % 2 ? 1e6 : -1e6));
        }
        assert_true(fabs(s.heaviest_w - want_w[d]) < 1.0);
    }
    s.billed_s = 1.0; /* the last month's end */
    see(&s, start_ms + 3 * PLAN_DAY * QUARTER_MS, 0.02, 9e6);
    assert_true(s.heaviest_w < 9.1e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_before_a_day),
        cmocka_unit_test(the_dearest_three_hours_count),
        cmocka_unit_test(a_dear_day_is_forgotten_in_weeks),
        cmocka_unit_test(asking_again_changes_nothing),
        cmocka_unit_test(a_clock_that_jumps_begins_anew),
        cmocka_unit_test(it_stays_within_the_prices),
        cmocka_unit_test(the_heaviest_day_counts_for_a_month),
    };
    return cmocka_run_group_tests_name("plan_past", tests, NULL, NULL);
}
