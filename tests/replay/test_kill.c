/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A controller's history is killed by SIGKILL at random moments: the database
 * stays sound, nothing that was acknowledged is lost, the recording verifies
 * up to its last whole tick. */
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/historian.h"
#include "controller/site_file.h"
#include "replay/verify.h"
#include "tests/controller/history_sample.h"
#include "tests/replay/loop_sample.h"

enum { ROUNDS = 30 };

static const char site_path[] = "replay/sites/demo.yaml";
static const int64_t round_ms = INT64_C(10000000);

struct fixture {
    char *text;
    size_t text_size;
    struct site *site;
    char folder[64];
    char db[96];
    char rec[96];
};

/* What the child has been told is safe. */
struct acknowledged {
    uint64_t n_events;
    uint64_t tick;
};

static int64_t start_of(int round)
{
    return INT64_C(1790000000000) + round_ms * round;
}

static void nap_us(uint64_t us)
{
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    nanosleep(&t, NULL);
}

static struct historian *open_historian(const struct fixture *f,
                                        const struct loop_sample *l)
{
    const struct historian_cfg cfg = {
        .site = f->site,
        .site_text = f->text,
        .site_path = site_path,
        .db_path = f->db,
        .record_path = f->rec,
        .policy = POLICY_BALLAST,
        .state = l->state,
        .state_size = step_state_size(l->cfg),
        .utc_ms = l->start_ms,
    };
    struct historian *h = NULL;
    char why[300] = "";
    if (historian_open(&cfg, &h, why, sizeof(why)) != ERR_NONE) {
        fprintf(stderr, "child: %s\n", why);
        _exit(3);
    }
    return h;
}

/* The child: control, keep, tell the parent what is acknowledged, until it is
 * killed. */
static void control(const struct fixture *f, int round, int to_parent)
{
    struct loop_sample l;
    loop_sample_open(&l, f->site, POLICY_BALLAST, start_of(round));
    struct historian *h = open_historian(f, &l);
    struct acknowledged ack = {0, 0};
    for (;;) {
        loop_sample_next(&l);
        while (!historian_push(h, l.in, &l.plan, l.out)) {
            _exit(4);
        }
        nap_us(150);
        if (l.in->tick % 7 == 0) {
            char text[32];
            snprintf(text, sizeof(text), "event %llu",
                     (unsigned long long)ack.n_events + 1);
            historian_event(h, l.in->utc_ms, "test", "", text);
            if (historian_sync(h, 5.0)) {
                ack.n_events++;
            }
            struct historian_counts c;
            historian_counts(h, &c);
            ack.tick = c.committed_tick;
            if (write(to_parent, &ack, sizeof(ack)) != sizeof(ack)) {
                _exit(5);
            }
        }
    }
}

/* Starts a child, kills it after 'life_us' from its first word; what it said
 * last. */
static struct acknowledged live_and_die(const struct fixture *f, int round,
                                        uint64_t life_us)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_ends[0]);
        control(f, round, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    struct acknowledged last = {0, 0};
    assert_int_equal(read(pipe_ends[0], &last, sizeof(last)), sizeof(last));
    nap_us(life_us);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    struct acknowledged next;
    while (read(pipe_ends[0], &next, sizeof(next)) == (ssize_t)sizeof(next)) {
        last = next;
    }
    close(pipe_ends[0]);
    return last;
}

/* The integer or, as -1, any other answer than "ok". */
static int64_t ask(const char *db, const char *sql)
{
    sqlite3 *c = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open_v2(db, &c, SQLITE_OPEN_READWRITE, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(c, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    if (sqlite3_column_type(s, 0) == SQLITE_TEXT) {
        n = strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0 ? 1 : -1;
    }
    sqlite3_finalize(s);
    sqlite3_close(c);
    return n;
}

static void check_round(const struct fixture *f, int round,
                        const struct acknowledged *ack)
{
    char sql[300];
    long long from_ms = start_of(round);
    assert_int_equal(ask(f->db, "PRAGMA integrity_check"), 1);
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM event WHERE kind='test' AND at_ms>=%lld AND "
             "CAST(substr(text,7) AS INTEGER)<=%llu",
             from_ms, (unsigned long long)ack->n_events);
    assert_int_equal(ask(f->db, sql), ack->n_events);
    snprintf(sql, sizeof(sql),
             "SELECT coalesce(sum(n_ticks),0) FROM second WHERE at_ms>=%lld",
             from_ms);
    assert_true(ask(f->db, sql) >= (int64_t)ack->tick);
    const struct verify_cfg cfg = {.path = f->rec};
    struct verify_report report;
    enum verify_result result = verify_recording(&cfg, &report);
    if (result != VERIFY_SAME || !report.is_cut) {
        fail_msg("round %d: verify says %d: %s", round, (int)result,
                 report.why);
    }
    assert_true(report.n_ticks >= ack->tick);
}

static void test_nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(site_file_read(site_path, &f.text, &f.text_size),
                     ERR_NONE);
    f.site = site_file_load(site_path);
    assert_non_null(f.site);
    sample_folder(f.folder);
    snprintf(f.db, sizeof(f.db), "%s/h.db", f.folder);
    snprintf(f.rec, sizeof(f.rec), "%s/h.rec", f.folder);
    uint64_t seed = 20261121;
    uint64_t n_ticks = 0;
    uint64_t n_events = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t life_us = sample_random(&seed) % 120000;
        struct acknowledged ack = live_and_die(&f, round, life_us);
        check_round(&f, round, &ack);
        n_ticks += ack.tick;
        n_events += ack.n_events;
    }
    print_message("%d kills, %llu ticks and %llu events acknowledged\n", ROUNDS,
                  (unsigned long long)n_ticks, (unsigned long long)n_events);
    assert_true(n_ticks > 0 && n_events > ROUNDS);
    /* and the file of all those deaths is still the first one */
    assert_int_equal(
        ask(f.db, "SELECT count(*) FROM event WHERE text LIKE 'begun%'"),
        ROUNDS);
    sample_folder_remove(f.folder);
    free(f.site);
    free(f.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_acknowledged_is_lost),
    };
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
