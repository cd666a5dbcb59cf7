/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/calendar: instants known from elsewhere (date -u), the
 * round trip over every day and over random instants, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "models/calendar.h"

static void test_known_instants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t utc_ms;
        const char *formatted;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"2026-11-21T00:00:00.250Z", 1795219200250, "2026-11-21T00:00:00.250Z"},
        {"2026-11-21T01:00:00.25+01:00", 1795219200250,
         "2026-11-21T00:00:00.250Z"},
        {"2024-02-29t12:34:56z", 1709210096000, "2024-02-29T12:34:56Z"},
        {"2000-02-29 23:59:59.9999Z", 951868799999, "2000-02-29T23:59:59.999Z"},
        {"2016-12-31T23:59:60Z", 1483228800000, "2017-01-01T00:00:00Z"},
        {"2016-12-31T18:59:60-05:00", 1483228800000, "2017-01-01T00:00:00Z"},
        {"1969-12-31T23:00:00-02:00", 3600000, "1970-01-01T01:00:00Z"},
        {"2200-12-31T23:59:59.999Z", 7289654399999, "2200-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = -1;
        char text[CALENDAR_TEXT_MAX];
        if (calendar_parse_utc(cases[i].text, &ms) != ERR_NONE ||
            ms != cases[i].utc_ms ||
            strcmp(calendar_format_utc(ms, text), cases[i].formatted) != 0) {
            fail_msg("%s: got %lld", cases[i].text, (long long)ms);
        }
    }
    char text[CALENDAR_TEXT_MAX];
    assert_string_equal(calendar_format_utc(-1, text), "?");
    assert_string_equal(calendar_format_utc(INT64_MAX, text), "?");
}

static void test_local(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t local_ms;
    } cases[] = {
        {"2024-06-01T00:15", 1717200900000},
        {"2024-06-01 00:15:30.5", 1717200930500},
        {"2024-06-01", 1717200000000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = -1;
        assert_int_equal(calendar_parse_local(cases[i].text, &ms), ERR_NONE);
        assert_true(ms == cases[i].local_ms);
    }
    int64_t ms = -1;
    assert_int_equal(calendar_parse_local("2024-06-01T00:15Z", &ms),
                     ERR_SYNTAX);
    assert_int_equal(calendar_parse_local("2024-06-01T", &ms), ERR_SYNTAX);
    assert_int_equal(calendar_parse_local("2024-06-31T00:15", &ms), ERR_RANGE);
    assert_int_equal(calendar_parse_local("2024-06-01T00:15:60", &ms),
                     ERR_RANGE);
    assert_true(ms == -1);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
    } cases[] = {
        {"", ERR_SYNTAX},
        {"now", ERR_SYNTAX},
        {"2026-11-21", ERR_SYNTAX},
        {"2026-11-21T00:00:00", ERR_SYNTAX},
        {"2026-11-21T00:00Z", ERR_SYNTAX},
        {"2026-11-21T00:00:00.Z", ERR_SYNTAX},
        {"2026-11-21T00:00:00+1:00", ERR_SYNTAX},
        {"2026-11-21T00:00:00+0100", ERR_SYNTAX},
        {"2026-11-21T00:00:00Z ", ERR_SYNTAX},
        {" 2026-11-21T00:00:00Z", ERR_SYNTAX},
        {"26-11-21T00:00:00Z", ERR_SYNTAX},
        {"2026-1-21T00:00:00Z", ERR_SYNTAX},
        {"+026-11-21T00:00:00Z", ERR_SYNTAX},
        {"2026-00-21T00:00:00Z", ERR_RANGE},
        {"2026-13-21T00:00:00Z", ERR_RANGE},
        {"2026-02-29T00:00:00Z", ERR_RANGE},
        {"2100-02-29T00:00:00Z", ERR_RANGE},
        {"2026-11-21T24:00:00Z", ERR_RANGE},
        {"2026-11-21T00:60:00Z", ERR_RANGE},
        {"2026-11-21T00:00:61Z", ERR_RANGE},
        {"2026-11-21T12:00:60Z", ERR_RANGE},
        {"2026-11-21T00:00:00+24:00", ERR_RANGE},
        {"1969-12-31T23:59:59Z", ERR_RANGE},
        {"2201-01-01T00:00:00Z", ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 42;
        enum err e = calendar_parse_utc(cases[i].text, &ms);
        if (e != cases[i].e || ms != 42) {
            fail_msg("%s: %s", cases[i].text, err_text(e));
        }
    }
}

/* Every day of 231 years, against counting, and the C library's gmtime. */
static void test_every_day(void **state)
{
    (void)state;
    struct calendar_date want = {1970, 1, 1};
    for (int64_t day = 0; day * CALENDAR_DAY_MS < CALENDAR_END_MS; day++) {
        struct calendar_date d = calendar_date(day);
        time_t t = (time_t)(day * 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        assert_true(d.year == want.year && d.month == want.month &&
                    d.day == want.day);
        assert_true(calendar_days(want) == day);
        assert_true(calendar_weekday(day) == tm.tm_wday);
        want.day++;
        if (want.day > calendar_month_days(want.year, want.month)) {
            want.day = 1;
            want.month++;
        }
        if (want.month > 12) {
            want.month = 1;
            want.year++;
        }
    }
    assert_true(want.year == 2201);
    struct calendar_date before = calendar_date(-1);
    assert_true(before.year == 1969 && before.month == 12 && before.day == 31);
    assert_int_equal(calendar_weekday(-5), 6);
    assert_true(calendar_day_of(-1) == -1 && calendar_day_of(0) == 0);
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

static void test_round_trip_and_mutations(void **state)
{
    (void)state;
    uint64_t seed = 7;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 100000; i++) {
        int64_t ms = (int64_t)(next(&seed) % (uint64_t)CALENDAR_END_MS);
        char text[CALENDAR_TEXT_MAX];
        calendar_format_utc(ms, text);
        int64_t back = -1;
        assert_int_equal(calendar_parse_utc(text, &back), ERR_NONE);
        assert_true(back == ms);

        /* One byte changed: refused, or an instant in range. */
        text[next(&seed) % strlen(text)] = (char)(next(&seed) % 128);
        if (calendar_parse_utc(text, &back) == ERR_NONE) {
            assert_true(back >= 0 && back < CALENDAR_END_MS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_instants),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_round_trip_and_mutations),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
