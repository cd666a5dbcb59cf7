/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_db - the historian's SQLite database: schema, batches, queries.
 *
 * One writer (the historian's thread) with a connection of its own; readers
 * open their own, read-only.  WAL mode; a batch is one transaction and is
 * acknowledged by its commit.  A durable batch is on the disk when its commit
 * returns (synchronous FULL); another may be lost by a power cut, not by a
 * kill.  Instants are UTC in milliseconds, powers into an asset positive.
 *
 *   meta             key, value: what wrote it, the site file's text
 *   second           at_ms, then the columns of SECOND_LIST
 *   battery          id, name
 *   battery_second   at_ms, battery_id, then those of BATTERY_SECOND_LIST
 *   decision         one row for each line of a decision, 'line' 0 binds most
 *   event            alarms, starts, stops, what people did
 *   car_day          at_ms, day, fleet, car, then the columns of CAR_DAY_LIST:
 *                    what a car gave on a day of the site's time zone, which
 *                    began at at_ms; for settling with its owner
 *   kept             key, value: prices and what else outlives a restart
 *   carried          asset, at_ms, is_last, state: what the step knows of it
 *                    (controller/step/carry.h); is_last: the run's last act
 *   carried_refused  the same of what could not be taken over again
 */
#ifndef CONTROLLER_HISTORY_DB_H
#define CONTROLLER_HISTORY_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/history_rows.h"
#include "models/err.h"

/* column and member of guard_ledger, both of this name */
#define CAR_DAY_LIST(X) \
    X(compute_wh)       \
    X(pack_wh)          \
    X(awake_h)          \
    X(virtual_km)       \
    X(loss_ppm)         \
    X(owed_cur)

struct sqlite3;
struct sqlite3_stmt;

enum { HISTORY_SCHEMA = 1, HISTORY_TEXT_MAX = 256, HISTORY_NAME_MAX = 64 };

/* What each statement does is in history_db.c. */
enum history_statement {
    HISTORY_SECOND,
    HISTORY_BATTERY_SECOND,
    HISTORY_DECISION,
    HISTORY_EVENT,
    HISTORY_KEEP,
    HISTORY_CARRY,
    HISTORY_REFUSE,
    HISTORY_CAR_DAY,
    HISTORY_META,
    HISTORY_BATTERY,
    HISTORY_BATTERY_ID,
    HISTORY_STATEMENTS
};

/* What to do after a failure. */
enum history_fault {
    HISTORY_RETRY,  /* disk full, busy: the same connection may try again */
    HISTORY_REOPEN, /* input or output failed: close, open again */
    HISTORY_CORRUPT /* not a sound database: set aside, begin a new one */
};

struct history_db {
    struct sqlite3 *sql;
    struct sqlite3_stmt *statements[HISTORY_STATEMENTS];
    int64_t battery_ids[SITE_BATTERIES_MAX]; /* by place in the site */
    int wal_pages;                           /* as of the last commit */
    int result;                              /* SQLite's, of what failed last */
    char error[160];
};

struct history_event {
    int64_t at_ms;
    char kind[32];
    char asset[HISTORY_NAME_MAX];
    char text[HISTORY_TEXT_MAX];
};

/*
 * Open or create 'path' for writing.
 *
 * A file that is damaged is moved to PATH.corrupt-UTC with its -wal, a new one
 * is begun and 'notice' says so (else it is ""); nothing is deleted.  ERR_IO;
 * ERR_MISMATCH where it is a newer schema or another program's; 'why' says
 * which.  'db' is caller-owned; on failure it needs no close.
 */
CHECKED enum err history_db_open(struct history_db *db, const char *path,
                                 char notice[HISTORY_TEXT_MAX], char *why,
                                 size_t why_size);
void history_db_close(struct history_db *db);

/* A failure leaves the batch open for history_db_rollback(); db->error says
 * what failed, history_db_fault() what to do. */
CHECKED enum err history_db_begin(struct history_db *db, bool durable);
CHECKED enum err history_db_commit(struct history_db *db);
void history_db_rollback(struct history_db *db);
enum history_fault history_db_fault(const struct history_db *db);

/* Inside a batch. */
/* A statement whose values are bound. */
CHECKED enum err history_db_put(struct history_db *db,
                                enum history_statement which);
CHECKED enum err history_db_second(struct history_db *db,
                                   const struct second_row *row);
CHECKED enum err history_db_decision(struct history_db *db,
                                     const struct site *site,
                                     const struct decision *d);
CHECKED enum err history_db_event(struct history_db *db,
                                  const struct history_event *e);
CHECKED enum err history_db_keep(struct history_db *db, const char *key,
                                 const void *blob, size_t size);
CHECKED enum err history_db_meta(struct history_db *db, const char *key,
                                 const char *value);
/* Tell the batteries' names, before the first row: a name keeps its id,
 * wherever it stands in the site. */
CHECKED enum err history_db_batteries(struct history_db *db,
                                      const struct site *site);
/* SQL that has no values. */
CHECKED enum err history_db_exec(struct history_db *db, const char *text);

/* Outside a batch: bring the WAL into the file where it has grown. */
void history_db_checkpoint(struct history_db *db);

/* Every kept value, in the order of keys; 'blob' is only valid in the call. */
typedef void history_kept_fn(void *user, const char *key, const void *blob,
                             size_t size);
CHECKED enum err history_db_each_kept(struct history_db *db,
                                      history_kept_fn *fn, void *user);

#endif
