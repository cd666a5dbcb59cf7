/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/pace: what a long way of the grid teaches. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/loop_fixture.h"

/* The ramp of the fixture's site is 10 MW/min. */
static const double RAMP = 10e6 / 60.0;

/* 'minutes' on a way of 'way_w' on which the mean moves with 'seen'. */
static void go(struct loop_fixture *x, double way_w, double seen, int minutes)
{
    struct smooth_in asked = {
        .target_w = 50e6 + way_w, .floor_w = 0.0, .cap_w = 200e6};
    struct smooth_out out = {
        .grid_w = 50e6, .mean_w = 49e6, .ramp_w_per_s = seen};
    for (int k = 0; k < 600 * minutes; k++) {
        pace_learn(x->cfg, x->state, &asked, &out, 0.1);
    }
}

static bool is(double got, double want)
{
    return fabs(got - want) <= 0.01 * RAMP;
}

static void each_direction_learns_from_its_own(void **state)
{
    (void)state;
    struct loop_fixture x =
        loop_open(fixture_site(1, 1, 0), POLICY_BALLAST, 50e6);
    const double *up = &x.state->pace_up_w_per_s;
    const double *down = &x.state->pace_down_w_per_s;
    assert_true(is(*up, 0.5 * RAMP) && is(*down, 0.5 * RAMP));
    go(&x, 20e6, 0.8 * RAMP, 60);
    assert_true(is(*up, 0.8 * RAMP) && is(*down, 0.5 * RAMP));
    go(&x, -20e6, -0.3 * RAMP, 60);
    assert_true(is(*up, 0.8 * RAMP) && is(*down, 0.3 * RAMP));
    loop_close(&x);
}

/* What is near is no way, and neither a broken meter nor an edge makes it
 * faster than the limit, or stops it. */
static void it_stays_inside_its_bounds(void **state)
{
    (void)state;
    static const struct {
        double way_w, seen_pu, want_pu;
    } rows[] = {
        {4e6, 1.0, 0.5},   /* within half a minute */
        {20e6, 5.0, 1.0},  /* an edge of the load */
        {20e6, -5.0, 0.1}, /* the other way */
        {-20e6, 0.9, 0.5}, /* down: says nothing of up */
        {500e6, 0.7, 0.7}, /* only as far as the limits */
        {-40e6, -0.9, 0.5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loop_fixture x =
            loop_open(fixture_site(1, 1, 0), POLICY_BALLAST, 50e6);
        go(&x, rows[i].way_w, rows[i].seen_pu * RAMP, 60);
        assert_true(is(x.state->pace_up_w_per_s, rows[i].want_pu * RAMP));
        loop_close(&x);
    }
}

/* A set-point beyond what load and batteries come to teaches nothing: the grid
 * is ordered on, and does not follow.  What a bad day taught is forgotten. */
static void what_cannot_follow_teaches_nothing(void **state)
{
    (void)state;
    struct loop_fixture x =
        loop_open(fixture_site(1, 1, 0), POLICY_BALLAST, 50e6);
    struct smooth_in asked = {
        .target_w = 90e6, .floor_w = 90e6, .cap_w = 200e6};
    struct smooth_out out = {.grid_w = 75.8e6, .mean_w = 70e6};
    for (int k = 0; k < 36000; k++) {
        pace_learn(x.cfg, x.state, &asked, &out, 0.1);
    }
    assert_true(is(x.state->pace_up_w_per_s, 0.5 * RAMP));
    go(&x, 20e6, 0.1 * RAMP, 60);
    assert_true(is(x.state->pace_up_w_per_s, 0.1 * RAMP));
    go(&x, 0.0, 0.0, 3 * 24 * 60);
    assert_true(x.state->pace_up_w_per_s > 0.45 * RAMP);
    assert_true(pace_valid(x.cfg, x.state->pace_up_w_per_s));
    static const double bad[] = {0.0, -1.0, 1e-300, NAN, INFINITY};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(pace_valid(x.cfg, bad[i]));
    }
    loop_close(&x);
}

/* A site without a ramp limit has no pace to learn. */
static void without_a_limit_it_is_endless(void **state)
{
    (void)state;
    struct loop_fixture x =
        loop_open(fixture_site(1, 1, 0), POLICY_BALLAST, 50e6);
    x.cfg->site.grid.ramp_max_w_per_s = INFINITY;
    pace_init(x.cfg, x.state);
    go(&x, 20e6, 1e6, 1);
    assert_true(isinf(x.state->pace_up_w_per_s));
    assert_true(pace_valid(x.cfg, x.state->pace_up_w_per_s));
    assert_true(isinf(x.state->pace_down_w_per_s));
    loop_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_direction_learns_from_its_own),
        cmocka_unit_test(it_stays_inside_its_bounds),
        cmocka_unit_test(what_cannot_follow_teaches_nothing),
        cmocka_unit_test(without_a_limit_it_is_endless),
    };
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
