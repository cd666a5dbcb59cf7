/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/units: a table of quantities, refusals, what is written can
 * be read, and the texts for people. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/units.h"

static void test_quantities(void **state)
{
    (void)state;
    static const struct {
        enum unit_kind kind;
        const char *text;
        double value;
    } rows[] = {
        {UNIT_POWER, "160 MW", 160e6},
        {UNIT_POWER, "160MW", 160e6},
        {UNIT_POWER, "160   MW", 160e6},
        {UNIT_POWER, "1.5e3 kW", 1.5e6},
        {UNIT_POWER, "-2 W", -2.0},
        {UNIT_POWER, "+2 W", 2.0},
        {UNIT_POWER, ".5 GW", 0.5e9},
        {UNIT_APPARENT, "11 MVA", 11e6},
        {UNIT_ENERGY, "20 MWh", 20e6},
        {UNIT_ENERGY, "75 kWh", 75e3},
        {UNIT_RAMP, "10 MW/min", 1e7 / 60.0},
        {UNIT_RAMP, "6 kW/min", 100.0},
        {UNIT_RAMP, "90 W/min", 1.5},
        {UNIT_RAMP, "2 kW/s", 2e3},
        {UNIT_DURATION, "100 ms", 0.1},
        {UNIT_DURATION, "60s", 60.0},
        {UNIT_DURATION, "5 min", 300.0},
        {UNIT_DURATION, "8 h", 28800.0},
        {UNIT_DURATION, "30 d", 2592000.0},
        {UNIT_FRACTION, "60 %", 0.6},
        {UNIT_FRACTION, "91 %", 0.91},
        {UNIT_FRACTION, "0.91 pu", 0.91},
        {UNIT_FREQUENCY, "50 mHz", 0.05},
        {UNIT_PER_ENERGY, "45 USD/MWh", 0.045},
        {UNIT_PER_ENERGY, "4 USD/kWh", 4.0},
        {UNIT_PER_POWER, "12 USD/kW", 12.0},
        {UNIT_PER_POWER, "12000 USD/MW", 12.0},
        {UNIT_LIFETIME, "8 y", 8.0 * 365.25 * 86400.0},
        {UNIT_LIFETIME, "30 d", 2592000.0},
        {UNIT_DISTANCE, "160000 km", 160e3},
        {UNIT_DISTANCE, "100 mi", 160.9344},
        {UNIT_CONSUMPTION, "160 Wh/km", 160.0},
        {UNIT_CONSUMPTION, "1609.344 Wh/mi", 1000.0},
        {UNIT_WEAR, "5.8 ppm/d", 5.8},
        {UNIT_WEAR, "36.525 %/y", 1000.0},
        {UNIT_CYCLING, "400 EFC/y", 400.0},
        {UNIT_CYCLING, "2 EFC/d", 730.5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double x = NAN;
        enum err e = units_parse(rows[i].kind, rows[i].text, "USD", &x);
        /* to the last bit: what a person writes is what is computed with */
        if (e != ERR_NONE || memcmp(&x, &rows[i].value, sizeof(x)) != 0) {
            fail_msg("%s: error %d, got %.17g, want %.17g", rows[i].text,
                     (int)e, x, rows[i].value);
        }
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        enum unit_kind kind;
        const char *text;
    } rows[] = {
        {UNIT_POWER, ""},
        {UNIT_POWER, "W"},
        {UNIT_POWER, "160"},
        {UNIT_POWER, "160 "},
        {UNIT_POWER, " 160 MW"},
        {UNIT_POWER, "160 MW "},
        {UNIT_POWER, "160 mw"},
        {UNIT_POWER, "160 MWh"},
        {UNIT_POWER, "160\tMW"},
        {UNIT_POWER, "160 MW x"},
        {UNIT_POWER, "1,5 MW"},
        {UNIT_POWER, "1.5.2 MW"},
        {UNIT_POWER, "1 2 MW"},
        {UNIT_POWER, "--1 MW"},
        {UNIT_POWER, "1e MW"},
        {UNIT_POWER, "e3 MW"},
        {UNIT_POWER, "nan MW"},
        {UNIT_POWER, "inf MW"},
        {UNIT_POWER, "-inf MW"},
        {UNIT_POWER, "infinity W"},
        {UNIT_POWER, "0x1p3 MW"},
        {UNIT_POWER, "1e999 W"},
        {UNIT_POWER, "1e308 GW"},
        {UNIT_POWER, "11111111111111111111111111111111111111111111111111 W"},
        {UNIT_ENERGY, "3.9 MW"},
        {UNIT_FRACTION, "0.9"},
        {UNIT_DURATION, "5 minutes"},
        {UNIT_PER_ENERGY, "45 EUR/MWh"},
        {UNIT_PER_ENERGY, "45 /MWh"},
        {UNIT_PER_ENERGY, "45 usd/MWh"},
        {UNIT_PER_ENERGY, "45 US"},
        {UNIT_PER_ENERGY, "45"},
        {UNIT_PER_POWER, "12 USD/kWh"},
        {UNIT_LIFETIME, "8 h"},
        {UNIT_DISTANCE, "160 kW"},
        {UNIT_CONSUMPTION, "160 Wh"},
        {UNIT_WEAR, "5.8 ppm"},
        {UNIT_CYCLING, "400"},
        {UNIT_CYCLING, "400 EFC"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double x = 7.0;
        if (units_parse(rows[i].kind, rows[i].text, "USD", &x) != ERR_SYNTAX ||
            x != 7.0) {
            fail_msg("\"%s\" is taken or touches the value: %g", rows[i].text,
                     x);
        }
    }
}

static void test_any_currency_without_one(void **state)
{
    (void)state;
    double x = 0.0;
    assert_int_equal(units_parse(UNIT_PER_ENERGY, "45 SEK/MWh", NULL, &x),
                     ERR_NONE);
    assert_int_equal(units_parse(UNIT_PER_ENERGY, "45 sek/MWh", NULL, &x),
                     ERR_SYNTAX);
}

static uint64_t draw(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

static void test_written_is_read(void **state)
{
    (void)state;
    uint64_t seed = 7;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = draw(&seed);
        double want = 0.0;
        memcpy(&want, &bits, sizeof(want));
        if (!isfinite(want) || fabs(want) < DBL_MIN) {
            continue;
        }
        char text[64];
        snprintf(text, sizeof(text), "%.17g W", want);
        double got = 0.0;
        assert_int_equal(units_parse(UNIT_POWER, text, NULL, &got), ERR_NONE);
        assert_memory_equal(&got, &want, sizeof(got));
    }
}

static void test_any_bytes_are_safe(void **state)
{
    (void)state;
    static const char likely[] = "0123456789+-.eE MWkh/%USDnaif\t\x80";
    uint64_t seed = 11;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 100000; i++) {
        char text[24] = "";
        size_t n = draw(&seed) % (sizeof(text) - 1);
        for (size_t k = 0; k < n; k++) {
            text[k] = likely[draw(&seed) % (sizeof(likely) - 1)];
        }
        enum unit_kind kind = (enum unit_kind)(draw(&seed) % UNIT_COUNT);
        double x = NAN;
        enum err e = units_parse(kind, text, "USD", &x);
        assert_true(e == ERR_NONE ? isfinite(x) : e == ERR_SYNTAX);
    }
}

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *(*text)(double x, char *out, size_t size);
        double x;
        const char *want;
    } rows[] = {
        {units_power_text, 0.0, "0 W"},
        {units_power_text, -0.2, "0 W"},
        {units_power_text, 999.0, "999 W"},
        {units_power_text, 1500.0, "1.5 kW"},
        {units_power_text, 850e3, "850 kW"},
        {units_power_text, -12.34e6, "-12.34 MW"},
        {units_power_text, 160e6, "160.0 MW"},
        {units_power_text, NAN, "unknown"},
        {units_power_text, INFINITY, "unknown"},
        {units_energy_text, 2.31e6, "2.31 MWh"},
        {units_energy_text, 75e3, "75 kWh"},
        {units_duration_text, 0.08, "80 ms"},
        {units_duration_text, 12.5, "12.5 s"},
        {units_duration_text, 300.0, "5 min"},
        {units_duration_text, 36.0 * 3600.0, "36 h"},
        {units_duration_text, NAN, "unknown"},
        {units_percent_text, 0.548, "54.8 %"},
        {units_percent_text, NAN, "unknown"},
        {units_ramp_text, 1e7 / 60.0, "10 MW/min"},
        {units_ramp_text, -2080e3 / 60.0, "-2.08 MW/min"},
        {units_ramp_text, 455e-18, "0 MW/min"},
        {units_ramp_text, -99.0 / 60.0, "0 MW/min"},
        {units_ramp_text, 101.0 / 60.0, "0.000101 MW/min"},
        {units_ramp_text, -INFINITY, "unknown"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[32];
        assert_string_equal(rows[i].text(rows[i].x, out, sizeof(out)),
                            rows[i].want);
    }
    char small[4];
    units_power_text(160e6, small, sizeof(small));
    assert_string_equal(small, "160");
}

static void test_every_kind_says_what_it_expects(void **state)
{
    (void)state;
    for (int k = 0; k < UNIT_COUNT; k++) {
        assert_true(strlen(unit_expected((enum unit_kind)k)) > 5);
    }
    assert_string_equal(unit_expected(UNIT_ENERGY), "an energy (Wh, kWh, MWh)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_any_currency_without_one),
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_any_bytes_are_safe),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_every_kind_says_what_it_expects),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
