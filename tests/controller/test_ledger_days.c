/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the cars' ledgers in the history: days add up over restarts, and
 * are written soon. */
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/history_cars.h"
#include "controller/ledger_keep.h"
#include "controller/step/step_state.h"
#include "tests/controller/ledger_fixture.h"
#include "tests/site_fixture.h"

static struct historian *open_history(const struct world *w)
{
    const struct historian_cfg cfg = {
        .site = w->site,
        .site_text = "",
        .site_path = "t.yaml",
        .db_path = w->db,
        .state = w->state,
        .state_size = 16,
        .utc_ms = START_MS,
    };
    struct historian *h = NULL;
    char why[300] = "";
    if (historian_open(&cfg, &h, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return h;
}

static double ask(const struct world *w, const char *sql)
{
    sqlite3 *c = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open_v2(w->db, &c, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    sqlite3_busy_timeout(c, 5000);
    if (sqlite3_prepare_v2(c, sql, -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(c));
    }
    double x = sqlite3_column_double(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(c);
    return x;
}

/* Another run begins with the state as it is: what it holds is in the history
 * already. */
static void begin_again(struct world *w)
{
    ledger_book_close(w->book);
    ledger_ring_clear(&w->ring);
    assert_int_equal(ledger_ring_init(&w->ring, w->site), ERR_NONE);
    assert_int_equal(ledger_book_open(w->site, w->state, &w->book), ERR_NONE);
}

static void days_add_up_over_restarts(void **state)
{
    struct world *w = *state;
    print_message("seed 7\n");
    int64_t mono_ms = 1000;
    int64_t utc_ms = START_MS;
    for (int run = 0; run < 3; run++) {
        begin_again(w);
        struct historian *h = open_history(w);
        struct ledger_keep keep = ledger_keep_begin(w->book, h, w->site);
        for (int k = 0; k < 10; k++) {
            live(w, 0.4);
            go_round(w, &mono_ms, 0.5);
            mono_ms += 60000;
            utc_ms += INT64_C(7200000); /* three days in all */
            for (int i = 0; i < 4; i++) {
                ledger_keep_look(&keep, mono_ms, utc_ms);
            }
        }
        live(w, 0.4);
        ledger_book_finish(w->book, w->state, mono_ms);
        assert_true(ledger_keep_end(&keep, utc_ms));
        historian_close(h);
        for (int f = 0; f < 2; f++) {
            struct guard_ledger want = true_sum(w, f);
            const char *name = w->site->fleets[f].name;
            char sql[200];
            const struct {
                const char *column;
                double sum;
            } sums[] = {
                {"compute_wh", want.compute_wh},
                {"pack_wh", want.pack_wh},
                {"awake_h", want.awake_h},
                {"virtual_km", want.virtual_km},
                {"loss_ppm", want.loss_ppm},
                {"owed_cur", want.owed_cur},
            };
            for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
                snprintf(sql, sizeof(sql),
                         "SELECT sum(%s) FROM car_day WHERE fleet='%s'",
                         sums[i].column, name);
                assert_true(ask(w, sql) == sums[i].sum);
            }
            snprintf(sql, sizeof(sql),
                     "SELECT sum(compute_wh) FROM car_day WHERE car='%s-0007'",
                     name);
            int node = w->site->fleets[f].first_node + 6;
            assert_true(ask(w, sql) ==
                        w->state->nodes[node].guard.ledger.compute_wh);
        }
    }
    assert_true(ask(w, "SELECT count(DISTINCT day) FROM car_day") == 3.0 ||
                ask(w, "SELECT count(DISTINCT day) FROM car_day") == 4.0);
    assert_true(ask(w, "SELECT count(*) FROM car_day WHERE compute_wh<0 OR "
                       "owed_cur<0") == 0.0);
}

/* Nothing is done at the end: what a kill would leave is there. */
static void what_was_given_is_written_within_seconds(void **state)
{
    struct world *w = *state;
    struct historian *h = open_history(w);
    struct ledger_keep keep = ledger_keep_begin(w->book, h, w->site);
    int64_t mono_ms = 20000;
    ledger_keep_look(&keep, mono_ms, START_MS);
    for (int i = 0; i < 4; i++) {
        ledger_keep_look(&keep, mono_ms, START_MS);
    }
    int64_t round_ms = mono_ms;
    live(w, 1.0);
    go_round(w, &mono_ms, 1.0);
    ledger_keep_look(&keep, round_ms + 9999, START_MS);
    assert_true(historian_sync(h, 5.0));
    assert_true(ask(w, "SELECT count(*) FROM car_day") == 0.0);
    for (int i = 0; i < 4; i++) {
        ledger_keep_look(&keep, round_ms + 10000, START_MS);
    }
    historian_event(h, START_MS, "test", "", "a commit");
    assert_true(historian_sync(h, 5.0));
    double all_wh = true_sum(w, 0).compute_wh + true_sum(w, 1).compute_wh;
    double kept_wh = ask(w, "SELECT sum(compute_wh) FROM car_day");
    assert_true(all_wh > 0.0 && fabs(kept_wh - all_wh) < 1e-6 * all_wh);
    historian_close(h);
}

static void rounds_of_many_cars_are_longer(void **state)
{
    struct world *w = *state;
    static const struct {
        int n_cars;
        int64_t every_ms;
    } rows[] = {{1, 10000}, {1600, 10000}, {5000, 30000}, {1000000, 60000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->site->n_nodes = rows[i].n_cars;
        struct ledger_keep k = ledger_keep_begin(w->book, NULL, w->site);
        assert_int_equal(k.every_ms, rows[i].every_ms);
    }
    w->site->n_nodes = CARS;
}

/* The day is the owner's, not Greenwich's. */
static void a_day_is_one_of_the_site(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *zone;
        int64_t utc_ms;
        const char *day;
        int64_t at_ms;
    } rows[] = {
        /* 2026-07-30 04:59:59 and 05:00 UTC: midnight in Chicago's summer */
        {"America/Chicago", 1785387599000, "2026-07-29", 1785301200000},
        {"America/Chicago", 1785387600000, "2026-07-30", 1785387600000},
        {"UTC", 1785387600000, "2026-07-30", 1785369600000},
        {"Asia/Tokyo", 1785387600000, "2026-07-30", 1785337200000},
        {"Asia/Tokyo", 1785423600000, "2026-07-31", 1785423600000},
    };
    live(w, 1.0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        strcpy(w->site->time_zone, rows[i].zone);
        struct node_state keep = w->state->nodes[0];
        w->state->nodes[0].guard.ledger = (struct guard_ledger){0};
        begin_again(w);
        w->state->nodes[0] = keep;
        w->state->nodes[0].guard.ledger.compute_wh += 1.0;
        ledger_book_finish(w->book, w->state, 5000);
        struct ledger_day day;
        int64_t next = 0;
        assert_int_equal(
            ledger_book_unsaved(w->book, &next, rows[i].utc_ms, &day, 1), 1);
        assert_string_equal(day.day, rows[i].day);
        assert_int_equal(day.at_ms, rows[i].at_ms);
    }
}

/* A disk that takes nothing: rows wait, and none is taken twice. */
static void a_full_queue_refuses_the_rest(void **state)
{
    (void)state;
    struct history_cars q;
    assert_int_equal(history_cars_init(&q), ERR_NONE);
    static struct ledger_day rows[256];
    int taken = 0;
    for (int k = 0; k < 40; k++) {
        taken += history_cars_put(&q, rows, 256);
    }
    assert_int_equal(taken, 4096);
    assert_int_equal(history_cars_wait(&q), 4096);
    history_cars_done(&q, 100);
    assert_int_equal(history_cars_put(&q, rows, 256), 100);
    assert_int_equal(history_cars_put(&q, rows, 256), 0);
    history_cars_clear(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(days_add_up_over_restarts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            what_was_given_is_written_within_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(rounds_of_many_cars_are_longer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_day_is_one_of_the_site, setup,
                                        teardown),
        cmocka_unit_test(a_full_queue_refuses_the_rest),
    };
    return cmocka_run_group_tests_name("ledger_days", tests, NULL, NULL);
}
