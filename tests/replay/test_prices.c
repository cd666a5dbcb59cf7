/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/prices: what is known when, days of 92, 96 and 100 quarter
 * hours, gaps, rejections, mutations, and the shared files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "models/calendar.h"
#include "replay/prices.h"

static const char ercot[] =
    "../shared/prices/ercot_hb_south_da_rt_15min_2024h2.csv";
static const char epex[] = "../shared/prices/epex_de_da_hourly_2017.csv";

static char path[] = "/tmp/ballast-prices-XXXXXX";

static struct zone chicago;
static struct zone berlin;

static int set_up(void **state)
{
    (void)state;
    zone_utc(&chicago);
    zone_utc(&berlin);
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0 ||
           zone_parse_rule("CST6CDT,M3.2.0,M11.1.0", &chicago.rule) ||
           zone_parse_rule("CET-1CEST,M3.5.0,M10.5.0/3", &berlin.rule);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_text(const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static struct prices_cfg config(enum prices_known known)
{
    return (struct prices_cfg){.file = path, .zone = &chicago, .known = known};
}

static void load(const struct prices_cfg *cfg, struct prices *p)
{
    char why[512] = "";
    if (prices_load(cfg, p, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

static int64_t utc(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(calendar_parse_utc(text, &ms), ERR_NONE);
    return ms;
}

/* Quarter hours of local days in Chicago, as a market would publish them: the
 * price counts the rows. */
static void write_local_days(const char *from_utc, const char *to_utc)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "time_local,da_per_mwh,rt_per_kwh\n");
    int row = 0;
    for (int64_t ms = utc(from_utc); ms < utc(to_utc); ms += 900000, row++) {
        char text[CALENDAR_TEXT_MAX];
        calendar_format_utc(zone_utc_to_local(&chicago, ms), text);
        fprintf(f, "%.16s,%d,%d.5\n", text, row, row);
    }
    assert_int_equal(fclose(f), 0);
}

static void test_a_day_is_known_from_13_00_the_day_before(void **state)
{
    (void)state;
    static const struct {
        const char *from_utc; /* local midnight of the day before */
        const char *to_utc;
        const char *noon_utc; /* 12:59:59.999 local of that day */
        int today;            /* quarter hours of both days */
        int tomorrow;
    } cases[] = {
        {"2024-07-01T05:00:00Z", "2024-07-04T05:00:00Z",
         "2024-07-01T17:59:59.999Z", 96, 96},
        {"2024-03-09T06:00:00Z", "2024-03-12T05:00:00Z",
         "2024-03-09T18:59:59.999Z", 96, 92},
        {"2024-11-02T05:00:00Z", "2024-11-05T06:00:00Z",
         "2024-11-02T17:59:59.999Z", 96, 100},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_local_days(cases[i].from_utc, cases[i].to_utc);
        struct prices_cfg cfg = config(PRICES_DAY_AHEAD);
        struct prices p;
        load(&cfg, &p);
        assert_true(p.step_ms == 900000 && p.report.n_gaps == 0);
        assert_true(p.report.n_never == 0);
        static struct price_in in;
        int64_t noon = utc(cases[i].noon_utc);
        int gone = 51; /* at 12:59 its step runs since 12:45 */
        prices_fill(&p, noon, 1, &in);
        assert_int_equal(in.n_slots, cases[i].today - gone);
        assert_true(in.per_kwh[0] == 51e-3);
        prices_fill(&p, noon + 1, 1, &in);
        assert_int_equal(in.n_slots,
                         cases[i].today - gone - 1 + cases[i].tomorrow);
        assert_true(price_at(&in, noon + 1) == 52e-3);
        /* Each slot is the row of its instant. */
        for (int64_t k = 0; k < in.n_slots; k++) {
            int64_t at = in.start_at_ms + k * 900000;
            assert_true(price_at(&in, at) == (double)(52 + k) / 1e3);
            assert_true(price_at(&in, at + 899999) == price_at(&in, at));
        }
        assert_true(isnan(price_at(&in, in.expires_at_ms)));
        prices_clear(&p);
    }
}

static void test_known_now_and_all(void **state)
{
    (void)state;
    write_local_days("2024-07-01T05:00:00Z", "2024-07-08T05:00:00Z");
    struct prices_cfg cfg = config(PRICES_NOW);
    cfg.settle_column = "rt_per_kwh";
    struct prices p;
    load(&cfg, &p);
    static struct price_in in;
    int64_t at = utc("2024-07-02T06:10:00Z");
    prices_fill(&p, at, 7, &in);
    assert_int_equal(in.n_slots, 1);
    assert_true(in.mono_ms == 7 && in.step_s == 900.0);
    assert_true(price_at(&in, at) == 100e-3);
    assert_true(prices_settle_per_kwh(&p, at) == 100.5);
    assert_true(prices_known_until_ms(&p, at) == utc("2024-07-02T06:15:00Z"));
    /* Before and behind the file nothing is known. */
    prices_fill(&p, utc("2024-06-30T00:00:00Z"), 7, &in);
    assert_int_equal(in.n_slots, 0);
    assert_true(isnan(price_at(&in, utc("2024-06-30T00:00:00Z"))));
    prices_fill(&p, utc("2024-07-09T00:00:00Z"), 7, &in);
    assert_int_equal(in.n_slots, 0);
    assert_true(isnan(prices_settle_per_kwh(&p, p.start_at_ms - 1)));
    assert_true(isnan(prices_settle_per_kwh(&p, utc("2024-07-08T05:00:00Z"))));
    assert_int_equal(
        prices_missing(&p, p.start_at_ms - 900000, utc("2024-07-08T05:00:01Z")),
        2);
    assert_int_equal(prices_missing(&p, at, at), 0);
    prices_clear(&p);

    cfg.known = PRICES_ALL;
    load(&cfg, &p);
    prices_fill(&p, p.start_at_ms, 7, &in);
    assert_int_equal(in.n_slots, PRICE_SLOTS_MAX);
    prices_fill(&p, at, 7, &in);
    assert_int_equal(in.n_slots, PRICE_SLOTS_MAX);
    assert_true(in.per_kwh[399] == 499e-3);
    prices_clear(&p);
}

/* One market as it happens, another's day from 13:00 the day before. */
static void test_another_market_is_known_ahead(void **state)
{
    (void)state;
    write_local_days("2024-07-01T05:00:00Z", "2024-07-04T05:00:00Z");
    struct prices_cfg cfg = config(PRICES_NOW);
    cfg.column = "rt_per_kwh";
    struct prices p;
    load(&cfg, &p);
    assert_null(p.ahead_per_kwh);
    prices_clear(&p);

    cfg.ahead_column = "da_per_mwh";
    load(&cfg, &p);
    static struct price_in now;
    static struct price_in ahead;
    int64_t at = utc("2024-07-01T17:59:00Z");
    prices_fill(&p, at, 7, &now);
    prices_fill_ahead(&p, at, 8, &ahead);
    assert_true(now.n_slots == 1 && price_at(&now, at) == 51.5);
    assert_true(ahead.n_slots == 96 - 51 && ahead.mono_ms == 8);
    assert_true(price_at(&ahead, at) == 51e-3);
    assert_true(price_at(&ahead, at + 3600000) == 55e-3);
    prices_fill_ahead(&p, at + 60000, 9, &ahead);
    assert_int_equal(ahead.n_slots, 96 - 52 + 96);
    prices_clear(&p);
    assert_null(p.ahead_per_kwh);

    cfg.ahead_column = "load_mw";
    char why[512] = "";
    assert_int_equal(prices_load(&cfg, &p, why, sizeof(why)), ERR_UNKNOWN);
    assert_non_null(strstr(why, "no column \"load_mw\""));
}

static void test_gaps_stay_gaps(void **state)
{
    (void)state;
    write_text("time_utc,x_per_mwh,y_per_mwh\n2024-01-01T00:00:00Z,-5,1\n"
               "2024-01-01T01:00:00Z,,2\n2024-01-01T02:00:00Z,6,3\n"
               "2024-01-01T05:00:00Z,7,\n2024-01-01T06:00:00Z,8,5\n");
    struct prices_cfg cfg = config(PRICES_ALL);
    cfg.settle_column = "y_per_mwh";
    struct prices p;
    load(&cfg, &p);
    assert_int_equal(p.n, 7);
    assert_int_equal(p.report.n_gaps, 2);
    assert_int_equal(p.report.n_missing, 3);
    assert_true(p.report.longest_ms == 7200000);
    assert_true(p.report.longest_at_ms == utc("2024-01-01T03:00:00Z"));
    static struct price_in in;
    prices_fill(&p, p.start_at_ms, 1, &in);
    assert_int_equal(in.n_slots, 7);
    assert_true(in.per_kwh[0] == -5e-3 && isnan(in.per_kwh[1]));
    assert_true(in.per_kwh[2] == 6e-3 && isnan(in.per_kwh[4]));
    assert_true(isnan(prices_settle_per_kwh(&p, p.start_at_ms + 5 * 3600000)));
    assert_int_equal(
        prices_missing(&p, p.start_at_ms, p.start_at_ms + 7 * 3600000), 3);
    prices_clear(&p);
}

/* A publisher with 24 rows each day: in spring an hour that never was, in
 * autumn one that came twice. */
static void test_24_rows_every_day(void **state)
{
    (void)state;
    write_text("time_local,x_per_mwh\n2017-03-26T01:00,1\n"
               "2017-03-26T02:00,2\n2017-03-26T03:00,3\n2017-03-26T04:00,4\n");
    struct prices_cfg cfg = config(PRICES_ALL);
    cfg.zone = &berlin;
    struct prices p;
    load(&cfg, &p);
    assert_int_equal(p.n, 3);
    assert_int_equal(p.report.n_never, 1);
    assert_true(p.per_kwh[1] == 3e-3);
    prices_clear(&p);

    write_text("time_local,x_per_mwh\n2017-10-29T01:00,1\n"
               "2017-10-29T02:00,2\n2017-10-29T03:00,3\n");
    load(&cfg, &p);
    assert_int_equal(p.report.n_missing, 1);
    assert_true(p.report.longest_at_ms == utc("2017-10-29T01:00:00Z"));
    prices_clear(&p);

    write_text("time_local,x_per_mwh\n2017-10-29T01:00,1\n2017-10-29T02:00,2\n"
               "2017-10-29T02:00,3\n2017-10-29T03:00,4\n");
    load(&cfg, &p);
    assert_int_equal(p.n, 4);
    assert_int_equal(p.report.n_missing, 0);
    assert_true(p.per_kwh[2] == 3e-3);
    prices_clear(&p);
}

static void test_bad_files(void **state)
{
    (void)state;
#define HEAD "time_utc,x_per_mwh\n2024-01-01T00:00:00Z,1\n"
    static const struct {
        const char *text;
        const char *column;
        const char *why;
    } cases[] = {
        {"", NULL, "the file is empty"},
        {"t,x_per_mwh\n0,1\n", NULL, ":1: no time column"},
        {"time_utc,x\n0,1\n", NULL, ":1: no price column"},
        {HEAD, NULL, "1 row: expected at least 2"},
        {HEAD, "z_per_mwh", ":1: no column \"z_per_mwh\""},
        {HEAD, "time_utc", ":1: the column is not a price"},
        {HEAD "2024-01-01T01:00,2\n", NULL, ":3: time_utc"},
        {HEAD "2024-01-01T00:00:00Z,2\n", NULL, ":3: time_utc"},
        {HEAD "2023-01-01T00:00:00Z,2\n", NULL, "a later time"},
        {HEAD "2024-01-01T01:00:00Z,nan\n", NULL, ":3: x_per_mwh \"nan\""},
        {HEAD "2024-01-01T01:00:00Z,1e999\n", NULL, ":3: x_per_mwh"},
        {HEAD "2024-01-01T01:00:00Z,1e9\n", NULL, "at most 1000 per kWh"},
        {HEAD "2024-01-01T00:00:01Z,1\n", NULL, "expected 1 min to 1 day"},
        {HEAD "2024-01-01T01:00:00Z,1\n2024-01-01T02:00:00Z,1\n"
              "2024-01-01T02:30:00Z,1\n",
         NULL, ":5: the time is off the grid"},
        {HEAD "2024-01-01T01:00:00Z,1,2\n", NULL, ":3: 3 cells"},
        {"time_local,x_per_mwh\n2024-01-01T00:00Z,1\n", NULL, ":2: time_local"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_text(cases[i].text);
        struct prices_cfg cfg = config(PRICES_DAY_AHEAD);
        cfg.column = cases[i].column;
        struct prices p;
        char why[512] = "";
        if (prices_load(&cfg, &p, why, sizeof(why)) == ERR_NONE ||
            strstr(why, cases[i].why) == NULL) {
            fail_msg("case %zu: wanted %s, got %s", i, cases[i].why, why);
        }
    }
    enum prices_known known = PRICES_ALL;
    assert_int_equal(prices_known_parse("day-ahead", &known), ERR_NONE);
    assert_int_equal(known, PRICES_DAY_AHEAD);
    assert_int_equal(prices_known_parse("tomorrow", &known), ERR_UNKNOWN);
}

static uint64_t next(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717u;
}

static void test_mutations(void **state)
{
    (void)state;
    static const char good[] =
        "time_local,da_usd_per_mwh,rt_usd_per_mwh\r\n2024-11-03T00:45,1,2\r\n"
        "2024-11-03T01:00,24.57,17.69\r\n2024-11-03T01:15,-24.57,18.33\r\n"
        "2024-11-03T01:00,,1e2\r\n2024-11-03T01:15,3,4\r\n";
    uint64_t seed = 31;
    print_message("seed %llu\n", (unsigned long long)seed);
    int taken = 0;
    for (int i = 0; i < 4000; i++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        for (uint64_t k = next(&seed) % 4; k > 0; k--) {
            char c = (char)(1 + next(&seed) % 255);
            text[next(&seed) % (sizeof(good) - 1)] = c;
        }
        write_text(text);
        struct prices_cfg cfg = config((enum prices_known)(i % 3));
        cfg.settle_column = i % 2 == 0 ? NULL : "rt_usd_per_mwh";
        struct prices p;
        char why[512] = "";
        if (prices_load(&cfg, &p, why, sizeof(why)) != ERR_NONE) {
            assert_true(why[0] != '\0');
            continue;
        }
        taken++;
        static struct price_in in;
        for (size_t k = 0; k < p.n && k < 500; k++) {
            int64_t at = p.start_at_ms + (int64_t)k * p.step_ms;
            prices_fill(&p, at, 1, &in);
            assert_true(in.n_slots >= 0 && in.n_slots <= PRICE_SLOTS_MAX);
            double x = price_at(&in, at);
            assert_true(isnan(x) || fabs(x) <= 1e3);
            assert_true(in.n_slots == 0 || in.start_at_ms == at);
        }
        prices_clear(&p);
    }
    assert_true(taken > 500);
}

static void test_shared_files(void **state)
{
    (void)state;
    if (access(ercot, R_OK) != 0 || access(epex, R_OK) != 0) {
        print_message("skipped: no %s\n", ercot);
        skip();
    }
    struct prices_cfg cfg = {.file = ercot,
                             .column = "da_usd_per_mwh",
                             .settle_column = "rt_usd_per_mwh",
                             .zone = &chicago,
                             .known = PRICES_DAY_AHEAD};
    struct prices p;
    load(&cfg, &p);
    assert_true(p.step_ms == 900000);
    assert_true(p.start_at_ms == utc("2024-06-01T05:00:00Z"));
    assert_true(fabs(p.per_kwh[0] - 0.02457) < 1e-12);
    assert_true(fabs(p.settle_per_kwh[1] - 0.01833) < 1e-12);
    /* The day of the clock change is missing: 25 hours of it. */
    assert_int_equal(p.report.n_gaps, 1);
    assert_int_equal(p.report.n_missing, 100);
    assert_true(p.report.longest_at_ms == utc("2024-11-03T05:00:00Z"));
    prices_clear(&p);

    cfg =
        (struct prices_cfg){.file = epex, .zone = &berlin, .known = PRICES_ALL};
    load(&cfg, &p);
    assert_true(p.step_ms == 3600000);
    assert_int_equal(p.report.n_never, 1);
    assert_int_equal(p.report.n_missing, 1);
    assert_true(p.n == 8760);
    prices_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_is_known_from_13_00_the_day_before),
        cmocka_unit_test(test_known_now_and_all),
        cmocka_unit_test(test_another_market_is_known_ahead),
        cmocka_unit_test(test_gaps_stay_gaps),
        cmocka_unit_test(test_24_rows_every_day),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_shared_files),
    };
    return cmocka_run_group_tests_name("prices", tests, set_up, tear_down);
}
