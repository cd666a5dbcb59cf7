/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/alarms: delay, hysteresis, texts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/alarms.h"
#include "models/random.h"

static struct site site = {
    .name = "test",
    .currency = "USD",
    .n_batteries = 2,
    .n_pods = 3,
    .n_prices = 1,
    .batteries = {{.name = "bess1"}, {.name = "bess2"}},
    .pods = {{.name = "pod1"}, {.name = "pod2"}, {.name = "pod3"}},
    .prices = {{.market = "day_ahead"}},
};

static int setup(void **state)
{
    return alarms_open(&site, (struct alarms **)state) == ERR_NONE ? 0 : -1;
}

static int teardown(void **state)
{
    alarms_close(*state);
    return 0;
}

/* overruns: raise above 0.01 for 10 s, clear at or below 0.005 for 60 s */
static void test_delay_and_hysteresis(void **state)
{
    static const struct {
        int64_t at_ms;
        double value;
        enum alarm_change want;
    } steps[] = {
        {1000, 0.02, ALARM_SAME},     {9000, 0.02, ALARM_SAME},
        {10000, 0.0, ALARM_SAME},     {11000, 0.02, ALARM_SAME},
        {20999, 0.02, ALARM_SAME},    {21000, 0.02, ALARM_RAISED},
        {22000, 0.02, ALARM_SAME},    {23000, 0.007, ALARM_SAME},
        {90000, 0.007, ALARM_SAME},   {91000, 0.005, ALARM_SAME},
        {150000, 0.005, ALARM_SAME},  {150500, 0.02, ALARM_SAME},
        {151000, 0.0, ALARM_SAME},    {210999, 0.0, ALARM_SAME},
        {211000, 0.0, ALARM_CLEARED}, {212000, 0.0, ALARM_SAME},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum alarm_change got = alarms_tell(*state, ALARM_OVERRUNS, 0,
                                            steps[i].value, steps[i].at_ms);
        if (got != steps[i].want) {
            fail_msg("at %lld ms: got %d, want %d", (long long)steps[i].at_ms,
                     got, steps[i].want);
        }
    }
}

static void test_what_is_not_finite_is_above(void **state)
{
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        alarms_tell(*state, ALARM_POD_SILENT, i, bad[i], 1000);
        assert_int_equal(alarms_tell(*state, ALARM_POD_SILENT, i, bad[i], 6000),
                         ALARM_RAISED);
        assert_int_equal(
            alarms_tell(*state, ALARM_POD_SILENT, i, bad[i], 60000),
            ALARM_SAME);
    }
}

static void test_assets_are_apart(void **state)
{
    alarms_tell(*state, ALARM_FAULT, 1, 1.0, 1000);
    alarms_tell(*state, ALARM_FAULT, 0, 0.0, 1000);
    assert_int_equal(alarms_tell(*state, ALARM_FAULT, 1, 1.0, 1500),
                     ALARM_RAISED);
    assert_int_equal(alarms_tell(*state, ALARM_FALLBACK, 0, 1.0, 1600),
                     ALARM_RAISED);
    struct alarm_group active[ALARM_COUNT];
    assert_int_equal(alarms_active(*state, active), 2);
    assert_int_equal(active[0].id, ALARM_FALLBACK);
    assert_int_equal(active[0].n, 1);
    assert_int_equal(active[0].named[0], 0);
    assert_int_equal(active[1].id, ALARM_FAULT);
    assert_int_equal(active[1].named[0], 1);
    assert_int_equal(active[1].since_mono_ms, 1500);
}

/* The most severe first, of those the newest; assets together. */
static void test_groups_by_severity_then_time(void **state)
{
    static const struct {
        enum alarm id;
        int index;
        int64_t at_ms;
    } rises[] = {
        {ALARM_METER_WRONG, 0, 1000}, {ALARM_CLOCK_JUMP, 0, 2000},
        {ALARM_LOOP_SILENT, 0, 3000}, {ALARM_HISTORY_DROPPING, 0, 4000},
        {ALARM_FALLBACK, 1, 5000},    {ALARM_FALLBACK, 0, 2500},
    };
    static const enum alarm want[] = {ALARM_FALLBACK, ALARM_LOOP_SILENT,
                                      ALARM_METER_WRONG, ALARM_HISTORY_DROPPING,
                                      ALARM_CLOCK_JUMP};
    for (size_t i = 0; i < sizeof(rises) / sizeof(rises[0]); i++) {
        assert_int_equal(alarms_tell(*state, rises[i].id, rises[i].index, 1.0,
                                     rises[i].at_ms),
                         ALARM_RAISED);
    }
    struct alarm_group active[ALARM_COUNT];
    int n = (int)(sizeof(want) / sizeof(want[0]));
    assert_int_equal(alarms_active(*state, active), n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(active[i].id, want[i]);
    }
    assert_int_equal(active[0].n, 2);
    assert_int_equal(active[0].since_mono_ms, 2500);
    assert_int_equal(active[0].newest_mono_ms, 5000);
    char text[ALARM_TEXT_MAX];
    alarm_group_text(&site, &active[0], text, sizeof(text));
    assert_non_null(strstr(text, "2 batteries move to their fallbacks by "
                                 "themselves (bess1, bess2): "));
    for (int i = 0; i < ALARM_COUNT; i++) {
        const struct alarm_row *row = alarm_row((enum alarm)i);
        bool one = row->asset == ASSET_SITE || row->asset == ASSET_METER;
        assert_int_equal(strlen(row->many) == 0, one);
    }
}

static void test_texts_say_what_why_and_what_to_do(void **state)
{
    (void)state;
    char text[ALARM_TEXT_MAX];
    assert_string_equal(
        alarm_text(&site, ALARM_OFFLINE, 1, text, sizeof(text)),
        "bess2 does not answer: no Modbus connection; check power and network "
        "of the device, host and port in the site file");
    for (int i = 0; i < ALARM_COUNT; i++) {
        const struct alarm_row *row = alarm_row((enum alarm)i);
        alarm_text(&site, (enum alarm)i, 0, text, sizeof(text));
        assert_true(strlen(text) < sizeof(text) - 1);
        assert_non_null(strstr(text, row->todo));
        assert_true(row->clear <= row->raise);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(row->id, alarm_row((enum alarm)k)->id);
        }
    }
}

/* However it flickers, it neither rises nor clears before its delay. */
static void test_never_changes_faster_than_its_delays(void **state)
{
    uint64_t seed = 4711;
    print_message("seed %llu\n", (unsigned long long)seed);
    const struct alarm_row *row = alarm_row(ALARM_METER_LOST);
    int64_t now_ms = 1;
    int64_t changed_ms = -1000000;
    bool raised = false;
    for (int i = 0; i < 100000; i++) {
        now_ms += (int64_t)random_draw(&seed, 1.0, 900.0);
        double value = random_draw(&seed, 0.0, 1.0) < 0.7 ? raised : !raised;
        enum alarm_change change =
            alarms_tell(*state, ALARM_METER_LOST, 0, value, now_ms);
        if (change == ALARM_SAME) {
            continue;
        }
        double least_s = raised ? row->clear_s : row->raise_s;
        assert_true((double)(now_ms - changed_ms) / 1e3 >= least_s);
        raised = !raised;
        assert_int_equal(change, raised ? ALARM_RAISED : ALARM_CLEARED);
        changed_ms = now_ms;
    }
}

#define WITH_ALARMS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ALARMS(test_delay_and_hysteresis),
        WITH_ALARMS(test_what_is_not_finite_is_above),
        WITH_ALARMS(test_assets_are_apart),
        WITH_ALARMS(test_groups_by_severity_then_time),
        WITH_ALARMS(test_texts_say_what_why_and_what_to_do),
        WITH_ALARMS(test_never_changes_faster_than_its_delays),
    };
    return cmocka_run_group_tests_name("alarms", tests, NULL, NULL);
}
