/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/clean: what enters a memory and what does not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/clean.h"
#include "models/random.h"

/* A load that swings between 380 and 440 with noise. */
static double load(uint64_t *seed, int k)
{
    return (k % 11 < 9 ? 440.0 : 380.0) + random_draw(seed, -5.0, 5.0);
}

static void feed(struct clean_state *c, uint64_t *seed, int n)
{
    for (int k = 0; k < n; k++) {
        double out;
        double value = load(seed, k);
        assert_int_equal(clean_step(c, value, 1.0, &out), CLEAN_OK);
        assert_true(out == value);
    }
}

static const struct {
    const char *name;
    double values[4];
    int n;
    enum clean is[4];
    double out[4]; /* NAN: the last of the load */
} cases[] = {
    {"not a number", {NAN}, 1, {CLEAN_NOT_FINITE}, {NAN}},
    {"infinite", {-INFINITY}, 1, {CLEAN_NOT_FINITE}, {NAN}},
    {"impossible", {1e300}, 1, {CLEAN_IMPOSSIBLE}, {NAN}},
    {"dropout", {0.0, 431.0}, 2, {CLEAN_SPIKE, CLEAN_OK}, {NAN, 431.0}},
    {"spike", {4000.0, 431.0}, 2, {CLEAN_SPIKE, CLEAN_OK}, {NAN, 431.0}},
    {"edge", {90.0, 91.0}, 2, {CLEAN_SPIKE, CLEAN_OK}, {NAN, 91.0}},
    {"opposed spikes",
     {0.0, 4000.0, 431.0},
     3,
     {CLEAN_SPIKE, CLEAN_SPIKE, CLEAN_OK},
     {NAN, NAN, 431.0}},
    {"edge by a missing one",
     {90.0, NAN, 91.0},
     3,
     {CLEAN_SPIKE, CLEAN_NOT_FINITE, CLEAN_OK},
     {NAN, NAN, 91.0}},
    {"usual dip", {381.0, 439.0}, 2, {CLEAN_OK, CLEAN_OK}, {381.0, 439.0}},
};

static void each_fault_is_called_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clean_state c;
        uint64_t seed = random_seed(i);
        clean_init(&c);
        feed(&c, &seed, 220);
        double last = c.believed;
        for (int k = 0; k < cases[i].n; k++) {
            double out;
            enum clean is = clean_step(&c, cases[i].values[k], 1.0, &out);
            double want = isnan(cases[i].out[k]) ? last : cases[i].out[k];
            if (is != cases[i].is[k] || out != want) {
                fail_msg("%s, sample %d: %s, %g", cases[i].name, k,
                         clean_name(is), out);
            }
        }
    }
}

static void nothing_is_believed_before_the_first(void **state)
{
    (void)state;
    struct clean_state c;
    double out;
    clean_init(&c);
    assert_int_equal(clean_step(&c, NAN, 1.0, &out), CLEAN_NOT_FINITE);
    assert_true(isnan(out));
    assert_int_equal(clean_step(&c, 7.0, 1.0, &out), CLEAN_OK);
    assert_true(out == 7.0);
}

static void time_that_stands_still_is_a_repeat(void **state)
{
    (void)state;
    static const double bad_s[] = {0.0, -19.99, NAN, INFINITY};
    struct clean_state c;
    double out;
    clean_init(&c);
    clean_step(&c, 5.0, 1.0, &out);
    for (size_t i = 0; i < sizeof(bad_s) / sizeof(bad_s[0]); i++) {
        assert_int_equal(clean_step(&c, 9.0, bad_s[i], &out), CLEAN_REPEAT);
        assert_true(out == 5.0);
    }
}

static void sensor_that_moved_and_stopped_is_stuck(void **state)
{
    (void)state;
    struct clean_state c;
    uint64_t seed = random_seed(3);
    double out;
    clean_init(&c);
    feed(&c, &seed, 300);
    int stuck = 0;
    for (int k = 0; k < 120; k++) {
        stuck += clean_step(&c, 433.0, 1.0, &out) == CLEAN_STUCK;
        assert_true(out == 433.0);
    }
    assert_in_range(stuck, 50, 70);
}

static void sensor_that_often_stands_is_not_stuck(void **state)
{
    (void)state;
    struct clean_state c;
    double out;
    clean_init(&c);
    for (int k = 0; k < 4000; k++) {
        double value = 400.0 + (double)(k / 50 % 7);
        assert_int_not_equal(clean_step(&c, value, 1.0, &out), CLEAN_STUCK);
    }
}

static void pause_is_a_gap(void **state)
{
    (void)state;
    struct clean_state c;
    uint64_t seed = random_seed(4);
    double out;
    clean_init(&c);
    feed(&c, &seed, 50);
    assert_int_equal(clean_step(&c, 440.0, 30.0, &out), CLEAN_GAP);
    assert_int_equal(clean_step(&c, 440.0, 1.0, &out), CLEAN_OK);
    assert_true(c.usual_s < 3.0);
}

/* Whatever comes, what goes on is finite and possible. */
static void hostile_input_never_gets_through(void **state)
{
    (void)state;
    static const double odd[] = {NAN,    INFINITY, -INFINITY, 1e300, -1e300,
                                 5e-324, 0.0,      1e12,      -1e12, 1e13};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct clean_state c;
        uint64_t r = random_seed(seed);
        clean_init(&c);
        int64_t total = 0;
        for (int k = 0; k < 2000; k++) {
            double out;
            double value = odd[(int)random_draw(&r, 0.0, 10.0)];
            double dt_s = random_draw(&r, -1.0, 3.0);
            clean_step(&c, value, dt_s, &out);
            if (!(isnan(out) && c.n == 0) && !(fabs(out) <= 1e12)) {
                fail_msg("seed %d: %g", (int)seed, out);
            }
        }
        for (int i = 0; i < CLEAN_COUNT; i++) {
            total += c.counts[i];
        }
        assert_int_equal(total, 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_called_by_its_name),
        cmocka_unit_test(nothing_is_believed_before_the_first),
        cmocka_unit_test(time_that_stands_still_is_a_repeat),
        cmocka_unit_test(sensor_that_moved_and_stopped_is_stuck),
        cmocka_unit_test(sensor_that_often_stands_is_not_stuck),
        cmocka_unit_test(pause_is_a_gap),
        cmocka_unit_test(hostile_input_never_gets_through),
    };
    return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
