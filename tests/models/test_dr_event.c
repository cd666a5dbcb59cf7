/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/dr_event: who wins, alerts, and random events against a
 * look at each instant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/dr_event.h"
#include "models/random.h"

enum { MINUTE = 60000, ROWS = 600 };

/* One event of one interval about one subject. */
struct simple {
    struct dr_event event;
    struct dr_period period;
    struct dr_payload payload;
    double value;
};

static void make(struct simple *s, const char *id, enum dr_subject subject,
                 double value)
{
    memset(s, 0, sizeof(*s));
    snprintf(s->event.id, sizeof(s->event.id), "%s", id);
    s->event.priority = DR_NO_PRIORITY;
    s->event.modified_ms = 1;
    s->period = (struct dr_period){
        .start_ms = 0, .timed = true, .duration = {.ms = 10 * MINUTE}};
    s->payload = (struct dr_payload){(int64_t)subject, 0, 0, 1};
    s->value = value;
    s->event.timing = (struct dr_timing){.seed = 1,
                                         .whole = {.start_ms = DR_NO_START},
                                         .n = 1,
                                         .intervals = &s->period};
    s->event.n_payloads = 1;
    s->event.payloads = &s->payload;
    s->event.n_values = 1;
    s->event.values = &s->value;
}

static struct dr_row rows[ROWS];
static struct dr_row scratch[ROWS];

static struct dr_rows resolve(const struct dr_event *const *events, int64_t n)
{
    struct dr_rows r = {.rows = rows, .max = ROWS, .scratch = scratch};
    dr_rows_make(&r, events, n, (struct dr_window){0, 600 * MINUTE});
    return r;
}

static void check_row(const struct dr_row *row, const double want[3])
{
    assert_true(row->start_ms == (int64_t)want[0] * MINUTE);
    assert_true(row->end_ms == (int64_t)want[1] * MINUTE);
    assert_true(row->value >= want[2] && row->value <= want[2]);
}

static void the_lower_number_wins_while_it_holds(void **state)
{
    (void)state;
    struct simple a;
    struct simple b;
    make(&a, "a", DR_IMPORT_MAX, 8e6);
    make(&b, "b", DR_IMPORT_MAX, 9e6);
    a.event.priority = 5;
    b.event.priority = 0;
    b.period.start_ms = 4 * MINUTE;
    b.period.duration.ms = 3 * MINUTE;
    const struct dr_event *events[] = {&a.event, &b.event};
    struct dr_rows r = resolve(events, 2);
    assert_int_equal(r.n, 3);
    check_row(&r.rows[0], (double[]){0, 4, 8e6});
    check_row(&r.rows[1], (double[]){4, 7, 9e6});
    check_row(&r.rows[2], (double[]){7, 10, 8e6});
    const struct dr_row *row = dr_rows_at(&r, DR_IMPORT_MAX, 5 * MINUTE);
    assert_non_null(row);
    assert_int_equal(row->event, 1);
    assert_null(dr_rows_at(&r, DR_IMPORT_MAX, 10 * MINUTE));
    assert_null(dr_rows_at(&r, DR_EXPORT_MAX, 5 * MINUTE));
}

static void ties_go_to_the_newest_then_to_the_greater_id(void **state)
{
    (void)state;
    struct simple a;
    struct simple b;
    make(&a, "a", DR_IMPORT_MAX, 8e6);
    make(&b, "b", DR_IMPORT_MAX, 9e6);
    const struct dr_event *events[] = {&a.event, &b.event};
    struct dr_rows r = resolve(events, 2);
    assert_int_equal(r.n, 1);
    check_row(&r.rows[0], (double[]){0, 10, 9e6});
    a.event.modified_ms = 2;
    r = resolve(events, 2);
    check_row(&r.rows[0], (double[]){0, 10, 8e6});
    b.event.priority = 1000000; /* any number is before none */
    r = resolve(events, 2);
    check_row(&r.rows[0], (double[]){0, 10, 9e6});
}

static const struct {
    enum dr_subject subject;
    int64_t second_min; /* start of the second interval */
    bool open;          /* the first has no end */
    double first;
    double second;
    double want[3][3]; /* rows; all 0: none */
    bool contradicts;
} contradictions[] = {
    {DR_IMPORT_MAX, 4, false, 8e6, 9e6, {{0, 10, 8e6}, {10, 14, 9e6}}, true},
    {DR_IMPORT_MAX, 4, false, 9e6, 8e6, {{0, 4, 9e6}, {4, 14, 8e6}}, true},
    {DR_EXPORT_MAX, 0, false, 2e6, 1e6, {{0, 10, 1e6}}, true},
    {DR_SHED_LEVEL, 4, false, 2.0, 1.0, {{0, 10, 2.0}, {10, 14, 1.0}}, true},
    {DR_PRICE, 4, false, 0.1, 0.2, {{0, 4, 0.1}, {4, 14, 0.2}}, true},
    {DR_IMPORT_MAX, 4, true, 8e6, 9e6, {{0, 4, 8e6}, {4, 14, 9e6}}, false},
    {DR_IMPORT_MAX, 10, false, 8e6, 9e6, {{0, 10, 8e6}, {10, 20, 9e6}}, false},
};

/* Two intervals about one subject: of the event that contradicts itself the
 * stricter limit holds, of anything else what begins later, and one that is
 * open-ended ends where the next begins. */
static void a_contradiction_loosens_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]);
         i++) {
        struct simple s;
        make(&s, "a", contradictions[i].subject, 0.0);
        struct dr_period periods[2] = {s.period, s.period};
        struct dr_payload payloads[2] = {s.payload, s.payload};
        double values[2] = {contradictions[i].first, contradictions[i].second};
        periods[0].duration.forever = contradictions[i].open;
        periods[1].start_ms = contradictions[i].second_min * MINUTE;
        payloads[1].interval = 1;
        payloads[1].first = 1;
        s.event.timing.n = 2;
        s.event.timing.intervals = periods;
        s.event.n_payloads = 2;
        s.event.payloads = payloads;
        s.event.values = values;
        const struct dr_event *events[] = {&s.event};
        struct dr_rows r = resolve(events, 1);
        assert_int_equal(dr_timing_overlaps(&s.event.timing),
                         contradictions[i].contradicts);
        for (int64_t k = 0; k < 3 && contradictions[i].want[k][1] > 0.0; k++) {
            assert_true(k < r.n);
            check_row(&r.rows[k], contradictions[i].want[k]);
        }
    }
}

/* A listing that shifted under its pages may bring an event twice. */
static void the_same_event_twice_loosens_nothing(void **state)
{
    (void)state;
    struct simple a;
    struct simple b;
    make(&a, "a", DR_IMPORT_MAX, 8e6);
    make(&b, "a", DR_IMPORT_MAX, 9e6);
    const struct dr_event *both[] = {&a.event, &b.event};
    const struct dr_event *turned[] = {&b.event, &a.event};
    struct dr_rows r = resolve(both, 2);
    assert_int_equal(r.n, 1);
    check_row(&r.rows[0], (double[]){0, 10, 8e6});
    r = resolve(turned, 2);
    check_row(&r.rows[0], (double[]){0, 10, 8e6});
}

static void alerts_do_not_compete(void **state)
{
    (void)state;
    struct simple a;
    struct simple b;
    make(&a, "a", DR_EMERGENCY, 1.0);
    make(&b, "b", DR_EMERGENCY, 1.0);
    const struct dr_event *events[] = {&a.event, &b.event};
    assert_int_equal(resolve(events, 2).n, 2);
}

static void a_fault_is_not_acted_on(void **state)
{
    (void)state;
    struct simple a;
    make(&a, "a", DR_IMPORT_MAX, 8e6);
    snprintf(a.event.fault, sizeof(a.event.fault), "absurd");
    const struct dr_event *events[] = {&a.event};
    assert_int_equal(resolve(events, 1).n, 0);
}

static void a_full_table_says_so(void **state)
{
    (void)state;
    struct simple a;
    make(&a, "a", DR_PRICE, 0.1);
    a.event.timing.lasts = true;
    a.event.timing.life.forever = true;
    double values[2] = {0.1, 0.2};
    a.event.values = values;
    a.event.n_values = 2;
    a.payload.n = 2;
    const struct dr_event *events[] = {&a.event};
    struct dr_rows r = {.rows = rows, .max = 20, .scratch = scratch};
    rows[20].subject = 77;
    dr_rows_make(&r, events, 1, (struct dr_window){0, 600 * MINUTE});
    assert_true(r.full);
    assert_int_equal(r.n, 20);
    assert_int_equal(rows[20].subject, 77);
    r.max = ROWS;
    dr_rows_make(&r, events, 1, (struct dr_window){0, 600 * MINUTE});
    assert_false(r.full);
    assert_int_equal(r.n, 120);
    check_row(&r.rows[119], (double[]){595, 600, 0.2});
}

/* The best of those that hold, by looking at each. */
static const struct simple *best_at(const struct simple *all, int n, int64_t ms)
{
    const struct simple *best = NULL;
    for (int i = 0; i < n; i++) {
        const struct simple *s = &all[i];
        bool holds = s->period.start_ms <= ms &&
                     ms < s->period.start_ms + s->period.duration.ms;
        if (holds &&
            (best == NULL || s->event.priority < best->event.priority)) {
            best = s;
        }
    }
    return best;
}

static void random_events_agree_with_each_instant_looked_at(void **state)
{
    (void)state;
    const uint64_t seed = 71;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t random = random_seed(seed);
    for (int round = 0; round < 300; round++) {
        struct simple all[8];
        const struct dr_event *events[8];
        for (int i = 0; i < 8; i++) {
            char id[8];
            snprintf(id, sizeof(id), "e%d", i);
            make(&all[i], id, DR_IMPORT_MAX, 1e6 * (i + 1));
            all[i].event.priority = (round * 3 + i * 5) % 8; /* all differ */
            all[i].period.start_ms =
                (int64_t)random_draw(&random, 0.0, 60.0) * MINUTE;
            all[i].period.duration.ms =
                (int64_t)random_draw(&random, 0.0, 30.0) * MINUTE;
            events[i] = &all[i].event;
        }
        struct dr_rows r = resolve(events, 8);
        for (int64_t ms = 0; ms < 100 * MINUTE; ms += MINUTE / 2) {
            const struct simple *want = best_at(all, 8, ms);
            const struct dr_row *got = dr_rows_at(&r, DR_IMPORT_MAX, ms);
            assert_true((want == NULL) == (got == NULL));
            if (want != NULL && events[got->event] != &want->event) {
                fail_msg("round %d: at %lld ms another wins", round,
                         (long long)ms);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lower_number_wins_while_it_holds),
        cmocka_unit_test(ties_go_to_the_newest_then_to_the_greater_id),
        cmocka_unit_test(a_contradiction_loosens_nothing),
        cmocka_unit_test(the_same_event_twice_loosens_nothing),
        cmocka_unit_test(alerts_do_not_compete),
        cmocka_unit_test(a_fault_is_not_acted_on),
        cmocka_unit_test(a_full_table_says_so),
        cmocka_unit_test(random_events_agree_with_each_instant_looked_at),
    };
    return cmocka_run_group_tests_name("dr_event", tests, NULL, NULL);
}
