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
    return (struct dr_report_event){n, n_spans, spans, t0_ms,
                                    t0_ms + n_spans * hour_ms};
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

static void what_is_not_reported(void **state)
{
    (void)state;
    struct dr_report_due due;
    struct dr_report_event e = hours(4, 4);
    struct dr_report r = preset();
    r.historical = 0;
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
        for (int64_t k = 0; k < 40 && dr_report_due(&r, &e, k, &due); k++) {
            assert_true(due.at_ms > before_ms);
            before_ms = due.at_ms;
            if (due.n > 0) {
                assert_true(due.first >= 0 && due.first + due.n <= n_spans);
                assert_true(due.n <= DR_REPORT_LENGTH_MAX);
                assert_int_equal(spans[due.first + due.n - 1].end_ms,
                                 due.at_ms);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_reports_are_due),
        cmocka_unit_test(what_is_not_reported),
        cmocka_unit_test(we_choose_the_time),
        cmocka_unit_test(reports_stay_inside),
    };
    return cmocka_run_group_tests_name("dr_report", tests, NULL, NULL);
}
