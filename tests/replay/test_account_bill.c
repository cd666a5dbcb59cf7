/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of replay/account_bill: peaks of months that end, by the clock of the
 * zone, and the same as the compliance meter says within one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/calendar.h"
#include "models/compliance.h"
#include "models/random.h"
#include "replay/account_bill.h"
#include "tests/site_fixture.h"

enum { SEED = 11, RUNS = 30, TICKS = 400 };

static const double MINUTE_S = 60.0;

static int64_t utc(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(calendar_parse_utc(text, &ms), ERR_NONE);
    return ms;
}

struct world {
    struct site *site;
    struct zone *zone;
    struct account_bill bill;
};

static void begin(struct world *w, const char *rule)
{
    w->site = fixture_site(1, 1, 0);
    w->site->grid.demand_charge_per_kw = 10.0;
    w->site->grid.billing_peak_w = 50e6;
    w->zone = malloc(sizeof(*w->zone));
    assert_non_null(w->zone);
    zone_utc(w->zone);
    assert_int_equal(zone_parse_rule(rule, &w->zone->rule), ERR_NONE);
    account_bill_begin(&w->bill, &w->site->grid, w->zone);
}

static void finish(struct world *w)
{
    free(w->site);
    free(w->zone);
}

/* 'hours' at 'mw' from 'at' on, minute by minute. */
static int64_t draw(struct world *w, int64_t at_ms, double hours, double mw)
{
    for (int k = 0; k < (int)(hours * 60.0); k++) {
        account_bill_tick(&w->bill, at_ms, MINUTE_S, mw * 1e6);
        at_ms += 60000;
    }
    return at_ms;
}

static void every_month_has_its_peak(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *from; /* 4 h at 60 MW, 4 h at 40 MW */
        int64_t n_months;
        double peak_mw[2];
        double cur;
    } rows[] = {
        {"UTC0", "2025-06-10T00:00:00Z", 1, {60, 0}, 1e5},
        {"UTC0", "2025-05-31T20:00:00Z", 2, {60, 40}, 5e5},
        {"UTC0", "2025-05-31T18:00:00Z", 2, {60, 40}, 5e5},
        {"UTC0", "2025-05-31T22:00:00Z", 2, {60, 60}, 7e5},
        {"UTC0", "2025-12-31T20:00:00Z", 2, {60, 40}, 5e5},
        {"CST6CDT,M3.2.0,M11.1.0", "2025-05-31T20:00:00Z", 1, {60, 0}, 1e5},
        {"CST6CDT,M3.2.0,M11.1.0", "2025-06-01T01:00:00Z", 2, {60, 40}, 5e5},
        /* summer time ends within November, not with October */
        {"CST6CDT,M3.2.0,M11.1.0", "2025-11-01T01:00:00Z", 2, {60, 40}, 5e5},
        {"CST6CDT,M3.2.0,M11.1.0", "2025-12-01T02:00:00Z", 2, {60, 40}, 5e5},
        {"CST6CDT,M3.2.0,M11.1.0", "2025-12-01T04:00:00Z", 2, {60, 60}, 7e5},
        /* the clock goes back into October at midnight */
        {"AAA3BBB,J91/0,J305/0", "2025-10-31T22:00:00Z", 2, {60, 40}, 5e5},
        {"AAA3BBB,J91/0,J305/0", "2025-11-01T00:00:00Z", 2, {60, 60}, 7e5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        begin(&w, rows[i].rule);
        draw(&w, draw(&w, utc(rows[i].from), 4.0, 60.0), 4.0, 40.0);
        account_bill_end(&w.bill);
        assert_int_equal(w.bill.n_months, rows[i].n_months);
        for (int k = 0; k < w.bill.n_months; k++) {
            assert_true(
                fabs(w.bill.months[k].peak_w - 1e6 * rows[i].peak_mw[k]) < 1.0);
        }
        assert_true(fabs(w.bill.demand_cur - rows[i].cur) < 1e-3);
        finish(&w);
    }
}

/* What is cut short by the end, or by the start, of the run. */
static void only_whole_intervals_count_where_there_are_any(void **state)
{
    (void)state;
    struct world w;
    begin(&w, "UTC0");
    account_bill_end(&w.bill);
    assert_int_equal(w.bill.n_months, 0);
    assert_true(fabs(w.bill.demand_cur) <= 0.0);
    account_bill_begin(&w.bill, &w.site->grid, w.zone);
    draw(&w, utc("2025-06-10T00:05:00Z"), 0.1, 70.0); /* 6 min */
    account_bill_end(&w.bill);
    assert_true(fabs(w.bill.months[0].peak_w - 70e6) < 1.0);
    account_bill_begin(&w.bill, &w.site->grid, w.zone);
    int64_t at_ms = draw(&w, utc("2025-06-10T00:00:00Z"), 0.5, 70.0);
    draw(&w, at_ms, 0.2, 90.0); /* 12 min */
    account_bill_end(&w.bill);
    assert_true(fabs(w.bill.months[0].peak_w - 70e6) < 1.0);
    finish(&w);
}

static void within_a_month_it_is_what_the_meter_says(void **state)
{
    (void)state;
    print_message("seed %d\n", SEED);
    uint64_t seed = SEED;
    for (int i = 0; i < RUNS; i++) {
        struct world w;
        begin(&w, "UTC0");
        struct compliance *c = calloc(1, sizeof(*c));
        assert_non_null(c);
        double period_s = i % 2 == 0 ? 10.0 : 7.0;
        int64_t start_ms = utc("2025-06-10T00:00:00Z") +
                           1000 * (int64_t)random_draw(&seed, 0.0, 5e3);
        compliance_init(c, &w.site->grid, period_s, start_ms);
        double w_now = 60e6;
        for (int k = 0; k < TICKS; k++) {
            w_now += random_draw(&seed, -1e6, 1e6);
            int64_t at_ms = start_ms + (int64_t)(1e3 * period_s * k);
            account_bill_tick(&w.bill, at_ms, period_s, w_now);
            compliance_push(c, (struct compliance_in){.grid_w = w_now,
                                                      .import_max_w = NAN});
        }
        account_bill_end(&w.bill);
        double meter_w = compliance_result(c).peak_w;
        assert_true(fabs(w.bill.months[0].peak_w - meter_w) < 10.0);
        free(c);
        finish(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_month_has_its_peak),
        cmocka_unit_test(only_whole_intervals_count_where_there_are_any),
        cmocka_unit_test(within_a_month_it_is_what_the_meter_says),
    };
    return cmocka_run_group_tests_name("account_bill", tests, NULL, NULL);
}
