/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/witness and models/edges: edges by height and length,
 * episodes with their cause and reason, minutes that add up to the meter. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/witness.h"

static const int64_t start_ms = INT64_C(1790000000000) / 60000 * 60000;
static const double ramp_w_per_s = 10e6 / 60.0;
static struct witness w;

static struct site_grid grid(void)
{
    return (struct site_grid){
        .import_max_w = 160e6,
        .import_average_s = 60.0,
        .import_trip_w = 176e6,
        .ramp_max_w_per_s = ramp_w_per_s,
        .ramp_average_s = 10.0,
        .swing_max_w = INFINITY,
        .swing_average_s = 2.0,
        .demand_interval_s = 900.0,
    };
}

static struct witness_in tick(int64_t k, double grid_w)
{
    return (struct witness_in){.at_ms = start_ms + 100 * k,
                               .grid_w = grid_w,
                               .load_w = grid_w,
                               .import_max_w = NAN,
                               .metered = 1};
}

static void begin(void)
{
    struct site_grid g = grid();
    witness_init(&w, &g, 0.1);
}

/* Power by the tick, from tick 10 on, back at 100 MW after it. */
static void test_edges_have_height_and_length(void **state)
{
    (void)state;
    static const struct {
        double mw[8]; /* relative to 100 MW */
        int n;
        double height_mw; /* 0: no edge */
        double length_s;
    } cases[] = {
        {{1.5}, 1, 0, 0},                       /* less than 1.67 MW */
        {{35.0}, 1, 35.0, 0.1},                 /* one tick */
        {{-35.0}, 1, -35.0, 0.1},               /* down */
        {{35.0, 12.9, 4.7, 1.6}, 4, 35.0, 0.3}, /* as a battery answers */
        {{5.0, 35.0, 35.0}, 3, 35.0, 0.3},      /* the height is the largest */
        {{1.5, 3.0, 4.5, 6.0}, 4, -6.0, 0}, /* steep, but no edge; its end is */
        {{10.0, -10.0}, 2, 10.0, 0.2},      /* one edge until inside */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct edges e;
        struct site_grid g = grid();
        edges_init(&e, &g, 0.1);
        int ended = 0;
        for (int k = 0; k < 1000; k++) {
            bool in = k >= 10 && k < 10 + cases[i].n;
            ended +=
                edges_push(&e, 100e6 + (in ? cases[i].mw[k - 10] * 1e6 : 0.0));
        }
        assert_int_equal(e.n, cases[i].height_mw != 0.0);
        assert_int_equal(ended, e.n);
        if (e.n > 0 && cases[i].length_s > 0.0) {
            assert_true(fabs(e.top[0].height_w - cases[i].height_mw * 1e6) <
                        1.0);
            assert_true(fabs(e.top[0].length_s - cases[i].length_s) < 1e-9);
            assert_int_equal(e.top[0].tick, 10);
        }
    }
}

/* A step that stays is outside for as long as a lawful ramp would take. */
static void test_a_step_that_stays_lasts_as_the_ramp_would(void **state)
{
    (void)state;
    struct edges e;
    struct site_grid g = grid();
    edges_init(&e, &g, 0.1);
    for (int k = 0; k < 3000; k++) {
        edges_push(&e, k < 10 ? 50e6 : 70e6);
    }
    assert_int_equal(e.n, 1);
    double expected_s = (20e6 - e.least_w) / ramp_w_per_s;
    assert_true(fabs(e.top[0].length_s - expected_s) < 0.11);
    edges_init(&e, &g, 0.1);
    for (int k = 0; k < 8000; k++) {
        edges_push(&e, k < 10 ? 0.0 : 1e9);
    }
    assert_int_equal(e.n, 1); /* and not for ever */
    assert_true(fabs(e.top[0].length_s - EDGE_MAX_S) < 1e-6);
}

static void test_the_highest_edges_and_the_histogram(void **state)
{
    (void)state;
    struct edges e;
    struct site_grid g = grid();
    edges_init(&e, &g, 0.1);
    uint64_t random = random_seed(5);
    double highest[EDGE_TOP] = {0.0};
    enum { EDGES = 200 };
    for (int i = 0; i < EDGES; i++) {
        double height_w = random_draw(&random, 2e6, 90e6);
        edges_push(&e, 100e6);
        edges_push(&e, 100e6 + height_w);
        edges_push(&e, 100e6);
        for (int k = 0; k < EDGE_TOP; k++) {
            if (height_w > highest[k]) {
                double was = highest[k];
                highest[k] = height_w;
                height_w = was;
            }
        }
    }
    assert_int_equal(e.n, EDGES);
    assert_int_equal(e.n_top, EDGE_TOP);
    int64_t n = 0;
    for (int i = 0; i < EDGE_HEIGHTS; i++) {
        for (int k = 0; k < EDGE_LENGTHS; k++) {
            n += e.histogram[i][k];
            assert_true(k == 0 || e.histogram[i][k] == 0);
        }
    }
    assert_int_equal(n, EDGES);
    for (int k = 0; k < EDGE_TOP; k++) {
        assert_true(fabs(e.top[k].height_w - highest[k]) < 1.0);
    }
}

/* Events of 'kind' in all, and the last of them. */
static int drain(int64_t kind, struct witness_event *last)
{
    struct witness_event e;
    int n = 0;
    while (witness_take(&w, &e)) {
        if (e.kind == kind) {
            n++;
            *last = e;
        }
    }
    return n;
}

static void test_a_violation_has_begin_worst_end_and_reason(void **state)
{
    (void)state;
    begin();
    struct witness_event e = {0};
    int begins = 0;
    int ends = 0;
    int64_t first = 0;
    for (int64_t k = 0; k < 2000; k++) {
        struct witness_in in = tick(k, k < 500 ? 50e6 : 60e6);
        in.why.code = k < 520 ? REASON_RAMP : REASON_HOLD;
        witness_push(&w, &in);
        struct witness_event each;
        while (witness_take(&w, &each)) {
            begins += each.kind == WITNESS_BEGIN;
            first = each.kind == WITNESS_BEGIN ? k : first;
            if (each.kind == WITNESS_END) {
                ends++;
                e = each;
            }
        }
    }
    assert_int_equal(begins, 1);
    assert_int_equal(ends, 1);
    assert_true(first >= 500 && first < 520);
    struct compliance_result r = compliance_result(&w.with);
    assert_int_equal(e.episode.rule, COMPLIANCE_RULE_RAMP);
    assert_int_equal(e.episode.cause, COMPLIANCE_NONE);
    assert_int_equal(e.episode.ticks, r.ramp_violations);
    assert_int_equal(e.episode.why.code, REASON_RAMP);
    assert_true(fabs(e.episode.value - r.ramp_max_w_per_s) < 1.0);
    assert_true(e.episode.limit == ramp_w_per_s);
    assert_int_equal(e.episode.from_ms, start_ms + 100 * first);
    struct witness_report report;
    witness_report(&w, &report);
    assert_int_equal(report.recovery[COMPLIANCE_RULE_RAMP].n, 1);
    assert_true(fabs(report.recovery[COMPLIANCE_RULE_RAMP].max_s -
                     (double)(e.episode.to_ms - e.episode.from_ms) / 1e3) <
                1e-9);
    assert_int_equal(report.n_recent, 1);
}

static void test_a_forced_one_is_told_apart(void **state)
{
    (void)state;
    begin();
    struct witness_event e = {0};
    for (int64_t k = 0; k < 1500; k++) {
        struct witness_in in = tick(k, k < 500 ? 60e6 : 50e6);
        in.forced = k >= 500 ? COMPLIANCE_EMERGENCY : COMPLIANCE_NONE;
        in.import_max_w = k < 500 ? 160e6 : 50e6;
        if (k >= 500) {
            snprintf(in.limit_id, sizeof(in.limit_id), "e1");
        }
        witness_push(&w, &in);
        if (k == 500) {
            assert_int_equal(drain(WITNESS_LIMIT, &e), 1);
            assert_true(e.old_w == 160e6 && e.new_w == 50e6);
            assert_string_equal(e.limit_id, "e1");
        }
    }
    assert_int_equal(drain(WITNESS_END, &e), 1);
    assert_int_equal(e.episode.cause, COMPLIANCE_EMERGENCY);
    struct compliance_result r = compliance_result(&w.with);
    assert_int_equal(r.ramp_violations, 0);
    assert_int_equal(r.exempt, e.episode.ticks);
}

static void test_what_is_not_seen_is_not_judged(void **state)
{
    (void)state;
    for (int blind = 5; blind <= 600; blind += 595) {
        begin();
        struct witness_event e = {0};
        for (int64_t k = 0; k < 20; k++) {
            struct witness_in in = tick(k, NAN);
            witness_push(&w, &in);
        }
        assert_int_equal(w.ticks, 0); /* nothing before the first */
        for (int64_t k = 20; k < 3000; k++) {
            bool seen = k < 500 || k >= 500 + blind;
            struct witness_in in = tick(k, !seen     ? (double)NAN
                                           : k < 500 ? 50e6
                                                     : 70e6);
            witness_push(&w, &in);
        }
        int begins = drain(WITNESS_BEGIN, &e);
        /* half a second is bridged, a minute is not */
        assert_int_equal(begins, blind == 5);
        assert_int_equal(w.n_missed, blind);
        assert_int_equal(w.edges.n, blind == 5);
    }
}

/* Any walk, with late ticks: the minutes add up to what the meter says, and
 * the episodes to the violations. */
static void test_minutes_and_episodes_add_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        begin();
        uint64_t random = random_seed(seed);
        double grid_w = 100e6;
        double wh = 0.0;
        double pp60_w = 0.0;
        int64_t ticks = 0, ramp = 0, episodes = 0, edges = 0;
        struct witness_event e;
        int64_t n = 6000;
        for (int64_t k = 0; k <= n; k++) {
            double step_w = random_draw(&random, -1e6, 1e6);
            bool jump = random_draw(&random, 0.0, 1.0) < 0.002;
            grid_w += jump ? 15.0 * step_w : step_w * 0.1;
            struct witness_in in = tick(k, grid_w);
            in.missed = random_draw(&random, 0.0, 1.0) < 0.01 ? 2 : 0;
            k += in.missed;
            in.at_ms = start_ms + 100 * k;
            witness_push(&w, &in);
            if (k >= n) {
                witness_finish(&w);
            }
            while (witness_take(&w, &e)) {
                if (e.kind == WITNESS_MINUTE) {
                    wh += e.minute.import_wh - e.minute.export_wh;
                    ticks += e.minute.n_ticks;
                    ramp += e.minute.broken[COMPLIANCE_RULE_RAMP];
                    edges += e.minute.n_edges;
                    pp60_w = fmax(pp60_w, e.minute.pp60_w);
                    assert_int_equal((e.minute.from_ms - start_ms) % 100, 0);
                } else if (e.kind == WITNESS_END &&
                           e.episode.rule == COMPLIANCE_RULE_RAMP) {
                    episodes += e.episode.ticks;
                }
            }
        }
        struct compliance_result r = compliance_result(&w.with);
        if (ramp != r.ramp_violations || episodes != ramp) {
            print_message("seed %llu: %lld, %lld, %lld\n",
                          (unsigned long long)seed, (long long)ramp,
                          (long long)episodes, (long long)r.ramp_violations);
        }
        assert_int_equal(ticks, w.ticks);
        assert_int_equal(ramp, r.ramp_violations);
        assert_int_equal(episodes, ramp);
        assert_int_equal(edges, w.edges.n);
        assert_true(fabs(wh - r.import_wh + r.export_wh) <
                    1e-9 * (r.import_wh + 1.0));
        assert_true(pp60_w == r.pp60_max_w);
        assert_int_equal(w.n_lost, 0);
    }
}

static void test_events_that_nobody_takes_are_counted(void **state)
{
    (void)state;
    begin();
    for (int64_t k = 0; k < 600 * (WITNESS_EVENTS + 5); k++) {
        struct witness_in in = tick(k, 50e6);
        witness_push(&w, &in);
    }
    assert_int_equal(w.n_events, WITNESS_EVENTS);
    assert_int_equal(w.n_lost, 4);
    struct witness_event e = {0};
    assert_true(witness_take(&w, &e)); /* the oldest stay */
    assert_int_equal(e.minute.from_ms, start_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges_have_height_and_length),
        cmocka_unit_test(test_a_step_that_stays_lasts_as_the_ramp_would),
        cmocka_unit_test(test_the_highest_edges_and_the_histogram),
        cmocka_unit_test(test_a_violation_has_begin_worst_end_and_reason),
        cmocka_unit_test(test_a_forced_one_is_told_apart),
        cmocka_unit_test(test_what_is_not_seen_is_not_judged),
        cmocka_unit_test(test_minutes_and_episodes_add_up),
        cmocka_unit_test(test_events_that_nobody_takes_are_counted),
    };
    return cmocka_run_group_tests_name("witness", tests, NULL, NULL);
}
