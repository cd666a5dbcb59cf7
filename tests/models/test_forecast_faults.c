/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/forecast: what the input does wrong leaves no trace, ticks
 * make steps, and a copy is a checkpoint. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/forecast_state.h"
#include "models/random.h"

enum { H1, H10, H60, N_HORIZONS };

static const struct forecast_cfg cfg = {
    .grid_s = 1.0, .horizon_s = {1.0, 10.0, 60.0}, .n_horizons = N_HORIZONS};

static double training(int k, uint64_t *r)
{
    double v = k % 142 >= 129 ? 300.0 : k % 142 % 11 >= 9 ? 390.0 : 450.0;
    return v + random_draw(r, -5.0, 5.0);
}

static double far_off(const struct forecast *a, const struct forecast *b)
{
    double most = 0.0;
    for (int i = 0; i < N_HORIZONS; i++) {
        double off = forecast_at(a, i).mean - forecast_at(b, i).mean;
        most = fmax(most, fabs(off));
    }
    return most;
}

/* What a fault makes of sample k. */
typedef double fault_fn(int k, double value, uint64_t *r);

static double spikes(int k, double value, uint64_t *r)
{
    return k % 37 == 5 ? value * random_draw(r, 3.0, 20.0) : value;
}

static double dropouts(int k, double value, uint64_t *r)
{
    (void)r;
    return k % 41 == 7 ? 0.0 : value;
}

static double overflows(int k, double value, uint64_t *r)
{
    (void)r;
    return k % 23 == 7 ? 1e300 : k % 29 == 3 ? NAN : value;
}

static const struct {
    const char *name;
    fault_fn *fault;
} faults[] = {
    {"spikes", spikes}, {"dropouts", dropouts}, {"overflows", overflows}};

static void lone_faults_leave_no_trace(void **state)
{
    (void)state;
    static struct forecast good;
    static struct forecast bad;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint64_t r = random_seed(i);
        forecast_init(&good, &cfg);
        forecast_init(&bad, &cfg);
        double off = 0.0;
        int n = 0;
        for (int k = 0; k < 3000; k++) {
            double v = training(k, &r);
            double w = k > 600 ? faults[i].fault(k, v, &r) : v;
            forecast_step(&good, v, 1.0);
            forecast_step(&bad, w, 1.0);
            if (k > 1500 && w == v) {
                off += far_off(&good, &bad);
                n++;
            }
        }
        if (off / n > 12.0) { /* swings of 150 */
            fail_msg("%s: %g apart", faults[i].name, off / n);
        }
    }
}

static void stuck_sensor_is_not_learned_from(void **state)
{
    (void)state;
    static struct forecast f;
    uint64_t r = random_seed(5);
    forecast_init(&f, &cfg);
    int k = 0;
    for (; k < 1420; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    for (; k < 1420 + 426; k++) {
        forecast_step(&f, 451.5, 1.0);
    }
    assert_true(fabs(forecast_at(&f, H60).mean - 451.5) < 30.0);
    int right = 0;
    for (int until = k + 142; k < until; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    for (int until = k + 142; k < until; k++) {
        uint64_t none = random_seed(1);
        double then = training(k + 60, &none);
        right += fabs(forecast_at(&f, H60).mean - then) < 40.0;
        forecast_step(&f, training(k, &r), 1.0);
    }
    assert_true(right > 90); /* of 142 */
}

static void gap_keeps_the_phase(void **state)
{
    (void)state;
    static struct forecast f;
    uint64_t r = random_seed(6);
    forecast_init(&f, &cfg);
    int k = 0;
    for (; k < 1420; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    k += 50;
    forecast_step(&f, training(k, &r), 51.0);
    int right = 0;
    for (int until = k + 142; k < until;) {
        uint64_t none = random_seed(1);
        double then = training(k + 60, &none);
        right += fabs(forecast_at(&f, H60).mean - then) < 40.0;
        k++;
        forecast_step(&f, training(k, &r), 1.0);
    }
    assert_true(right > 110); /* of 142 */
}

static void ticks_forecast_like_steps(void **state)
{
    (void)state;
    static struct forecast steps;
    static struct forecast ticks;
    uint64_t r = random_seed(9);
    forecast_init(&steps, &cfg);
    forecast_init(&ticks, &cfg);
    double off = 0.0;
    for (int k = 0; k < 2500; k++) {
        double v = training(k, &r);
        for (int j = 0; j < 10; j++) {
            forecast_step(&ticks, v, 0.1);
        }
        forecast_step(&steps, v, 1.0);
        off += k >= 1500 ? far_off(&steps, &ticks) / 1000.0 : 0.0;
    }
    assert_true(off < 6.0); /* swings of 150, noise of 3 */
}

/* Asked in the middle of a step, it answers for that far from the middle. */
static void forecast_within_a_step_is_for_its_own_instant(void **state)
{
    (void)state;
    static struct forecast f;
    forecast_init(&f, &cfg);
    int wrong = 0;
    for (int k = 0; k < 15000; k++) { /* tenths of a second */
        forecast_step(&f, k / 10 % 40 < 8 ? 60.0 : 100.0, 0.1);
        double then = (k + 100) / 10 % 40 < 8 ? 60.0 : 100.0;
        wrong += k > 6000 && fabs(forecast_at(&f, H10).mean - then) > 5.0;
    }
    assert_true(wrong < 90); /* 1 % */
}

static void jump_within_a_step_moves_the_forecast(void **state)
{
    (void)state;
    static struct forecast f;
    uint64_t r = random_seed(10);
    forecast_init(&f, &cfg);
    for (int k = 0; k < 6000; k++) {
        forecast_step(&f, 100.0 + random_draw(&r, -1.0, 1.0), 0.1);
    }
    for (int k = 0; k < 4; k++) {
        forecast_step(&f, 300.0, 0.1);
    }
    assert_true(fabs(forecast_at(&f, H10).mean - 300.0) < 10.0);
}

static void copy_is_a_checkpoint(void **state)
{
    (void)state;
    static struct forecast f;
    static struct forecast copy;
    uint64_t r = random_seed(11);
    forecast_init(&f, &cfg);
    for (int k = 0; k < 900; k++) {
        forecast_step(&f, training(k, &r), 1.0);
    }
    memcpy(&copy, &f, sizeof(f));
    for (int k = 900; k < 1200; k++) {
        double v = training(k, &r);
        forecast_step(&f, v, 1.0);
        forecast_step(&copy, v, 1.0);
    }
    assert_memory_equal(&copy, &f, sizeof(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lone_faults_leave_no_trace),
        cmocka_unit_test(stuck_sensor_is_not_learned_from),
        cmocka_unit_test(gap_keeps_the_phase),
        cmocka_unit_test(ticks_forecast_like_steps),
        cmocka_unit_test(forecast_within_a_step_is_for_its_own_instant),
        cmocka_unit_test(jump_within_a_step_moves_the_forecast),
        cmocka_unit_test(copy_is_a_checkpoint),
    };
    return cmocka_run_group_tests_name("forecast_faults", tests, NULL, NULL);
}
