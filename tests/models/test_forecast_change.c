/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/forecast: a pattern that changes, slips, begins, is missed
 * in part, repeats to the bit, or is announced. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/forecast_state.h"
#include "models/random.h"

enum { H10, H60, N_HORIZONS, N = 6000 };

static struct forecast f;
static double came[N];
static double said[N][N_HORIZONS];

static void start(void)
{
    static const struct forecast_cfg cfg = {
        .grid_s = 1.0,
        .horizon_s = {10.0, 60.0},
        .n_horizons = N_HORIZONS,
    };
    forecast_init(&f, &cfg);
}

static double noise(uint64_t *r)
{
    return random_draw(r, -5.0, 5.0);
}

/* A cycle with a notch at its end. */
static double cycle(int k, int period, uint64_t *r)
{
    double dip = k % period % 11 >= 9 ? 60.0 : 0.0;
    return (k % period >= period - 13 ? 300.0 : 450.0 - dip) + noise(r);
}

static void feed(int k, double value)
{
    came[k] = value;
    forecast_step(&f, value, 1.0);
    for (int i = 0; i < N_HORIZONS; i++) {
        said[k][i] = forecast_at(&f, i).mean;
    }
}

/* Mean miss 60 s ahead of what came in [from, to); and of the value as it
 * was. */
static double miss(int from, int to)
{
    double sum = 0.0;
    for (int k = from; k < to; k++) {
        sum += fabs(came[k] - said[k - 60][H60]);
    }
    return sum / (to - from);
}

static double persistence(int from, int to)
{
    double sum = 0.0;
    for (int k = from; k < to; k++) {
        sum += fabs(came[k] - came[k - 60]);
    }
    return sum / (to - from);
}

static void new_period_is_learned(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t r = random_seed(seed);
        start();
        for (int k = 0; k < 4500; k++) {
            feed(k, cycle(k, k < 1500 ? 142 : 97, &r));
        }
        double period_s[FORECAST_PERIODS_MAX];
        assert_true(forecast_periods(&f, period_s) >= 1);
        double own = fmod(period_s[0], 97.0);
        if (fmin(own, 97.0 - own) > 1.5 || miss(3500, 4500) > 12.0) {
            fail_msg("seed %d: period %g, miss %g", (int)seed, period_s[0],
                     miss(3500, 4500));
        }
        /* and while it is new, not much worse than knowing nothing */
        assert_true(miss(1560, 2500) < 1.1 * persistence(1560, 2500));
    }
}

static void slip_of_the_phase_is_followed(void **state)
{
    (void)state;
    for (uint64_t seed = 4; seed <= 6; seed++) {
        uint64_t r = random_seed(seed);
        start();
        for (int k = 0; k < 3000; k++) {
            feed(k, cycle(k < 1500 ? k : k + 40, 142, &r));
        }
        if (miss(2000, 3000) > 12.0) {
            fail_msg("seed %d: %g", (int)seed, miss(2000, 3000));
        }
    }
}

static void start_is_no_return_to_idle(void **state)
{
    (void)state;
    uint64_t r = random_seed(7);
    start();
    for (int k = 0; k < 600; k++) {
        feed(k, 80.0 + noise(&r));
    }
    for (int k = 600; k < 700; k++) {
        feed(k, 450.0 + noise(&r));
        if (k >= 610) {
            assert_true(said[k][H60] > 350.0);
        }
    }
}

static void missing_data_are_bridged(void **state)
{
    (void)state;
    for (uint64_t seed = 8; seed <= 10; seed++) {
        uint64_t r = random_seed(seed);
        start();
        for (int k = 0; k < 3000; k++) {
            double v = cycle(k, 142, &r);
            bool lost = random_draw(&r, 0.0, 1.0) < 0.1 || k % 700 > 670;
            feed(k, lost ? NAN : v);
            came[k] = v;
        }
        if (miss(1500, 3000) > 15.0) {
            fail_msg("seed %d: %g", (int)seed, miss(1500, 3000));
        }
    }
}

static void exact_repetition_is_forecast_exactly(void **state)
{
    (void)state;
    start();
    for (int k = 0; k < 1500; k++) {
        feed(k, k % 40 < 8 ? 60e6 : 100e6);
        for (int i = 0; i < N_HORIZONS; i++) {
            assert_true(isfinite(said[k][i]));
        }
    }
    assert_true(miss(1000, 1500) < 0.01e6);
}

static void announced_start_is_expected(void **state)
{
    (void)state;
    uint64_t r = random_seed(11);
    start();
    for (int k = 0; k < 600; k++) {
        feed(k, 80.0 + noise(&r));
    }
    const struct job_in job = {
        .event = JOB_START,
        .power_from_w = 80.0,
        .power_to_w = 400.0,
        .period_s = NAN,
    };
    forecast_marker(&f, &job, 30.0);
    feed(600, 80.0);
    assert_true(fabs(said[600][H10] - 80.0) < 40.0);
    assert_true(said[600][H60] > 330.0);
    /* one that never comes is given up */
    for (int k = 601; k < 900; k++) {
        feed(k, 80.0 + noise(&r));
    }
    assert_true(fabs(said[899][H60] - 80.0) < 40.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_period_is_learned),
        cmocka_unit_test(slip_of_the_phase_is_followed),
        cmocka_unit_test(start_is_no_return_to_idle),
        cmocka_unit_test(missing_data_are_bridged),
        cmocka_unit_test(exact_repetition_is_forecast_exactly),
        cmocka_unit_test(announced_start_is_expected),
    };
    return cmocka_run_group_tests_name("forecast_change", tests, NULL, NULL);
}
