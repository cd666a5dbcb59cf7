/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/compliance and models/band: limits, demand intervals, bands,
 * and how each rule stands, by cases known by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/compliance.h"
#include "tests/models/compliance_fixture.h"

static void test_import_limit_in_force_and_trip(void **state)
{
    (void)state;
    struct site_grid g = grid();
    g.import_average_s = 10.0;
    start(&g, 1.0);
    for (int i = 0; i < 100; i++) {
        push(160e6); /* at the limit is inside it */
    }
    assert_true(compliance_result(&meter).import_limit_violations == 0);
    push(175e6); /* one tick over, the mean too */
    assert_true(compliance_result(&meter).import_limit_violations == 1);
    for (int i = 0; i < 20; i++) {
        push(150e6);
    }
    struct compliance_result r = compliance_result(&meter);
    assert_true(r.trip_violations == 0);
    int64_t before = r.import_limit_violations;
    push(177e6);
    r = compliance_result(&meter);
    assert_true(r.import_limit_violations == before + 1);
    assert_true(r.trip_violations == 1);
    /* A lower limit from an event is judged by the mean of what is over. */
    start(&g, 1.0);
    for (int i = 0; i < 20; i++) {
        compliance_push(&meter, (struct compliance_in){120e6, 130e6, 0});
    }
    assert_true(compliance_result(&meter).import_limit_violations == 0);
    for (int i = 0; i < 20; i++) {
        compliance_push(&meter, (struct compliance_in){120e6, 110e6, 0});
    }
    assert_true(compliance_result(&meter).import_limit_violations == 15);
    /* No export allowed. */
    start(&g, 1.0);
    push(0.0);
    assert_true(compliance_result(&meter).export_limit_violations == 0);
    push(-5e6);
    r = compliance_result(&meter);
    assert_true(r.export_limit_violations == 1 && r.export_wh > 0.0);
}

static void test_import_average_longer_than_the_ring(void **state)
{
    (void)state;
    struct site_grid g = grid();
    g.import_average_s = 900.0; /* 9,000 ticks */
    start(&g, 0.1);
    for (int i = 0; i < 20000; i++) {
        push(i < 10000 ? 159e6 : 161e6);
    }
    int64_t n = compliance_result(&meter).import_limit_violations;
    assert_true(n > 5400 && n < 5600);
}

static void test_demand_intervals_follow_the_clock(void **state)
{
    (void)state;
    struct site_grid g = grid();
    int64_t quarter_ms = 900000;
    /* Five minutes into an interval: the first one counts as if the site had
     * stood at its first value before. */
    compliance_init(&meter, &g, 1.0, 1000 * quarter_ms + 300000);
    for (int i = 0; i < 300; i++) {
        push(90e6);
    }
    assert_true(near(compliance_result(&meter).peak_w, 90e6));
    for (int i = 300; i < 600; i++) {
        push(120e6);
    }
    for (int i = 600; i < 1500; i++) {
        push(95e6);
    }
    push(500e6); /* unfinished: not yet billed */
    struct compliance_result r = compliance_result(&meter);
    assert_true(near(r.peak_w, 100e6));
    assert_true(near(r.peak_tick_w, 500e6));
}

static double rms_of_sine(double hz, double period_s, int band)
{
    struct site_grid g = grid();
    start(&g, period_s);
    int n = (int)(4000.0 / period_s);
    for (int i = 0; i < n; i++) {
        push(100e6 + 1e6 * sin(2.0 * acos(-1.0) * hz * i * period_s));
    }
    return compliance_result(&meter).bands[band].rms_w / (1e6 / sqrt(2.0));
}

static void test_a_sine_is_in_its_band_and_in_no_other(void **state)
{
    (void)state;
    static const struct {
        double hz;
        double period_s;
        int band; /* of the default ones, -1 for none */
    } cases[] = {
        {0.11, 0.1, 0}, {0.45, 0.1, 1},  {1.6, 0.1, 2},   {0.45, 0.02, 1},
        {1.6, 0.02, 2}, {0.01, 0.1, -1}, {4.9, 0.05, -1}, {0.11, 1.0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int band = 0; band < 3; band++) {
            double got = rms_of_sine(cases[i].hz, cases[i].period_s, band);
            if (cases[i].period_s == 1.0 && band == 2) {
                assert_true(isnan(got));
                continue;
            }
            double want = band == cases[i].band ? 1.0 : 0.0;
            if (fabs(got - want) > 0.1) {
                fail_msg("%g Hz at %g s, band %d: %g", cases[i].hz,
                         cases[i].period_s, band, got);
            }
        }
    }
}

static void test_bands_say_what_they_cannot_see(void **state)
{
    (void)state;
    struct site_grid g = grid();
    static const struct {
        double period_s;
        int64_t sight[3];
    } cases[] = {
        {0.1, {BAND_WHOLE, BAND_WHOLE, BAND_WHOLE}},
        {0.25, {BAND_WHOLE, BAND_WHOLE, BAND_PARTLY}},
        {1.0, {BAND_WHOLE, BAND_PARTLY, BAND_BLIND}},
        {2.0, {BAND_WHOLE, BAND_BLIND, BAND_BLIND}},
        {10.0, {BAND_BLIND, BAND_BLIND, BAND_BLIND}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(&g, cases[i].period_s);
        push(1e6);
        push(2e6);
        struct compliance_result r = compliance_result(&meter);
        assert_int_equal(r.n_bands, 3);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(r.bands[k].sight, cases[i].sight[k]);
            assert_true(isnan(r.bands[k].rms_w) ==
                        (r.bands[k].sight == BAND_BLIND));
        }
    }
    /* The site's own bands replace the default ones; a steady load has no
     * power in them, however long it stands. */
    g.bands[0] = (struct site_band){0.2, 3.0, 1e6};
    g.n_bands = 1;
    start(&g, 0.1);
    for (int i = 0; i < 100000; i++) {
        push(150e6);
    }
    struct compliance_result r = compliance_result(&meter);
    assert_int_equal(r.n_bands, 1);
    assert_true(r.bands[0].rms_w == 0.0 && r.bands[0].recent_max_w == 0.0);
}

/* What is broken is said with its value, its limit and what forced it. */
static void test_each_rule_says_how_it_stands(void **state)
{
    (void)state;
    static const struct {
        double to_w; /* from 100 MW on */
        double export_max_w;
        int64_t forced;
        enum compliance_rule rule;
        double value; /* of the first broken tick */
        double limit;
    } cases[] = {
        {180e6, 0.0, 0, COMPLIANCE_RULE_TRIP, 180e6, 176e6},
        {170e6, 0.0, 0, COMPLIANCE_RULE_IMPORT_MAX, 160.5e6, 160e6},
        {-10e6, 1e6, 0, COMPLIANCE_RULE_EXPORT_MAX, 1.75e6, 1e6},
        {115e6, 0.0, 0, COMPLIANCE_RULE_SWING, 15e6, 12e6},
        {115e6, 0.0, COMPLIANCE_EMERGENCY, COMPLIANCE_RULE_SWING, 15e6, 12e6},
        {103e6, 0.0, 0, COMPLIANCE_RULE_RAMP, 170e3, ramp_w_per_s},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct site_grid g = grid();
        g.export_max_w = cases[i].export_max_w;
        start(&g, 1.0);
        const struct compliance_stand *s =
            compliance_stand(&meter, cases[i].rule);
        for (int k = 0; k < 200 && s->broken == 0; k++) {
            bool after = k >= 100;
            compliance_push(&meter, (struct compliance_in){
                                        after ? cases[i].to_w : 100e6, NAN,
                                        after ? cases[i].forced : 0});
        }
        assert_int_equal(s->broken, 1);
        assert_int_equal(s->cause, cases[i].forced);
        assert_true(s->limit == cases[i].limit);
        assert_true(fabs(s->value) > s->limit);
        assert_true(fabs(s->value) < 1.6 * cases[i].value);
        for (int k = 0; k < 300; k++) {
            push(100e6);
        }
        assert_int_equal(s->broken, 0);
        assert_string_equal(compliance_rule_name(COMPLIANCE_RULE_RAMP), "ramp");
    }
}

static void test_values_are_told_with_their_unit(void **state)
{
    (void)state;
    static const struct {
        enum compliance_rule rule;
        double value;
        const char *want;
    } rows[] = {
        {COMPLIANCE_RULE_RAMP, 33333.3, "2 MW/min"},
        {COMPLIANCE_RULE_RAMP, -34650.2, "-2.079 MW/min"},
        {COMPLIANCE_RULE_EXPORT_MAX, 0.0, "0 W"},
        {COMPLIANCE_RULE_EXPORT_MAX, 676.533, "676.533 W"},
        {COMPLIANCE_RULE_SWING, 12345.6, "12.3456 kW"},
        {COMPLIANCE_RULE_IMPORT_MAX, 8e6, "8 MW"},
        {COMPLIANCE_RULE_TRIP, 8.00312e6, "8.00312 MW"},
        {COMPLIANCE_RULE_BAND, -2e6, "-2 MW"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        assert_string_equal(compliance_value_text(rows[i].rule, rows[i].value,
                                                  text, sizeof(text)),
                            rows[i].want);
    }
}

static void test_a_band_over_its_limit_is_a_violation(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct site_grid g = grid();
        g.n_bands = 2;
        g.bands[0] = (struct site_band){0.05, 0.25, 1e6};
        g.bands[1] = (struct site_band){0.25, 0.8, 2e6};
        start(&g, 0.1);
        /* rms of a sine is its height by sqrt(2) */
        double height_w = (over ? 1.1 : 0.9) * 2e6 * sqrt(2.0);
        for (int i = 0; i < 6000; i++) {
            push(100e6 + height_w * sin(2.0 * 3.14159265 * 0.45 * i * 0.1));
        }
        const struct compliance_stand *s =
            compliance_stand(&meter, COMPLIANCE_RULE_BAND);
        struct compliance_result r = compliance_result(&meter);
        assert_int_equal(s->broken, over);
        assert_int_equal(r.band_violations > 0, over);
        if (over) {
            assert_int_equal(s->index, 1);
            assert_true(fabs(s->value - 2.2e6) < 0.1e6 && s->limit == 2e6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_limit_in_force_and_trip),
        cmocka_unit_test(test_import_average_longer_than_the_ring),
        cmocka_unit_test(test_demand_intervals_follow_the_clock),
        cmocka_unit_test(test_a_sine_is_in_its_band_and_in_no_other),
        cmocka_unit_test(test_bands_say_what_they_cannot_see),
        cmocka_unit_test(test_each_rule_says_how_it_stands),
        cmocka_unit_test(test_values_are_told_with_their_unit),
        cmocka_unit_test(test_a_band_over_its_limit_is_a_violation),
    };
    return cmocka_run_group_tests_name("compliance_limits", tests, NULL, NULL);
}
