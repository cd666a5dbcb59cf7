/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/zone and controller/zone_file: known changes of the clock,
 * the C library's own reading of the same zones, rejections, mutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/zone_file.h"
#include "models/calendar.h"
#include "models/zone.h"

static const char folder[] = "/usr/share/zoneinfo";

static bool load(const char *name, struct zone *z)
{
    char why[256] = "";
    if (access(folder, R_OK) != 0) {
        print_message("skipped: no %s\n", folder);
        return false;
    }
    if (zone_file_load(name, z, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return true;
}

static int64_t utc(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(calendar_parse_utc(text, &ms), ERR_NONE);
    return ms;
}

static int64_t local(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(calendar_parse_local(text, &ms), ERR_NONE);
    return ms;
}

/* Published changes: Chicago, Berlin, Lord Howe (half an hour), Dublin (its
 * winter is the exception), and years only the footer's rule knows. */
static void test_known_changes(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        const char *utc; /* the first instant of the new offset */
        int64_t before_s;
        int64_t after_s;
    } cases[] = {
        {"America/Chicago", "2024-03-10T08:00:00Z", -21600, -18000},
        {"America/Chicago", "2024-11-03T07:00:00Z", -18000, -21600},
        {"America/Chicago", "2099-03-08T08:00:00Z", -21600, -18000},
        {"America/Chicago", "2099-11-01T07:00:00Z", -18000, -21600},
        {"Europe/Berlin", "2017-03-26T01:00:00Z", 3600, 7200},
        {"Europe/Berlin", "2017-10-29T01:00:00Z", 7200, 3600},
        {"Europe/Berlin", "2150-03-29T01:00:00Z", 3600, 7200},
        {"Australia/Lord_Howe", "2024-04-06T15:00:00Z", 39600, 37800},
        {"Australia/Lord_Howe", "2024-10-05T15:30:00Z", 37800, 39600},
        {"Australia/Lord_Howe", "2100-04-03T15:00:00Z", 39600, 37800},
        {"Australia/Lord_Howe", "2100-10-02T15:30:00Z", 37800, 39600},
        {"Europe/Dublin", "2060-03-28T01:00:00Z", 0, 3600},
        {"Europe/Dublin", "2060-10-31T01:00:00Z", 3600, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zone z;
        if (!load(cases[i].zone, &z)) {
            skip();
        }
        int64_t at_ms = utc(cases[i].utc);
        int64_t before_s = zone_utc_offset_s(&z, at_ms - 1);
        int64_t after_s = zone_utc_offset_s(&z, at_ms);
        if (before_s != cases[i].before_s || after_s != cases[i].after_s) {
            fail_msg("%s %s: %lld, %lld", cases[i].zone, cases[i].utc,
                     (long long)before_s, (long long)after_s);
        }
    }
}

static void test_gaps_and_repeated_hours(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        const char *local;
        enum zone_fit fit;
        const char *first;
        const char *second;
    } cases[] = {
        {"America/Chicago", "2024-03-10T01:59:59", ZONE_ONCE,
         "2024-03-10T07:59:59Z", "2024-03-10T07:59:59Z"},
        {"America/Chicago", "2024-03-10T02:30", ZONE_NEVER,
         "2024-03-10T08:30:00Z", "2024-03-10T08:30:00Z"},
        {"America/Chicago", "2024-03-10T03:00", ZONE_ONCE,
         "2024-03-10T08:00:00Z", "2024-03-10T08:00:00Z"},
        {"America/Chicago", "2024-11-03T00:59", ZONE_ONCE,
         "2024-11-03T05:59:00Z", "2024-11-03T05:59:00Z"},
        {"America/Chicago", "2024-11-03T01:30", ZONE_TWICE,
         "2024-11-03T06:30:00Z", "2024-11-03T07:30:00Z"},
        {"America/Chicago", "2024-11-03T02:00", ZONE_ONCE,
         "2024-11-03T08:00:00Z", "2024-11-03T08:00:00Z"},
        {"Europe/Berlin", "2050-10-30T02:00", ZONE_TWICE,
         "2050-10-30T00:00:00Z", "2050-10-30T01:00:00Z"},
        {"Australia/Lord_Howe", "2024-04-07T01:45", ZONE_TWICE,
         "2024-04-06T14:45:00Z", "2024-04-06T15:15:00Z"},
        {"Australia/Lord_Howe", "2024-10-06T02:15", ZONE_NEVER,
         "2024-10-05T15:45:00Z", "2024-10-05T15:45:00Z"},
        {"UTC", "2024-10-06T02:15", ZONE_ONCE, "2024-10-06T02:15:00Z",
         "2024-10-06T02:15:00Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zone z;
        if (!load(cases[i].zone, &z)) {
            skip();
        }
        int64_t ms = local(cases[i].local);
        int64_t first = 0;
        int64_t second = 0;
        enum zone_fit a = zone_local_to_utc(&z, ms, false, &first);
        enum zone_fit b = zone_local_to_utc(&z, ms, true, &second);
        if (a != cases[i].fit || b != cases[i].fit ||
            first != utc(cases[i].first) || second != utc(cases[i].second)) {
            char x[CALENDAR_TEXT_MAX];
            fail_msg("%s %s: fit %d, %s", cases[i].zone, cases[i].local, (int)a,
                     calendar_format_utc(first, x));
        }
    }
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

/* Random instants: the C library says the same, and the way back holds. */
static void test_against_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {
        "America/Chicago", "Europe/Berlin",    "Australia/Lord_Howe",
        "Europe/Dublin",   "America/St_Johns", "Asia/Kolkata",
        "Africa/Cairo",    "Pacific/Auckland", "America/Santiago",
        "Asia/Gaza",       "Antarctica/Troll", "Pacific/Kiritimati"};
    uint64_t seed = 17;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        struct zone z;
        if (!load(names[k], &z)) {
            skip();
        }
        assert_int_equal(setenv("TZ", names[k], 1), 0);
        tzset();
        for (int i = 0; i < 5000; i++) {
            int64_t ms = (int64_t)(next(&seed) % (uint64_t)CALENDAR_END_MS);
            time_t t = (time_t)(ms / 1000);
            struct tm tm;
            assert_non_null(localtime_r(&t, &tm));
            int64_t want = calendar_days((struct calendar_date){
                               tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday}) *
                               CALENDAR_DAY_MS +
                           (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) *
                               INT64_C(1000) +
                           ms % 1000;
            int64_t here = zone_utc_to_local(&z, ms);
            if (here != want) {
                fail_msg("%s at %lld: off by %lld s", names[k], (long long)ms,
                         (long long)(here - want) / 1000);
            }
            int64_t first = 0;
            int64_t second = 0;
            assert_int_not_equal(zone_local_to_utc(&z, here, false, &first),
                                 ZONE_NEVER);
            zone_local_to_utc(&z, here, true, &second);
            assert_true(first == ms || second == ms);
        }
    }
    unsetenv("TZ");
}

static void test_rules(void **state)
{
    (void)state;
    struct zone_rule r = {0};
    assert_int_equal(zone_parse_rule("CST6CDT,M3.2.0,M11.1.0", &r), ERR_NONE);
    assert_true(r.standard_s == -21600 && r.summer_s == -18000);
    assert_true(r.to_summer.time_s == 7200 && r.to_summer.week == 2);
    assert_int_equal(
        zone_parse_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0/3:30", &r),
        ERR_NONE);
    assert_true(r.standard_s == 37800 && r.summer_s == 39600);
    assert_true(r.to_standard.time_s == 12600);
    assert_int_equal(zone_parse_rule("EET-2EEST,J60/-1,365/50", &r), ERR_NONE);
    assert_true(r.to_summer.time_s == -3600);

    static const char *const bad[] = {
        "",
        "C6",
        "CST",
        "CSTx",
        "CST6x",
        "CST25",
        "CST6:60",
        "<CST6",
        "CST6CDT",
        "CST6CDT,M3.2.0",
        "CST6CDT,M3.2.0,M11.1",
        "CST6CDT,M13.2.0,M11.1.0",
        "CST6CDT,M3.0.0,M11.1.0",
        "CST6CDT,M3.6.0,M11.1.0",
        "CST6CDT,M3.2.7,M11.1.0",
        "CST6CDT,J0,J1",
        "CST6CDT,J366,J1",
        "CST6CDT,366,1",
        "CST6CDT,M3.2.0/168,M11.1.0",
        "CST6CDT,M3.2.0,M11.1.0 ",
        "CST99999999999999999999999",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (zone_parse_rule(bad[i], &r) == ERR_NONE) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void test_names_cannot_leave_the_folder(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "/etc/passwd", "../passwd",        "America/../UTC",
        "a//b",   "Europe/",     "America/Chicago ", "posix/../../../etc",
        "a\nb",   "./UTC",       "Europe/Berlin\\",  "é",
        "Europe", "No/Such_City"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct zone z;
        char why[256] = "";
        if (zone_file_load(bad[i], &z, why, sizeof(why)) == ERR_NONE ||
            strstr(why, "time zone") == NULL) {
            fail_msg("%s: %s", bad[i], why);
        }
    }
}

/* Mutated and cut files: refused, or a zone with sane offsets. */
static void test_mutations(void **state)
{
    (void)state;
    FILE *f = fopen("/usr/share/zoneinfo/America/Chicago", "rb");
    if (f == NULL) {
        print_message("skipped: no America/Chicago\n");
        skip();
    }
    static unsigned char good[65536];
    size_t n = fread(good, 1, sizeof(good), f);
    fclose(f);
    uint64_t seed = 23;
    print_message("seed %llu\n", (unsigned long long)seed);
    int taken = 0;
    for (int i = 0; i < 20000; i++) {
        size_t size = i % 3 == 0 ? next(&seed) % (n + 1) : n;
        unsigned char *bytes = malloc(size + 1);
        assert_non_null(bytes);
        memcpy(bytes, good, size);
        for (uint64_t k = next(&seed) % 4; k > 0 && size > 0; k--) {
            bytes[next(&seed) % size] = (unsigned char)next(&seed);
        }
        static struct zone z;
        if (zone_parse_tzif(bytes, size, &z) == ERR_NONE) {
            taken++;
            int64_t ms = (int64_t)(next(&seed) % (uint64_t)CALENDAR_END_MS);
            int64_t s = zone_utc_offset_s(&z, ms);
            assert_true(s >= -26 * 3600 && s <= 26 * 3600);
        }
        free(bytes);
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_changes),
        cmocka_unit_test(test_gaps_and_repeated_hours),
        cmocka_unit_test(test_against_the_c_library),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_names_cannot_leave_the_folder),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
