/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/floors: what must stay stays, and costs nothing before. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/floors.h"
#include "tests/site_fixture.h"

enum { PODS = 10 };

/* Ten pods of 1.5 MW; the first 'n_rest' have no floor. */
static void prepare(struct floors_cfg *cfg, struct floors_state *s, int n_rest)
{
    struct site *site = fixture_site(1, PODS, 0);
    site->grid.ramp_max_w_per_s = 1e6 / 60.0;
    for (int i = 0; i < PODS; i++) {
        site->pods[i].power_max_w = 1.5e6;
        site->pods[i].floor_max_w = i < n_rest ? 0.0 : 1.35e6;
    }
    floors_init(cfg, site);
    floors_reset(s);
    free(site);
}

static double look(const struct floors_cfg *cfg, struct floors_state *s,
                   struct floors_seen seen[PODS], const double draw_w[PODS])
{
    double load_w = 0.0;
    for (int i = 0; i < PODS; i++) {
        double w = fmax(draw_w[i], s->floor_w[i]);
        seen[i] = (struct floors_seen){w, w - draw_w[i], 1.5e6};
        load_w += w;
    }
    floors_see(cfg, s, seen, 0.1);
    return load_w;
}

static void floor_is_what_the_batteries_leave(void **state)
{
    (void)state;
    static const struct {
        double keep_w;
        double stop_w;
        double leaks_w;
        double floor_w; /* of each of ten pods that draw 1.4 MW */
    } rows[] = {
        {12e6, 10e6, INFINITY, 1.4e6 * 12.0 / 14.0}, /* 2 MW may pass */
        {12e6, 14e6, INFINITY, 1.4e6 * 12.0 / 14.0},
        {12e6, 99e6, INFINITY, 1.4e6 * 12.0 / 14.0}, /* no more than all */
        {4e6, 10e6, INFINITY, 0.0},                  /* all of it may */
        {4e6, 14e6, INFINITY, 1.4e6 * 4.0 / 14.0},
        {14.5e6, 10e6, INFINITY, 1.35e6}, /* more than there is */
        {12e6, 0.0, INFINITY, 0.0},
        {-INFINITY, 14e6, INFINITY, 0.0},
        {4e6, 14e6, 7e6, 0.7e6}, /* the edge itself would leak */
    };
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        struct floors_cfg cfg;
        struct floors_state s;
        struct floors_seen seen[PODS];
        double draw_w[PODS];
        prepare(&cfg, &s, 0);
        for (int i = 0; i < PODS; i++) {
            draw_w[i] = 1.4e6;
        }
        double load_w = look(&cfg, &s, seen, draw_w);
        struct floors_in in = {load_w, rows[k].keep_w, rows[k].stop_w,
                               rows[k].leaks_w, 0.1};
        for (int n = 0; n < 24; n++) {
            floors_step(&cfg, &s, &in, seen);
            assert_true(s.sum_w == 0.0); /* not before it is sure */
        }
        floors_step(&cfg, &s, &in, seen);
        for (int i = 0; i < PODS; i++) {
            assert_true(s.floor_w[i] >= rows[k].floor_w - 1e-3);
            assert_true(s.floor_w[i] <= rows[k].floor_w + 15e3 + 1e-3);
        }
    }
}

/* Whichever jobs end, together or one by one, up to what was announced: the
 * load never falls below what must stay, though that goes down slowly; and in
 * the end nothing is burnt any more. */
static void whatever_stops_the_load_stays(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 200; n++) {
        uint64_t seed = random_seed(n);
        struct floors_cfg cfg;
        struct floors_state s;
        struct floors_seen seen[PODS];
        double draw_w[PODS];
        prepare(&cfg, &s, 0);
        double stop_w = random_draw(&seed, 2e6, 14e6);
        double keep_w = random_draw(&seed, 9e6, 11.5e6);
        double left_w = stop_w;
        for (int i = 0; i < PODS; i++) {
            draw_w[i] = random_draw(&seed, 1.2e6, 1.34e6);
        }
        double start_w = look(&cfg, &s, seen, draw_w);
        for (int k = 0; k < 9000; k++) {
            double load_w = look(&cfg, &s, seen, draw_w);
            if (k > 0 && load_w < fmin(keep_w, start_w) - 1.0) {
                fail_msg("seed %d: %.0f W of %.0f W at %d", (int)n, load_w,
                         keep_w, k);
            }
            keep_w -= k > 100 ? 1e6 / 600.0 : 0.0;
            struct floors_in in = {load_w, keep_w, stop_w, INFINITY, 0.1};
            floors_step(&cfg, &s, &in, seen);
            int i = (int)random_draw(&seed, 0.0, PODS - 0.01);
            bool together = n % 2 == 0;
            bool now =
                together ? k == 50 : k > 50 && random_draw(&seed, 0, 1) < 0.02;
            for (int j = 0; now && j < (together ? PODS : 1); j++) {
                int at = together ? j : i;
                if (draw_w[at] <= left_w) {
                    left_w -= draw_w[at];
                    draw_w[at] = 0.0;
                }
            }
        }
        assert_true(s.burn_w < 1.0);
    }
}

static void pods_without_a_floor_stop_first(void **state)
{
    (void)state;
    struct floors_cfg cfg;
    struct floors_state s;
    prepare(&cfg, &s, 4);
    assert_true(fabs(floors_left_w(&cfg, 5e6) - 5e6) < 1.0);
    assert_true(fabs(floors_left_w(&cfg, 10e6) - 6.9e6) < 1.0);
    prepare(&cfg, &s, 0);
    assert_true(fabs(floors_left_w(&cfg, 10e6) - 1.5e6) < 1.0);
    assert_true(floors_left_w(&cfg, 0.0) == 0.0);
    prepare(&cfg, &s, PODS);
    assert_true(fabs(floors_left_w(&cfg, 10e6) - 10e6) < 1.0);
}

/* One that does not say what it burns is not taken for stopped in a dip. */
static void silence_about_burning_is_patient(void **state)
{
    (void)state;
    struct floors_cfg cfg;
    struct floors_state s;
    prepare(&cfg, &s, 0);
    struct floors_seen seen[PODS];
    for (int i = 0; i < PODS; i++) {
        floors_found(&cfg, &s, i, 1.2e6);
        seen[i] = (struct floors_seen){1.2e6, NAN, 1.5e6};
    }
    for (int k = 0; k < 290; k++) {
        floors_see(&cfg, &s, seen, 0.1);
        assert_true(s.burn_w == 0.0);
    }
    for (int k = 0; k < 20; k++) {
        floors_see(&cfg, &s, seen, 0.1);
    }
    assert_true(fabs(s.burn_w - 12e6) < 1.0);
    for (int i = 0; i < PODS; i++) {
        seen[i].cap_w = 1.2e6; /* held by its cap it works */
    }
    floors_see(&cfg, &s, seen, 0.1);
    assert_true(s.burn_w == 0.0);
}

static void floor_keeps_to_its_pod(void **state)
{
    (void)state;
    struct floors_cfg cfg;
    struct floors_state s;
    prepare(&cfg, &s, 0);
    uint64_t seed = random_seed(7);
    for (int k = 0; k < 20000; k++) {
        struct floors_seen seen[PODS];
        for (int i = 0; i < PODS; i++) {
            bool silent = random_draw(&seed, 0.0, 1.0) < 0.1;
            seen[i] = (struct floors_seen){
                silent ? NAN : random_draw(&seed, 0.0, 1.6e6),
                silent ? NAN : random_draw(&seed, 0.0, 1.6e6),
                random_draw(&seed, 0.5e6, 1.5e6)};
        }
        floors_see(&cfg, &s, seen, 0.1);
        struct floors_in in = {random_draw(&seed, 0.0, 16e6),
                               random_draw(&seed, -5e6, 20e6),
                               random_draw(&seed, 0.0, 20e6), 5e6, 0.1};
        floors_step(&cfg, &s, &in, seen);
        for (int i = 0; i < PODS; i++) {
            assert_true(s.floor_w[i] >= 0.0 && s.floor_w[i] <= 1.35e6);
            assert_true(s.floor_w[i] <= seen[i].cap_w);
        }
        assert_true(floors_valid(&cfg, &s));
        double down_s = floors_down_s(&cfg, &s);
        assert_true(down_s >= 5.0 && down_s <= 3600.0);
    }
    s.floor_w[3] = 1.36e6;
    assert_false(floors_valid(&cfg, &s));
    s.floor_w[3] = NAN;
    assert_false(floors_valid(&cfg, &s));
    floors_found(&cfg, &s, 3, 9e9);
    assert_true(s.floor_w[3] == 1.35e6);
    floors_found(&cfg, &s, 3, NAN);
    assert_true(s.floor_w[3] == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_is_what_the_batteries_leave),
        cmocka_unit_test(whatever_stops_the_load_stays),
        cmocka_unit_test(pods_without_a_floor_stop_first),
        cmocka_unit_test(silence_about_burning_is_patient),
        cmocka_unit_test(floor_keeps_to_its_pod),
    };
    return cmocka_run_group_tests_name("floors", tests, NULL, NULL);
}
