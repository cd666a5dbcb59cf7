/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/dr_timing: the cases of the OpenADR 3.1 User Guide, random
 * lists against every repeat looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/dr_timing.h"
#include "models/random.h"

#define HOUR INT64_C(3600000)

/* 2025-03-14T00:00:00Z, of the guide's examples. */
static const int64_t march_ms = INT64_C(1741910400000);

static struct dr_duration hours(int64_t n)
{
    return (struct dr_duration){.ms = n * HOUR};
}

/* An interval that says nothing of its own. */
static const struct dr_period plain = {.start_ms = DR_NO_START};

/* A case of the guide: an event, and what of it holds in hours from its
 * start. */
struct row {
    const char *what;
    struct dr_timing t;
    struct {
        int64_t from_h;
        int64_t to_h;
        int64_t n;
        struct dr_span first; /* hours */
        struct dr_span last;
    } expected;
};

static void check_row(const struct row *r)
{
    struct dr_span out[64];
    int64_t n = dr_timing_spans(&r->t, march_ms + r->expected.from_h * HOUR,
                                march_ms + r->expected.to_h * HOUR, out, 64);
    if (n != r->expected.n) {
        fail_msg("%s: %lld spans", r->what, (long long)n);
    }
    for (int k = 0; k < 2 && n > 0; k++) {
        const struct dr_span *got = k == 0 ? &out[0] : &out[n - 1];
        const struct dr_span *want =
            k == 0 ? &r->expected.first : &r->expected.last;
        int64_t end_ms = want->end_ms == DR_FOREVER_MS
                             ? DR_FOREVER_MS
                             : march_ms + want->end_ms * HOUR;
        if (got->interval != want->interval ||
            got->start_ms != march_ms + want->start_ms * HOUR ||
            got->end_ms != end_ms) {
            fail_msg("%s: %s is interval %lld, %lld to %lld h", r->what,
                     k == 0 ? "first" : "last", (long long)got->interval,
                     (long long)((got->start_ms - march_ms) / HOUR),
                     (long long)((got->end_ms - march_ms) / HOUR));
        }
    }
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_row(&rows[i]);
    }
}

/* One after the other, from the start of the event on. */
static void check_lists(struct dr_period day[24])
{
    const struct dr_period hourly = {
        .start_ms = march_ms, .timed = true, .duration = {.ms = HOUR}};
    struct dr_period uneven[] = {plain, plain, plain};
    uneven[1].timed = true;
    uneven[1].duration = hours(2);
    struct dr_period gap[] = {plain, plain};
    gap[1].start_ms = march_ms + 6 * HOUR;
    struct dr_period overlap[] = {plain, plain};
    overlap[0].timed = true;
    overlap[0].duration = hours(4);
    overlap[1].start_ms = march_ms + 2 * HOUR;
    const struct dr_duration ever = {.forever = true};
    const struct row rows[] = {
        {"24 prices, read at six",
         {march_ms, 1, hourly, false, {0}, 24, day},
         {6, 7, 1, {6, 6, 7}, {6, 6, 7}}},
        {"wholly past",
         {march_ms, 1, hourly, false, {0}, 24, day},
         {24, 48, 0, {0, 0, 0}, {0, 0, 0}}},
        {"a tariff that repeats for ever, after a year",
         {march_ms, 1, hourly, true, ever, 24, day},
         {8760, 8784, 24, {0, 8760, 8761}, {23, 8783, 8784}}},
        {"a week of a day's list",
         {march_ms, 1, hourly, true, hours(168), 24, day},
         {160, 200, 8, {16, 160, 161}, {23, 167, 168}}},
        {"half of a day's list",
         {march_ms, 1, hourly, true, hours(12), 24, day},
         {0, 48, 12, {0, 0, 1}, {11, 11, 12}}},
        {"one of two hours",
         {march_ms, 1, hourly, false, {0}, 3, uneven},
         {0, 48, 3, {0, 0, 1}, {2, 3, 4}}},
        {"a gap",
         {march_ms, 1, hourly, false, {0}, 2, gap},
         {0, 48, 2, {0, 0, 1}, {1, 6, 7}}},
        {"nothing in the gap",
         {march_ms, 1, hourly, false, {0}, 2, gap},
         {1, 6, 0, {0, 0, 0}, {0, 0, 0}}},
        {"an overlap gives both",
         {march_ms, 1, hourly, false, {0}, 2, overlap},
         {2, 3, 2, {0, 0, 4}, {1, 2, 3}}},
        {"no interval",
         {march_ms, 1, hourly, true, ever, 0, NULL},
         {0, 48, 0, {0, 0, 0}, {0, 0, 0}}},
        {"the end is not part of it",
         {march_ms, 1, hourly, false, {0}, 1, day},
         {1, 2, 0, {0, 0, 0}, {0, 0, 0}}},
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void check_open_ended(struct dr_period day[24])
{
    const struct dr_period now_ever = {
        .start_ms = DR_NO_START, .timed = true, .duration = {.forever = true}};
    const struct dr_period none_at_all = {.start_ms = DR_NO_START,
                                          .timed = true};
    const struct row rows[] = {
        {"do it now, for ever",
         {march_ms, 1, now_ever, false, {0}, 1, day},
         {100, 101, 1, {0, 0, DR_FOREVER_MS}, {0, 0, DR_FOREVER_MS}}},
        {"now, without any period: open-ended",
         {march_ms, 1, plain, false, {0}, 1, day},
         {0, 1, 1, {0, 0, DR_FOREVER_MS}, {0, 0, DR_FOREVER_MS}}},
        {"open-ended, cut by the event's duration",
         {march_ms, 1, plain, true, hours(3), 1, day},
         {0, 9, 1, {0, 0, 3}, {0, 0, 3}}},
        {"behind an open-ended one nothing comes",
         {march_ms, 1, now_ever, false, {0}, 3, day},
         {0, 9000, 1, {0, 0, DR_FOREVER_MS}, {0, 0, DR_FOREVER_MS}}},
        {"cancelled: 0001-01-01 and PT0S",
         {march_ms, 1, none_at_all, false, {0}, 1, day},
         {-9000, 9000, 0, {0, 0, 0}, {0, 0, 0}}},
    };
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void the_guides_cases_hold(void **state)
{
    (void)state;
    struct dr_period day[24];
    for (int i = 0; i < 24; i++) {
        day[i] = plain;
    }
    check_lists(day);
    check_open_ended(day);
}

/* Contiguous intervals shift together, by no more than is allowed, and the
 * same again after a restart. */
static void a_random_start_shifts_the_chain(void **state)
{
    (void)state;
    struct dr_period list[3] = {plain, plain, plain};
    struct dr_timing t = {.now_ms = march_ms,
                          .whole = {march_ms, true, {.ms = HOUR}, 600000},
                          .n = 3,
                          .intervals = list};
    int64_t least = 0;
    int64_t most = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        t.seed = seed;
        struct dr_span a[3];
        struct dr_span b[3];
        assert_int_equal(
            dr_timing_spans(&t, march_ms - HOUR, march_ms + 9 * HOUR, a, 3), 3);
        assert_int_equal(
            dr_timing_spans(&t, march_ms - HOUR, march_ms + 8 * HOUR, b, 3), 3);
        assert_memory_equal(a, b, sizeof(a));
        int64_t shift_ms = a[0].start_ms - march_ms;
        assert_true(shift_ms >= -600000 && shift_ms <= 600000);
        assert_int_equal(a[1].start_ms, a[0].end_ms);
        assert_int_equal(a[2].end_ms, march_ms + 3 * HOUR + shift_ms);
        struct dr_span life;
        assert_true(dr_timing_life(&t, &life));
        assert_int_equal(life.start_ms, a[0].start_ms);
        assert_int_equal(life.end_ms, a[2].end_ms);
        least = shift_ms < least ? shift_ms : least;
        most = shift_ms > most ? shift_ms : most;
    }
    assert_true(least < -500000 && most > 500000);
    /* a start of its own moves by the same, unless it draws anew */
    list[2].start_ms = march_ms + 5 * HOUR;
    struct dr_span a[3];
    dr_timing_spans(&t, march_ms - HOUR, march_ms + 9 * HOUR, a, 3);
    assert_int_equal(a[2].start_ms - list[2].start_ms,
                     a[0].start_ms - march_ms);
    list[2].random_ms = 1000;
    dr_timing_spans(&t, march_ms - HOUR, march_ms + 9 * HOUR, a, 3);
    int64_t own_ms = a[2].start_ms - list[2].start_ms;
    assert_true(own_ms >= -1000 && own_ms <= 1000);
}

static void several_values_divide_an_interval(void **state)
{
    (void)state;
    struct dr_span s = {0, march_ms, march_ms + 10};
    int64_t at_ms = march_ms;
    for (int k = 0; k < 3; k++) {
        struct dr_span p = dr_span_part(&s, k, 3);
        assert_int_equal(p.start_ms, at_ms);
        at_ms = p.end_ms;
    }
    assert_int_equal(at_ms, s.end_ms);
    s.end_ms = DR_FOREVER_MS;
    assert_int_equal(dr_span_part(&s, 0, 3).end_ms, DR_FOREVER_MS);
    struct dr_span rest = dr_span_part(&s, 1, 3);
    assert_int_equal(rest.end_ms, rest.start_ms);
}

/* One pass of the list, laid out by the letter of the rules. */
static int64_t lay_out(const struct dr_timing *t, struct dr_span *out)
{
    int64_t at_ms = t->whole.start_ms;
    for (int64_t i = 0; i < t->n; i++) {
        const struct dr_period *p = &t->intervals[i];
        at_ms = p->start_ms != DR_NO_START ? p->start_ms : at_ms;
        int64_t ms = p->timed ? p->duration.ms : t->whole.duration.ms;
        out[i] = (struct dr_span){i, at_ms, at_ms + ms};
        at_ms += ms;
    }
    return t->n;
}

/* How many spans hold at 'ms', by looking at every repeat. */
static int64_t count_at(const struct dr_timing *t, int64_t ms)
{
    struct dr_span list[8];
    int64_t n = lay_out(t, list);
    int64_t first_ms = INT64_MAX;
    int64_t last_ms = 0;
    for (int64_t i = 0; i < n; i++) {
        first_ms = list[i].start_ms < first_ms ? list[i].start_ms : first_ms;
        last_ms = list[i].end_ms > last_ms ? list[i].end_ms : last_ms;
    }
    if (last_ms <= first_ms) {
        return 0;
    }
    int64_t end_ms = t->lasts ? first_ms + t->life.ms : last_ms;
    int64_t count = 0;
    for (int64_t by = 0; first_ms + by < end_ms; by += last_ms - first_ms) {
        for (int64_t i = 0; i < n; i++) {
            count += ms >= list[i].start_ms + by && ms < end_ms &&
                     ms < list[i].end_ms + by;
        }
    }
    return count;
}

static struct dr_timing draw(uint64_t *r, struct dr_period list[8])
{
    struct dr_timing t = {.now_ms = march_ms, .seed = 1, .intervals = list};
    t.whole = (struct dr_period){march_ms, true, {.ms = HOUR}, 0};
    t.n = 1 + (int64_t)random_draw(r, 0.0, 7.99);
    for (int64_t i = 0; i < t.n; i++) {
        list[i] = plain;
        if (random_draw(r, 0.0, 1.0) < 0.3) {
            int64_t h = (int64_t)random_draw(r, 0.0, 12.0);
            list[i].start_ms = march_ms + h * HOUR;
        }
        if (random_draw(r, 0.0, 1.0) < 0.4) {
            list[i].timed = true;
            list[i].duration = hours((int64_t)random_draw(r, 0.0, 5.0));
        }
    }
    if (random_draw(r, 0.0, 1.0) < 0.6) {
        t.lasts = true;
        t.life = hours(1 + (int64_t)random_draw(r, 0.0, 60.0));
    }
    return t;
}

static void random_lists_agree_with_every_repeat_looked_at(void **state)
{
    (void)state;
    const uint64_t seed = 20251121;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t r = random_seed(seed);
    int64_t held = 0;
    for (int round = 0; round < 4000; round++) {
        struct dr_period list[8];
        struct dr_timing t = draw(&r, list);
        int64_t at_ms =
            march_ms + (int64_t)random_draw(&r, -5.0, 80.0) * HOUR + HOUR / 2;
        struct dr_span out[64];
        int64_t n = dr_timing_spans(&t, at_ms, at_ms + 1, out, 64);
        int64_t want = count_at(&t, at_ms);
        held += want;
        if (n != want) {
            fail_msg("round %d: %lld spans, %lld by the slow way", round,
                     (long long)n, (long long)want);
        }
        for (int64_t i = 0; i < n; i++) {
            assert_true(out[i].start_ms <= at_ms && out[i].end_ms > at_ms);
        }
    }
    assert_true(held > 500);
}

/* More than fits is counted as more, and nothing is written behind the end. */
static void too_many_are_cut_and_told(void **state)
{
    (void)state;
    const struct dr_period list[1] = {plain};
    struct dr_timing t = {.now_ms = march_ms,
                          .seed = 1,
                          .whole = {march_ms, true, {.ms = 1}, 0},
                          .lasts = true,
                          .life = {.forever = true},
                          .n = 1,
                          .intervals = list};
    struct dr_span out[5] = {{0}};
    out[4].interval = 77;
    int64_t n = dr_timing_spans(&t, march_ms, march_ms + 48 * HOUR, out, 4);
    assert_true(n > 4);
    assert_int_equal(out[4].interval, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guides_cases_hold),
        cmocka_unit_test(a_random_start_shifts_the_chain),
        cmocka_unit_test(several_values_divide_an_interval),
        cmocka_unit_test(random_lists_agree_with_every_repeat_looked_at),
        cmocka_unit_test(too_many_are_cut_and_told),
    };
    return cmocka_run_group_tests_name("dr_timing", tests, NULL, NULL);
}
