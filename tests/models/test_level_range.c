/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/level_range: where a load may go next. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/level_range.h"
#include "models/random.h"

static void hold(struct level_range *r, double load_w, double for_s)
{
    for (int k = 0; k < (int)(for_s * 10.0 + 0.5); k++) {
        level_range_step(r, load_w, 0.1);
    }
}

static void dip_is_expected_to_end_and_to_come_again(void **state)
{
    (void)state;
    struct level_range r;
    level_range_init(&r);
    hold(&r, 100e6, 60.0);
    hold(&r, 80e6, 10.0);
    assert_true(level_range_ahead(&r, 80e6).up_w == 20e6);
    assert_true(level_range_ahead(&r, 80e6).down_w == 0.0);
    hold(&r, 100e6, 60.0);
    assert_true(level_range_ahead(&r, 100e6).up_w == 0.0);
    assert_true(level_range_ahead(&r, 100e6).down_w == 20e6);
    hold(&r, 100e6, 400.0);
    assert_true(level_range_ahead(&r, 100e6).down_w == 0.0);
    assert_true(level_range_edges(&r).down_w == 20e6);
    hold(&r, 100e6, 3600.0);
    assert_true(level_range_edges(&r).down_w == 0.0);
}

static void job_that_came_once_is_over(void **state)
{
    (void)state;
    struct level_range r;
    level_range_init(&r);
    hold(&r, 40e6, 60.0);
    hold(&r, 110e6, 60.0);
    assert_true(level_range_ahead(&r, 110e6).up_w == 0.0);
    assert_true(level_range_edges(&r).up_w == 70e6);
}

static void second_job_foretells_a_third(void **state)
{
    (void)state;
    struct level_range r;
    level_range_init(&r);
    hold(&r, 4e6, 60.0);
    hold(&r, 7e6, 60.0);
    hold(&r, 9e6, 60.0);
    assert_true(level_range_ahead(&r, 9e6).up_w == 2e6);
    hold(&r, 13e6, 60.0);
    assert_true(level_range_ahead(&r, 13e6).up_w == 3e6);
    hold(&r, 13e6, 3700.0);
    assert_true(level_range_ahead(&r, 13e6).up_w == 0.0);
}

static void job_that_starts_over_two_seconds_is_one(void **state)
{
    (void)state;
    struct level_range r;
    level_range_init(&r);
    hold(&r, 4e6, 60.0);
    for (int k = 1; k <= 20; k++) {
        hold(&r, 4e6 + 0.2e6 * k, 0.1);
    }
    hold(&r, 8e6, 60.0);
    assert_true(level_range_ahead(&r, 8e6).up_w == 0.0);
}

static void what_nobody_saw_is_no_edge(void **state)
{
    (void)state;
    struct level_range r;
    level_range_init(&r);
    hold(&r, 4e6, 10.0);
    level_range_part(&r);
    hold(&r, 9e6, 10.0);
    assert_true(level_range_edges(&r).up_w == 0.0);
    level_range_step(&r, NAN, 0.1);
    level_range_step(&r, INFINITY, 0.1);
    assert_true(isfinite(r.hi_w) && r.hi_w == 9e6);
}

static void load_that_left_swings_no_more(void **state)
{
    (void)state;
    struct level_range r;
    level_range_init(&r);
    for (int k = 1; k <= 4; k++) { /* each dip goes deeper */
        hold(&r, 100e6, 60.0);
        hold(&r, 90e6 - 2e6 * k, 5.0);
    }
    hold(&r, 100e6, 60.0);
    assert_true(r.again.down_w > 0.0);
    hold(&r, 30e6, 31.0);
    level_range_anew(&r, 45.0);
    assert_true(r.again.down_w == 0.0 && r.again.up_w == 0.0);
    assert_true(level_range_edges(&r).down_w == 70e6);
}

/* Each stage leaves for another level, or several of them for one. */
static void stop_in_stages_is_expected_to_go_on(void **state)
{
    (void)state;
    for (int one = 0; one < 2; one++) {
        struct level_range r;
        level_range_init(&r);
        hold(&r, 100e6, 60.0);
        for (int k = 1; k <= 3; k++) {
            hold(&r, 100e6 - 20e6 * k, one ? 10.0 : 40.0);
            if (!one || k == 3) {
                level_range_anew(&r, 45.0);
            }
        }
        assert_true(r.again.down_w == 20e6 && r.once.down_w == 20e6);
        hold(&r, 40e6, 3700.0);
        assert_true(r.again.down_w == 0.0 && r.once.down_w == 0.0);
    }
}

/* Against all samples of the last five minutes. */
static void range_is_that_of_five_minutes(void **state)
{
    (void)state;
    uint64_t seed = random_seed(7);
    struct level_range r;
    level_range_init(&r);
    enum { N = 20000 };
    double *w = malloc(N * sizeof(*w));
    double at_w = 50e6;
    for (int k = 0; k < N; k++) {
        if (random_draw(&seed, 0.0, 1.0) < 0.02) {
            at_w = random_draw(&seed, 10e6, 90e6);
        }
        w[k] = at_w;
        level_range_step(&r, at_w, 0.1);
        if (k < 3000 || k % 97 != 0) {
            continue;
        }
        double hi[2] = {-INFINITY, -INFINITY};
        double lo[2] = {INFINITY, INFINITY};
        for (int i = k - 3000; i <= k; i++) {
            for (int near = 0; near < 2; near++) {
                if (!near || i >= k - 2690) { /* spans of 30 s */
                    hi[near] = fmax(hi[near], w[i]);
                    lo[near] = fmin(lo[near], w[i]);
                }
            }
        }
        assert_true(r.hi_w <= hi[0] && r.hi_w >= hi[1]);
        assert_true(r.lo_w >= lo[0] && r.lo_w <= lo[1]);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dip_is_expected_to_end_and_to_come_again),
        cmocka_unit_test(job_that_came_once_is_over),
        cmocka_unit_test(second_job_foretells_a_third),
        cmocka_unit_test(job_that_starts_over_two_seconds_is_one),
        cmocka_unit_test(what_nobody_saw_is_no_edge),
        cmocka_unit_test(load_that_left_swings_no_more),
        cmocka_unit_test(stop_in_stages_is_expected_to_go_on),
        cmocka_unit_test(range_is_that_of_five_minutes),
    };
    return cmocka_run_group_tests_name("level_range", tests, NULL, NULL);
}
