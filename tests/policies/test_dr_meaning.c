/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/dr_meaning: the table of what becomes of which subject,
 * how limit, subscription and fallback follow each other, prices. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/dr_meaning.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define EVER 1e9 /* hours */

static const struct dr_event event = {.id = "cap-1", .priority = 3};
static const struct dr_event *const events[] = {&event, &event};
static const double base_w[] = {10e6, NAN};

static const struct dr_meaning_terms terms = {
    .now_ms = 100 * HOUR,
    .until_ms = 148 * HOUR,
    .subscribed_w = 12e6,
    .shed_pu = {0.0, 0.1, 0.2, 0.3},
    .reserve_pu = 0.4,
    .base_w = base_w,
};

/* Rows in hours from now. */
static struct dr_row row(enum dr_subject subject, double from_h, double to_h,
                         double value)
{
    return (struct dr_row){.subject = (int64_t)subject,
                           .start_ms = terms.now_ms + (int64_t)(from_h * HOUR),
                           .end_ms = to_h >= EVER ? DR_FOREVER_MS
                                                  : terms.now_ms +
                                                        (int64_t)(to_h * HOUR),
                           .value = value};
}

static struct utility_in list[8];

static struct dr_meaning_out instruct(struct dr_row *rows, int64_t n,
                                      const struct dr_meaning_terms *t)
{
    struct dr_rows r = {.rows = rows, .max = n, .n = n};
    struct dr_meaning_out out = {.list = list, .max = 8};
    dr_meaning_instruct(&r, events, t, &out);
    return out;
}

static void each_subject_has_its_meaning(void **state)
{
    (void)state;
    static const struct {
        enum dr_subject subject;
        double value;
        int64_t kind; /* UTILITY_COUNT: no instruction */
        double w;
    } cases[] = {
        {DR_IMPORT_MAX, 8e6, UTILITY_IMPORT_MAX, 8e6},
        {DR_EXPORT_MAX, 0.0, UTILITY_EXPORT_MAX, 0.0},
        {DR_SETPOINT, 7e6, UTILITY_SETPOINT, 7e6},
        {DR_SHED_LEVEL, 0.0, UTILITY_COUNT, 0.0},
        {DR_SHED_LEVEL, 1.0, UTILITY_IMPORT_MAX, 9e6},
        {DR_SHED_LEVEL, 3.0, UTILITY_IMPORT_MAX, 7e6},
        {DR_EMERGENCY, 1.0, UTILITY_EMERGENCY, 7e6},
        {DR_BLACK_START, 1.0, UTILITY_EMERGENCY, 0.0},
        {DR_OUTAGE, 1.0, UTILITY_RESERVE, 0.4},
        {DR_FLEX, 1.0, UTILITY_COUNT, 0.0},
        {DR_NOTICE, 1.0, UTILITY_COUNT, 0.0},
        {DR_GHG, 300.0, UTILITY_COUNT, 0.0},
        {DR_UNKNOWN, 1.0, UTILITY_COUNT, 0.0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_row r = row(cases[i].subject, 1.0, 2.0, cases[i].value);
        struct dr_meaning_out out = instruct(&r, 1, &terms);
        bool none = cases[i].kind == UTILITY_COUNT;
        if (out.n != (none ? 0 : 1) ||
            (!none &&
             (list[0].kind != cases[i].kind ||
              fabs(list[0].value - cases[i].w) > 1e-9 ||
              list[0].start_at_ms != r.start_ms ||
              list[0].end_at_ms != r.end_ms || list[0].priority != 3))) {
            fail_msg("case %zu: %lld instructions, kind %lld, %g W", i,
                     (long long)out.n, (long long)list[0].kind, list[0].value);
        }
    }
}

/* What the operator has opted out of: 'taken' lacks its rows. */
static void an_opt_out_wins_only_where_it_is_stricter(void **state)
{
    (void)state;
    static const struct {
        enum dr_subject subject;
        double value;
        double left_w; /* subscription without the event; 0: none */
        double w;      /* what holds; 0: nothing */
    } cases[] = {
        {DR_IMPORT_MAX, 8e6, 0.0, 8e6},    {DR_IMPORT_MAX, 8e6, 10e6, 8e6},
        {DR_IMPORT_MAX, 14e6, 10e6, 10e6}, {DR_EMERGENCY, 1.0, 0.0, 7e6},
        {DR_SHED_LEVEL, 3.0, 0.0, 7e6},    {DR_SHED_LEVEL, 2.0, 0.0, 0.0},
        {DR_SETPOINT, 7e6, 0.0, 0.0},      {DR_OUTAGE, 1.0, 0.0, 0.0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dr_row all[2] = {
            row(cases[i].subject, 0.0, EVER, cases[i].value),
            row(DR_IMPORT_SUBSCRIPTION, 0.0, EVER, cases[i].left_w)};
        int64_t n = cases[i].left_w > 0.0 ? 1 : 0;
        struct dr_rows taken = {.rows = &all[1], .max = n, .n = n};
        struct dr_meaning_terms t = terms;
        t.taken = &taken;
        struct dr_meaning_out out = instruct(all, 1 + n, &t);
        int64_t want = cases[i].w > 0.0 ? 1 : 0;
        if (out.n != want ||
            (want == 1 && fabs(list[0].value - cases[i].w) > 1.0)) {
            fail_msg("case %zu: %lld instructions, %g W", i, (long long)out.n,
                     list[0].value);
        }
    }
}

static void check(int64_t i, double from_h, double to_h, double w)
{
    int64_t from_ms = terms.now_ms + (int64_t)(from_h * HOUR);
    int64_t to_ms =
        to_h >= EVER ? DR_FOREVER_MS : terms.now_ms + (int64_t)(to_h * HOUR);
    if (list[i].start_at_ms != from_ms || list[i].end_at_ms != to_ms ||
        fabs(list[i].value - w) > 1.0) {
        fail_msg("instruction %lld: %g to %g h, %g W", (long long)i,
                 (double)(list[i].start_at_ms - terms.now_ms) / HOUR,
                 (double)(list[i].end_at_ms - terms.now_ms) / HOUR,
                 list[i].value);
    }
}

/* Without the event that asks for less and goes before it, a shed of level 3
 * holds. */
static void an_opt_out_hides_no_shed_that_binds(void **state)
{
    (void)state;
    struct dr_row all[2] = {row(DR_SHED_LEVEL, 0.0, 1.0, 2.0),
                            row(DR_SHED_LEVEL, 1.0, 2.0, 3.0)};
    struct dr_row left = row(DR_SHED_LEVEL, 0.0, 2.0, 3.0);
    struct dr_rows taken = {.rows = &left, .max = 1, .n = 1};
    struct dr_meaning_terms t = terms;
    t.taken = &taken;
    struct dr_meaning_out out = instruct(all, 1, &t);
    assert_int_equal(out.n, 1);
    check(0, 0.0, 2.0, 7e6);
    out = instruct(&left, 1, &t); /* as it is: once */
    assert_int_equal(out.n, 1);
    out = instruct(all, 2, &t);
    assert_int_equal(out.n, 2);
    check(0, 0.0, 2.0, 7e6);
}

/* What was drawn before is not known yet: nothing is made up. */
static void a_shed_without_a_base_waits(void **state)
{
    (void)state;
    struct dr_row r = row(DR_EMERGENCY, 1.0, 2.0, 1.0);
    r.event = 1;
    assert_int_equal(instruct(&r, 1, &terms).n, 0);
}

static void a_limit_goes_before_the_subscription(void **state)
{
    (void)state;
    struct dr_row rows[] = {
        row(DR_IMPORT_MAX, 2.0, 3.0, 14e6), /* may be more, too */
        row(DR_IMPORT_SUBSCRIPTION, -5.0, EVER, 11e6),
        row(DR_IMPORT_RESERVATION, 4.0, 5.0, 2e6),
    };
    struct dr_meaning_out out = instruct(rows, 3, &terms);
    assert_int_equal(out.n, 5);
    check(0, -5.0, 2.0, 11e6);
    check(1, 2.0, 3.0, 14e6);
    check(2, 3.0, 4.0, 11e6);
    check(3, 4.0, 5.0, 13e6);
    check(4, 5.0, EVER, 11e6);
}

static void a_lost_link_falls_back_where_nothing_is_scheduled(void **state)
{
    (void)state;
    struct dr_row r = row(DR_IMPORT_MAX, -1.0, 1.0, 8e6);
    struct dr_meaning_terms t = terms;
    assert_int_equal(instruct(&r, 1, &t).n, 1);
    t.lost = true;
    struct dr_meaning_out out = instruct(&r, 1, &t);
    assert_int_equal(out.n, 2);
    check(0, -1.0, 1.0, 8e6);
    check(1, 1.0, EVER, 12e6);
    t.subscribed_w = INFINITY;
    assert_int_equal(instruct(&r, 1, &t).n, 1);
}

static void the_farthest_gives_way(void **state)
{
    (void)state;
    struct dr_row rows[20];
    for (int i = 0; i < 20; i++) {
        rows[i] = row(DR_SETPOINT, 19.0 - i, 20.0 - i, 1e6 * i);
    }
    struct dr_meaning_out out = instruct(rows, 20, &terms);
    assert_int_equal(out.n, 8);
    assert_true(out.cut);
    for (int i = 0; i < 8; i++) {
        check(i, i, i + 1.0, 1e6 * (19 - i));
    }
}

static void prices_become_a_series(void **state)
{
    (void)state;
    struct dr_row rows[] = {
        row(DR_PRICE, -1.0, 1.0, 0.1),
        row(DR_PRICE, 1.0, 2.0, 0.3),
        row(DR_PRICE, 3.0, EVER, 0.2),
        row(DR_EXPORT_PRICE, 0.0, 1.0, 9.0),
    };
    struct dr_rows r = {.rows = rows, .max = 4, .n = 4};
    struct price_in p;
    assert_true(dr_meaning_price(&r, DR_PRICE, &terms, 77, &p));
    assert_true(p.step_s >= 3600.0 && p.step_s <= 3600.0);
    assert_int_equal(p.n_slots, 48);
    assert_int_equal(p.mono_ms, 77);
    static const double want[] = {0.1, 0.3, NAN, 0.2, 0.2};
    for (int i = 0; i < 5; i++) {
        double got = price_at(&p, terms.now_ms + i * HOUR + MINUTE);
        assert_true(isnan(want[i]) ? isnan(got) : fabs(got - want[i]) < 1e-12);
    }
    rows[1].start_ms -= 20 * MINUTE; /* fits five minutes only */
    rows[0].end_ms -= 20 * MINUTE;
    assert_true(dr_meaning_price(&r, DR_PRICE, &terms, 77, &p));
    assert_true(p.step_s >= 300.0 && p.step_s <= 300.0);
    assert_true(fabs(price_at(&p, terms.now_ms + 45 * MINUTE) - 0.3) < 1e-12);
    assert_int_equal(p.n_slots, PRICE_SLOTS_MAX);
    rows[1].end_ms -= 1; /* fits nothing: averaged, and known till its end */
    assert_true(dr_meaning_price(&r, DR_PRICE, &terms, 77, &p));
    assert_true(fabs(price_at(&p, terms.now_ms + 119 * MINUTE) - 0.3) < 1e-9);
    r.n = 0;
    assert_false(dr_meaning_price(&r, DR_PRICE, &terms, 77, &p));
}

/* At no instant is the import limit another than the rule says. */
static void random_rows_agree_with_the_rule_at_each_instant(void **state)
{
    (void)state;
    const uint64_t seed = 411;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    for (int round = 0; round < 500; round++) {
        struct dr_row rows[3];
        static const enum dr_subject of[] = {
            DR_IMPORT_MAX, DR_IMPORT_SUBSCRIPTION, DR_IMPORT_RESERVATION};
        for (int i = 0; i < 3; i++) {
            double from_h = random_draw(&random, -3.0, 5.0);
            rows[i] =
                row(of[i], from_h, from_h + random_draw(&random, 0.1, 4.0),
                    random_draw(&random, 1e6, 9e6));
        }
        struct dr_meaning_terms t = terms;
        t.lost = round % 2 == 0;
        struct dr_meaning_out out = instruct(rows, 3, &t);
        for (int k = 0; k < 100; k++) {
            int64_t ms =
                terms.now_ms + (int64_t)random_draw(&random, 0.0, 9.0 * HOUR);
            bool holds[3];
            for (int i = 0; i < 3; i++) {
                holds[i] = rows[i].start_ms <= ms && ms < rows[i].end_ms;
            }
            double want = t.lost ? t.subscribed_w : INFINITY;
            if (holds[0]) {
                want = rows[0].value;
            } else if (holds[1]) {
                want = rows[1].value + (holds[2] ? rows[2].value : 0.0);
            }
            double got = INFINITY;
            for (int64_t i = 0; i < out.n; i++) {
                if (list[i].start_at_ms <= ms && ms < list[i].end_at_ms) {
                    got = fmin(got, list[i].value);
                }
            }
            if (!(got >= want && got <= want)) {
                fail_msg("round %d: %g W, %g by the rule", round, got, want);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_subject_has_its_meaning),
        cmocka_unit_test(an_opt_out_wins_only_where_it_is_stricter),
        cmocka_unit_test(an_opt_out_hides_no_shed_that_binds),
        cmocka_unit_test(a_shed_without_a_base_waits),
        cmocka_unit_test(a_limit_goes_before_the_subscription),
        cmocka_unit_test(a_lost_link_falls_back_where_nothing_is_scheduled),
        cmocka_unit_test(the_farthest_gives_way),
        cmocka_unit_test(prices_become_a_series),
        cmocka_unit_test(random_rows_agree_with_the_rule_at_each_instant),
    };
    return cmocka_run_group_tests_name("dr_meaning", tests, NULL, NULL);
}
