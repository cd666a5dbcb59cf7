/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the cars' ledgers on their way from the control thread to status
 * and history: nothing is lost, nothing is booked twice. */
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/clock.h"
#include "controller/history_cars.h"
#include "controller/ledger_keep.h"
#include "controller/status_fleet.h"
#include "controller/step/step_state.h"
#include "models/random.h"
#include "tests/controller/history_sample.h"
#include "tests/site_fixture.h"

static const int64_t START_MS = INT64_C(1790000000000);

enum { LOT = 700, STREET = 61, CARS = LOT + STREET };

struct world {
    struct site *site;
    struct step_state *state;
    struct ledger_ring ring;
    struct ledger_book *book;
    uint64_t seed;
    char folder[64];
    char db[96];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->site = fixture_site(1, 1, LOT);
    w->site->fleets[1] = fleet_usual(800.0);
    strcpy(w->site->fleets[1].name, "street");
    w->site->fleets[1].nodes = STREET;
    w->site->fleets[1].first_node = LOT;
    w->site->n_fleets = 2;
    w->site->n_nodes = CARS;
    strcpy(w->site->time_zone, "UTC");
    strcpy(w->site->currency, "USD");
    w->site->history.keep_s = 30.0 * 86400.0;
    w->state =
        calloc(1, sizeof(struct step_state) + CARS * sizeof(struct node_state));
    w->state->n_nodes = CARS;
    w->seed = random_seed(7);
    assert_int_equal(ledger_ring_init(&w->ring, w->site), ERR_NONE);
    assert_int_equal(ledger_book_open(w->site, w->state, &w->book), ERR_NONE);
    sample_folder(w->folder);
    snprintf(w->db, sizeof(w->db), "%s/h.db", w->folder);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    sample_folder_remove(w->folder);
    ledger_book_close(w->book);
    ledger_ring_clear(&w->ring);
    free(w->state);
    free(w->site);
    free(w);
    return 0;
}

static double draw(struct world *w, double lo, double hi)
{
    return random_draw(&w->seed, lo, hi);
}

/* Some cars give something, in sixteenths so that sums are exact, or get
 * another answer. */
static void live(struct world *w, double share)
{
    static const enum reason answers[] = {REASON_NODE_OK, REASON_NODE_UNPLUGGED,
                                          REASON_NODE_DEPARTURE,
                                          REASON_NODE_HOT};
    for (int i = 0; i < CARS; i++) {
        struct node_state *n = &w->state->nodes[i];
        struct guard_ledger *l = &n->guard.ledger;
        if (draw(w, 0.0, 1.0) < share) {
            l->compute_wh += floor(draw(w, 0.0, 64.0)) / 16.0;
            l->pack_wh += floor(draw(w, 0.0, 16.0)) / 16.0;
            l->awake_h += 0.0625;
            l->virtual_km += floor(draw(w, 0.0, 4.0)) / 16.0;
            l->loss_ppm += floor(draw(w, 0.0, 32.0)) / 16.0;
            l->owed_cur += floor(draw(w, 0.0, 16.0)) / 16.0;
        }
        if (draw(w, 0.0, 1.0) < share) {
            n->command.reason = (int64_t)answers[(int)draw(w, 0.0, 4.0)];
        }
    }
}

static struct guard_ledger true_sum(const struct world *w, int fleet)
{
    const struct site_fleet *f = &w->site->fleets[fleet];
    struct guard_ledger sum = {0};
    for (int i = f->first_node; i < f->first_node + f->nodes; i++) {
        const struct guard_ledger *l = &w->state->nodes[i].guard.ledger;
        sum.compute_wh += l->compute_wh;
        sum.pack_wh += l->pack_wh;
        sum.awake_h += l->awake_h;
        sum.virtual_km += l->virtual_km;
        sum.loss_ppm += l->loss_ppm;
        sum.owed_cur += l->owed_cur;
    }
    return sum;
}

static void assert_same(const struct guard_ledger *a,
                        const struct guard_ledger *b)
{
    assert_memory_equal(a, b, sizeof(*a));
}

/* A round of ticks; the reader looks now and then, or hardly ever. */
static void go_round(struct world *w, int64_t *mono_ms, double look)
{
    for (int k = 0; k < 4 * CARS / 16; k++) {
        *mono_ms += 100;
        ledger_ring_push(&w->ring, w->state, *mono_ms);
        if (draw(w, 0.0, 1.0) < look) {
            ledger_book_fetch(w->book, &w->ring);
        }
    }
    ledger_book_fetch(w->book, &w->ring);
}

static void sums_are_those_of_the_cars(void **state)
{
    struct world *w = *state;
    print_message("seed 7\n");
    int64_t mono_ms = 1000;
    for (int k = 0; k < 30; k++) {
        live(w, draw(w, 0.0, 0.5));
        go_round(w, &mono_ms, k % 3 == 0 ? 0.02 : 0.5);
        /* what came while the ring was full needs a turn more */
        go_round(w, &mono_ms, 1.0);
        for (int f = 0; f < 2; f++) {
            struct ledger_fleet x;
            struct guard_ledger want = true_sum(w, f);
            ledger_book_fleet(w->book, f, &x);
            assert_same(&x.sum, &want);
            int64_t n = 0;
            for (int i = 0; i < REASON_COUNT; i++) {
                assert_true(x.n_by_reason[i] >= 0);
                n += x.n_by_reason[i];
            }
            assert_int_equal(n, w->site->fleets[f].nodes);
        }
    }
}

static void the_largest_are_listed(void **state)
{
    struct world *w = *state;
    int64_t mono_ms = 10000;
    live(w, 0.9);
    go_round(w, &mono_ms, 1.0);
    go_round(w, &mono_ms, 1.0);
    for (int f = 0; f < 2; f++) {
        struct ledger_fleet x;
        ledger_book_fleet(w->book, f, &x);
        struct ledger_car all[LOT];
        int n = w->site->fleets[f].nodes;
        ledger_book_cars(w->book, f, 0, n, all);
        assert_int_equal(x.n_most_owed, LEDGER_TOP);
        assert_int_equal(x.n_most_held, LEDGER_TOP);
        int n_more_owed = 0;
        int n_more_held = 0;
        double loss_ppm = 0.0;
        for (int i = 0; i < n; i++) {
            const struct ledger_car *least = &x.most_owed[LEDGER_TOP - 1];
            n_more_owed += all[i].ledger.owed_cur > least->ledger.owed_cur;
            n_more_held += all[i].held_s > x.most_held[LEDGER_TOP - 1].held_s;
            loss_ppm = fmax(loss_ppm, all[i].ledger.loss_ppm);
            bool is_held = all[i].reason == REASON_NODE_DEPARTURE ||
                           all[i].reason == REASON_NODE_HOT;
            assert_true(is_held || all[i].held_s == 0.0);
        }
        assert_true(n_more_owed < LEDGER_TOP && n_more_held < LEDGER_TOP);
        assert_true(x.loss_ppm_max == loss_ppm);
        double held_s =
            x.refused_s[REASON_NODE_DEPARTURE] + x.refused_s[REASON_NODE_HOT];
        assert_true(held_s > 0.0 && x.refused_s[REASON_NODE_OK] == 0.0);
    }
}

/* --- history --------------------------------------------------------- */

static struct historian *open_history_at(const struct world *w, int64_t utc_ms)
{
    const struct historian_cfg cfg = {
        .site = w->site,
        .site_text = "",
        .site_path = "t.yaml",
        .db_path = w->db,
        .state = w->state,
        .state_size = 16,
        .utc_ms = utc_ms,
    };
    struct historian *h = NULL;
    char why[300] = "";
    if (historian_open(&cfg, &h, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return h;
}

static struct historian *open_history(const struct world *w)
{
    return open_history_at(w, START_MS);
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

/* Days go as all history goes, many cars' in pieces. */
static void old_days_are_forgotten(void **state)
{
    struct world *w = *state;
    struct historian *h = open_history(w);
    struct ledger_keep keep = ledger_keep_begin(w->book, h, w->site);
    for (int k = 0; k < 4; k++) {
        live(w, 1.0);
        ledger_book_finish(w->book, w->state, 5000);
        assert_true(ledger_keep_end(&keep, START_MS + k * INT64_C(86400000)));
    }
    historian_close(h);
    double n = ask(w, "SELECT count(*) FROM car_day");
    assert_true(n > 2.0 * CARS);
    const int64_t day_ms = INT64_C(25) * 3600000; /* at most */
    int64_t later_ms = START_MS + 32 * INT64_C(86400000) + day_ms;
    h = open_history_at(w, later_ms);
    for (int k = 0; k < 6; k++) {
        historian_event(h, later_ms, "test", "", "a commit");
        assert_true(historian_sync(h, 5.0));
    }
    historian_close(h);
    n = ask(w, "SELECT count(*) FROM car_day");
    assert_true(n > 0.0 && n < 2.0 * CARS);
    char sql[120];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM car_day WHERE at_ms<%lld",
             (long long)(later_ms - 30 * INT64_C(86400000) - day_ms));
    assert_true(ask(w, sql) == 0.0);
}

/* However short the history: what is owed for today is still added to. */
static void the_day_under_way_is_not_forgotten(void **state)
{
    struct world *w = *state;
    w->site->history.keep_s = 3600.0;
    int64_t evening_ms = INT64_C(1790539200000) + INT64_C(23) * 3600000;
    struct historian *h = open_history_at(w, evening_ms);
    struct ledger_keep keep = ledger_keep_begin(w->book, h, w->site);
    for (int k = 0; k < 3; k++) {
        live(w, 1.0);
        ledger_book_finish(w->book, w->state, 5000);
        assert_true(ledger_keep_end(&keep, evening_ms));
        historian_event(h, evening_ms, "test", "", "a commit");
        assert_true(historian_sync(h, 5.0));
    }
    historian_close(h);
    double all_wh = true_sum(w, 0).compute_wh + true_sum(w, 1).compute_wh;
    double kept_wh = ask(w, "SELECT sum(compute_wh) FROM car_day");
    assert_true(fabs(kept_wh - all_wh) < 1e-6 * all_wh);
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

/* --- who asks for cars ------------------------------------------------ */

static int n_cars(struct status_cars *s, const char *request)
{
    char *json = status_cars_answer(s, request);
    if (json == NULL) {
        return -1;
    }
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    free(json);
    assert_true(cJSON_IsObject(o));
    const cJSON *cars = cJSON_GetObjectItemCaseSensitive(o, "cars");
    int n = cars != NULL ? cJSON_GetArraySize(cars) : -2;
    cJSON_Delete(o);
    return n;
}

static void cars_are_told_page_by_page(void **state)
{
    struct world *w = *state;
    struct status_cars s = {.site = w->site, .book = w->book};
    static const struct {
        const char *request;
        int n; /* cars; -1 no request, -2 an error */
    } rows[] = {
        {"fleet lot 1 1000", LOT},
        {"fleet lot 1 10", 10},
        {"fleet lot 695 1000", 6},
        {"fleet lot 700 1", 1},
        {"fleet lot 701 1", 0},
        {"fleet lot 999999999 1000", 0},
        {"fleet street 1 1000", STREET},
        {"fleet lo 1 10", -2},
        {"fleet ../../etc 1 10", -1},
        {"fleet lot 0 10", -1},
        {"fleet lot -1 10", -1},
        {"fleet lot 1 0", -1},
        {"fleet lot 1 1001", -1},
        {"fleet lot 1 10 ", -1},
        {"fleet lot 1 10x", -1},
        {"fleet lot 1", -1},
        {"fleet lot", -1},
        {"fleet", -1},
        {"fleet lot 99999999999999999999 1", -1},
        {"status", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (n_cars(&s, rows[i].request) != rows[i].n) {
            fail_msg("%s: %d", rows[i].request, n_cars(&s, rows[i].request));
        }
    }
    live(w, 1.0);
    ledger_book_finish(w->book, w->state, 5000);
    char *json = status_cars_answer(&s, "fleet street 3 1");
    cJSON *o = cJSON_Parse(json);
    free(json);
    const cJSON *car =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "cars"), 0);
    assert_string_equal(
        cJSON_GetObjectItemCaseSensitive(car, "car")->valuestring,
        "street-0003");
    assert_true(
        cJSON_GetObjectItemCaseSensitive(car, "owed_cur")->valuedouble ==
        w->state->nodes[LOT + 2].guard.ledger.owed_cur);
    cJSON_Delete(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_are_those_of_the_cars, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_largest_are_listed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(days_add_up_over_restarts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(old_days_are_forgotten, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_day_under_way_is_not_forgotten,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_day_is_one_of_the_site, setup,
                                        teardown),
        cmocka_unit_test(a_full_queue_refuses_the_rest),
        cmocka_unit_test_setup_teardown(cars_are_told_page_by_page, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
