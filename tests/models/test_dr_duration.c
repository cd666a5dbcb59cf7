/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/dr_duration: durations and starts as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/calendar.h"
#include "models/dr_timing.h"

#define HOUR INT64_C(3600000)

/* 2025-03-14T00:00:00Z */
static const int64_t march_ms = INT64_C(1741910400000);

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t months;
        int64_t ms;
        bool forever;
    } cases[] = {
        {"PT5M", 0, 300000, false},
        {"PT1H", 0, HOUR, false},
        {"P1DT12H", 0, 36 * HOUR, false},
        {"P1W", 0, 168 * HOUR, false},
        {"PT0.5S", 0, 500, false},
        {"PT1,25S", 0, 1250, false},
        {"PT0.1239S", 0, 123, false},
        {"-PT30S", 0, -30000, false},
        {"P1Y2M3DT4H5M6.7S", 14, 72 * HOUR + 4 * HOUR + 306700, false},
        {"PT0S", 0, 0, false},
        {"P0D", 0, 0, false},
        {"P9999Y", 119988, 0, true},
        {"P9999Y0M0DT0H0M0S", 119988, 0, true},
        {"PT999999999H", 0, 999999999 * HOUR, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_duration d = {.months = -1};
        if (dr_duration_parse(cases[i].text, &d) != ERR_NONE ||
            d.months != cases[i].months || d.ms != cases[i].ms ||
            d.forever != cases[i].forever) {
            fail_msg("%s: %lld months %lld ms %d", cases[i].text,
                     (long long)d.months, (long long)d.ms, d.forever);
        }
    }
}

static void bad_durations_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
    } cases[] = {
        {"", ERR_SYNTAX},        {"P", ERR_SYNTAX},
        {"PT", ERR_SYNTAX},      {"P1", ERR_SYNTAX},
        {"1H", ERR_SYNTAX},      {"PT1X", ERR_SYNTAX},
        {"PT1M1H", ERR_SYNTAX},  {"PT1H1H", ERR_SYNTAX},
        {"P1DT", ERR_SYNTAX},    {"PT1.5H", ERR_SYNTAX},
        {"PT1.S", ERR_SYNTAX},   {"P-1D", ERR_SYNTAX},
        {"PT1H ", ERR_SYNTAX},   {"P1H", ERR_SYNTAX},
        {"PT1D", ERR_SYNTAX},    {"PT1H2", ERR_SYNTAX},
        {"-P9999Y", ERR_RANGE},  {"PT1234567890S", ERR_RANGE},
        {"PT1HT1M", ERR_SYNTAX}, {"+PT1H", ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_duration d = {.months = 7};
        if (dr_duration_parse(cases[i].text, &d) != cases[i].e ||
            d.months != 7) {
            fail_msg("%s was taken, or not as it should", cases[i].text);
        }
    }
}

static void months_go_by_the_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *by;
        const char *to;
    } cases[] = {
        {"2024-01-31T06:00:00Z", "P1M", "2024-02-29T06:00:00Z"},
        {"2023-01-31T06:00:00Z", "P1M", "2023-02-28T06:00:00Z"},
        {"2024-02-29T00:00:00Z", "P1Y", "2025-02-28T00:00:00Z"},
        {"2024-12-01T00:00:00Z", "P1MT1H", "2025-01-01T01:00:00Z"},
        {"2024-03-31T00:00:00Z", "-P1M", "2024-02-29T00:00:00Z"},
        {"1970-01-02T00:00:00Z", "-P1Y", "1970-01-01T00:00:00Z"},
        {"2024-06-01T00:00:00Z", "P1W", "2024-06-08T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_duration d;
        int64_t from_ms = 0;
        assert_int_equal(dr_duration_parse(cases[i].by, &d), ERR_NONE);
        assert_int_equal(calendar_parse_utc(cases[i].from, &from_ms), ERR_NONE);
        char text[CALENDAR_TEXT_MAX];
        calendar_format_utc(dr_duration_after(from_ms, &d), text);
        assert_string_equal(text, cases[i].to);
    }
    struct dr_duration d = {.months = 2400};
    assert_int_equal(dr_duration_after(march_ms, &d), DR_FOREVER_MS);
    assert_int_equal(dr_duration_after(DR_FOREVER_MS, &d), DR_FOREVER_MS);
}

static void starts_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2025-03-14T00:00:00Z", INT64_C(1741910400000)},
        {"2025-03-14T01:00:00+01:00", INT64_C(1741910400000)},
        {"2025-03-14T00:00:00", INT64_C(1741910400000)},
        {"2025-03-14", INT64_C(1741910400000)},
        {"0001-01-01", DR_NO_START},
        {"0001-01-01T00:00:00", DR_NO_START},
        {"0001-01-01T00:00:00Z", DR_NO_START},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 1;
        assert_int_equal(dr_start_parse(cases[i].text, &ms), ERR_NONE);
        assert_int_equal(ms, cases[i].ms);
    }
    int64_t ms = 1;
    assert_int_equal(dr_start_parse("17:15:16", &ms), ERR_SYNTAX);
    assert_int_equal(dr_start_parse("2025-13-01T00:00:00Z", &ms), ERR_RANGE);
    assert_int_equal(ms, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(bad_durations_are_refused),
        cmocka_unit_test(months_go_by_the_calendar),
        cmocka_unit_test(starts_are_read),
    };
    return cmocka_run_group_tests_name("dr_duration", tests, NULL, NULL);
}
