/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/carrier and controller/history_carry: states go to the
 * database and come back, whatever happens to it in between. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "controller/carrier.h"
#include "controller/step/carry.h"
#include "policies/guard.h"
#include "tests/controller/history_sample.h"
#include "tests/loop_fixture.h"

enum { BATTERIES = 3, NODES = 3000, SERIES = 5 };
enum { UNITS = 1 + BATTERIES + 94 + SERIES };

struct fixture {
    char folder[64];
    char db[96];
    struct loop_fixture loop;
    struct carrier carrier;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sample_folder(f->folder);
    snprintf(f->db, sizeof(f->db), "%s/ballast.db", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sample_folder_remove(f->folder);
    free(f);
    return 0;
}

/* A run that begins 'after_s' after the first. */
static struct historian *start(struct fixture *f, double after_s)
{
    f->loop = loop_open(fixture_site(BATTERIES, 2, NODES), POLICY_BALLAST, 1e8);
    carrier_init(&f->carrier, f->loop.cfg, f->loop.state, f->loop.site);
    int64_t after_ms = (int64_t)(after_s * 1e3);
    f->carrier.now = (struct carry_now){.mono_ms = LOOP_MONO_MS,
                                        .utc_ms = LOOP_UTC_MS + after_ms};
    const struct historian_cfg cfg = {
        .site = f->loop.site,
        .site_text = "site: {name: sample}\n",
        .site_path = "sample.yaml",
        .db_path = f->db,
        .state = f->loop.state,
        .state_size = step_state_size(f->loop.cfg),
        .carried = carrier_take,
        .carried_user = &f->carrier,
        .utc_ms = f->carrier.now.utc_ms,
    };
    struct historian *h = NULL;
    char why[300] = "";
    if (historian_open(&cfg, &h, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    f->carrier.historian = h;
    return h;
}

/* Until the thread that writes has room again: tested is what is saved, not
 * the speed of this machine's disk. */
static void await_room(struct fixture *f)
{
    enum { WAIT_MAX_MS = 60000 };
    const struct timespec t = {.tv_nsec = 1000000L};
    for (int ms = 0; ms < WAIT_MAX_MS; ms++) {
        if (historian_carry_slot(f->carrier.historian, CARRY_SIZE_MAX) !=
            NULL) {
            return;
        }
        nanosleep(&t, NULL);
    }
    fail_msg("nothing was written in %d ms", WAIT_MAX_MS);
}

/* Ticks; a state is saved in some of them. */
static void live(struct fixture *f, double seconds)
{
    for (int64_t k = 0; k < (int64_t)(seconds * 10.0); k++) {
        loop_tick(&f->loop, 1e8);
        await_room(f);
        carrier_tick(&f->carrier, f->loop.in);
    }
}

static void stop(struct fixture *f, struct historian *h, bool in_good_order)
{
    if (in_good_order) {
        assert_true(carrier_finish(&f->carrier, f->loop.in));
    }
    historian_close(h);
    loop_close(&f->loop);
}

static int64_t ask(const struct fixture *f, const char *sql)
{
    sqlite3 *c = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open(f->db, &c), SQLITE_OK);
    sqlite3_busy_timeout(c, 5000);
    if (sqlite3_prepare_v2(c, sql, -1, &s, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(c));
    }
    int64_t x = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    sqlite3_close(c);
    return x;
}

static void an_orderly_end_saves_all_there_is(void **state)
{
    struct fixture *f = *state;
    struct historian *h = start(f, 0.0);
    assert_int_equal(f->carrier.n_taken, 0);
    live(f, 3.0); /* before the first round */
    assert_int_equal(f->carrier.n_units, UNITS);
    struct life saved[BATTERIES];
    memcpy(saved, f->loop.state->life, sizeof(saved));
    struct guard_ledger ledger = f->loop.state->nodes[NODES - 1].guard.ledger;
    stop(f, h, true);
    assert_int_equal(ask(f, "SELECT count(*) FROM carried WHERE is_last=1"),
                     UNITS);

    h = start(f, 100.0);
    assert_int_equal(f->carrier.n_taken, UNITS);
    assert_int_equal(f->carrier.n_refused, 0);
    assert_memory_equal(saved, f->loop.state->life, sizeof(saved));
    const struct guard_state *g = &f->loop.state->nodes[NODES - 1].guard;
    assert_true(g->ledger.compute_wh >= ledger.compute_wh);
    assert_int_equal(ask(f, "SELECT count(*) FROM carried WHERE is_last=1"), 0);
    stop(f, h, false);
}

static void a_round_is_over_within_a_minute(void **state)
{
    struct fixture *f = *state;
    struct historian *h = start(f, 0.0);
    live(f, 5.5 + 10.0 + 5.0); /* the last 5: a full ring costs ticks */
    assert_int_equal(f->carrier.next, UNITS);
    stop(f, h, false); /* as good as killed */
    assert_int_equal(ask(f, "SELECT count(*) FROM carried WHERE is_last=0 "
                            "AND asset NOT LIKE '%.load' "
                            "AND asset NOT LIKE 'outlook.%'"),
                     UNITS - SERIES); /* those have rounds of their own */
    h = start(f, 60.0);
    assert_in_range(f->carrier.n_taken, UNITS - SERIES, UNITS);
    assert_true(f->loop.state->life[0].cycles.n_fed >= 5);
    stop(f, h, false);
}

/* Killed before it has saved anything, again and again: each of those runs may
 * have granted a lease. */
static void every_run_that_was_killed_is_booked(void **state)
{
    struct fixture *f = *state;
    struct historian *h = start(f, 0.0);
    live(f, 2.0);
    const struct guard_state *g = &f->loop.state->nodes[0].guard;
    double spent_km = g->spent_km;
    assert_true(g->mono_ms > 0 && g->lease_w <= 0.0);
    struct site_fleet fleet = f->loop.site->fleets[0];
    double km_per_s =
        1.15 * fleet.compute_w / 3600.0 / fleet.consumption_wh_per_km;
    stop(f, h, true);
    for (int run = 1; run <= 4; run++) {
        h = start(f, 1e4 * run);
        g = &f->loop.state->nodes[0].guard;
        double booked_s = (g->spent_km - spent_km) / km_per_s;
        double each_s = f->carrier.lost_s + guard_lease_s();
        if (run > 1) {
            assert_true(booked_s >= (run - 1) * each_s - 1e-6);
            assert_true(booked_s <= (run - 1) * each_s + 1e-6);
        }
        live(f, 1.0);
        stop(f, h, false);
    }
    ask(f, "UPDATE carried SET is_last=-9223372036854775807-1");
    h = start(f, 1e5);
    assert_int_equal(f->carrier.n_taken, UNITS);
    stop(f, h, false);
    ask(f, "UPDATE carried SET is_last='text'");
    h = start(f, 1e5);
    assert_int_equal(f->carrier.n_taken, UNITS);
    stop(f, h, false);
}

/* Rows as nobody should find them. */
static void rows_that_are_spoilt_are_put_aside(void **state)
{
    struct fixture *f = *state;
    struct historian *h = start(f, 0.0);
    live(f, 2.0);
    stop(f, h, true);
    static const char *const spoils[] = {
        "UPDATE carried SET state=x'' WHERE asset='site'",
        "UPDATE carried SET state='text' WHERE asset='battery.block1'",
        "UPDATE carried SET state=zeroblob(length(state)) "
        "WHERE asset='battery.block2'",
        "UPDATE carried SET state=zeroblob(5000000) "
        "WHERE asset='fleet.lot.0064'",
        "UPDATE carried SET state=(SELECT state FROM carried "
        "WHERE asset='fleet.lot.0000') WHERE asset='fleet.lot.0032'",
        "INSERT INTO carried VALUES('battery.gone',1,1,x'00')",
        "INSERT INTO carried VALUES('fleet.lot.-1',1,1,x'00')",
        "INSERT INTO carried VALUES(x'ff00fe',1,1,x'00')",
    };
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        ask(f, spoils[i]);
    }
    h = start(f, 100.0);
    assert_int_equal(f->carrier.n_refused, 5);
    assert_int_equal(f->carrier.n_taken, UNITS - 5);
    assert_int_equal(f->loop.state->life[0].cycles.n_fed, 0);
    assert_true(f->loop.state->life[2].cycles.n_fed > 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM carried_refused"), 5);
    live(f, 1.0);
    stop(f, h, true);
    h = start(f, 200.0);
    assert_int_equal(f->carrier.n_refused, 0);
    assert_int_equal(f->carrier.n_taken, UNITS);
    stop(f, h, false);
}

/* A history of before there were such tables. */
static void a_history_without_states_begins_new(void **state)
{
    struct fixture *f = *state;
    struct historian *h = start(f, 0.0);
    stop(f, h, false);
    ask(f, "DROP TABLE carried");
    ask(f, "DROP TABLE carried_refused");
    h = start(f, 10.0);
    assert_int_equal(f->carrier.n_taken + f->carrier.n_refused, 0);
    live(f, 1.0);
    stop(f, h, true);
    assert_int_equal(ask(f, "SELECT count(*) FROM carried"), UNITS);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(an_orderly_end_saves_all_there_is),
        WITH_FOLDER(a_round_is_over_within_a_minute),
        WITH_FOLDER(every_run_that_was_killed_is_booked),
        WITH_FOLDER(rows_that_are_spoilt_are_put_aside),
        WITH_FOLDER(a_history_without_states_begins_new),
    };
    return cmocka_run_group_tests_name("carrier", tests, NULL, NULL);
}
