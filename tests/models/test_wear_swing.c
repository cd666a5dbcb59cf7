/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/wear_swing: the depth that pays, the band that is kept, and
 * what it earns against the best in hindsight. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/rainflow.h"
#include "models/random.h"
#include "models/wear_swing.h"

enum { SEED = 20261123, STEPS_MAX = 40 };

/* cmocka 1.1.5 compares floats only */
static void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

/* 1 MWh and 1 MW without losses. */
static struct site_battery battery(void)
{
    return (struct site_battery){
        .energy_wh = 1e6,
        .charge_max_w = 1e6,
        .discharge_max_w = 1e6,
        .efficiency_pu = 1.0,
        .soc_min_pu = 0.0,
        .soc_max_pu = 1.0,
        .chemistry = CHEMISTRY_LFP,
        .replacement_per_kwh = 100.0,
    };
}

static struct wear_curve power_curve(double a, double m)
{
    struct wear_curve c = {.n = WEAR_SLOPES_MAX,
                           .step_pu = 1.0 / WEAR_SLOPES_MAX};
    for (int i = 0; i < c.n; i++) {
        double from = i * c.step_pu;
        c.slope[i] = a * (pow(from + c.step_pu, m) - pow(from, m)) / c.step_pu;
    }
    return c;
}

/* u = (value / (m a))^(1/(m-1)); Xu's own code takes 1/(m a) out of the power,
 * which is 18 % too wide at his figures. */
static void depth_is_the_inverse_of_the_slope(void **state)
{
    (void)state;
    static const double powers[] = {1.5, 2.0, 2.03, 3.0, 4.0};
    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
        double m = powers[i];
        double a = 0.2 / (3000.0 * pow(0.8, 2.03)) * 1e6;
        struct wear_curve c = power_curve(a, m);
        for (double u = 0.05; u < 0.99; u += 0.01) {
            double value = m * a * pow(u, m - 1.0);
            assert_near(wear_curve_depth(&c, value), u, 2e-3);
        }
    }
    double m = 2.03;
    double a = 1.0 / 1000.0;
    struct wear_curve c = power_curve(a, m);
    double value = m * a * pow(0.5, m - 1.0);
    double slip = 1.0 / (m * a) * pow(value, 1.0 / (m - 1.0));
    assert_near(slip, 0.5 * 1.18, 0.02);
    assert_near(wear_curve_depth(&c, value), 0.5, 1e-3);
}

static void depth_rises_with_the_value(void **state)
{
    (void)state;
    for (int c = 0; c < CHEMISTRY_COUNT; c++) {
        for (int role = 0; role < LIFE_ROLES; role++) {
            struct site_battery b = battery();
            b.chemistry = (enum chemistry)c;
            b.soc_min_pu = 0.1;
            b.soc_max_pu = 0.9;
            struct wear_terms t = wear_terms_new(&b, (enum life_role)role);
            struct wear_curve curve;
            wear_curve_init(&curve, &b, &t);
            double before = 0.0;
            for (double v = 0.0; v < 1.0; v += 2e-4) {
                double u = wear_curve_depth(&curve, v);
                assert_true(u >= before && u <= 0.8 + 1e-12);
                before = u;
            }
            assert_near(wear_curve_depth(&curve, -1.0), 0.0, 0.0);
            assert_near(wear_curve_depth(&curve, (double)NAN), 0.0, 0.0);
            assert_near(wear_curve_depth(&curve, 1e9), 0.8, 1e-12);
        }
    }
}

static void swing_never_leaves_its_band(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int round = 0; round < 300; round++) {
        struct site_battery b = battery();
        b.efficiency_pu = random_draw(&seed, 0.7, 1.0);
        b.soc_min_pu = random_draw(&seed, 0.0, 0.3);
        b.soc_max_pu = random_draw(&seed, 0.6, 1.0);
        double soc_pu = random_draw(&seed, b.soc_min_pu, b.soc_max_pu);
        double depth_pu = random_draw(&seed, 0.0, 0.8);
        double least = soc_pu;
        double most = soc_pu;
        struct wear_swing s = {.begun = false};
        double eff = sqrt(b.efficiency_pu);
        for (int k = 0; k < 500; k++) {
            if (k == 250) { /* a new band, around what is there */
                depth_pu = random_draw(&seed, 0.0, 0.8);
                least = INFINITY;
                most = -INFINITY;
            }
            struct wear_swing_in in = {
                .soc_pu = soc_pu,
                .depth_pu = depth_pu,
                .power_w = random_draw(&seed, -3e6, 3e6),
                .dt_s = random_draw(&seed, 1.0, 900.0),
            };
            double w = wear_swing_limit_w(&s, &b, &in);
            assert_true(w * in.power_w >= 0.0);
            assert_true(fabs(w) <= fabs(in.power_w));
            double wh = w * in.dt_s / 3600.0;
            soc_pu += (w > 0.0 ? wh * eff : wh / eff) / b.energy_wh;
            least = fmin(least, soc_pu);
            most = fmax(most, soc_pu);
            assert_true(most - least <= depth_pu + 1e-9);
            assert_true(soc_pu >= b.soc_min_pu - 1e-9);
            assert_true(soc_pu <= b.soc_max_pu + 1e-9);
        }
    }
}

/* What a path of the state of charge earns: half of the value per unit moved
 * either way, less rainflow cycles at Phi. */
static double earned(const double *soc_pu, int n, double value, double a,
                     double m)
{
    struct rainflow r;
    rainflow_init(&r, 0.0, RAINFLOW_DEPTH);
    struct rainflow_cycle c;
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        struct rainflow_sample s = {.value = soc_pu[i], .dt_s = 1.0};
        assert_int_equal(rainflow_feed(&r, &s), ERR_NONE);
        sum += i > 0 ? 0.5 * value * fabs(soc_pu[i] - soc_pu[i - 1]) : 0.0;
        while (rainflow_take(&r, &c)) {
            sum -= c.count * a * pow(c.range, m);
        }
    }
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    int n_open = rainflow_open(&r, open);
    for (int i = 0; i < n_open; i++) {
        sum -= open[i].count * a * pow(open[i].range, m);
    }
    return sum;
}

struct game {
    int n;
    int signal[STEPS_MAX]; /* in units of 0.1 */
    double depth_pu;       /* of the band, a multiple of 0.1 */
    double value;
};

static const double GAME_M = 2.0;

/* Phi = a u^2 with Phi'(depth) = value. */
static double game_a(const struct game *g)
{
    return g->value / (GAME_M * pow(g->depth_pu, GAME_M - 1.0));
}

/* In a band wider by 'off_pu' than it should be. */
static double by_policy(const struct game *g, double off_pu, double *soc_pu)
{
    struct site_battery b = battery();
    struct wear_swing s = {.begun = false};
    soc_pu[0] = 0.5;
    for (int i = 0; i < g->n; i++) {
        struct wear_swing_in in = {.soc_pu = soc_pu[i],
                                   .depth_pu = g->depth_pu + off_pu,
                                   .power_w = 0.1e6 * g->signal[i],
                                   .dt_s = 3600.0};
        double w = wear_swing_limit_w(&s, &b, &in);
        soc_pu[i + 1] = soc_pu[i] + w / 1e6;
    }
    return earned(soc_pu, g->n + 1, g->value, game_a(g), GAME_M);
}

/* All ways to follow some of each step, in units of 0.1. */
static double best_from(const struct game *g, double *soc_pu, int i)
{
    if (i == g->n) {
        return earned(soc_pu, g->n + 1, g->value, game_a(g), GAME_M);
    }
    double best = -INFINITY;
    int way = g->signal[i] < 0 ? -1 : 1;
    for (int k = 0; k <= abs(g->signal[i]); k++) {
        soc_pu[i + 1] = soc_pu[i] + 0.1 * k * way;
        if (soc_pu[i + 1] > -1e-9 && soc_pu[i + 1] < 1.0 + 1e-9) {
            best = fmax(best, best_from(g, soc_pu, i + 1));
        }
    }
    return best;
}

static double by_force(const struct game *g)
{
    double soc_pu[STEPS_MAX + 1] = {0.5};
    return best_from(g, soc_pu, 0);
}

/* A signal that asks for more than any band, over and over: of all widths the
 * threshold's earns most. */
static void a_large_signal_is_followed_as_far_as_it_pays(void **state)
{
    (void)state;
    for (int width = 1; width <= 8; width++) {
        struct game g = {.n = STEPS_MAX, .depth_pu = 0.1 * width, .value = 2.0};
        for (int i = 0; i < g.n; i++) {
            g.signal[i] = i % 2 == 0 ? 9 : -9;
        }
        double a = game_a(&g);
        double best = -INFINITY;
        int best_width = 0;
        for (int k = 1; k <= 10; k++) {
            double soc_pu[STEPS_MAX + 1];
            for (int i = 0; i <= g.n; i++) {
                soc_pu[i] = i % 2 == 0 ? 0.0 : 0.1 * k;
            }
            double cur = earned(soc_pu, g.n + 1, g.value, a, GAME_M);
            if (cur > best) {
                best = cur;
                best_width = k;
            }
        }
        assert_int_equal(best_width, width);
        double soc_pu[STEPS_MAX + 1];
        double got = by_policy(&g, 0.0, soc_pu);
        double one = g.value * g.depth_pu - a * g.depth_pu * g.depth_pu;
        assert_true(got <= best + 1e-9 && got >= best - one);
    }
}

/* Without losses no way to follow the signal earns more, known in advance or
 * not; with another band some of them do. */
static void small_cases_agree_with_the_best_in_hindsight(void **state)
{
    (void)state;
    uint64_t seed = random_seed(SEED + 1);
    int n_worse[2] = {0, 0};
    for (int round = 0; round < 150; round++) {
        struct game g = {.n = 7, .value = 2.0};
        int width = (int)floor(random_draw(&seed, 2.0, 6.0));
        g.depth_pu = 0.1 * width;
        for (int i = 0; i < g.n; i++) {
            g.signal[i] = (int)floor(random_draw(&seed, -3.0, 4.0));
        }
        double soc_pu[STEPS_MAX + 1];
        double best = by_force(&g);
        assert_near(by_policy(&g, 0.0, soc_pu), best, 1e-9);
        for (int k = 0; k < 2; k++) {
            double off_pu = k == 0 ? -0.1 : 0.1;
            n_worse[k] += by_policy(&g, off_pu, soc_pu) < best - 1e-9;
        }
    }
    assert_true(n_worse[0] > 50 && n_worse[1] > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_the_inverse_of_the_slope),
        cmocka_unit_test(depth_rises_with_the_value),
        cmocka_unit_test(swing_never_leaves_its_band),
        cmocka_unit_test(a_large_signal_is_followed_as_far_as_it_pays),
        cmocka_unit_test(small_cases_agree_with_the_best_in_hindsight),
    };
    return cmocka_run_group_tests_name("wear_swing", tests, NULL, NULL);
}
