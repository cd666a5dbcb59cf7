/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/smooth against a naive meter: the moving mean stays inside
 * the ramp over every window, with the battery one tick late. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/smooth.h"

static const double PERIOD_S = 0.1;
static const double RAMP = 10e6 / 60.0;
enum { TICKS = 6000 };

struct run {
    double grid_w[TICKS];
    double mean_w[TICKS];
    int n_violations;
    double energy_wh; /* largest less smallest */
};

/* Load -> battery one tick and one response late -> grid. */
static void simulate(struct run *r, double (*load)(void *, int), void *user,
                     double (*target)(void *, int))
{
    struct smooth_cfg cfg;
    smooth_init(&cfg, PERIOD_S, RAMP, 10.0);
    struct smooth_state *s = malloc(sizeof(*s));
    smooth_reset(s);
    double battery_w = 0.0;
    double grid_w = load(user, 0);
    double last_w = grid_w;
    double wh = 0.0;
    double lo = 0.0;
    double hi = 0.0;
    double edge_w = 0.0;
    for (int k = 0; k < TICKS; k++) {
        struct smooth_in in = {
            .grid_w = grid_w,
            .target_w = target(user, k),
            .edge_w = edge_w,
            .floor_w = 0.0,
            .cap_w = 200e6,
        };
        struct smooth_out out = smooth_step(&cfg, s, &in, 1);
        double set_w = out.grid_w - last_w;
        double load_w = load(user, k);
        battery_w += (set_w - battery_w) * (1.0 - exp(-1.0));
        grid_w = load_w + battery_w;
        edge_w *= 1.0 - PERIOD_S / 300.0;
        edge_w = fmax(edge_w, fabs(load_w - last_w));
        last_w = load_w;
        r->grid_w[k] = grid_w;
        wh += battery_w * PERIOD_S / 3600.0;
        lo = fmin(lo, wh);
        hi = fmax(hi, wh);
    }
    r->energy_wh = hi - lo;
    free(s);
}

static void judge(struct run *r, double first_w, double tolerance)
{
    r->n_violations = 0;
    for (int k = 0; k < TICKS; k++) {
        double sum = 0.0;
        for (int i = k - 99; i <= k; i++) {
            sum += i < 0 ? first_w : r->grid_w[i];
        }
        r->mean_w[k] = sum / 100.0;
        bool bad = false;
        for (int tau = 100; tau <= 600; tau++) {
            double then = k >= tau ? r->mean_w[k - tau] : first_w;
            bad |=
                fabs(r->mean_w[k] - then) > tolerance * RAMP * tau * PERIOD_S;
        }
        r->n_violations += bad;
    }
}

static double step_up(void *user, int k)
{
    (void)user;
    return k < 1000 ? 60e6 : 120e6;
}

static void job_start_is_ramped(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    simulate(r, step_up, NULL, step_up);
    judge(r, 60e6, 1.01);
    assert_int_equal(r->n_violations, 0);
    /* dP^2 / 2R = 3 MWh and what keeping room for another edge costs. */
    assert_true(r->energy_wh < 3e6 * 1.35);
    assert_true(fabs(r->grid_w[TICKS - 1] - 120e6) < 0.1e6);
    free(r);
}

static double steady(void *user, int k)
{
    (void)user;
    (void)k;
    return 100e6;
}

static double square(void *user, int k)
{
    (void)user;
    return k % 110 < 80 ? 104e6 : 89e6;
}

static void swings_are_held_flat(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    simulate(r, square, NULL, steady);
    judge(r, 104e6, 1.01);
    assert_int_equal(r->n_violations, 0);
    double lo = INFINITY;
    double hi = -INFINITY;
    for (int k = 3000; k < TICKS; k++) {
        lo = fmin(lo, r->mean_w[k]);
        hi = fmax(hi, r->mean_w[k]);
    }
    assert_true(hi - lo < 0.6e6);
    free(r);
}

struct random_load {
    double w[TICKS];
    double target_w[TICKS];
};

static double random_at(void *user, int k)
{
    return ((struct random_load *)user)->w[k];
}

static double random_target(void *user, int k)
{
    return ((struct random_load *)user)->target_w[k];
}

/* Random edges up to 20 MW every four seconds while the target jumps, too: the
 * room for one edge is not always enough for three the same way, so the ramp
 * may pass its limit, but never by a quarter. */
static void random_loads_hardly_break_the_ramp(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    struct random_load *l = malloc(sizeof(*l));
    for (uint64_t n = 1; n <= 8; n++) {
        uint64_t seed = random_seed(n);
        double w = 100e6;
        double target_w = 100e6;
        for (int k = 0; k < TICKS; k++) {
            if (k > 0 && k % 40 == 0) {
                w = random_draw(&seed, 90e6, 110e6);
            }
            if (random_draw(&seed, 0.0, 1.0) < 0.001) {
                target_w = random_draw(&seed, 50e6, 150e6);
            }
            l->w[k] = w;
            l->target_w[k] = target_w;
        }
        simulate(r, random_at, l, random_target);
        judge(r, l->w[0], 1.25);
        if (r->n_violations > 0) {
            fail_msg("seed %d: %d violations", (int)n, r->n_violations);
        }
    }
    free(l);
    free(r);
}

static void cap_holds_and_urgent_holds_at_once(void **state)
{
    (void)state;
    struct smooth_cfg cfg;
    smooth_init(&cfg, PERIOD_S, RAMP, 10.0);
    struct smooth_state *s = malloc(sizeof(*s));
    smooth_reset(s);
    struct smooth_in in = {.grid_w = 100e6, .target_w = 300e6, .cap_w = 120e6};
    struct smooth_out out = {0};
    for (int k = 0; k < 3000; k++) {
        out = smooth_step(&cfg, s, &in, 1);
        in.grid_w = out.grid_w;
        assert_true(out.grid_w <= 120e6 + 1.0);
    }
    in.cap_w = 50e6;
    in.urgent = true;
    out = smooth_step(&cfg, s, &in, 1);
    assert_true(out.grid_w <= 50e6 + 1.0);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_start_is_ramped),
        cmocka_unit_test(swings_are_held_flat),
        cmocka_unit_test(random_loads_hardly_break_the_ramp),
        cmocka_unit_test(cap_holds_and_urgent_holds_at_once),
    };
    return cmocka_run_group_tests_name("smooth", tests, NULL, NULL);
}
