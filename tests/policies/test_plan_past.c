/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/plan_past: the heaviest day of a month, gaps, clocks that
 * jump. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/plan_parts.h"

#define QUARTER_MS INT64_C(900000)
static const int64_t start_ms = INT64_C(1795219200000);

/* Quarter hour 'k' with a load of 'load_w'. */
static double see(struct plan_past *s, int64_t k, double load_w)
{
    static struct problem p;
    p.start_at_ms = start_ms + k * QUARTER_MS;
    p.total_w = load_w;
    p.billed_s = 2e9 - (double)(k * QUARTER_MS) / 1e3;
    plan_past_see(s, &p);
    return s->heaviest_w;
}

/* In the first day what was seen of it stands for it, from an hour on, and what
 * was heavy in its first hours is forgotten. */
static void the_first_day_counts_as_far_as_it_was_seen(void **state)
{
    (void)state;
    struct plan_past s = {.now = 0};
    for (int64_t k = 0; k < 3; k++) {
        assert_false(see(&s, k, 16e6) > 0.0);
    }
    for (int64_t k = 3; k < PLAN_DAY; k++) {
        double w = see(&s, k, 8e6);
        assert_true(fabs(w - (8e6 + 3.0 * 8e6 / (double)(k + 1))) < 1.0);
    }
}

/* A month's peak that was paid for before is not given up for the mean of a
 * heavy hour: it stands until a day was seen, or a month is over. */
static void a_peak_from_before_stands(void **state)
{
    (void)state;
    static const int64_t months_at[] = {PLAN_DAY, 10};
    for (int i = 0; i < 2; i++) {
        struct plan_past s = {.now = 0};
        struct problem p = {.start_at_ms = start_ms,
                            .total_w = 9e6,
                            .peak_w = 7e6,
                            .billed_s = 86400.0};
        for (int64_t k = 0; k < PLAN_DAY; k++) {
            p.start_at_ms = start_ms + k * QUARTER_MS;
            p.billed_s += k == months_at[i] ? 30.0 * 86400.0 : -900.0;
            p.peak_w = fmax(p.peak_w, 8e6); /* what came since is none */
            plan_past_see(&s, &p);
            assert_true((s.heaviest_w > 0.0) == (k >= months_at[i]));
        }
        p.start_at_ms += QUARTER_MS;
        plan_past_see(&s, &p);
        assert_true(fabs(s.heaviest_w - 9e6) < 1.0);
    }
}

/* A lighter one changes nothing, and a new month begins anew. */
static void the_heaviest_day_counts_for_a_month(void **state)
{
    (void)state;
    struct plan_past s = {.now = 0};
    static const double days_w[] = {8e6, 11e6, 9e6};
    static const double want_w[] = {8e6, 11e6, 11e6};
    for (int d = 0; d < 3; d++) {
        for (int64_t k = 0; k < PLAN_DAY; k++) {
            see(&s, d * PLAN_DAY + k, days_w[d] + (k % 2 ? 1e6 : -1e6));
        }
        assert_true(fabs(s.heaviest_w - want_w[d]) < 1.0);
    }
    s.billed_s = 1.0; /* the last month's end */
    assert_true(see(&s, 3 * PLAN_DAY, 9e6) < 9.1e6);
}

static void a_clock_that_jumps_begins_anew(void **state)
{
    (void)state;
    static const int64_t jumps[] = {-1, -1000, 1000, 1000000};
    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        struct plan_past s = {.now = 0};
        for (int64_t k = 0; k < 2 * PLAN_DAY; k++) {
            see(&s, k, 9e6);
        }
        assert_false(see(&s, 2 * PLAN_DAY - 1 + jumps[i], 5e6) > 0.0);
    }
}

/* Between the lightest and the heaviest load, whatever comes. */
static void it_stays_within_the_loads(void **state)
{
    (void)state;
    const uint64_t seed = 96;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    struct plan_past s = {.now = 0};
    int64_t k = 0;
    for (int i = 0; i < 5000; i++) {
        k += random_draw(&random, 0.0, 1.0) < 0.05 ? 7 : 1;
        double w = see(&s, k, random_draw(&random, 3e6, 9e6));
        assert_true(k < 11 || (w >= 3e6 && w <= 9e6));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_day_counts_as_far_as_it_was_seen),
        cmocka_unit_test(a_peak_from_before_stands),
        cmocka_unit_test(the_heaviest_day_counts_for_a_month),
        cmocka_unit_test(a_clock_that_jumps_begins_anew),
        cmocka_unit_test(it_stays_within_the_loads),
    };
    return cmocka_run_group_tests_name("plan_past", tests, NULL, NULL);
}
