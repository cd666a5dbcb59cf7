/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A historian of the sample site in a folder of its own, and what its
 * database says. */
#ifndef TESTS_CONTROLLER_HISTORIAN_FIXTURE_H
#define TESTS_CONTROLLER_HISTORIAN_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "controller/historian.h"
#include "tests/controller/history_sample.h"

static const int64_t start_ms = INT64_C(1790000000000);

struct fixture {
    struct site *site;
    char folder[64];
    char db[96];
    char rec[96];
};

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->site = sample_site();
    sample_folder(f->folder);
    snprintf(f->db, sizeof(f->db), "%s/h.db", f->folder);
    snprintf(f->rec, sizeof(f->rec), "%s/h.rec", f->folder);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    sample_folder_remove(f->folder);
    free(f->site);
    free(f);
    return 0;
}

static inline enum err try_open(const struct fixture *f,
                                const char *record_path, struct historian **h,
                                char why[300])
{
    struct step_cfg *step = malloc(step_cfg_size());
    assert_int_equal(step_cfg_init(step, f->site, POLICY_BALLAST), ERR_NONE);
    struct step_state *state = malloc(step_state_size(step));
    step_state_init(step, state);
    const struct historian_cfg cfg = {
        .site = f->site,
        .site_text = "site: {name: sample}\n",
        .site_path = "sample.yaml",
        .db_path = f->db,
        .record_path = record_path,
        .state = state,
        .state_size = step_state_size(step),
        .utc_ms = start_ms,
    };
    enum err e = historian_open(&cfg, h, why, 300);
    free(state);
    free(step);
    return e;
}

static inline struct historian *open_historian(const struct fixture *f,
                                               const char *record_path)
{
    struct historian *h = NULL;
    char why[300] = "";
    if (try_open(f, record_path, &h, why) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return h;
}

static inline void nap(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static inline void push(struct historian *h, const struct sample_tick *t)
{
    while (!historian_push(h, t->in, &t->plan, t->out)) {
        nap(1);
    }
}

/* The first column of the first row, NAN for NULL; fails without a row. */
static inline double ask(const char *db, const char *sql)
{
    sqlite3 *c = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open_v2(db, &c, SQLITE_OPEN_READWRITE, NULL),
                     SQLITE_OK);
    sqlite3_busy_timeout(c, 5000);
    if (sqlite3_prepare_v2(c, sql, -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(c));
    }
    double x = sqlite3_column_type(s, 0) == SQLITE_NULL
                   ? (double)NAN
                   : sqlite3_column_double(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(c);
    return x;
}

#endif
