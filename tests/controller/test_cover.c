/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/cover: the three conditions one by one, and that more
 * battery never covers less. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/cover.h"

/* The ten Megablocks of the 150 MW site. */
static struct site ten(void)
{
    static struct site s;
    s = (struct site){
        .grid = {.ramp_max_w_per_s = 1e7 / 60.0, .ramp_average_s = 10.0},
        .control = {.period_s = 0.1},
        .n_batteries = 10,
    };
    for (int i = 0; i < 10; i++) {
        s.batteries[i] = (struct site_battery){
            .transformer_va = INFINITY,
            .energy_wh = 20e6,
            .charge_max_w = 10e6,
            .discharge_max_w = 10e6,
            .efficiency_pu = 0.91,
            .soc_min_pu = 0.1,
            .soc_max_pu = 0.9,
            .sim_response_s = 0.1,
        };
    }
    return s;
}

static void assert_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-6 * fabs(want))) {
        fail_msg("got %.12g, want %.12g", got, want);
    }
}

static void test_figures(void **state)
{
    (void)state;
    struct site s = ten();
    struct cover c = cover_edge(&s, 94e6, true);
    assert_true(c.ok);
    /* dP = 94 MW at 10 MW/min: 7.36 MWh (reference/ai-power.md, 7.4) */
    assert_near(c.energy_need_wh, 94.0 * 94.0 / 20.0 / 60.0 * 1e6);
    assert_near(c.power_w, 100e6);
    assert_near(c.energy_wh, (0.4 - 0.02) * 200e6 * sqrt(0.91));
    /* 1.58 ticks of 100 ms (CONTRACT.md) */
    assert_near(c.latency_s, 0.1 / (1.0 - exp(-1.0)));
    assert_near(c.edge_max_w, 1e7 / 60.0 * 100.0 / c.latency_s);
    c = cover_edge(&s, 94e6, false);
    assert_near(c.energy_wh, (0.4 - 0.02) * 200e6 / sqrt(0.91));
}

/* One of ten is lost: the nine others carry 90 MW, and its 10 MW pass. */
static void test_trip(void **state)
{
    (void)state;
    struct site s = ten();
    struct cover_trip t = cover_trip(&s, 3);
    assert_true(t.ok);
    assert_near(t.edge_w, 10e6);
    assert_near(t.carried_w, 90e6);
    assert_near(t.leaks_w, 1e7 / 60.0 * 100.0 * (1.0 - exp(-1.0)) / 0.1);

    s.batteries[3].charge_max_w = 120e6;
    t = cover_trip(&s, 3);
    assert_false(t.ok);
    assert_near(t.edge_w, 120e6);

    s = ten();
    for (int i = 0; i < 10; i++) {
        s.batteries[i].energy_wh = 0.2e6;
    }
    t = cover_trip(&s, 0);
    double held_wh = 9.0 * (0.4 - 0.02) * 0.2e6 * sqrt(0.91);
    assert_near(t.carried_w, sqrt(2.0 * 1e7 * 60.0 * held_wh));

    s.n_batteries = 1;
    t = cover_trip(&s, 0);
    assert_false(t.ok);
}

static void test_what_falls_short(void **state)
{
    (void)state;
    char text[512];
    struct site s = ten();
    struct cover c = cover_edge(&s, 101e6, true);
    assert_false(c.ok);
    assert_string_equal(cover_text(&s, 101e6, &c, text, sizeof(text)),
                        "1.00 MW more battery power");
    s.batteries[0].transformer_va = 4e6;
    c = cover_edge(&s, 95e6, true);
    assert_false(c.ok);
    assert_near(c.power_w, 94e6);

    s = ten();
    for (int i = 0; i < 10; i++) {
        s.batteries[i].reserve_wh = 14e6;
    }
    c = cover_edge(&s, 94e6, true);
    assert_false(c.ok);
    assert_non_null(strstr(cover_text(&s, 94e6, &c, text, sizeof(text)),
                           "MWh more energy that way"));

    s = ten();
    for (int i = 0; i < 10; i++) {
        s.batteries[i].sim_delay_s = 0.2;
    }
    c = cover_edge(&s, 94e6, true);
    assert_false(c.ok);
    assert_non_null(strstr(cover_text(&s, 94e6, &c, text, sizeof(text)),
                           "an answer within 177 ms instead of 358 ms"));
    c = cover_edge(&s, 40e6, true);
    assert_true(c.ok);
    assert_string_equal(cover_text(&s, 40e6, &c, text, sizeof(text)), "");
}

static void test_without_batteries(void **state)
{
    (void)state;
    struct site s = ten();
    s.n_batteries = 0;
    struct cover c = cover_edge(&s, 1.6e6, false);
    assert_true(c.ok && c.no_battery_needed);
    assert_false(cover_edge(&s, 1.7e6, false).ok);
}

static double draw(uint64_t *s, double lo, double hi)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    double u = (double)((*s * 2685821657736338717u) >> 11) / 9007199254740992.0;
    return lo + u * (hi - lo);
}

/* A smaller edge, or more of the same batteries, is covered all the more. */
static void test_monotonic(void **state)
{
    (void)state;
    uint64_t seed = 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    int n_covered = 0;
    for (int i = 0; i < 20000; i++) {
        struct site s = ten();
        s.n_batteries = 1 + (int)draw(&seed, 0.0, 9.0);
        s.grid.ramp_max_w_per_s = draw(&seed, 1e3, 1e6);
        s.grid.ramp_average_s = draw(&seed, 1.0, 60.0);
        double response_s = draw(&seed, 0.0, 0.5);
        for (int k = 0; k < 10; k++) {
            s.batteries[k].sim_response_s = response_s;
        }
        double edge_w = draw(&seed, 1e5, 100e6);
        bool rise = draw(&seed, 0.0, 1.0) < 0.5;
        struct cover c = cover_edge(&s, edge_w, rise);
        char text[512];
        cover_text(&s, edge_w, &c, text, sizeof(text));
        assert_true(c.ok == (text[0] == '\0'));
        if (c.ok) {
            n_covered++;
            assert_true(cover_edge(&s, edge_w * 0.9, rise).ok);
            s.n_batteries++;
            assert_true(cover_edge(&s, edge_w, rise).ok);
        }
    }
    assert_in_range(n_covered, 1000, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_trip),
        cmocka_unit_test(test_what_falls_short),
        cmocka_unit_test(test_without_batteries),
        cmocka_unit_test(test_monotonic),
    };
    return cmocka_run_group_tests_name("cover", tests, NULL, NULL);
}
