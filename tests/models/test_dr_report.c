/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/dr_report: which intervals a report is about and when it is
 * due, by the examples of the User Guide (7.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/dr_report.h"
#include "models/dr_timing.h"
#include "models/random.h"

enum { SPANS = 24 };

static const int64_t t0_ms = INT64_C(1795219200000);
static const int64_t hour_ms = 3600000;

static struct dr_span spans[SPANS];

static struct dr_report_event hours(int64_t n, int64_t n_spans)
{
    for (int64_t i = 0; i < n_spans; i++) {
        spans[i] = (struct dr_span){i % n, t0_ms + i * hour_ms,
                                    t0_ms + (i + 1) * hour_ms};
    }
    return (struct dr_report_event){.n = n,
                                    .n_spans = n_spans,
                                    .spans = spans,
                                    .from_ms = t0_ms,
                                    .to_ms = t0_ms + n_spans * hour_ms};
}

static struct dr_report preset(void)
{
    return (struct dr_report){.kind = DR_REPORT_USAGE,
                              .start = -1,
                              .number = -1,
                              .frequency = -1,
                              .repeat = 1,
                              .historical = 1};
}

static void when_reports_are_due(void **state)
{
    (void)state;
    static const struct {
        int64_t start, number, frequency, repeat;
        int64_t n, n_spans;           /* intervals; with repeats */
        int64_t k, first, count, end; /* end -1: there is none */
    } rows[] = {
        {-1, -1, -1, 1, 4, 4, 0, 0, 4, 4},    /* all, at the end */
        {-1, -1, -1, 1, 4, 4, 1, 0, 0, -1},   /* once */
        {1, 2, 2, 3, 6, 6, 0, 0, 2, 2},       /* every two hours */
        {1, 2, 2, 3, 6, 6, 2, 4, 2, 6},       /* the third */
        {1, 2, 2, 3, 6, 6, 3, 0, 0, -1},      /* no fourth */
        {0, 1, 1, -1, 24, 24, 23, 23, 1, 24}, /* after each */
        {0, 1, 1, -1, 24, 24, 24, 0, 0, -1},  /* until the end */
        {-1, 1, -1, 1, 4, 4, 0, 3, 1, 4},     /* the last alone */
        {0, 3, 1, 9, 4, 4, 0, 0, 1, 1},       /* what there is before */
        {-1, -1, -1, -1, 3, 9, 2, 6, 3, 9},   /* the third round */
        {99, 99, 99, 1, 4, 4, 0, 0, 4, 4},    /* beyond: all */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dr_report r = preset();
        struct dr_report_due due;
        r.start = rows[i].start;
        r.number = rows[i].number;
        r.frequency = rows[i].frequency;
        r.repeat = rows[i].repeat;
        const struct dr_report_event e = hours(rows[i].n, rows[i].n_spans);
        bool is = dr_report_due(&r, &e, rows[i].k, &due);
        assert_int_equal(is, rows[i].end >= 0);
        if (is) {
            assert_int_equal(due.first, rows[i].first);
            assert_int_equal(due.n, rows[i].count);
            assert_int_equal(due.at_ms, t0_ms + rows[i].end * hour_ms);
        }
    }
}

/* Forecasts are made when the first interval that they are about begins. */
static void when_forecasts_are_due(void **state)
{
    (void)state;
    static const struct {
        int64_t start, number, frequency, repeat;
        int64_t n, n_spans;
        int64_t k, first, count; /* count 0: there is none */
    } rows[] = {
        {-1, -1, -1, 1, 4, 4, 0, 0, 4}, /* all, at the beginning */
        {-1, -1, -1, 1, 4, 4, 1, 0, 0}, /* once */
        {0, 3, 1, 3, 5, 5, 0, 0, 3},    /* the rolling one of 7.5 */
        {0, 3, 1, 3, 5, 5, 2, 2, 3},    /* its third */
        {0, 3, 1, 3, 5, 5, 3, 0, 0},    /* no fourth */
        {0, 3, 1, -1, 5, 5, 3, 3, 2},   /* what there is behind */
        {0, 3, 1, -1, 5, 5, 5, 0, 0},   /* until the end */
        {2, 2, -1, -1, 4, 12, 1, 4, 2}, /* the second round */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dr_report r = preset();
        struct dr_report_due due;
        r.historical = 0;
        r.start = rows[i].start;
        r.number = rows[i].number;
        r.frequency = rows[i].frequency;
        r.repeat = rows[i].repeat;
        const struct dr_report_event e = hours(rows[i].n, rows[i].n_spans);
        assert_int_equal(dr_report_due(&r, &e, rows[i].k, &due),
                         rows[i].count > 0);
        if (rows[i].count > 0) {
            assert_int_equal(due.first, rows[i].first);
            assert_int_equal(due.n, rows[i].count);
            assert_int_equal(due.at_ms, t0_ms + rows[i].first * hour_ms);
        }
    }
}

static const struct dr_period plain = {.start_ms = DR_NO_START};

static struct dr_timing day_of_hours(const struct dr_period list[24])
{
    return (struct dr_timing){.now_ms = t0_ms,
                              .whole = {.start_ms = t0_ms,
                                        .timed = true,
                                        .duration = {.ms = 3600000}},
                              .lasts = true,
                              .life = {.forever = true},
                              .n = 24,
                              .intervals = list};
}

/* A tariff without an end goes on being reported, by the same numbers, however
 * long ago it began. */
static void reports_of_a_tariff_go_on(void **state)
{
    (void)state;
    static struct dr_span room[DR_REPORT_SPANS_MAX];
    struct dr_period list[24];
    for (int i = 0; i < 24; i++) {
        list[i] = plain;
    }
    struct dr_timing t = day_of_hours(list);
    uint64_t seed = random_seed(3);
    print_message("seed 3\n");
    for (int run = 0; run < 300; run++) {
        struct dr_report_event e;
        struct dr_report_due due;
        struct dr_report r = preset();
        r.repeat = -1;
        int64_t day = (int64_t)random_draw(&seed, 1.0, 3000.0);
        int64_t now_ms = t0_ms + 24 * day * hour_ms +
                         (int64_t)random_draw(&seed, 0.0, 86399999.0);
        t.whole.random_ms = run % 2 == 0 ? 0 : 600000;
        dr_report_about(&t, now_ms, room, &e);
        int64_t shift_ms = e.from_ms - t0_ms;
        int64_t k = dr_report_latest(&r, &e, now_ms);
        int64_t over = (now_ms - e.from_ms) / (24 * hour_ms);
        assert_int_equal(k, over - 1);
        assert_true(dr_report_due(&r, &e, k, &due));
        assert_int_equal(due.n, 24);
        assert_int_equal(due.at_ms, t0_ms + shift_ms + 24 * (k + 1) * hour_ms);
        assert_int_equal(e.spans[due.first].interval, 0);
        assert_true(dr_report_due(&r, &e, k + 1, &due));
        assert_true(due.at_ms > now_ms);
        /* once means the first day */
        r.repeat = 1;
        assert_false(
            dr_report_due(&r, &e, dr_report_latest(&r, &e, now_ms), &due) &&
            day > 30);
    }
}

/* The User Guide's 8.7: no intervals, but the descriptor counts them. */
static void intervals_may_be_implied(void **state)
{
    (void)state;
    static struct dr_span room[DR_REPORT_SPANS_MAX];
    struct dr_timing t = day_of_hours(NULL);
    struct dr_report_event e;
    struct dr_report_due due;
    t.n = 0;
    t.lasts = false;
    struct dr_report r = preset();
    r.historical = 0;
    r.start = 0;
    r.number = 48;
    r.frequency = 1;
    r.repeat = -1;
    for (int64_t h = 0; h < 40000; h += 777) {
        int64_t now_ms = t0_ms + h * hour_ms + 1;
        dr_report_about(&t, now_ms, room, &e);
        assert_int_equal(dr_report_latest(&r, &e, now_ms), h);
        assert_true(dr_report_due(&r, &e, h, &due));
        assert_int_equal(due.n, 48);
        assert_int_equal(due.at_ms, t0_ms + h * hour_ms);
        assert_int_equal(e.spans[due.first].start_ms, due.at_ms);
        assert_int_equal(e.spans[due.first + 47].end_ms,
                         t0_ms + (h + 48) * hour_ms);
    }
    /* the past of them: a report every four hours */
    r = preset();
    r.number = 4;
    r.repeat = -1;
    dr_report_about(&t, t0_ms + 9 * hour_ms, room, &e);
    assert_int_equal(dr_report_latest(&r, &e, t0_ms + 9 * hour_ms), 1);
    assert_true(dr_report_due(&r, &e, 1, &due));
    assert_int_equal(due.at_ms, t0_ms + 8 * hour_ms);
    /* a duration of its own ends them; none, or one by the calendar, implies
     * nothing */
    t.lasts = true;
    t.life = (struct dr_duration){.ms = 6 * 3600000};
    dr_report_about(&t, t0_ms, room, &e);
    assert_int_equal(e.n_spans, 6);
    t.whole.duration = (struct dr_duration){0};
    dr_report_about(&t, t0_ms, room, &e);
    assert_int_equal(e.n_spans, 0);
    t.whole.duration = (struct dr_duration){.months = 1};
    dr_report_about(&t, t0_ms, room, &e);
    assert_int_equal(e.n_spans, 0);
    t.whole.duration = (struct dr_duration){.forever = true};
    dr_report_about(&t, t0_ms, room, &e);
    assert_int_equal(e.n_spans, 0);
}

static void what_is_not_reported(void **state)
{
    (void)state;
    struct dr_report_due due;
    struct dr_report_event e = hours(4, 4);
    struct dr_report r = preset();
    r.historical = 0;
    r.kind = DR_REPORT_OPERATING_STATE; /* nobody foresees it */
    assert_false(dr_report_due(&r, &e, 0, &due));
    r = preset();
    r.kind = DR_REPORT_UNKNOWN;
    assert_false(dr_report_due(&r, &e, 0, &due));
    r = preset();
    assert_false(dr_report_due(&r, &e, -1, &due));
    spans[3].end_ms = DR_FOREVER_MS;
    assert_false(dr_report_due(&r, &e, 0, &due));
    assert_int_equal(dr_report_kind("VENDOR"), DR_REPORT_UNKNOWN);
    assert_int_equal(dr_report_kind(""), DR_REPORT_UNKNOWN);
    assert_int_equal(dr_report_kind("STORAGE_CHARGE_LEVEL"),
                     DR_REPORT_CHARGE_LEVEL);
}

static void we_choose_the_time(void **state)
{
    (void)state;
    struct dr_report_due due;
    struct dr_report r = preset();
    struct dr_report_event e = {.from_ms = t0_ms, .to_ms = t0_ms};
    assert_true(dr_report_due(&r, &e, 0, &due));
    assert_int_equal(due.at_ms, t0_ms);
    assert_int_equal(due.n, 0);
    assert_false(dr_report_due(&r, &e, 1, &due));
    r.repeat = -1;
    assert_false(dr_report_due(&r, &e, 1, &due));
    e.to_ms = DR_FOREVER_MS;
    assert_true(dr_report_due(&r, &e, 100, &due));
    assert_int_equal(due.at_ms, t0_ms + 25 * hour_ms);
    e = hours(2, 2);
    r.open = 1;
    assert_true(dr_report_due(&r, &e, 8, &due));
    assert_false(dr_report_due(&r, &e, 9, &due));
    r = preset();
    r.frequency = 0;
    assert_true(dr_report_due(&r, &e, 0, &due));
    assert_int_equal(due.n, 0);
}

/* Whatever is asked for: spans that there are, in order, no more than fit. */
static void reports_stay_inside(void **state)
{
    (void)state;
    uint64_t seed = random_seed(11);
    print_message("seed 11\n");
    for (int run = 0; run < 20000; run++) {
        struct dr_report r = preset();
        int64_t *const what[] = {&r.start, &r.number, &r.frequency, &r.repeat};
        for (int i = 0; i < 4; i++) {
            double most = random_draw(&seed, 0.0, 1.0) < 0.1 ? 2e9 : 30.0;
            *what[i] = (int64_t)random_draw(&seed, -1.0, most);
        }
        int64_t n = 1 + (int64_t)random_draw(&seed, 0.0, 12.0);
        int64_t n_spans = (int64_t)random_draw(&seed, 0.0, SPANS);
        const struct dr_report_event e = hours(n, n_spans);
        int64_t before_ms = INT64_MIN;
        struct dr_report_due due;
        r.historical = run % 2;
        for (int64_t k = 0; k < 40 && dr_report_due(&r, &e, k, &due); k++) {
            assert_true(due.at_ms > before_ms);
            before_ms = due.at_ms;
            if (due.n > 0) {
                assert_true(due.first >= 0 && due.first + due.n <= n_spans);
                assert_true(due.n <= DR_REPORT_LENGTH_MAX);
                assert_int_equal(r.historical
                                     ? spans[due.first + due.n - 1].end_ms
                                     : spans[due.first].start_ms,
                                 due.at_ms);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_reports_are_due),
        cmocka_unit_test(when_forecasts_are_due),
        cmocka_unit_test(reports_of_a_tariff_go_on),
        cmocka_unit_test(intervals_may_be_implied),
        cmocka_unit_test(what_is_not_reported),
        cmocka_unit_test(we_choose_the_time),
        cmocka_unit_test(reports_stay_inside),
    };
    return cmocka_run_group_tests_name("dr_report", tests, NULL, NULL);
}
