/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/settle: energy per interval, seconds above what was asked,
 * the time to reach it; and that nothing is delivered by what is not known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/settle.h"

static const int64_t t0_ms = INT64_C(1795219200000);

#define NEAR(a, b) assert_true(fabs((a) - (b)) <= 1e-9 * fabs(b) + 1e-9)

static struct settle_terms terms_of(const struct settle_piece *pieces,
                                    int64_t n, int64_t length_s)
{
    return (struct settle_terms){.from_ms = t0_ms,
                                 .to_ms = t0_ms + length_s * 1000,
                                 .interval_ms = 300000,
                                 .n_pieces = n,
                                 .pieces = pieces,
                                 .baseline_w = NAN};
}

static void push(struct settle *s, int64_t second, double grid_w)
{
    const struct settle_row row = {t0_ms + second * 1000, 1.0, grid_w, NAN};
    settle_push(s, &row);
}

/* 10 MW falls to 7 MW within 20 s, and is above once more for 5 s. */
static void what_an_event_delivers(void **state)
{
    (void)state;
    static struct settle s;
    const struct settle_piece cap = {UTILITY_IMPORT_MAX, t0_ms, t0_ms + 600000,
                                     7e6};
    const struct settle_terms t = terms_of(&cap, 1, 600);
    settle_init(&s, &t);
    assert_int_equal(s.n, 2);
    for (int64_t i = -10; i < 700; i++) {
        double w = i < 20 ? 10e6 : i >= 400 && i < 405 ? 8e6 : 7e6;
        push(&s, i, w);
    }
    settle_close(&s);
    for (int i = 0; i < 2; i++) {
        settle_baseline(&s, i, 10e6);
    }
    settle_sum(&s);
    NEAR(s.known_s, 600.0);
    NEAR(s.intervals[0].metered_w, (20 * 10e6 + 280 * 7e6) / 300.0);
    NEAR(s.intervals[1].delivered_wh, (295 * 3e6 + 5 * 2e6) / 3600.0);
    NEAR(s.delivered_wh, (280 * 3e6 + 295 * 3e6 + 5 * 2e6) / 3600.0);
    NEAR(s.baseline_wh - s.metered_wh, s.delivered_wh);
    NEAR(s.above_s, 25.0);
    NEAR(s.above_later_s, 5.0);
    NEAR(s.reach_s, 20.0);
    NEAR(s.excess_max_w, 3e6);
    assert_int_equal(s.excess_max_at_ms, t0_ms);
    NEAR(s.excess_wh, (20 * 3e6 + 5 * 1e6) / 3600.0);
}

static void what_asks_for_what(void **state)
{
    (void)state;
    static const struct {
        int64_t kind;
        double value;
        double grid_w;
        bool asked;
        double excess_w;
    } rows[] = {
        {UTILITY_IMPORT_MAX, 5e6, 6e6, true, 1e6},
        {UTILITY_EMERGENCY, 5e6, 4e6, true, -1e6},
        {UTILITY_SETPOINT, 5e6, 4e6, true, -1e6},
        {UTILITY_EXPORT_MAX, 2e6, -3e6, true, 1e6},
        {UTILITY_EXPORT_MAX, 2e6, 3e6, true, -5e6},
        {UTILITY_PRICE, 0.3, 3e6, false, 0.0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct settle_piece p = {rows[i].kind, t0_ms, t0_ms + 1000,
                                       rows[i].value};
        const struct settle_terms t = terms_of(&p, 1, 10);
        struct settle_piece piece;
        double excess_w = 0.0;
        assert_int_equal(
            settle_asked(&t, t0_ms, rows[i].grid_w, &piece, &excess_w),
            rows[i].asked);
        NEAR(excess_w, rows[i].excess_w);
        assert_false(
            settle_asked(&t, t0_ms + 1000, rows[i].grid_w, &piece, &excess_w));
    }
    /* of two the stricter */
    const struct settle_piece two[] = {
        {UTILITY_IMPORT_MAX, t0_ms, t0_ms + 1000, 5e6},
        {UTILITY_EMERGENCY, t0_ms, t0_ms + 1000, 4e6}};
    const struct settle_terms t = terms_of(two, 2, 10);
    struct settle_piece piece;
    double excess_w = 0.0;
    assert_true(settle_asked(&t, t0_ms, 6e6, &piece, &excess_w));
    NEAR(excess_w, 2e6);
    assert_int_equal(piece.kind, UTILITY_EMERGENCY);
}

static void what_is_not_known_is_not_delivered(void **state)
{
    (void)state;
    static struct settle s;
    const struct settle_piece cap = {UTILITY_IMPORT_MAX, t0_ms, t0_ms + 600000,
                                     7e6};
    const struct settle_terms t = terms_of(&cap, 1, 600);
    settle_init(&s, &t);
    for (int64_t i = 0; i < 300; i++) {
        push(&s, i, i % 2 == 0 ? 7e6 : (double)NAN);
    }
    settle_close(&s);
    settle_baseline(&s, 0, 9e6);
    settle_baseline(&s, 1, 9e6);
    settle_sum(&s);
    NEAR(s.delivered_wh, 150 * 2e6 / 3600.0);
    assert_true(isnan(s.intervals[1].delivered_wh));
    NEAR(s.judged_s, 150.0);
    NEAR(s.asked_s, 300.0);
    NEAR(s.above_s, 0.0);
    settle_init(&s, &t); /* nothing at all */
    settle_close(&s);
    settle_sum(&s);
    assert_true(isnan(s.reach_s));
    assert_true(isnan(s.error_rms_w));
    NEAR(s.delivered_wh, 0.0);
}

/* The intervals cover the event, whatever its length, and their energies add
 * up to the whole. */
static void intervals_cover_the_event(void **state)
{
    (void)state;
    static struct settle s;
    uint64_t r = random_seed(7);
    print_message("seed 7\n");
    for (int run = 0; run < 300; run++) {
        struct settle_terms t = terms_of(NULL, 0, 1);
        t.to_ms = t0_ms + (int64_t)random_draw(&r, 1.0, 7.0 * 86400e3);
        t.interval_ms = (int64_t)random_draw(&r, 1000.0, 900000.0);
        settle_init(&s, &t);
        assert_true(s.n >= 1 && s.n <= SETTLE_INTERVALS_MAX);
        assert_true(s.intervals[0].from_ms == t.from_ms);
        assert_true(s.intervals[s.n - 1].to_ms == t.to_ms);
        double sum_ws = 0.0;
        int64_t step = 1 + (t.to_ms - t.from_ms) / 500;
        for (int64_t at = t.from_ms; at < t.to_ms; at += step) {
            const struct settle_row row = {at, 1.0, random_draw(&r, -1e6, 1e6),
                                           NAN};
            settle_push(&s, &row);
            sum_ws += row.grid_w;
        }
        settle_close(&s);
        for (int64_t i = 0; i < s.n; i++) {
            assert_true(i == 0 ||
                        s.intervals[i].from_ms == s.intervals[i - 1].to_ms);
            settle_baseline(&s, i, 0.0);
        }
        settle_sum(&s);
        assert_true(fabs(s.delivered_wh + sum_ws / 3600.0) < 1e-3);
    }
}

/* A limit on the mean of a minute forgives a second's edge, not a minute's;
 * what was drawn before it was reached does not count against what follows. */
static void a_limit_on_the_mean_is_judged_on_it(void **state)
{
    (void)state;
    static struct settle s;
    const struct settle_piece cap = {UTILITY_IMPORT_MAX, t0_ms, t0_ms + 600000,
                                     7e6};
    struct settle_terms t = terms_of(&cap, 1, 600);
    t.average_s = 60.0;
    settle_init(&s, &t);
    for (int64_t i = 0; i < 600; i++) {
        bool edge = i % 20 == 0;
        double w = i < 30 ? 9e6 : edge ? 8e6 : 6.9e6; /* mean 6.955 MW */
        push(&s, i, i >= 300 && i < 360 ? w + 1e6 : w);
    }
    settle_close(&s);
    NEAR(s.reach_s, 30.0);
    NEAR(s.rows_above_s, 30.0 + 28.0 + 57.0); /* 28 edges: 40 ... 580 */
    NEAR(s.excess_max_w, 2e6);                /* before it was reached */
    /* one row at 7.9 MW lifts the mean by 17 kW: from the 4th one on it is
     * above, until all but three or four have left the minute */
    assert_true(s.above_later_s > 100.0 && s.above_later_s < 120.0);
    NEAR(s.above_s, 30.0 + s.above_later_s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_event_delivers),
        cmocka_unit_test(a_limit_on_the_mean_is_judged_on_it),
        cmocka_unit_test(what_asks_for_what),
        cmocka_unit_test(what_is_not_known_is_not_delivered),
        cmocka_unit_test(intervals_cover_the_event),
    };
    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
