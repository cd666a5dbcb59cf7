/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/forecast: what a statistician would expect of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/forecast_state.h"
#include "models/random.h"

static struct forecast f;

enum { H1, H10, H60, H300, N_HORIZONS };

static void start(void)
{
    static const struct forecast_cfg cfg = {
        .grid_s = 1.0,
        .horizon_s = {1.0, 10.0, 60.0, 300.0},
        .n_horizons = N_HORIZONS,
    };
    forecast_init(&f, &cfg);
}

static double gauss(uint64_t *r)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        sum += random_draw(r, 0.0, 1.0);
    }
    return sum;
}

static void unknown_before_the_first_sample(void **state)
{
    (void)state;
    start();
    assert_true(isnan(forecast_at(&f, H1).mean));
    forecast_step(&f, NAN, 1.0);
    assert_true(isnan(forecast_at(&f, H60).q90));
    forecast_step(&f, 5.0, 1.0);
    assert_true(forecast_at(&f, H60).mean == 5.0);
}

static void constant_stays_with_no_band(void **state)
{
    (void)state;
    start();
    for (int k = 0; k < 1500; k++) {
        forecast_step(&f, 431.25, 1.0);
        for (int i = 0; i < N_HORIZONS; i++) {
            struct forecast_at a = forecast_at(&f, i);
            assert_true(fabs(a.mean - 431.25) < 1e-6);
            assert_true(a.q99 - a.q01 < 1e-6);
        }
    }
}

static void ramp_continues(void **state)
{
    (void)state;
    start();
    for (int k = 0; k < 2000; k++) {
        forecast_step(&f, 100.0 + 0.5 * k, 1.0);
    }
    double now = 100.0 + 0.5 * 1999;
    assert_true(fabs(forecast_at(&f, H10).mean - now - 5.0) < 0.5);
    assert_true(fabs(forecast_at(&f, H60).mean - now - 30.0) < 3.0);
}

static void noise_is_its_mean_with_its_band(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t r = random_seed(seed);
        start();
        double off = 0.0;
        double width = 0.0;
        for (int k = 0; k < 3000; k++) {
            forecast_step(&f, 100.0 + gauss(&r), 1.0);
            if (k >= 1500) {
                struct forecast_at a = forecast_at(&f, H60);
                off += fabs(a.mean - 100.0) / 1500.0;
                width += (a.q90 - a.q10) / 1500.0;
            }
        }
        if (off > 0.35 || fabs(width - 2.56) > 0.4) {
            fail_msg("seed %d: off %g, width %g", (int)seed, off, width);
        }
    }
}

static double training(int k, uint64_t *r)
{
    double v = k % 142 >= 129 ? 300.0 : k % 142 % 11 >= 9 ? 390.0 : 450.0;
    return v + 3.0 * gauss(r);
}

static void cycles_are_learned(void **state)
{
    (void)state;
    uint64_t r = random_seed(7);
    static double came[4000];
    start();
    double miss = 0.0;
    int n = 0;
    static double said[4000];
    for (int k = 0; k < 3000; k++) {
        came[k] = training(k, &r);
        forecast_step(&f, came[k], 1.0);
        said[k] = forecast_at(&f, H60).mean;
        if (k >= 900) {
            miss += fabs(came[k] - said[k - 60]);
            n++;
        }
    }
    assert_true(miss / n < 5.0); /* swings of 150; noise alone is 2.4 */
    double period_s[FORECAST_PERIODS_MAX];
    assert_true(forecast_periods(&f, period_s) >= 1);
    assert_true(fabs(period_s[0] - 142.0) < 1.0);
}

static void stop_is_idle_within_seconds(void **state)
{
    (void)state;
    uint64_t r = random_seed(8);
    start();
    for (int k = 0; k < 1500; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    for (int k = 0; k < 6; k++) {
        forecast_step(&f, 80.0 + gauss(&r), 1.0);
    }
    for (int k = 0; k < 300; k++) {
        forecast_step(&f, 80.0 + gauss(&r), 1.0);
        double mean = forecast_at(&f, H60).mean;
        if (fabs(mean - 80.0) > 20.0) {
            fail_msg("%d s after a stop: %g", k + 6, mean);
        }
    }
}

static void hostile_series_never_makes_it_non_finite(void **state)
{
    (void)state;
    static const double odd[] = {NAN,   1e300, -1e300, INFINITY, 5e-324,
                                 -1e12, 1e12,  0.0,    1.0,      -5e-324};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t r = random_seed(seed);
        start();
        forecast_step(&f, 1.0, 1.0);
        for (int k = 0; k < 4000; k++) {
            double dt_s = random_draw(&r, 0.0, 1.0) < 0.02
                              ? pow(10.0, random_draw(&r, -9.0, 9.0))
                              : 1.0;
            int most = (int)(seed % 2) * 5 + 5;
            double v = odd[(int)random_draw(&r, 0.0, (double)most)];
            forecast_step(&f, v, dt_s);
            for (int i = 0; i < N_HORIZONS; i++) {
                struct forecast_at a = forecast_at(&f, i);
                if (!isfinite(a.mean) || !isfinite(a.q01) ||
                    !(a.q01 <= a.q10 && a.q10 <= a.q50 && a.q50 <= a.q90 &&
                      a.q90 <= a.q99) ||
                    !isfinite(a.q99)) {
                    fail_msg("seed %d, sample %d", (int)seed, k);
                }
            }
        }
        struct forecast_swing s = forecast_swing(&f, 60.0);
        assert_true(isfinite(s.peak_to_peak_q90) && isfinite(s.mean));
    }
}

static void it_fits(void **state)
{
    (void)state;
    assert_true(forecast_size() == sizeof(struct forecast));
    assert_true(forecast_size() <= 256 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_before_the_first_sample),
        cmocka_unit_test(constant_stays_with_no_band),
        cmocka_unit_test(ramp_continues),
        cmocka_unit_test(noise_is_its_mean_with_its_band),
        cmocka_unit_test(cycles_are_learned),
        cmocka_unit_test(stop_is_idle_within_seconds),
        cmocka_unit_test(hostile_series_never_makes_it_non_finite),
        cmocka_unit_test(it_fits),
    };
    return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
