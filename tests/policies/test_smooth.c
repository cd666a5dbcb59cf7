/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/smooth against a naive meter: the moving mean stays inside
 * the ramp over every window, with the battery one tick late. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* A load, and between which powers it is known to stay. */
struct load {
    double (*at)(const void *user, int k);
    const void *user;
    double (*target)(const void *user, int k);
    double lo_w;
    double hi_w;
    int delay;
};

static struct site_grid grid_of(double ramp_w_per_s)
{
    return (struct site_grid){
        .ramp_max_w_per_s = ramp_w_per_s,
        .ramp_average_s = 10.0,
        .swing_average_s = 2.0,
        .swing_max_w = INFINITY,
    };
}

/* Load -> battery one tick, a delay and one response late -> grid. */
static void simulate(struct run *r, const struct load *l)
{
    struct site_grid grid = grid_of(RAMP);
    struct smooth_cfg cfg;
    smooth_init(&cfg, PERIOD_S, &grid);
    struct smooth_state *s = malloc(sizeof(*s));
    smooth_reset(s);
    struct smooth_lag lag;
    smooth_lag_init(&lag, PERIOD_S, PERIOD_S * l->delay, PERIOD_S);
    double sent_w[16] = {0};
    double battery_w = 0.0;
    double load_w = l->at(l->user, 0);
    double wh = 0.0;
    double lo = 0.0;
    double hi = 0.0;
    for (int k = 0; k < TICKS; k++) {
        smooth_lag_step(&lag, battery_w, 1e3);
        struct smooth_in in = {
            .grid_w = load_w + battery_w,
            .target_w = l->target(l->user, k),
            .load_w = load_w,
            .rise_w = l->hi_w - load_w,
            .drop_w = load_w - l->lo_w,
            .lag = &lag,
            .floor_w = 0.0,
            .cap_w = 200e6,
        };
        struct smooth_out out = smooth_step(&cfg, s, &in, 1);
        sent_w[k % 16] = out.grid_w - load_w;
        smooth_lag_told(&lag, sent_w[k % 16]);
        double heard_w = k < l->delay ? 0.0 : sent_w[(k - l->delay) % 16];
        battery_w += (heard_w - battery_w) * (1.0 - exp(-1.0));
        load_w = l->at(l->user, k);
        r->grid_w[k] = load_w + battery_w;
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

static double step_up(const void *user, int k)
{
    (void)user;
    return k < 1000 ? 60e6 : 120e6;
}

static void job_start_is_ramped(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    simulate(r, &(struct load){step_up, NULL, step_up, 60e6, 120e6, 0});
    judge(r, 60e6, 1.01);
    assert_int_equal(r->n_violations, 0);
    /* dP^2 / 2R = 3 MWh */
    assert_true(r->energy_wh < 3e6 * 1.05);
    assert_true(fabs(r->grid_w[TICKS - 1] - 120e6) < 0.1e6);
    free(r);
}

static double steady(const void *user, int k)
{
    (void)user;
    (void)k;
    return 100e6;
}

static double square(const void *user, int k)
{
    (void)user;
    return k % 110 < 80 ? 104e6 : 89e6;
}

static void swings_are_held_flat(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    simulate(r, &(struct load){square, NULL, steady, 89e6, 104e6, 0});
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

static double random_at(const void *user, int k)
{
    return ((const struct random_load *)user)->w[k];
}

static double random_target(const void *user, int k)
{
    return ((const struct random_load *)user)->target_w[k];
}

/* Any load, at any time and as often as it likes, between two powers whose
 * difference times the batteries' latency is 0.4 of what the mean forgives,
 * while the target goes where it wants: the ramp never breaks. */
static void no_load_inside_its_range_breaks_the_ramp(void **state)
{
    (void)state;
    struct run *r = malloc(sizeof(*r));
    struct random_load *l = malloc(sizeof(*l));
    for (uint64_t n = 1; n <= 40; n++) {
        uint64_t seed = random_seed(n);
        int delay = (int)(n % 4);
        double late_s = PERIOD_S * (1.58 + delay);
        double range_w = 0.4 * RAMP * 100.0 / late_s;
        range_w = fmin(range_w, 60e6);
        double w = 100e6;
        double target_w = 100e6;
        double often = random_draw(&seed, 0.002, 0.05);
        for (int k = 0; k < TICKS; k++) {
            if (random_draw(&seed, 0.0, 1.0) < often) {
                bool end = random_draw(&seed, 0.0, 1.0) < 0.5;
                w = end ? 100e6 + (w < 100e6 ? 0.5 : -0.5) * range_w
                        : random_draw(&seed, 100e6 - 0.5 * range_w,
                                      100e6 + 0.5 * range_w);
            }
            if (random_draw(&seed, 0.0, 1.0) < 0.001) {
                target_w = random_draw(&seed, 50e6, 150e6);
            }
            l->w[k] = k == 0 ? 100e6 : w;
            l->target_w[k] = target_w;
        }
        simulate(r, &(struct load){random_at, l, random_target,
                                   100e6 - 0.5 * range_w, 100e6 + 0.5 * range_w,
                                   delay});
        judge(r, l->w[0], 1.01);
        if (r->n_violations > 0) {
            fail_msg("seed %d, delay %d: %d violations", (int)n, delay,
                     r->n_violations);
        }
    }
    free(l);
    free(r);
}

static void swing_of_a_minute_is_kept(void **state)
{
    (void)state;
    struct site_grid grid = grid_of(RAMP);
    grid.swing_max_w = 4e6;
    struct smooth_cfg cfg;
    smooth_init(&cfg, PERIOD_S, &grid);
    struct smooth_state *s = malloc(sizeof(*s));
    smooth_reset(s);
    struct smooth_lag lag;
    smooth_lag_init(&lag, PERIOD_S, 0.0, 0.0);
    double grid_w[1200];
    double at_w = 50e6;
    for (int k = 0; k < 1200; k++) {
        struct smooth_in in = {.grid_w = at_w,
                               .target_w = 100e6,
                               .load_w = at_w,
                               .lag = &lag,
                               .cap_w = 200e6};
        at_w = smooth_step(&cfg, s, &in, 1).grid_w;
        grid_w[k] = at_w;
    }
    assert_true(grid_w[1199] - grid_w[599] < 4e6);
    assert_true(grid_w[1199] - grid_w[599] > 3.5e6);
    free(s);
}

/* At a period of a second an edge of 5 MW that may come passes whole, beyond a
 * swing limit of 3 MW: room for it cannot be had, and the grid stays where it
 * should be. */
static void an_edge_beyond_the_swing_moves_nothing(void **state)
{
    (void)state;
    static const struct {
        double rise_w, drop_w;
    } rows[] = {{1.5e6, 5.2e6}, {5.2e6, 1.5e6}, {5e6, 5e6}, {0.0, 9e6}};
    struct site_grid grid = grid_of(2e6 / 60.0);
    grid.swing_average_s = 1.0;
    grid.swing_max_w = 3e6;
    struct smooth_cfg cfg;
    smooth_init(&cfg, 1.0, &grid);
    struct smooth_state *s = malloc(sizeof(*s));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smooth_reset(s);
        struct smooth_lag lag;
        smooth_lag_init(&lag, 1.0, 1.0, 0.1);
        double at_w = 11e6;
        for (int k = 0; k < 1200; k++) {
            struct smooth_in in = {.grid_w = at_w,
                                   .target_w = 11.5e6,
                                   .load_w = 10e6,
                                   .rise_w = rows[i].rise_w,
                                   .drop_w = rows[i].drop_w,
                                   .lag = &lag,
                                   .cap_w = 16e6};
            at_w = smooth_step(&cfg, s, &in, 1).grid_w;
            assert_true(at_w > 10.9e6 && at_w < 11.6e6);
        }
        assert_true(fabs(at_w - 11.5e6) < 0.1e6);
    }
    free(s);
}

/* The worst delay of the first samples is forgotten once it is measured. */
static void lag_is_learnt_while_the_batteries_move(void **state)
{
    (void)state;
    for (int delay = 0; delay < 12; delay += 3) {
        struct smooth_lag lag;
        smooth_lag_init(&lag, PERIOD_S, 0.2, 0.05);
        smooth_lag_rest(&lag, 0.0);
        uint64_t seed = random_seed((uint64_t)delay + 1);
        double sent_w[16] = {0};
        double battery_w = 0.0;
        for (int k = 0; k < 400; k++) {
            smooth_lag_step(&lag, battery_w, 1e3);
            sent_w[k % 16] = k % 7 == 0 ? random_draw(&seed, -1e6, 1e6)
                                        : sent_w[(k + 15) % 16];
            smooth_lag_told(&lag, sent_w[k % 16]);
            double heard_w = k < delay ? 0.0 : sent_w[(k - delay) % 16];
            battery_w += 0.4 * (heard_w - battery_w);
        }
        assert_int_equal(lag.delay, delay);
        assert_true(fabs(lag.part - 0.4) < 0.01);
        assert_true(fabs(smooth_lag_ticks(&lag) - (delay + 2.5)) < 0.05);
    }
}

static void lag_learns_nothing_at_rest(void **state)
{
    (void)state;
    struct smooth_lag lag;
    smooth_lag_init(&lag, PERIOD_S, 0.2, PERIOD_S);
    uint64_t seed = random_seed(5);
    for (int k = 0; k < 1000; k++) {
        smooth_lag_step(&lag, random_draw(&seed, -400.0, 400.0), 1e3);
        smooth_lag_told(&lag, 0.0);
    }
    smooth_lag_step(&lag, NAN, 1e3);
    assert_int_equal(lag.delay, 2);
    assert_true(fabs(smooth_lag_ticks(&lag) - 3.58) < 0.01);
    double fixed_wt = 0.0;
    double per_w_wt = 0.0;
    smooth_lag_ahead(&lag, &fixed_wt, &per_w_wt);
    assert_true(fabs(fixed_wt) < 5e3 && fabs(per_w_wt - 2.58) < 0.01);
}

/* Room that is kept slows the way, and does not make it a stair. */
static void a_ramp_with_room_is_even(void **state)
{
    (void)state;
    struct smooth_cfg cfg;
    struct site_grid grid = grid_of(RAMP);
    smooth_init(&cfg, PERIOD_S, &grid);
    struct smooth_state *s = malloc(sizeof(*s));
    smooth_reset(s);
    struct smooth_lag lag;
    smooth_lag_init(&lag, PERIOD_S, 0.0, PERIOD_S);
    struct smooth_in in = {.grid_w = 100e6,
                           .target_w = 150e6,
                           .load_w = 150e6,
                           .rise_w = 20e6,
                           .drop_w = 20e6,
                           .lag = &lag,
                           .cap_w = INFINITY};
    for (int k = 0; k < 2000; k++) {
        smooth_lag_rest(&lag, in.grid_w - in.load_w);
        double grid_w = smooth_step(&cfg, s, &in, 1).grid_w;
        assert_true(fabs(grid_w - in.grid_w) <= 1.01 * RAMP * PERIOD_S);
        in.grid_w = grid_w;
    }
    assert_true(in.grid_w >= 100e6 + 0.75 * RAMP * 200.0);
    free(s);
}

static void cap_holds_and_urgent_holds_at_once(void **state)
{
    (void)state;
    struct smooth_cfg cfg;
    struct site_grid grid = grid_of(RAMP);
    smooth_init(&cfg, PERIOD_S, &grid);
    struct smooth_state *s = malloc(sizeof(*s));
    smooth_reset(s);
    struct smooth_lag lag;
    smooth_lag_init(&lag, PERIOD_S, 0.0, PERIOD_S);
    struct smooth_in in = {.grid_w = 100e6,
                           .target_w = 300e6,
                           .load_w = 100e6,
                           .lag = &lag,
                           .cap_w = 120e6};
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
        cmocka_unit_test(a_ramp_with_room_is_even),
        cmocka_unit_test(swings_are_held_flat),
        cmocka_unit_test(no_load_inside_its_range_breaks_the_ramp),
        cmocka_unit_test(swing_of_a_minute_is_kept),
        cmocka_unit_test(an_edge_beyond_the_swing_moves_nothing),
        cmocka_unit_test(lag_is_learnt_while_the_batteries_move),
        cmocka_unit_test(lag_learns_nothing_at_rest),
        cmocka_unit_test(cap_holds_and_urgent_holds_at_once),
    };
    return cmocka_run_group_tests_name("smooth", tests, NULL, NULL);
}
