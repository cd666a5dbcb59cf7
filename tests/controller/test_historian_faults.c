/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/historian: no fault of the disk or of the file stops it
 * for good. */
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/historian.h"
#include "tests/controller/historian_fixture.h"
#include "tests/controller/history_sample.h"

static void run_sql(const char *db, const char *sql)
{
    sqlite3 *c = NULL;
    assert_int_equal(sqlite3_open(db, &c), SQLITE_OK);
    assert_int_equal(sqlite3_exec(c, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(c);
}

static void test_damaged_file_is_set_aside(void **state)
{
    const struct fixture *f = *state;
    static const char garbage[] = "this was a database once, believe me.....";
    unsigned char bytes[8192];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)garbage[i % (sizeof(garbage) - 1)];
    }
    sample_write(f->db, bytes, sizeof(bytes));
    struct historian *h = open_historian(f, NULL);
    historian_event(h, start_ms, "note", "", "goes on");
    assert_true(historian_sync(h, 5.0));
    historian_close(h);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text LIKE "
                           "'%damaged%corrupt-%'") == 1);
    char command[256];
    snprintf(command, sizeof(command),
             "test $(cat %s.corrupt-* | wc -c) = 8192", f->db);
    assert_int_equal(system(command), 0);
}

static void test_damaged_page_is_found(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    uint64_t seed = 14;
    sample_open(&t, f->site);
    for (int i = 0; i < 2000; i++) {
        sample_next(&t, f->site, &seed);
        push(h, &t);
    }
    historian_close(h);
    sample_close(&t);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->db, &n);
    memset(bytes + n / 2, 0xa5, 3000);
    sample_write(f->db, bytes, n);
    free(bytes);
    h = open_historian(f, NULL);
    historian_close(h);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text LIKE "
                           "'%damaged%corrupt-%'") == 1);
}

/* Damage to a page that is read again while the historian runs. */
static void test_damage_while_running_is_survived(void **state)
{
    const struct fixture *f = *state;
    enum { SECONDS = 40000 }; /* more than SQLite keeps in memory */
    f->site->history.keep_s = 1e7;
    struct historian *h = open_historian(f, NULL);
    struct sample_tick t;
    sample_open(&t, f->site);
    for (int i = 0; i < SECONDS; i++) {
        t.in->tick++;
        t.in->utc_ms += 1000;
        push(h, &t);
    }
    historian_event(h, t.in->utc_ms, "note", "", "all are in");
    assert_true(historian_sync(h, 30.0));
    unsigned char garbage[4096];
    memset(garbage, 0xa5, sizeof(garbage));
    FILE *file = fopen(f->db, "r+b");
    assert_non_null(file);
    for (long page = 1; page < 1500; page++) {
        fseek(file, page * 4096, SEEK_SET);
        fwrite(garbage, 1, sizeof(garbage), file);
    }
    fclose(file);
    /* all is too old now: deleting it reads one page after the other */
    t.in->utc_ms += INT64_C(20000000000);
    for (int i = 0; i < 20; i++) {
        t.in->tick++;
        t.in->utc_ms += 20000;
        t.in->mono_ms += 20000;
        push(h, &t);
        historian_event(h, t.in->utc_ms, "note", "", "after the damage");
        assert_true(historian_sync(h, 30.0));
    }
    historian_close(h);
    sample_close(&t);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text LIKE "
                           "'%damaged%corrupt-%'") == 1);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text="
                           "'after the damage'") > 0);
}

static void test_other_databases_are_refused(void **state)
{
    const struct fixture *f = *state;
    struct historian *h = NULL;
    char why[300] = "";
    run_sql(f->db, "CREATE TABLE theirs(x); PRAGMA user_version=1");
    assert_int_equal(try_open(f, NULL, &h, why), ERR_MISMATCH);
    assert_non_null(strstr(why, "another program"));
    assert_true(ask(f->db, "SELECT count(*) FROM theirs") == 0);
    unlink(f->db);
    h = open_historian(f, NULL);
    historian_close(h);
    run_sql(f->db, "PRAGMA user_version=2");
    assert_int_equal(try_open(f, NULL, &h, why), ERR_MISMATCH);
    assert_non_null(strstr(why, "newer version"));
    snprintf(((struct fixture *)*state)->db, sizeof(f->db),
             "/nonexistent/h.db");
    assert_int_equal(try_open(f, NULL, &h, why), ERR_IO);
}

static bool becomes_degraded(struct historian *h, bool want)
{
    struct historian_counts c;
    for (int i = 0; i < 1000; i++) {
        historian_counts(h, &c);
        if (c.degraded == want) {
            return true;
        }
        nap(10);
    }
    return false;
}

static void push_seconds(struct historian *h, struct sample_tick *t,
                         const struct fixture *f, int n)
{
    uint64_t seed = 15;
    for (int i = 0; i < 10 * n; i++) {
        sample_next(t, f->site, &seed);
        push(h, t);
    }
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* In a child of its own: no file may grow, then they may again. */
static int survive_full_disk(const struct fixture *f)
{
    signal(SIGXFSZ, SIG_IGN);
    struct historian *h = open_historian(f, f->rec);
    struct sample_tick t;
    sample_open(&t, f->site);
    push_seconds(h, &t, f, 5);
    if (!historian_sync(h, 5.0)) {
        return 2;
    }
    limit_files(4096);
    push_seconds(h, &t, f, 20);
    historian_event(h, t.in->utc_ms, "alarm", "bess1", "during");
    if (historian_sync(h, 0.5)) {
        return 3; /* acknowledged what it cannot have written */
    }
    struct historian_counts c;
    if (!becomes_degraded(h, true)) {
        return 4;
    }
    historian_counts(h, &c);
    if (c.last_error[0] == '\0' || c.n_failed == 0 || c.recording) {
        return 5;
    }
    limit_files(RLIM_INFINITY);
    if (!becomes_degraded(h, false) || !historian_sync(h, 10.0)) {
        return 6;
    }
    push_seconds(h, &t, f, 5);
    historian_close(h);
    sample_close(&t);
    return 0;
}

static void test_full_disk_is_survived(void **state)
{
    const struct fixture *f = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(survive_full_disk(f));
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    /* nothing of the 30 s is missing */
    assert_true(ask(f->db, "SELECT sum(n_ticks) FROM second") == 300);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text='during'") ==
                1);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text LIKE "
                           "'writing again after%'") == 1);
    assert_true(ask(f->db, "SELECT count(*) FROM event WHERE text LIKE "
                           "'the recording ends%'") == 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_damaged_file_is_set_aside),
        CASE(test_damaged_page_is_found),
        CASE(test_damage_while_running_is_survived),
        CASE(test_other_databases_are_refused),
        CASE(test_full_disk_is_survived),
    };
    return cmocka_run_group_tests_name("historian_faults", tests, NULL, NULL);
}
