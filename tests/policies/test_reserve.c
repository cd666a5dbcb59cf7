/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/reserve against a plain simulation of the edge. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/reserve.h"

static const struct reserve_cfg CFG = {10e6 / 60.0, 10.0, 0.158};

static void each_bound_is_named(void **state)
{
    (void)state;
    static const struct {
        struct reserve_side side;
        double edge_w;
        enum reserve_bound bound;
    } rows[] = {
        {{60e6, 100e6, 0.0}, 60e6, RESERVE_POWER},
        {{60e6, 100e6, 20e6}, 40e6, RESERVE_POWER},
        {{60e6, 100e6, -20e6}, 80e6, RESERVE_POWER},
        {{200e6, 7.363e6, 0.0}, 94e6, RESERVE_ENERGY},
        {{200e6, 7.363e6, 50e6}, 44e6, RESERVE_ENERGY},
        {{500e6, 500e6, 0.0}, 105.5e6, RESERVE_LATENCY},
        {{0.0, 0.0, 0.0}, 1.667e6, RESERVE_POWER}, /* the mean alone */
        {{5e6, 0.0, 20e6}, 0.0, RESERVE_ENERGY},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reserve_cover c = reserve_cover(&CFG, &rows[i].side);
        assert_true(fabs(c.edge_w - rows[i].edge_w) < 0.05e6);
        assert_int_equal(c.bound, rows[i].bound);
    }
    assert_true(fabs(reserve_energy_wh(&CFG, 94e6) - 7.363e6) < 1e3);
    assert_string_equal(reserve_bound_name(RESERVE_LATENCY), "latency");
}

/* The grid follows at the ramp while the batteries carry the rest. */
static bool carried(const struct reserve_side *side, double edge_w)
{
    double w = side->carried_w + edge_w;
    double wh = side->energy_wh;
    if (w > side->power_w) {
        return false;
    }
    for (; w > 0.0; w -= CFG.ramp_max_w_per_s) {
        wh -= (w - 0.5 * fmin(CFG.ramp_max_w_per_s, w)) / 3600.0;
    }
    return wh >= 0.0;
}

static void covered_edges_are_carried_and_larger_ones_not(void **state)
{
    (void)state;
    uint64_t seed = random_seed(11);
    for (int k = 0; k < 20000; k++) {
        struct reserve_side side = {
            .power_w = random_draw(&seed, 1e6, 100e6),
            .energy_wh = random_draw(&seed, 0.01e6, 8e6),
        };
        side.carried_w = random_draw(&seed, -20e6, side.power_w);
        struct reserve_cover c = reserve_cover(&CFG, &side);
        bool alone = c.edge_w <= CFG.ramp_max_w_per_s * 10.0 + 1.0;
        if (c.bound == RESERVE_LATENCY || alone) {
            continue;
        }
        if (!carried(&side, 0.98 * c.edge_w - 0.2e6) ||
            carried(&side, 1.02 * c.edge_w + 0.2e6)) {
            fail_msg("seed 11, case %d: %g W", k, c.edge_w);
        }
    }
}

/* What leaks until both have answered is what the mean forgives, or the pods
 * have no more: 16.67 MWs here, of which a fifth is kept. */
static void pods_make_up_for_what_the_mean_forgives(void **state)
{
    (void)state;
    static const struct {
        double edge_w, gives_w, response_s, want_w;
    } rows[] = {
        {0.0, 50e6, 1.5, 0.8 * 16.667e6 / 1.658},
        {20e6, 50e6, 1.5, 0.8 * (16.667e6 - 3.16e6) / 1.658},
        {20e6, 50e6, 6.0, 0.8 * (16.667e6 - 3.16e6) / 6.158},
        {20e6, 2e6, 1.5, 1.6e6},
        {105.5e6, 50e6, 1.5, 0.0}, /* the batteries' part leaks all of it */
        {200e6, 50e6, 1.5, 0.0},
        {20e6, 0.0, 0.0, 0.0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double w = reserve_pods_w(&CFG, rows[i].edge_w, rows[i].gives_w,
                                  rows[i].response_s);
        assert_true(w >= 0.0 && fabs(w - rows[i].want_w) < 0.01e6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bound_is_named),
        cmocka_unit_test(covered_edges_are_carried_and_larger_ones_not),
        cmocka_unit_test(pods_make_up_for_what_the_mean_forgives),
    };
    return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
