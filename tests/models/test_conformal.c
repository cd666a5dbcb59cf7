/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/conformal: how often what comes lies inside of the band,
 * scored as it is used, with the offsets of the time of the forecast. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/conformal.h"
#include "models/random.h"

enum { STEPS_MAX = 10000, SEEDS = 10 };

/* About normal, variance 1. */
static double noise(uint64_t *random)
{
    double x = -6.0;
    for (int i = 0; i < 12; i++) {
        x += random_draw(random, 0.0, 1.0);
    }
    return x;
}

static double white(uint64_t *random, int k)
{
    (void)k;
    return noise(random);
}

static double breathing(uint64_t *random, int k)
{
    return noise(random) * (1.0 + 0.8 * sin(k / 300.0));
}

static double growing(uint64_t *random, int k)
{
    return noise(random) * exp(k / 2000.0);
}

static double two_regimes(uint64_t *random, int k)
{
    return noise(random) * (k / 500 % 2 == 0 ? 1.0 : 5.0);
}

static double lopsided(uint64_t *random, int k)
{
    (void)k;
    double x = noise(random);
    return x > 0.0 ? 2.0 + 3.0 * x * x : 2.0 + x;
}

static double cauchy(uint64_t *random, int k)
{
    (void)k;
    return tan(random_draw(random, -1.57, 1.57));
}

static double wandering_mean(uint64_t *random, int k)
{
    return noise(random) + 5.0 * sin(k / 1000.0);
}

static const struct source {
    const char *what;
    double (*draw)(uint64_t *random, int k);
} sources[] = {
    {"white noise", white},
    {"breathing", breathing},
    {"growing", growing},
    {"two regimes", two_regimes},
    {"lopsided", lopsided},
    {"cauchy", cauchy},
    {"a wandering mean", wandering_mean},
};

struct score {
    double in80_pu, in98_pu, below50_pu;
};

struct course {
    double (*draw)(uint64_t *random, int k);
    int n, warm, delay;
};

static struct score run(const struct course *course, uint64_t seed)
{
    static double at[STEPS_MAX][CONFORMAL_LEVELS];
    uint64_t random = random_seed(seed);
    struct conformal c;
    struct conformal_past past;
    struct score s = {0.0, 0.0, 0.0};
    int m = 0;
    conformal_init(&c);
    conformal_past_init(&past, course->delay);
    for (int k = 0; k < course->n; k++) {
        double e = course->draw(&random, k);
        int made = k - course->delay;
        if (made >= 0) {
            conformal_feed_late(&c, &past, e, 1.0);
        }
        if (made >= course->warm) {
            s.in80_pu +=
                e >= at[made][CONFORMAL_Q10] && e <= at[made][CONFORMAL_Q90];
            s.in98_pu +=
                e >= at[made][CONFORMAL_Q01] && e <= at[made][CONFORMAL_Q99];
            s.below50_pu += e <= at[made][CONFORMAL_Q50];
            m++;
        }
        for (int i = 0; i < CONFORMAL_LEVELS; i++) {
            at[k][i] = conformal_offset(&c, (enum conformal_level)i, 1.0);
        }
    }
    return (struct score){s.in80_pu / m, s.in98_pu / m, s.below50_pu / m};
}

static void check(const char *what, double got, double lo, double hi)
{
    if (!(got >= lo && got <= hi)) {
        fail_msg("%s: %g, expected %g to %g", what, got, lo, hi);
    }
}

static void levels_are_in_order(void **state)
{
    (void)state;
    struct conformal c;
    conformal_init(&c);
    conformal_feed(&c, 1.0, 1.0);
    for (int i = 1; i < CONFORMAL_LEVELS; i++) {
        assert_true(conformal_offset(&c, (enum conformal_level)i, 1.0) >
                    conformal_offset(&c, (enum conformal_level)(i - 1), 1.0));
    }
    assert_true(conformal_offset(&c, CONFORMAL_Q10, 1.0) < 0.0);
    assert_true(conformal_offset(&c, CONFORMAL_Q99, 1.0) > 0.0);
}

static void pinball_by_hand(void **state)
{
    (void)state;
    static const struct {
        double tau, q, y, loss;
    } cases[] = {
        {0.5, 10, 14, 2},  {0.5, 14, 10, 2},     {0.9, 10, 14, 3.6},
        {0.9, 14, 10, .4}, {0.1, 10, 14, 0.4},   {0.1, 14, 10, 3.6},
        {0.9, 10, 10, 0},  {0.99, -10, 0, 9.90},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double got = conformal_pinball(cases[i].tau, cases[i].q, cases[i].y);
        assert_true(fabs(got - cases[i].loss) < 1e-12);
    }
}

static void nothing_is_said_before_an_error(void **state)
{
    (void)state;
    struct conformal c;
    conformal_init(&c);
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        assert_true(conformal_offset(&c, (enum conformal_level)i, 7.0) == 0.0);
    }
    conformal_feed(&c, 3.0, 1.0);
    assert_true(conformal_offset(&c, CONFORMAL_Q10, 1.0) < 0.0);
    assert_true(conformal_offset(&c, CONFORMAL_Q90, 1.0) > 0.0);
}

/* Once a few hundred errors are known. */
static void band_covers_what_it_says(void **state)
{
    (void)state;
    static const int delays[] = {1, 10, 30};
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        for (size_t d = 0; d < sizeof(delays) / sizeof(delays[0]); d++) {
            struct course course = {sources[i].draw, 9000, 600, delays[d]};
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                struct score s = run(&course, seed);
                char what[96];
                snprintf(what, sizeof(what), "%s, delay %d, seed %d",
                         sources[i].what, delays[d], (int)seed);
                check(what, s.in80_pu, 0.77, 0.83);
                check(what, s.in98_pu, 0.955, 0.998);
                check(what, s.below50_pu, 0.46, 0.54);
            }
        }
    }
}

/* A change of scale by a thousand is answered within some hundred errors. */
static double thousandfold(uint64_t *random, int k)
{
    return noise(random) * (k < 2000 ? 1.0 : 1000.0);
}

static double thousandth(uint64_t *random, int k)
{
    return noise(random) * (k < 2000 ? 1000.0 : 1.0);
}

static void change_of_scale_is_followed(void **state)
{
    (void)state;
    struct course up = {thousandfold, 3500, 2300, 1};
    struct course down = {thousandth, 4500, 3000, 1};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        check("up", run(&up, seed).in80_pu, 0.75, 0.85);
        check("down", run(&down, seed).in80_pu, 0.75, 0.86);
    }
}

static double held[30];
/* Mean of the last thirty draws: overlapping windows of a horizon of 30. */
static double overlapping(uint64_t *random, int k)
{
    double sum = 0.0;
    held[k % 30] = noise(random);
    for (int i = 0; i < 30; i++) {
        sum += held[i];
    }
    return sum / 30.0;
}

/* Of 6,000 errors only two hundred are new: the band holds, if less
 * tightly. */
static void runs_of_errors_are_not_chased(void **state)
{
    (void)state;
    struct course course = {overlapping, 6000, 600, 30};
    double mean = 0.0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double in80_pu = run(&course, seed).in80_pu;
        check("one", in80_pu, 0.72, 0.88);
        mean += in80_pu / SEEDS;
    }
    check("mean", mean, 0.77, 0.83);
}

/* The spread that a forecaster says itself is taken at its word. */
/* The first errors of a long horizon find no offsets kept of their time, which
 * is not to say that they were nothing. */
static void first_errors_are_compared_with_what_was_said(void **state)
{
    (void)state;
    enum { DELAY = 160, STRIDE = 10 };
    struct conformal c;
    struct conformal_past past;
    conformal_init(&c);
    conformal_past_init(&past, DELAY);
    conformal_feed_late(&c, &past, NAN, 1.0);
    assert_int_equal(past.n, 0);
    for (int i = 0; i < DELAY; i++) {
        conformal_feed_late(&c, &past, i % 2 == 0 ? 1.0 : -1.0, 1.0);
    }
    double q90 = c.offset[CONFORMAL_Q90];
    for (int i = 0; i < STRIDE - 1; i++) {
        conformal_feed_late(&c, &past, 1.0, 1.0);
        assert_true(c.offset[CONFORMAL_Q90] < q90); /* 1 was in the band */
        q90 = c.offset[CONFORMAL_Q90];
    }
    conformal_feed_late(&c, &past, NAN, 1.0);
    assert_int_equal(past.n, DELAY + STRIDE);
}

static void spread_scales_the_band(void **state)
{
    (void)state;
    uint64_t random = random_seed(3);
    struct conformal c;
    int in = 0;
    conformal_init(&c);
    for (int k = 0; k < 5000; k++) {
        double spread = k % 2 == 0 ? 1.0 : 100.0;
        double e = spread * noise(&random);
        if (k >= 500) {
            in += e >= conformal_offset(&c, CONFORMAL_Q10, spread) &&
                  e <= conformal_offset(&c, CONFORMAL_Q90, spread);
        }
        conformal_feed(&c, e, spread);
    }
    check("coverage", in / 4500.0, 0.77, 0.83);
    double ratio = conformal_offset(&c, CONFORMAL_Q90, 100.0) /
                   conformal_offset(&c, CONFORMAL_Q90, 1.0);
    assert_true(fabs(ratio - 100.0) < 1e-9);
}

static void perfect_forecast_has_no_width(void **state)
{
    (void)state;
    struct conformal c;
    conformal_init(&c);
    for (int k = 0; k < 1000; k++) {
        conformal_feed(&c, 0.0, 1.0);
    }
    assert_true(conformal_offset(&c, CONFORMAL_Q01, 1.0) == 0.0);
    assert_true(conformal_offset(&c, CONFORMAL_Q99, 1.0) == 0.0);
    for (int k = 0; k < 100; k++) {
        conformal_feed(&c, k % 2 == 0 ? 5.0 : -5.0, 1.0);
    }
    check("width afterwards", conformal_offset(&c, CONFORMAL_Q90, 1.0), 2.0,
          9.0);
}

static const double hostile[] = {
    1e300,    -1e300,    0.0,  1.0,   -1.0,   1e-300,  NAN,
    INFINITY, -INFINITY, 1e15, -1e15, 5e-324, 1.7e308, -1.7e308,
};

static void check_sane(const struct conformal *c, double spread)
{
    double before = -INFINITY;
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        double x = conformal_offset(c, (enum conformal_level)i, spread);
        assert_true(isfinite(x));
        assert_true(x >= before);
        before = x;
    }
}

static void hostile_errors_stay_finite_and_in_order(void **state)
{
    (void)state;
    enum { N = sizeof(hostile) / sizeof(hostile[0]) };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t random = random_seed(seed);
        struct conformal c;
        struct conformal_past past;
        conformal_init(&c);
        conformal_past_init(&past, (int64_t)random_draw(&random, 1.0, 700.0));
        for (int k = 0; k < 5000; k++) {
            double e = hostile[(int)random_draw(&random, 0.0, N)];
            double spread = fabs(hostile[(int)random_draw(&random, 0.0, N)]);
            if (random_draw(&random, 0.0, 1.0) < 0.5) {
                conformal_feed(&c, e, spread);
            } else {
                conformal_feed_late(&c, &past, e, spread);
            }
            check_sane(&c, 1.0);
            check_sane(&c, spread);
        }
    }
}

static void what_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct conformal c;
    conformal_init(&c);
    conformal_feed(&c, 4.0, 1.0);
    struct conformal before = c;
    conformal_feed(&c, NAN, 1.0);
    conformal_feed(&c, INFINITY, 1.0);
    conformal_feed(&c, 1.0, NAN);
    conformal_feed(&c, 1.0, 0.0);
    conformal_feed(&c, 1.0, -1.0);
    assert_memory_equal(&c, &before, sizeof(c));
}

/* A lone error of a billion times the others does not open the band for
 * long. */
static void lone_extreme_is_forgotten(void **state)
{
    (void)state;
    uint64_t random = random_seed(5);
    struct conformal c;
    conformal_init(&c);
    for (int k = 0; k < 1000; k++) {
        conformal_feed(&c, noise(&random), 1.0);
    }
    conformal_feed(&c, 1e9, 1.0);
    check("at once", conformal_offset(&c, CONFORMAL_Q90, 1.0), 0.8, 3.0);
    for (int k = 0; k < 100; k++) {
        conformal_feed(&c, noise(&random), 1.0);
    }
    check("later", conformal_offset(&c, CONFORMAL_Q90, 1.0), 0.8, 1.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_in_order),
        cmocka_unit_test(pinball_by_hand),
        cmocka_unit_test(nothing_is_said_before_an_error),
        cmocka_unit_test(band_covers_what_it_says),
        cmocka_unit_test(change_of_scale_is_followed),
        cmocka_unit_test(runs_of_errors_are_not_chased),
        cmocka_unit_test(first_errors_are_compared_with_what_was_said),
        cmocka_unit_test(spread_scales_the_band),
        cmocka_unit_test(perfect_forecast_has_no_width),
        cmocka_unit_test(hostile_errors_stay_finite_and_in_order),
        cmocka_unit_test(what_is_not_finite_changes_nothing),
        cmocka_unit_test(lone_extreme_is_forgotten),
    };
    return cmocka_run_group_tests_name("conformal", tests, NULL, NULL);
}
