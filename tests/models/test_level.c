/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/level: what it follows, what it rides through. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/level.h"
#include "models/random.h"

static double training(double t_s)
{
    double into = fmod(t_s, 142.0);
    double notch = into > 129.0 ? 0.67 : 1.0;
    double dip = fmod(t_s, 10.95) > 9.5 ? 0.87 : 1.0;
    return 100e6 * notch * dip;
}

static double run(struct level *l, double from_s, double to_s, double scale)
{
    double w = 0.0;
    for (double t = from_s; t < to_s; t += 0.1) {
        w = level_step(l, training(t) * scale, 0.1);
    }
    return w;
}

static void constant_is_its_own_level(void **state)
{
    (void)state;
    struct level l;
    level_init(&l);
    for (int k = 0; k < 10000; k++) {
        assert_true(fabs(level_step(&l, 42e6, 0.1) - 42e6) < 1e-3);
    }
    assert_true(l.n_regimes == 0);
}

static void training_is_ridden_through(void **state)
{
    (void)state;
    struct level l;
    level_init(&l);
    run(&l, 0.0, 600.0, 1.0);
    double lo = INFINITY;
    double hi = -INFINITY;
    for (double t = 600.0; t < 3000.0; t += 0.1) {
        double w = level_step(&l, training(t), 0.1);
        lo = fmin(lo, w);
        hi = fmax(hi, w);
    }
    assert_true(hi - lo < 1.0e6); /* swings of 33 MW */
    assert_int_equal(l.n_regimes, 0);
}

static void new_job_is_followed_at_once(void **state)
{
    (void)state;
    struct level l;
    level_init(&l);
    run(&l, 0.0, 1200.0, 1.0);
    double soon = run(&l, 1200.0, 1214.0, 0.2);
    assert_true(soon < 60e6);
    double later = run(&l, 1214.0, 1280.0, 0.2);
    assert_true(later < 22e6);
    assert_int_equal(l.n_regimes, 1);
}

static void nothing_known_changes_nothing(void **state)
{
    (void)state;
    struct level l;
    level_init(&l);
    assert_true(isnan(level_step(&l, NAN, 0.1)));
    run(&l, 0.0, 100.0, 1.0);
    struct level before = l;
    level_step(&l, NAN, 0.1);
    level_step(&l, INFINITY, 0.1);
    assert_memory_equal(&l, &before, sizeof(l));
}

/* The level lies within what was seen in the last ten minutes. */
static void level_lies_within_the_load(void **state)
{
    (void)state;
    uint64_t seed = random_seed(11);
    struct level l;
    level_init(&l);
    double step_w = 50e6;
    for (int k = 0; k < 200000; k++) {
        if (random_draw(&seed, 0.0, 1.0) < 0.001) {
            step_w = random_draw(&seed, 5e6, 150e6);
        }
        double w = level_step(&l, step_w * random_draw(&seed, 0.9, 1.0), 0.1);
        assert_true(w >= 4.4e6 && w <= 150e6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_its_own_level),
        cmocka_unit_test(training_is_ridden_through),
        cmocka_unit_test(new_job_is_followed_at_once),
        cmocka_unit_test(nothing_known_changes_nothing),
        cmocka_unit_test(level_lies_within_the_load),
    };
    return cmocka_run_group_tests_name("level", tests, NULL, NULL);
}
