/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_db.h"

#include <assert.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "controller/history_schema.h"
#include "models/reason.h"

/* Pages of the WAL from which it is brought into the file: 4 MB. */
enum { CHECKPOINT_PAGES = 1000 };

#define NAME(column, ...) "," #column
#define MARK(column, ...) ",?"
#define SUM(column, ...) "," #column "=" #column "+excluded." #column

static const char *const statement_texts[HISTORY_STATEMENTS] = {
    [HISTORY_SECOND] = ("INSERT OR REPLACE INTO second(at_ms,n_ticks,"
                        "degraded" SECOND_LIST(NAME) ") VALUES(?,?,?" //
                        SECOND_LIST(MARK) ")"),
    [HISTORY_BATTERY_SECOND] =
        ("INSERT OR REPLACE INTO battery_second(at_ms,battery_id,set_w,flags,"
         "alarms" BATTERY_SECOND_LIST(NAME) ") VALUES(?,?,?,?,?" //
         BATTERY_SECOND_LIST(MARK) ")"),
    [HISTORY_DECISION] =
        ("INSERT OR REPLACE INTO decision(at_ms,tick,line,code,asset,value,"
         "limit_value,need,text,n_suppressed) VALUES(?,?,?,?,?,?,?,?,?,?)"),
    [HISTORY_EVENT] =
        "INSERT INTO event(at_ms,kind,asset,text) VALUES(?,?,?,?)",
    [HISTORY_KEEP] = "INSERT OR REPLACE INTO kept(key,value) VALUES(?,?)",
    [HISTORY_CARRY] =
        "INSERT OR REPLACE INTO carried(asset,at_ms,is_last,state)"
        " VALUES(?,?,?,?)",
    [HISTORY_REFUSE] = "INSERT OR REPLACE INTO carried_refused SELECT"
                       " asset,at_ms,state FROM carried WHERE asset=?",
    [HISTORY_CAR_DAY] = ("INSERT INTO car_day(at_ms,day,fleet,car" CAR_DAY_LIST(
        NAME) ") VALUES(?,?,?,?" CAR_DAY_LIST(MARK) ") ON CONFLICT(at_ms,car) "
                                                    "DO UPDATE SET "
                                                    "fleet=excluded."
                                                    "fleet" CAR_DAY_LIST(SUM)),
    [HISTORY_META] = "INSERT OR REPLACE INTO meta(key,value) VALUES(?,?)",
    [HISTORY_BATTERY] = "INSERT OR IGNORE INTO battery(name) VALUES(?)",
    [HISTORY_BATTERY_ID] = "SELECT id FROM battery WHERE name=?",
};

static enum err failed(struct history_db *db, int result)
{
    db->result = result;
    snprintf(db->error, sizeof(db->error), "%s",
             db->sql != NULL ? sqlite3_errmsg(db->sql)
                             : sqlite3_errstr(result));
    return ERR_IO;
}

enum err history_db_exec(struct history_db *db, const char *text)
{
    int result = sqlite3_exec(db->sql, text, NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_NONE : failed(db, result);
}

enum err history_db_put(struct history_db *db, enum history_statement which)
{
    sqlite3_stmt *s = db->statements[which];
    int result = sqlite3_step(s);
    enum err e = result == SQLITE_DONE ? ERR_NONE : failed(db, result);
    sqlite3_reset(s);
    return e;
}

/* SQL has no number for what is not known. */
static void bind_number(sqlite3_stmt *s, int column, double x)
{
    if (isfinite(x)) {
        sqlite3_bind_double(s, column, x);
    } else {
        sqlite3_bind_null(s, column);
    }
}

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
    sqlite3_bind_text(s, column, text, -1, SQLITE_TRANSIENT);
}

static int count_wal(void *user, sqlite3 *sql, const char *name, int pages)
{
    (void)sql;
    (void)name;
    struct history_db *db = user;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static enum err prepare_all(struct history_db *db)
{
    for (int i = 0; i < HISTORY_STATEMENTS; i++) {
        int result = sqlite3_prepare_v3(db->sql, statement_texts[i], -1,
                                        SQLITE_PREPARE_PERSISTENT,
                                        &db->statements[i], NULL);
        if (result != SQLITE_OK) {
            return failed(db, result);
        }
    }
    return ERR_NONE;
}

/* Whether SQLite says that the file itself is not sound. */
static bool is_corrupt(int result)
{
    return (result & 0xff) == SQLITE_CORRUPT ||
           (result & 0xff) == SQLITE_NOTADB;
}

static enum err open_once(struct history_db *db, const char *path)
{
    *db = (struct history_db){0};
    int result = history_schema_open(path, &db->sql, db->error);
    db->result = result;
    if (result != SQLITE_OK) {
        return result == SQLITE_SCHEMA ? ERR_MISMATCH : ERR_IO;
    }
    sqlite3_wal_hook(db->sql, count_wal, db);
    return prepare_all(db);
}

enum err history_db_open(struct history_db *db, const char *path,
                         char notice[HISTORY_TEXT_MAX], char *why,
                         size_t why_size)
{
    notice[0] = '\0';
    enum err e = open_once(db, path);
    if (e == ERR_IO && is_corrupt(db->result)) {
        char error[sizeof(db->error)];
        memcpy(error, db->error, sizeof(error));
        history_db_close(db);
        char aside[HISTORY_TEXT_MAX];
        if (!history_set_aside(path, aside)) {
            snprintf(why, why_size,
                     "%s: damaged (%s), and it cannot be moved aside", path,
                     error);
            return ERR_IO;
        }
        snprintf(notice, HISTORY_TEXT_MAX,
                 "%.80s was damaged (%.40s): kept as %.80s, a new one is begun",
                 path, error, aside);
        e = open_once(db, path);
    }
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s: %s", path, db->error);
        history_db_close(db);
    }
    return e;
}

void history_db_close(struct history_db *db)
{
    for (int i = 0; i < HISTORY_STATEMENTS; i++) {
        sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
    sqlite3_close(db->sql);
    db->sql = NULL;
}

enum err history_db_begin(struct history_db *db, bool durable)
{
    enum err e = history_db_exec(db, durable ? "PRAGMA synchronous=FULL"
                                             : "PRAGMA synchronous=NORMAL");
    return e == ERR_NONE ? history_db_exec(db, "BEGIN IMMEDIATE") : e;
}

enum err history_db_commit(struct history_db *db)
{
    return history_db_exec(db, "COMMIT");
}

void history_db_rollback(struct history_db *db)
{
    /* it may have rolled back by itself; db->error stays what it was */
    if (sqlite3_get_autocommit(db->sql) == 0) {
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    }
}

enum history_fault history_db_fault(const struct history_db *db)
{
    if (is_corrupt(db->result)) {
        return HISTORY_CORRUPT;
    }
    int basic = db->result & 0xff;
    bool again = basic == SQLITE_FULL || basic == SQLITE_BUSY ||
                 basic == SQLITE_LOCKED || basic == SQLITE_NOMEM;
    return again ? HISTORY_RETRY : HISTORY_REOPEN;
}

static enum err put_battery(struct history_db *db, int64_t at_ms, int64_t id,
                            const struct battery_row *row)
{
    sqlite3_stmt *s = db->statements[HISTORY_BATTERY_SECOND];
    sqlite3_bind_int64(s, 1, at_ms);
    sqlite3_bind_int64(s, 2, id);
    bind_number(s, 3, row->set_w);
    sqlite3_bind_int64(s, 4, row->flags);
    sqlite3_bind_int64(s, 5, row->alarms);
    for (int i = 0; i < BATTERY_COLUMNS; i++) {
        bind_number(s, 6 + i, row->values[i]);
    }
    return history_db_put(db, HISTORY_BATTERY_SECOND);
}

enum err history_db_second(struct history_db *db, const struct second_row *row)
{
    sqlite3_stmt *s = db->statements[HISTORY_SECOND];
    sqlite3_bind_int64(s, 1, row->at_ms);
    sqlite3_bind_int64(s, 2, row->n_ticks);
    sqlite3_bind_int64(s, 3, row->degraded);
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        bind_number(s, 4 + i, row->values[i]);
    }
    enum err e = history_db_put(db, HISTORY_SECOND);
    for (int b = 0; b < row->n_batteries && e == ERR_NONE; b++) {
        e = put_battery(db, row->at_ms, db->battery_ids[b], &row->batteries[b]);
    }
    return e;
}

static enum err put_line(struct history_db *db, const struct site *site,
                         const struct decision *d, int64_t i)
{
    static const struct reason_line nothing = {.code = REASON_NONE};
    const struct reason_line *line = d->n_why > 0 ? &d->why[i] : &nothing;
    char asset[HISTORY_NAME_MAX];
    char text[HISTORY_TEXT_MAX];
    asset_name(site, (enum asset_kind)line->asset, line->index, asset,
               sizeof(asset));
    reason_text(site, line, text, sizeof(text));
    sqlite3_stmt *s = db->statements[HISTORY_DECISION];
    sqlite3_bind_int64(s, 1, d->at_ms);
    sqlite3_bind_int64(s, 2, (int64_t)d->tick);
    sqlite3_bind_int64(s, 3, i);
    bind_text(s, 4, reason_word((enum reason)line->code));
    bind_text(s, 5, asset);
    bind_number(s, 6, line->value);
    bind_number(s, 7, line->limit);
    bind_number(s, 8, line->need);
    bind_text(s, 9, text);
    sqlite3_bind_int64(s, 10, d->n_suppressed);
    return history_db_put(db, HISTORY_DECISION);
}

enum err history_db_decision(struct history_db *db, const struct site *site,
                             const struct decision *d)
{
    enum err e = put_line(db, site, d, 0);
    for (int64_t i = 1; i < d->n_why && e == ERR_NONE; i++) {
        e = put_line(db, site, d, i);
    }
    return e;
}

enum err history_db_event(struct history_db *db, const struct history_event *e)
{
    sqlite3_stmt *s = db->statements[HISTORY_EVENT];
    sqlite3_bind_int64(s, 1, e->at_ms);
    bind_text(s, 2, e->kind);
    bind_text(s, 3, e->asset);
    bind_text(s, 4, e->text);
    return history_db_put(db, HISTORY_EVENT);
}

enum err history_db_keep(struct history_db *db, const char *key,
                         const void *blob, size_t size)
{
    sqlite3_stmt *s = db->statements[HISTORY_KEEP];
    bind_text(s, 1, key);
    sqlite3_bind_blob64(s, 2, blob, size, SQLITE_TRANSIENT);
    return history_db_put(db, HISTORY_KEEP);
}

enum err history_db_meta(struct history_db *db, const char *key,
                         const char *value)
{
    sqlite3_stmt *s = db->statements[HISTORY_META];
    bind_text(s, 1, key);
    bind_text(s, 2, value);
    return history_db_put(db, HISTORY_META);
}

static enum err find_battery(struct history_db *db, const char *name,
                             int64_t *id)
{
    bind_text(db->statements[HISTORY_BATTERY], 1, name);
    enum err e = history_db_put(db, HISTORY_BATTERY);
    if (e != ERR_NONE) {
        return e;
    }
    sqlite3_stmt *s = db->statements[HISTORY_BATTERY_ID];
    bind_text(s, 1, name);
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW) {
        *id = sqlite3_column_int64(s, 0);
    } else {
        e = failed(db, result);
    }
    sqlite3_reset(s);
    return e;
}

enum err history_db_batteries(struct history_db *db, const struct site *site)
{
    enum err e = ERR_NONE;
    for (int i = 0; i < site->n_batteries && e == ERR_NONE; i++) {
        e = find_battery(db, site->batteries[i].name, &db->battery_ids[i]);
    }
    return e;
}

void history_db_checkpoint(struct history_db *db)
{
    if (db->wal_pages >= CHECKPOINT_PAGES) {
        /* what readers still need stays in the WAL until the next time */
        sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                  NULL, NULL);
        db->wal_pages = 0;
    }
}

enum err history_db_each_kept(struct history_db *db, history_kept_fn *fn,
                              void *user)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(
        db->sql, "SELECT key,value FROM kept ORDER BY key", -1, &s, NULL);
    if (result == SQLITE_OK) {
        while ((result = sqlite3_step(s)) == SQLITE_ROW) {
            const char *key = (const char *)sqlite3_column_text(s, 0);
            if (key != NULL) {
                fn(user, key, sqlite3_column_blob(s, 1),
                   (size_t)sqlite3_column_bytes(s, 1));
            }
        }
    }
    enum err e = result == SQLITE_DONE ? ERR_NONE : failed(db, result);
    sqlite3_finalize(s);
    return e;
}
