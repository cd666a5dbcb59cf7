/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/historian: what it keeps is right, what it may forget
 * goes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/historian.h"
#include "controller/history_ring.h"
#include "controller/history_rows.h"
#include "controller/recording.h"
#include "tests/controller/historian_fixture.h"
#include "tests/controller/history_sample.h"

static void set_grid(struct sample_tick *t, double grid_w, double ramp)
{
    t->out->record.grid_w = grid_w;
    t->out->record.ramp_w_per_s = ramp;
    t->out->record.degraded = grid_w > 25e6;
    t->out->record.soc_pu = grid_w / 100e6;
}

static void test_aggregates(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    /* 10, 20, 30 MW in the second; a quarter of a second each but the last */
    const double grid_w[] = {10e6, 20e6, 30e6};
    const double ramp[] = {1e3, -5e3, 2e3};
    for (int i = 0; i < 3; i++) {
        t.in->tick++;
        t.in->utc_ms = t.out->record.utc_ms = start_ms + 250 * i;
        t.in->mono_ms += 250;
        t.in->batteries[0].power_w =
            i == 1 ? (struct reading){5.0, t.in->mono_ms, QUALITY_BAD}
                   : reading_good(2e6 * i, t.in->mono_ms);
        t.in->batteries[0].alarms = 1 << i;
        t.out->batteries[0].set_w = 1e6 * i;
        set_grid(&t, grid_w[i], ramp[i]);
        push(h, &t);
    }
    historian_close(h);
    sample_close(&t);
    const struct {
        const char *sql;
        double want;
    } rows[] = {
        {"SELECT count(*) FROM second", 1},
        {"SELECT at_ms FROM second", (double)start_ms},
        {"SELECT n_ticks FROM second", 3},
        {"SELECT grid_mean_w FROM second", 20e6},
        {"SELECT grid_min_w FROM second", 10e6},
        {"SELECT grid_max_w FROM second", 30e6},
        {"SELECT ramp_max_w_per_s FROM second", -5e3},
        {"SELECT soc_pu FROM second", 0.3},
        {"SELECT degraded FROM second", 1},
        {"SELECT count(*) FROM battery_second", 2},
        {"SELECT power_w FROM battery_second JOIN battery ON id=battery_id"
         " WHERE name='bess1'",
         2e6},
        {"SELECT set_w FROM battery_second JOIN battery ON id=battery_id"
         " WHERE name='bess1'",
         2e6},
        {"SELECT max(alarms) FROM battery_second", 7},
        {"SELECT count(*) FROM battery_second WHERE power_w IS NULL", 1},
        {"SELECT count(*) FROM battery_second WHERE soc_pu IS NULL", 2},
        {"SELECT count(*) FROM meta WHERE key='site_text' AND"
         " value LIKE 'site:%'",
         1},
        {"SELECT count(*) FROM event WHERE text LIKE 'begun%'", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double got = ask(f->db, rows[i].sql);
        if (fabs(got - rows[i].want) > 1e-9 * fabs(rows[i].want)) {
            fail_msg("%s: %g, want %g", rows[i].sql, got, rows[i].want);
        }
    }
}

static void test_means_of_random_seconds(void **state)
{
    const struct fixture *f = *state;
    enum { TICKS = 500 };
    uint64_t seed = 11;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    double sum_w = 0.0;
    double max_w = 0.0;
    for (int i = 0; i < TICKS; i++) {
        sample_next(&t, f->site, &seed);
        sum_w += t.out->record.grid_w;
        max_w = fmax(max_w, t.out->record.grid_w);
        push(h, &t);
    }
    historian_close(h);
    sample_close(&t);
    assert_true(ask(f->db, "SELECT sum(n_ticks) FROM second") == TICKS);
    assert_true(ask(f->db, "SELECT max(grid_max_w) FROM second") == max_w);
    double mean_w =
        ask(f->db, "SELECT sum(grid_mean_w*n_ticks)/sum(n_ticks) FROM second");
    assert_true(fabs(mean_w - sum_w / TICKS) < 1e-9 * sum_w);
    assert_true(ask(f->db, "SELECT count(*) FROM second WHERE grid_min_w >"
                           " grid_mean_w OR grid_mean_w > grid_max_w") == 0);
}

/* Push a tick at 'ms' whose reasons are 'codes', 0-terminated. */
static void push_reasons(struct historian *h, struct sample_tick *t, int64_t ms,
                         const int *codes)
{
    struct tick_record *r = &t->out->record;
    t->in->tick++;
    r->tick = t->in->tick;
    t->in->utc_ms = r->utc_ms = start_ms + ms;
    t->in->mono_ms = 1000 + ms;
    r->n_why = 0;
    memset(r->why, 0, sizeof(r->why));
    for (; *codes != 0; codes++) {
        r->why[r->n_why++] = (struct reason_line){
            .code = *codes, .value = 3e6, .limit = 5e6, .need = NAN};
    }
    push(h, t);
}

static void test_decisions(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    static const int hold[] = {REASON_HOLD, 0};
    static const int import[] = {REASON_IMPORT, REASON_SHED, REASON_HOLD, 0};
    static const int other_order[] = {REASON_IMPORT, REASON_HOLD, REASON_SHED,
                                      0};
    static const int none[] = {0};
    push_reasons(h, &t, 0, hold);
    push_reasons(h, &t, 100, hold);
    push_reasons(h, &t, 200, import);
    push_reasons(h, &t, 300, other_order);
    push_reasons(h, &t, 400, none);
    historian_close(h);
    sample_close(&t);
    assert_true(ask(f->db, "SELECT count(DISTINCT at_ms) FROM decision") == 3);
    assert_true(ask(f->db, "SELECT count(*) FROM decision") == 5);
    assert_true(ask(f->db, "SELECT count(*) FROM decision WHERE tick=3 AND "
                           "line=0 AND code='import' AND text LIKE 'grid held "
                           "at its import limit of 5.00 MW: %'") == 1);
    assert_true(ask(f->db, "SELECT limit_value FROM decision WHERE tick=3 AND "
                           "line=2") == 5e6);
    assert_true(isnan(ask(f->db, "SELECT need FROM decision WHERE tick=3")));
    assert_true(ask(f->db, "SELECT count(*) FROM decision WHERE tick=5 AND "
                           "code='none'") == 1);
}

/* One reason for a minute, its number rising by 1 MW a second: kept again with
 * the number it has now, but not more often than every ten seconds. */
static void test_decisions_are_said_again(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    for (int i = 0; i < 600; i++) {
        struct tick_record *r = &t.out->record;
        r->tick = ++t.in->tick;
        t.in->utc_ms = r->utc_ms = start_ms + 100 * i;
        r->n_why = 1;
        r->why[0] = (struct reason_line){
            .code = REASON_HOLD,
            /* then it stays within what a person calls the same */
            .value = i < 300 ? 10e6 + 1e5 * i : 40e6 + 1e5 * (i % 10)};
        push(h, &t);
    }
    historian_close(h);
    sample_close(&t);
    assert_true(ask(f->db, "SELECT count(*) FROM decision") == 4);
    assert_true(ask(f->db, "SELECT sum(value) FROM decision") ==
                10e6 + 20e6 + 30e6 + 40e6);
    assert_true(ask(f->db, "SELECT sum(n_suppressed) FROM decision") == 0);
}

static void test_decisions_are_limited(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    static const int a[] = {REASON_HOLD, 0};
    static const int b[] = {REASON_SHED, 0};
    /* ten changes in one second, then it stays as it is: a */
    for (int i = 0; i < 10; i++) {
        push_reasons(h, &t, 100 * i, i % 2 == 0 ? b : a);
    }
    push_reasons(h, &t, 1000, a);
    push_reasons(h, &t, 1100, b);
    push_reasons(h, &t, 1200, b);
    historian_close(h);
    sample_close(&t);
    assert_true(ask(f->db, "SELECT count(*) FROM decision WHERE at_ms<"
                           "1790000001000") == DECISIONS_PER_SECOND);
    /* the fourth kept was a; six changes later it is a again, which is no
     * news, and then b is */
    assert_true(ask(f->db, "SELECT count(*) FROM decision WHERE at_ms>="
                           "1790000001000") == 1);
    assert_true(ask(f->db, "SELECT n_suppressed FROM decision WHERE tick=12") ==
                6);
}

static void test_events_are_committed_at_once(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, NULL);
    historian_event(h, start_ms, "alarm", "bess1", "it's \"hot\"; DROP TABLE");
    assert_true(historian_sync(h, 5.0));
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE asset='bess1' AND "
                           "text='it''s \"hot\"; DROP TABLE'") == 1);
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    historian_event(h, start_ms, text, text, text);
    assert_true(historian_sync(h, 5.0));
    assert_true(
        ask(f->db, "SELECT count(*) FROM event WHERE kind LIKE 'xx%'") == 1);
    historian_close(h);
}

static void test_what_is_too_old_goes(void **state)
{
    const struct fixture *f = *state;
    f->site->history.keep_s = 60.0;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    static const int a[] = {REASON_HOLD, 0};
    static const int b[] = {REASON_SHED, 0};
    for (int i = 0; i < 600; i++) {
        push_reasons(h, &t, 1000 * i, i % 2 == 0 ? a : b);
        if (i % 20 == 19) {
            historian_event(h, t.in->utc_ms, "note", "", "twenty more");
            assert_true(historian_sync(h, 5.0));
        }
    }
    historian_close(h);
    sample_close(&t);
    const char *const tables[] = {"second", "battery_second", "decision",
                                  "event"};
    for (size_t i = 0; i < 4; i++) {
        char sql[100];
        snprintf(sql, sizeof(sql), "SELECT min(at_ms)-%lld FROM %s",
                 (long long)start_ms, tables[i]);
        double oldest_ms = ask(f->db, sql);
        /* nothing younger than 60 s went, and what is older soon does */
        if (!(oldest_ms <= 540e3 && oldest_ms >= 500e3)) {
            fail_msg("%s: oldest is of %g ms", tables[i], oldest_ms);
        }
    }
}

static void test_a_gap_ends_the_recording_and_says_why(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, f->rec);
    struct sample_tick t;
    uint64_t seed = 13;
    sample_open(&t, f->site);
    int n = 0;
    do {
        sample_next(&t, f->site, &seed);
        t.in->dt_s = 0.1;
    } while (historian_push(h, t.in, &t.plan, t.out) && ++n < 1000000);
    sample_next(&t, f->site, &seed);
    push(h, &t);
    historian_close(h);
    sample_close(&t);
    assert_true(n < 1000000);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text LIKE 'the "
                           "recording ends near tick %: its queue of % ticks "
                           "was full; % MB/s, % cars:% faster disk do'") == 1);
}

static void test_full_ring_drops_and_counts(void **state)
{
    const struct fixture *f = *state;
    struct history_ring ring;
    struct sample_tick t;
    uint64_t seed = 12;
    assert_int_equal(history_ring_init(&ring, f->site), ERR_NONE);
    sample_open(&t, f->site);
    size_t n = 0;
    do {
        sample_next(&t, f->site, &seed);
        n++;
    } while (history_ring_push(&ring, t.in, &t.plan, t.out) && n < 100000);
    assert_int_equal(n, ring.n_slots + 1);
    assert_false(history_ring_push(&ring, t.in, &t.plan, t.out));
    assert_int_equal(atomic_load(&ring.n_dropped), 2);
    struct history_tick tick;
    assert_int_equal(history_tick_init(&tick, &ring), ERR_NONE);
    for (size_t i = 1; i < n; i++) {
        assert_true(history_ring_pop(&ring, &tick));
        assert_int_equal(tick.in->tick, i);
        assert_false(tick.gap);
    }
    assert_false(history_ring_pop(&ring, &tick));
    /* the plan changed in the dropped tick as well: it is not lost */
    t.plan.from_tick = 99;
    assert_true(history_ring_push(&ring, t.in, &t.plan, t.out));
    assert_true(history_ring_pop(&ring, &tick));
    assert_true(tick.gap);
    assert_int_equal(tick.plan.from_tick, 99);
    assert_memory_equal(&tick.plan, &t.plan, sizeof(t.plan));
    assert_memory_equal(tick.out, t.out, step_out_size(f->site->n_nodes));
    assert_memory_equal(tick.in, t.in, snapshot_size(f->site->n_nodes));
    history_tick_clear(&tick);
    history_ring_clear(&ring);
    sample_close(&t);
}

static void test_recording_is_written(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, f->rec);
    struct sample_tick t;
    uint64_t seed = 13;
    sample_open(&t, f->site);
    for (int i = 0; i < 300; i++) {
        sample_next(&t, f->site, &seed);
        push(h, &t);
    }
    historian_close(h);
    struct recording *r = NULL;
    char why[200] = "";
    assert_int_equal(recording_open(f->rec, &r, why, sizeof(why)), ERR_NONE);
    assert_int_equal(recording_start(r, f->site), ERR_NONE);
    const struct snapshot *in = NULL;
    const struct plan *plan = NULL;
    const struct step_out *out = NULL;
    enum recording_next next = RECORDING_TICK;
    while (next == RECORDING_TICK) {
        next = recording_next(r, &in, &plan, &out, why, sizeof(why));
    }
    /* one more than was pushed without waiting would be a gap */
    assert_int_equal(next, RECORDING_END);
    assert_int_equal(recording_ticks(r), 300);
    assert_memory_equal(in, t.in, snapshot_size(f->site->n_nodes));
    recording_close(r);
    sample_close(&t);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_aggregates),
        CASE(test_means_of_random_seconds),
        CASE(test_decisions),
        CASE(test_decisions_are_said_again),
        CASE(test_decisions_are_limited),
        CASE(test_events_are_committed_at_once),
        CASE(test_what_is_too_old_goes),
        CASE(test_a_gap_ends_the_recording_and_says_why),
        CASE(test_full_ring_drops_and_counts),
        CASE(test_recording_is_written),
    };
    return cmocka_run_group_tests_name("historian", tests, NULL, NULL);
}
