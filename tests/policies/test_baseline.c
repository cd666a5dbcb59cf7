/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/baseline: which days are used, by which factor, where the
 * cap binds, and what is said where there are too few days. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/calendar.h"
#include "models/random.h"
#include "policies/baseline.h"

enum { DAYS = 60, CELLS = DAYS * 96 };

static const int64_t HOUR_MS = 3600000;
static const int64_t CELL_MS = 900000;

/* Sixty days before and with Wednesday 2026-11-18, by quarter hours. */
struct case_of {
    struct zone zone;
    double w[CELLS];
    struct baseline_load load;
    struct baseline_terms terms;
    struct baseline_in in;
    struct baseline out;
    int64_t day; /* of the event */
};

static void begin(struct case_of *c)
{
    memset(c, 0, sizeof(*c));
    zone_utc(&c->zone);
    c->day = calendar_days((struct calendar_date){2026, 11, 18});
    c->load = (struct baseline_load){.start_ms =
                                         (c->day + 1 - DAYS) * CALENDAR_DAY_MS,
                                     .cell_ms = CELL_MS,
                                     .n = CELLS,
                                     .w = c->w};
    c->terms = baseline_preset();
    c->in = (struct baseline_in){
        .terms = &c->terms, .load = &c->load, .zone = &c->zone};
    c->in.event.from_ms = c->day * CALENDAR_DAY_MS + 14 * HOUR_MS;
    c->in.event.to_ms = c->in.event.from_ms + 2 * HOUR_MS;
    for (int i = 0; i < CELLS; i++) {
        c->w[i] = 10e6;
    }
}

static double *cell(struct case_of *c, int64_t day, double hour)
{
    return &c->w[(day * CALENDAR_DAY_MS - c->load.start_ms) / CELL_MS +
                 (int64_t)(hour * 4.0)];
}

static void set_hours(struct case_of *c, int64_t day, const double hours[2],
                      double w)
{
    for (double h = hours[0]; h < hours[1]; h += 0.25) {
        *cell(c, day, h) = w;
    }
}

static const double all_day[] = {0, 24};
static const double event_time[] = {14, 16};
static const double before[] = {10, 12};

static int64_t fate_of(const struct case_of *c, int64_t days_ago)
{
    assert_int_equal(c->out.days[days_ago - 1].day, c->day - days_ago);
    return c->out.days[days_ago - 1].fate;
}

static double whole(struct case_of *c)
{
    baseline_make(&c->in, &c->out);
    return baseline_w(&c->out, &c->in, c->in.event);
}

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1.0)

/* The five of ten that drew most are used; weekends do not count. */
static void high_five_of_ten(void **state)
{
    (void)state;
    struct case_of c;
    begin(&c);
    double sum_w = 0.0;
    int n = 0;
    for (int64_t ago = 1; n < 12; ago++) {
        int weekday = calendar_weekday(c.day - ago);
        if (weekday == 0 || weekday == 6) {
            set_hours(&c, c.day - ago, all_day, 90e6);
            continue;
        }
        /* 10, 11 .. 19 MW, then two of 50 MW that are too old */
        double w = n < 10 ? 10e6 + 1e6 * n : 50e6;
        set_hours(&c, c.day - ago, event_time, w);
        sum_w += n >= 5 && n < 10 ? w : 0.0;
        n++;
    }
    NEAR(whole(&c), sum_w / 5.0);
    assert_int_equal(c.out.method, BASELINE_HIGH_DAYS);
    assert_int_equal(c.out.n_eligible, 10);
    assert_int_equal(c.out.n_used, 5);
    assert_true(c.out.adjusted);
    assert_false(c.out.capped);
    NEAR(c.out.factor_pu * 1e6, 1e6);
    assert_int_equal(fate_of(&c, 1), BASELINE_DAY_LOWER);
    assert_int_equal(fate_of(&c, 3), BASELINE_DAY_CLASS); /* Sunday */
    assert_int_equal(fate_of(&c, 14), BASELINE_DAY_USED);
    assert_int_equal(fate_of(&c, 15), BASELINE_DAY_OLDER);
}

static void what_keeps_a_day_out(void **state)
{
    (void)state;
    struct case_of c;
    begin(&c);
    const struct baseline_span others[] = {
        /* a morning event of the day before; an empty one */
        {(c.day - 1) * CALENDAR_DAY_MS + HOUR_MS,
         (c.day - 1) * CALENDAR_DAY_MS + 2 * HOUR_MS},
        {(c.day - 2) * CALENDAR_DAY_MS, (c.day - 2) * CALENDAR_DAY_MS}};
    const int64_t holidays[] = {c.day - 5};
    const double quarter[] = {14, 14.25};
    const double half[] = {14, 15};
    c.in.n_others = 2;
    c.in.others = others;
    c.in.n_holidays = 1;
    c.in.holidays = holidays;
    set_hours(&c, c.day - 6, half, NAN);
    c.terms.gap_max_pu = 0.125;
    set_hours(&c, c.day - 7, quarter, NAN); /* just as much as may be */
    set_hours(&c, c.day - 8, event_time, 1e6);
    NEAR(whole(&c), 10e6);
    assert_int_equal(fate_of(&c, 1), BASELINE_DAY_EVENT);
    assert_int_equal(fate_of(&c, 2), BASELINE_DAY_USED);
    assert_int_equal(fate_of(&c, 5), BASELINE_DAY_CLASS);
    assert_int_equal(fate_of(&c, 6), BASELINE_DAY_GAPS);
    assert_int_equal(fate_of(&c, 7), BASELINE_DAY_USED);
    assert_int_equal(fate_of(&c, 8), BASELINE_DAY_LOW);
    /* and for an event on a holiday, weekends count */
    const int64_t today[] = {c.day};
    c.in.holidays = today;
    NEAR(whole(&c), 10e6);
    assert_int_equal(fate_of(&c, 3), BASELINE_DAY_USED);
    assert_int_equal(fate_of(&c, 2), BASELINE_DAY_CLASS);
}

static void the_day_itself_moves_it(void **state)
{
    (void)state;
    static const struct {
        enum baseline_adjust how;
        double today_w;
        double want_w;
        bool capped;
    } rows[] = {
        {BASELINE_ADJUST_MULTIPLY, 11e6, 22e6, false},
        {BASELINE_ADJUST_MULTIPLY, 15e6, 24e6, true},
        {BASELINE_ADJUST_MULTIPLY, 5e6, 16e6, true},
        {BASELINE_ADJUST_ADD, 11e6, 21e6, false},
        {BASELINE_ADJUST_ADD, 15e6, 22e6, true},
        {BASELINE_ADJUST_ADD, 8.5e6, 18.5e6, false},
        {BASELINE_ADJUST_ADD, 5e6, 18e6, true},
        {BASELINE_ADJUST_NONE, 15e6, 20e6, false},
        {BASELINE_ADJUST_MULTIPLY, NAN, 20e6, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct case_of c;
        begin(&c);
        for (int64_t ago = 1; ago < DAYS; ago++) {
            set_hours(&c, c.day - ago, event_time, 20e6);
        }
        c.terms.adjust = rows[i].how;
        set_hours(&c, c.day, before, rows[i].today_w);
        NEAR(whole(&c), rows[i].want_w);
        assert_int_equal(c.out.capped, rows[i].capped);
        assert_int_equal(c.out.adjusted, rows[i].how != BASELINE_ADJUST_NONE &&
                                             isfinite(rows[i].today_w));
    }
}

static void too_few_days_fall_back_and_say_so(void **state)
{
    (void)state;
    struct case_of c;
    begin(&c);
    c.load.start_ms = (c.day - 6) * CALENDAR_DAY_MS; /* four working days */
    c.load.n = 7 * 96;
    c.w[6 * 96 + 55] = 12e6; /* the quarter hour before 14:00 */
    NEAR(whole(&c), 12e6);
    assert_int_equal(c.out.method, BASELINE_METER_BEFORE);
    assert_true(c.out.fell_back);
    assert_int_equal(c.out.n_eligible, 4);
    assert_int_equal(c.out.n_used, 0);
    c.terms.method = BASELINE_METER_BEFORE;
    NEAR(whole(&c), 12e6);
    assert_false(c.out.fell_back);
    assert_int_equal(c.out.n_days, 0);
    c.load.n = 0;
    assert_true(isnan(whole(&c)));
    assert_int_equal(c.out.method, BASELINE_UNKNOWN);
}

/* 14:00 on the clock of New York, on both sides of its change. */
static void days_are_compared_by_local_time(void **state)
{
    (void)state;
    struct case_of c;
    begin(&c);
    assert_int_equal(zone_parse_rule("EST5EDT,M3.2.0,M11.1.0", &c.zone.rule),
                     ERR_NONE);
    c.day = calendar_days((struct calendar_date){2026, 11, 4});
    c.in.event.from_ms = c.day * CALENDAR_DAY_MS + 19 * HOUR_MS; /* 14:00 EST */
    c.in.event.to_ms = c.in.event.from_ms + 2 * HOUR_MS;
    for (int64_t ago = 1; ago < 40; ago++) {
        /* summer time ended on November 1 */
        double from = ago <= 3 ? 19 : 18;
        const double hours[] = {from, from + 2};
        set_hours(&c, c.day - ago, hours, 30e6);
    }
    NEAR(whole(&c), 30e6);
    assert_true(c.out.adjusted);
    NEAR(c.out.factor_pu * 1e6, 1e6);
}

/* Scaled and shifted loads scale and shift it. */
static void it_follows_the_load(void **state)
{
    (void)state;
    uint64_t r = random_seed(20261121);
    print_message("seed 20261121\n");
    for (int run = 0; run < 40; run++) {
        struct case_of a;
        begin(&a);
        a.terms.adjust = run % 3;
        for (int i = 0; i < CELLS; i++) {
            a.w[i] = random_draw(&r, 0.0, 1.0) < 0.01
                         ? NAN
                         : random_draw(&r, 5e6, 20e6);
        }
        double w = whole(&a);
        struct case_of b = a;
        b.load.w = b.w;
        b.in.load = &b.load;
        b.in.terms = &b.terms;
        b.in.zone = &b.zone;
        double scale = random_draw(&r, 0.1, 10.0);
        for (int i = 0; i < CELLS; i++) {
            b.w[i] *= scale;
        }
        b.load.start_ms += 7 * CALENDAR_DAY_MS; /* the same days of the week */
        b.in.event.from_ms += 7 * CALENDAR_DAY_MS;
        b.in.event.to_ms += 7 * CALENDAR_DAY_MS;
        assert_true(fabs(whole(&b) - scale * w) <= 1e-9 * scale * w);
        assert_int_equal(a.out.n_used, b.out.n_used);
        assert_int_equal(a.out.capped, b.out.capped);
        /* inside what it was made from */
        assert_true(w > 0.8 * 5e6 && w < 1.2 * 20e6);
    }
}

static void terms_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const char *why = NULL;
    struct baseline_terms good = baseline_preset();
    assert_int_equal(baseline_check(&good, &why), ERR_NONE);
    for (int i = 0; i < 10; i++) {
        struct baseline_terms t = good;
        t.method = i == 0 ? BASELINE_UNKNOWN : t.method;
        t.high = i == 1 ? 11 : i == 2 ? 0 : t.high;
        t.most = i == 3 ? 46 : t.most;
        t.look_back = i == 4 ? 91 : t.look_back;
        t.gap_max_pu = i == 5 ? (double)NAN : t.gap_max_pu;
        t.adjust = i == 6 ? 3 : t.adjust;
        t.adjust_to_s = i == 7 ? t.adjust_from_s : t.adjust_to_s;
        t.cap_pu = i == 8 ? -0.1 : t.cap_pu;
        t.before_s = i == 9 ? 0.0 : t.before_s;
        why = NULL;
        assert_int_equal(baseline_check(&t, &why), ERR_RANGE);
        assert_non_null(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(high_five_of_ten),
        cmocka_unit_test(what_keeps_a_day_out),
        cmocka_unit_test(the_day_itself_moves_it),
        cmocka_unit_test(too_few_days_fall_back_and_say_so),
        cmocka_unit_test(days_are_compared_by_local_time),
        cmocka_unit_test(it_follows_the_load),
        cmocka_unit_test(terms_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
}
