/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/problem_grid: tiers, the clock, the utility. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/step/problem.h"
#include "models/random.h"

enum { MINUTE_MS = 60000 };
static const int64_t HOUR = INT64_C(1763683200000); /* a full one */

static struct snapshot *at(int64_t utc_ms)
{
    struct snapshot *in = calloc(1, snapshot_size(0));
    assert_non_null(in);
    in->utc_ms = utc_ms;
    return in;
}

/* Is there a boundary at 'ms'? */
static bool boundary(const struct snapshot *in, const double *step_s, int64_t n,
                     int64_t ms)
{
    int64_t at_ms = in->utc_ms;
    for (int64_t i = 0; i < n && at_ms < ms; i++) {
        at_ms += (int64_t)(step_s[i] * 1e3 + 0.5);
    }
    return at_ms == ms;
}

static void tiers_follow_the_clock(void **state)
{
    (void)state;
    static const struct {
        int64_t after_ms; /* the full hour */
        int64_t n;
        double first[4]; /* min */
    } rows[] = {
        {0, 24 + 40 + 36, {5.0, 5.0, 5.0, 5.0}},
        {2 * MINUTE_MS, 25 + 40 + 37, {3.0, 5.0, 5.0, 5.0}},
        {5 * MINUTE_MS - 1000, 101, {301.0 / 60.0, 5.0, 5.0, 5.0}},
        {7 * MINUTE_MS + 30000, 102, {2.5, 5.0, 5.0, 5.0}},
        {59 * MINUTE_MS + 45000, 101, {5.25, 5.0, 5.0, 5.0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snapshot *in = at(HOUR + rows[i].after_ms);
        double step_s[PLAN_SLOTS_MAX];
        int64_t n = problem_grid(in, 48.0 * 3600.0, step_s);
        assert_in_range(n, rows[i].n - 1, rows[i].n + 1);
        double sum_s = 0.0;
        for (int64_t k = 0; k < n; k++) {
            sum_s += step_s[k];
            if (k < 4) {
                assert_true(step_s[k] == 60.0 * rows[i].first[k]);
            }
        }
        assert_true(sum_s > 48.0 * 3600.0 - 60.0 && sum_s <= 48.0 * 3600.0);
        for (int64_t q = 2; q < 40; q++) {
            int64_t quarter = HOUR + q * 15 * MINUTE_MS;
            assert_true(quarter < in->utc_ms + 30000 ||
                        boundary(in, step_s, n, quarter));
        }
        for (int64_t h = 2; h < 48; h++) {
            assert_true(boundary(in, step_s, n, HOUR + h * 60 * MINUTE_MS));
        }
        free(in);
    }
}

static void instructions_are_boundaries(void **state)
{
    (void)state;
    struct snapshot *in = at(HOUR + 2 * MINUTE_MS);
    strcpy(in->utility[3].id, "dr");
    in->utility[3].start_at_ms = HOUR + 30 * 60 * MINUTE_MS + 17 * MINUTE_MS;
    in->utility[3].end_at_ms = INT64_MAX;
    strcpy(in->utility[31].id, "cap");
    in->utility[31].start_at_ms = HOUR - 1000;
    in->utility[31].end_at_ms = HOUR + 44 * MINUTE_MS;
    in->utility[5].start_at_ms = HOUR + 33 * MINUTE_MS; /* an empty place */
    double step_s[PLAN_SLOTS_MAX];
    int64_t n = problem_grid(in, 48.0 * 3600.0, step_s);
    assert_true(boundary(in, step_s, n, in->utility[3].start_at_ms));
    assert_true(boundary(in, step_s, n, in->utility[31].end_at_ms));
    assert_true(boundary(in, step_s, n, HOUR + 45 * MINUTE_MS));
    assert_false(boundary(in, step_s, n, HOUR + 33 * MINUTE_MS));
    free(in);
}

/* Whatever the time and the events: no slot too short or too long, never too
 * many, and no more than the horizon. */
static void any_grid_is_sound(void **state)
{
    (void)state;
    uint64_t seed = random_seed(4);
    for (int round = 0; round < 2000; round++) {
        struct snapshot *in =
            at(HOUR + (int64_t)random_draw(&seed, 0.0, 864e5));
        for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
            strcpy(in->utility[i].id, "x");
            in->utility[i].start_at_ms =
                in->utc_ms + (int64_t)random_draw(&seed, -1e7, 2e8);
            in->utility[i].end_at_ms =
                in->utc_ms + (int64_t)random_draw(&seed, -1e7, 2e8);
        }
        double horizon_s = random_draw(&seed, 24.0, 48.0) * 3600.0;
        double step_s[PLAN_SLOTS_MAX];
        int64_t n = problem_grid(in, horizon_s, step_s);
        assert_in_range(n, 1, PLAN_SLOTS_MAX);
        double sum_s = 0.0;
        for (int64_t k = 0; k < n; k++) {
            assert_true(step_s[k] >= 29.9 && step_s[k] <= 3630.0);
            sum_s += step_s[k];
        }
        assert_true(sum_s <= horizon_s + 1.0 && sum_s > horizon_s - 31.0);
        free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiers_follow_the_clock),
        cmocka_unit_test(instructions_are_boundaries),
        cmocka_unit_test(any_grid_is_sound),
    };
    return cmocka_run_group_tests_name("problem_grid", tests, NULL, NULL);
}
