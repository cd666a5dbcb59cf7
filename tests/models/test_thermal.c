/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/thermal: what compute does to a pack. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/thermal.h"

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) {
        fail_msg("%.9g, expected %.9g +- %.3g", got, want, tolerance);
    }
}

static void a_kilowatt_warms_as_estimated(void **state)
{
    (void)state;
    struct thermal_cfg sealed = thermal_of(&(struct thermal_parts){
        .capacity_j_per_k = 450e3, .coolant_w_per_k = 100.0});
    assert_near(thermal_rise(&sealed, 0.0, 1e3, 3600.0), 8.0, 1e-9);
    assert_near(thermal_rise_k_per_h(&sealed, 1e3), 8.0, 1e-9);
    assert_true(isinf(thermal_rise_settled(&sealed, 1e3)));
    assert_true(thermal_rise_settled(&sealed, 0.0) == 0.0);

    struct thermal_cfg car = thermal_of_pack(75e3);
    assert_near(1.0 / car.k_per_j, 450e3, 1e-6);
    assert_near(thermal_rise_settled(&car, 1e3), 3.81, 0.01);
    assert_near(thermal_rise_k_per_h(&car, 1e3), 2.67, 0.01);
    /* Left alone it loses 63 % of a difference in six hours. */
    assert_near(thermal_rise(&car, 10.0, 0.0, 6.0 * 3600.0), 3.679, 0.001);
}

static void an_interval_may_be_cut_anywhere(void **state)
{
    (void)state;
    uint64_t seed = random_seed(11);
    print_message("seed 11\n");
    for (int k = 0; k < 20000; k++) {
        struct thermal_cfg car =
            thermal_of_pack(random_draw(&seed, 40e3, 120e3));
        struct thermal_in in = {
            .ambient_c = random_draw(&seed, -20.0, 45.0),
            .pack_heat_w = random_draw(&seed, 0.0, 500.0),
            .coolant_heat_w = random_draw(&seed, -1e3, 1e3),
            .dt_s = random_draw(&seed, 0.0, 1e5),
        };
        in.coolant_heat_w = fmax(in.coolant_heat_w, 0.0);
        double start_c = random_draw(&seed, -20.0, 60.0);
        double whole_c = thermal_step(&car, start_c, &in);
        double first_s = random_draw(&seed, 0.0, in.dt_s);
        struct thermal_in part = in;
        part.dt_s = first_s;
        double cut_c = thermal_step(&car, start_c, &part);
        part.dt_s = in.dt_s - first_s;
        assert_near(thermal_step(&car, cut_c, &part), whole_c, 1e-9);
    }
}

/* To the bit, whether the step is one of the stride's or not. */
static void a_stride_steps_as_a_step_does(void **state)
{
    (void)state;
    uint64_t seed = random_seed(14);
    print_message("seed 14\n");
    for (int k = 0; k < 20000; k++) {
        struct thermal_cfg car =
            k % 3 > 0
                ? thermal_of_pack(random_draw(&seed, 40e3, 120e3))
                : thermal_of(&(struct thermal_parts){.capacity_j_per_k = 450e3,
                                                     .coolant_w_per_k = 100.0});
        double dt_s = k % 2 > 0 ? 2.0 : random_draw(&seed, 0.0, 1e5);
        struct thermal_stride stride = thermal_stride(&car, dt_s);
        struct thermal_in in = {
            .ambient_c = random_draw(&seed, -20.0, 45.0),
            .coolant_heat_w = fmax(random_draw(&seed, -1e3, 1e3), 0.0),
            .dt_s = k % 5 > 0 ? dt_s : random_draw(&seed, 0.0, 10.0),
        };
        double from_c = random_draw(&seed, -20.0, 60.0);
        double want_c = thermal_step(&car, from_c, &in);
        double got_c = thermal_step_by(&car, &stride, from_c, &in);
        assert_memory_equal(&got_c, &want_c, sizeof(got_c));
    }
}

/* The rise by compute is the same whatever else warms the pumped pack. */
static void heat_adds_up(void **state)
{
    (void)state;
    uint64_t seed = random_seed(12);
    print_message("seed 12\n");
    struct thermal_cfg car = thermal_of_pack(75e3);
    for (int k = 0; k < 20000; k++) {
        struct thermal_in in = {
            .ambient_c = random_draw(&seed, -20.0, 45.0),
            .coolant_heat_w = random_draw(&seed, 1.0, 900.0),
            .dt_s = random_draw(&seed, 0.0, 1e5),
        };
        double start_c = random_draw(&seed, -20.0, 60.0);
        double without_c = thermal_step(&car, start_c, &in);
        double w = random_draw(&seed, 0.1, 1e3);
        in.coolant_heat_w += w;
        double with_c = thermal_step(&car, start_c, &in);
        assert_near(with_c - without_c, thermal_rise(&car, 0.0, w, in.dt_s),
                    1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kilowatt_warms_as_estimated),
        cmocka_unit_test(an_interval_may_be_cut_anywhere),
        cmocka_unit_test(a_stride_steps_as_a_step_does),
        cmocka_unit_test(heat_adds_up),
    };
    return cmocka_run_group_tests_name("thermal", tests, NULL, NULL);
}
