/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/forecast: how far a window will swing, what the load is
 * doing, and what the scheduler says of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/forecast_state.h"
#include "models/random.h"

enum { H10, H60, H300, N_HORIZONS, N = 4000, WARM = 1500 };

static struct forecast f;
static double y[N];

static void start(void)
{
    static const struct forecast_cfg cfg = {
        .grid_s = 1.0, .horizon_s = {10, 60, 300}, .n_horizons = N_HORIZONS};
    forecast_init(&f, &cfg);
}

static double training(int k, uint64_t *r)
{
    double v = k % 142 >= 129 ? 300.0 : k % 142 % 11 >= 9 ? 390.0 : 450.0;
    return v + random_draw(r, -8.0, 8.0);
}

static double noise(int k, uint64_t *r)
{
    (void)k;
    return 400.0 + random_draw(r, -20.0, 20.0);
}

/* Counts over many windows of 'steps'. */
struct held {
    double peak_to_peak, up, down, mean_off, expected_off;
    int n;
};

static struct held windows(double (*load)(int, uint64_t *), int steps)
{
    static struct forecast_swing said[N];
    struct held h = {0};
    uint64_t r = random_seed((uint64_t)steps);
    start();
    for (int k = 0; k < N; k++) {
        y[k] = load(k, &r);
        forecast_step(&f, y[k], 1.0);
        said[k] = forecast_swing(&f, steps);
    }
    for (int k = WARM; k + steps < N; k++) {
        double lo = INFINITY, hi = -INFINITY, up = 0.0, down = 0.0, sum = 0.0;
        for (int j = k + 1; j <= k + steps; j++) {
            up = fmax(up, y[j] - y[j - 1]);
            down = fmax(down, y[j - 1] - y[j]);
            lo = fmin(lo, y[j]);
            hi = fmax(hi, y[j]);
            sum += y[j];
        }
        h.peak_to_peak += hi - lo <= said[k].peak_to_peak_q90;
        h.up += up <= said[k].edge_up_q90;
        h.down += down <= said[k].edge_down_q90;
        h.mean_off += fabs(sum / steps - said[k].mean);
        h.expected_off += fabs(hi - lo - said[k].peak_to_peak);
        h.n++;
    }
    return h;
}

static void ninety_percent_of_windows_swing_less(void **state)
{
    (void)state;
    static double (*const loads[])(int, uint64_t *) = {training, noise};
    static const int steps[] = {10, 60, 300};
    for (size_t l = 0; l < 2; l++) {
        for (size_t s = 0; s < 3; s++) {
            struct held h = windows(loads[l], steps[s]);
            double n = h.n;
            if (h.peak_to_peak / n < 0.8 || h.up / n < 0.8 ||
                h.down / n < 0.8 || h.mean_off / n > 12.0 ||
                h.expected_off / n > 16.0) {
                fail_msg("load %d, %d s: %g %g %g, mean %g, range %g", (int)l,
                         steps[s], h.peak_to_peak / n, h.up / n, h.down / n,
                         h.mean_off / n, h.expected_off / n);
            }
        }
    }
}

static void constant_does_not_swing(void **state)
{
    (void)state;
    start();
    assert_true(isnan(forecast_swing(&f, 60.0).mean));
    for (int k = 0; k < 500; k++) {
        forecast_step(&f, 250.0, 1.0);
    }
    struct forecast_swing s = forecast_swing(&f, 60.0);
    assert_true(fabs(s.mean - 250.0) < 1e-6 && s.peak_to_peak_q90 < 1e-6);
    assert_true(s.edge_up_q90 < 1e-6 && s.edge_down_q90 < 1e-6);
}

static const char *doing(void)
{
    return forecast_regime_name(forecast_regime(&f));
}

static void load_is_called_by_what_it_does(void **state)
{
    (void)state;
    uint64_t r = random_seed(4);
    int k = 0;
    start();
    assert_string_equal(doing(), "unknown");
    for (; k < 300; k++) {
        forecast_step(&f, 80.0 + random_draw(&r, -1.0, 1.0), 1.0);
    }
    forecast_step(&f, 440.0, 1.0);
    forecast_step(&f, 441.0, 1.0);
    assert_string_equal(doing(), "start");
    for (k = 0; k < 1420 + 60; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    assert_string_equal(doing(), "training");
    for (; k < 1420 + 136; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    assert_string_equal(doing(), "evaluation");
    for (; k < 1420 + 200; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    for (int i = 0; i < 5; i++) {
        forecast_step(&f, 80.0 + random_draw(&r, -1.0, 1.0), 1.0);
    }
    assert_string_equal(doing(), "stop");
    for (int i = 0; i < 60; i++) {
        forecast_step(&f, 80.0 + random_draw(&r, -1.0, 1.0), 1.0);
    }
    assert_string_equal(doing(), "idle");
}

static void mark(enum job_event event, double from_w, double to_w, double in_s)
{
    struct job_in job = {.event = event,
                         .power_from_w = from_w,
                         .power_to_w = to_w,
                         .period_s = NAN};
    forecast_marker(&f, &job, in_s);
}

static void announced_stop_ends_the_pattern(void **state)
{
    (void)state;
    uint64_t r = random_seed(5);
    start();
    for (int k = 0; k < 1460; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    mark(JOB_STOP, 450.0, 90.0, 30.0);
    forecast_step(&f, training(1460, &r), 1.0);
    double before = forecast_at(&f, H10).mean;
    double after = forecast_at(&f, H60).mean;
    assert_true(before > 350.0);
    assert_true(after < 160.0);
}

static void effect_of_an_event_is_learned(void **state)
{
    (void)state;
    uint64_t r = random_seed(6);
    start();
    for (int k = 0; k < 900; k++) {
        int into = k % 200; /* never the same twice: no pattern to learn */
        int at = 40 + (k / 200) * 31;
        double v = into >= at && into < at + 20 ? 300.0 : 400.0;
        if (into == at) {
            mark(JOB_CHECKPOINT_START, NAN, NAN, 1.0);
            assert_string_not_equal(doing(), "checkpoint");
        }
        if (into == at + 20) {
            mark(JOB_CHECKPOINT_END, NAN, NAN, 1.0);
        }
        forecast_step(&f, v + random_draw(&r, -2.0, 2.0), 1.0);
    }
    assert_true(f.effect[JOB_CHECKPOINT_START] < -60.0);
    assert_true(f.effect[JOB_CHECKPOINT_END] > 60.0);
    mark(JOB_CHECKPOINT_START, NAN, NAN, 5.0);
    forecast_step(&f, 400.0, 1.0);
    assert_true(forecast_at(&f, H10).mean < 370.0);
    for (int k = 0; k < 6; k++) {
        forecast_step(&f, 400.0, 1.0);
    }
    assert_string_equal(doing(), "checkpoint");
}

static void told_period_is_used_sooner(void **state)
{
    (void)state;
    double misses[2];
    for (int told = 0; told < 2; told++) {
        uint64_t r = random_seed(7);
        static double said[700];
        start();
        if (told) {
            struct job_in job = {.event = JOB_PHASE,
                                 .power_from_w = NAN,
                                 .power_to_w = NAN,
                                 .period_s = 142.0};
            forecast_marker(&f, &job, 0.0);
        }
        misses[told] = 0.0;
        for (int k = 0; k < 700; k++) {
            double v = training(k, &r);
            forecast_step(&f, v, 1.0);
            said[k] = forecast_at(&f, H60).mean;
            misses[told] += k >= 260 ? fabs(v - said[k - 60]) / 440.0 : 0.0;
        }
    }
    assert_true(misses[1] <= misses[0] * 1.02);
    assert_true(misses[1] < 45.0);
}

static void odd_markers_change_nothing(void **state)
{
    (void)state;
    static struct forecast before;
    start();
    for (int k = 0; k < 100; k++) {
        forecast_step(&f, 100.0, 1.0);
    }
    memcpy(&before, &f, sizeof(f));
    mark((enum job_event)99, 1.0, 2.0, 5.0);
    mark((enum job_event) - 1, 1.0, 2.0, 5.0);
    mark(JOB_START, 1.0, 2.0, NAN);
    assert_memory_equal(&before, &f, sizeof(f));
    for (int i = 0; i < 100; i++) {
        mark(JOB_START, -1e300, 1e300, i % 2 ? 1e300 : -1e300);
        mark(JOB_STOP, 1e300, -1e300, 20.0);
        forecast_step(&f, 100.0, 1.0);
        assert_true(isfinite(forecast_at(&f, H60).mean));
        assert_true(isfinite(forecast_swing(&f, 60.0).peak_to_peak_q90));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ninety_percent_of_windows_swing_less),
        cmocka_unit_test(constant_does_not_swing),
        cmocka_unit_test(load_is_called_by_what_it_does),
        cmocka_unit_test(announced_stop_ends_the_pattern),
        cmocka_unit_test(effect_of_an_event_is_learned),
        cmocka_unit_test(told_period_is_used_sooner),
        cmocka_unit_test(odd_markers_change_nothing),
    };
    return cmocka_run_group_tests_name("forecast_swing", tests, NULL, NULL);
}
