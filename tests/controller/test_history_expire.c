/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/history_expire: what is too old goes, but not because a
 * clock is wrong for a while. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/history_expire.h"
#include "tests/controller/historian_fixture.h"

static const int64_t DAY_MS = INT64_C(86400000);
static const int64_t HOUR_MS = 3600000;

/* A database with a history up to start_ms, and two clocks. */
struct world {
    char folder[64];
    char path[96];
    struct history_db db;
    struct history_expire expire;
    int64_t utc_ms;
    int64_t mono_ms;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char notice[HISTORY_TEXT_MAX];
    char why[300] = "";
    sample_folder(w->folder);
    snprintf(w->path, sizeof(w->path), "%s/h.db", w->folder);
    if (history_db_open(&w->db, w->path, notice, why, sizeof(why)) !=
        ERR_NONE) {
        return -1;
    }
    w->expire.keep_ms = 30 * DAY_MS;
    w->utc_ms = start_ms;
    w->mono_ms = 5000;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    history_db_close(&w->db);
    sample_folder_remove(w->folder);
    free(w);
    return 0;
}

static void put(struct world *w, const char *sql)
{
    if (history_db_exec(&w->db, sql) != ERR_NONE) {
        fail_msg("%s: %s", sql, w->db.error);
    }
}

/* A row a minute of the last 'hours', of each table. */
static void fill(struct world *w, int hours)
{
    put(w, "BEGIN");
    for (int k = 0; k < 60 * hours; k++) {
        long long at_ms = (long long)(w->utc_ms - 60000 * (int64_t)k);
        char sql[400];
        snprintf(sql, sizeof(sql),
                 "INSERT INTO second(at_ms,n_ticks,degraded) VALUES"
                 "(%lld,10,0);INSERT INTO battery_second(at_ms,battery_id,"
                 "flags,alarms) VALUES(%lld,1,0,0);INSERT INTO decision(at_ms,"
                 "tick,line,code,asset,text,n_suppressed) VALUES(%lld,%d,0,"
                 "'hold','','',0);"
                 "INSERT INTO event(at_ms,kind,asset,text) "
                 "VALUES(%lld,'note','','')",
                 at_ms, at_ms, at_ms, k, at_ms);
        put(w, sql);
    }
    put(w, "COMMIT");
}

/* Days of so many cars, back from the one that begins now. */
static void fill_cars(struct world *w, int days, int cars)
{
    char sql[300];
    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM d "
             "WHERE i<%d), c(j) AS (SELECT 1 UNION ALL SELECT j+1 FROM c WHERE "
             "j<%d) INSERT INTO car_day(at_ms,day,fleet,car,owed_cur) "
             "SELECT %lld-86400000*i,i,'lot','lot-'||j,1 FROM d,c",
             days - 1, cars, (long long)w->utc_ms);
    put(w, sql);
}

/* The controller runs on, with a commit every five seconds. */
static void run_on(struct world *w, int64_t for_ms)
{
    for (int64_t k = 0; k < for_ms / 5000; k++) {
        w->utc_ms += 5000;
        w->mono_ms += 5000;
        assert_int_equal(history_db_begin(&w->db, false), ERR_NONE);
        assert_int_equal(
            history_expire(&w->expire, &w->db, w->utc_ms, w->mono_ms),
            ERR_NONE);
        assert_int_equal(history_db_commit(&w->db), ERR_NONE);
    }
}

static double count(const struct world *w, const char *table)
{
    char sql[100];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    return ask(w->path, sql);
}

static const char *const tables[] = {"second", "battery_second", "decision",
                                     "event"};

static void what_is_too_old_goes(void **state)
{
    struct world *w = *state;
    w->expire.keep_ms = 2 * HOUR_MS;
    fill(w, 6);
    run_on(w, 90 * 60000);
    for (int i = 0; i < 4; i++) { /* half an hour of it is young enough */
        double n = count(w, tables[i]);
        assert_true(n >= 28.0 && n <= 32.0);
    }
}

static void a_clock_in_error_costs_little(void **state)
{
    struct world *w = *state;
    static const int64_t ahead_ms[] = {DAY_MS * 40, DAY_MS * 400,
                                       DAY_MS * 40000};
    fill(w, 30);
    fill_cars(w, 20, 50);
    for (int k = 0; k < 3; k++) {
        double before[4];
        for (int i = 0; i < 4; i++) {
            before[i] = count(w, tables[i]);
        }
        w->utc_ms += ahead_ms[k];
        run_on(w, HOUR_MS);
        w->utc_ms -= ahead_ms[k];
        run_on(w, HOUR_MS);
        for (int i = 0; i < 4; i++) {
            double lost = before[i] - count(w, tables[i]);
            assert_true(lost > 0.0 && lost <= 240.0);
        }
    }
    assert_true(count(w, "car_day") == 19 * 50.0); /* a day in six hours */
}

static void a_clock_that_goes_back_costs_nothing(void **state)
{
    struct world *w = *state;
    fill(w, 5);
    w->utc_ms = 1000;
    run_on(w, 2 * HOUR_MS);
    assert_true(count(w, "second") == 300.0);
}

static void before_the_first_tick_nothing_goes(void **state)
{
    struct world *w = *state;
    fill(w, 1);
    for (int k = 0; k < 100; k++) {
        assert_int_equal(
            history_expire(&w->expire, &w->db, start_ms + 400 * DAY_MS, 0),
            ERR_NONE);
    }
    assert_true(count(w, "second") == 60.0);
}

/* Rows of a clock that began at zero do not hold up the others. */
static void what_has_an_absurd_time_goes_first(void **state)
{
    struct world *w = *state;
    w->expire.keep_ms = HOUR_MS;
    put(w, "INSERT INTO second(at_ms,n_ticks,degraded) VALUES(1000,1,0),"
           "(500000,1,0),(99000000,1,0)");
    fill(w, 2);
    run_on(w, HOUR_MS);
    assert_true(ask(w->path, "SELECT min(at_ms) FROM second") >=
                (double)(start_ms - 2 * 60000));
}

/* A day that is under way is added to, however short the history. */
static void days_of_cars_go_one_by_one_in_pieces(void **state)
{
    struct world *w = *state;
    w->expire.keep_ms = HOUR_MS;
    fill_cars(w, 4, 2500);
    run_on(w, 9 * 60000);
    assert_true(count(w, "car_day") == 10000.0);
    run_on(w, 2 * 60000);
    assert_true(count(w, "car_day") == 7500.0);
    run_on(w, 5 * HOUR_MS);
    assert_true(count(w, "car_day") == 7500.0);
    run_on(w, HOUR_MS + 60000);
    assert_true(count(w, "car_day") == 5000.0);
    run_on(w, 12 * HOUR_MS); /* the day before ends after 25 h and keep */
    assert_true(count(w, "car_day") == 2500.0);
    assert_true(ask(w->path, "SELECT min(at_ms) FROM car_day") ==
                (double)start_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_too_old_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_clock_in_error_costs_little, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_costs_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_the_first_tick_nothing_goes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_an_absurd_time_goes_first,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_of_cars_go_one_by_one_in_pieces,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("history_expire", tests, NULL, NULL);
}
