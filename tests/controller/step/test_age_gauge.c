/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step/age: a gauge that corrects itself, counts in percent
 * or is mad ages nobody. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/controller/step/age_fixture.h"
#include "tests/loop_fixture.h"

/* 15 % more at once, at rest: an LFP's gauge found its way. */
static void a_gauge_that_corrects_itself_is_no_cycle(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_LFP);
    for (int i = 0; i < 60; i++) {
        look_second(&f, 0.40, 0.0);
    }
    for (int i = 0; i < 60; i++) {
        look_second(&f, 0.55, 0.0);
    }
    for (int i = 0; i < 60; i++) {
        look_second(&f, 0.40, 0.0);
    }
    assert_true(travel_pu(&f.state->life[0]) <= 0.04 + 1e-9);
    assert_int_equal(f.state->age[0].n_jumps, 2);
    assert_near(f.state->age[0].jumped_pu, 0.28, 1e-6);
    assert_near(f.state->life[0].cycles.last, 0.40, 1e-12);
    loop_close(&f);
}

/* From 0.3 up to 0.5, a correction by 0.2, and down to 0.5 again by power: one
 * full swing of 0.2, which the correction does not cut. */
static void a_swing_goes_on_over_a_correction(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_NCA);
    double soc_pu = 0.3;
    for (int i = 0; i < 1440; i++) { /* 10 MW, 20 MWh: 0.2 in 24 minutes */
        look_second(&f, soc_pu += 0.2 / 1440, 10e6);
    }
    soc_pu += 0.2;
    look_second(&f, soc_pu, 0.0);
    for (int i = 0; i < 1440; i++) {
        look_second(&f, soc_pu -= 0.2 / 1440, -10e6);
    }
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    int n = rainflow_open(&f.state->life[0].cycles, open);
    double deepest = 0.0;
    for (int i = 0; i < n; i++) {
        deepest = fmax(deepest, open[i].range);
    }
    assert_true(deepest >= 0.2 - 1e-3 && deepest <= 0.23);
    assert_int_equal(f.state->age[0].n_jumps, 1);
    loop_close(&f);
}

/* Steps of a percent, as many gauges have them, are the movement itself. */
static void a_gauge_in_percent_is_followed(void **state)
{
    (void)state;
    struct loop_fixture f = open_one(CHEMISTRY_LFP);
    double soc_pu = 0.2;
    for (int i = 0; i < 3600; i++) {
        soc_pu += 10e6 / 20e6 / 3600.0;
        look_second(&f, round(soc_pu * 100.0) / 100.0, 10e6);
    }
    assert_near(travel_pu(&f.state->life[0]), 0.5, 0.011);
    assert_int_equal(f.state->age[0].n_jumps, 0);
    loop_close(&f);
}

/* Whatever a gauge says, no more is counted than the power can have moved. */
static void a_mad_gauge_counts_no_more_than_the_power_moves(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t random = random_seed(SEED);
    for (int run = 0; run < 20; run++) {
        struct loop_fixture f = open_one((enum chemistry)(run % 5));
        double moved_wh = 0.0;
        look_second(&f, 0.5, 0.0);
        for (int i = 0; i < 300; i++) {
            double power_w = random_draw(&random, -10e6, 10e6);
            double soc_pu = random_draw(&random, -0.2, 1.2);
            look_second(&f, soc_pu, power_w);
            moved_wh += fabs(power_w) / 3600.0;
        }
        const struct life *l = &f.state->life[0];
        double most_pu = 1.5 * moved_wh / 20e6 + 0.02 + 2.0 * LIFE_DEADBAND_PU;
        assert_true(travel_pu(l) <= most_pu);
        assert_true(isfinite(life_loss(l, LIFE_GUARD, true).capacity_pu));
        loop_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gauge_that_corrects_itself_is_no_cycle),
        cmocka_unit_test(a_swing_goes_on_over_a_correction),
        cmocka_unit_test(a_gauge_in_percent_is_followed),
        cmocka_unit_test(a_mad_gauge_counts_no_more_than_the_power_moves),
    };
    return cmocka_run_group_tests_name("age_gauge", tests, NULL, NULL);
}
