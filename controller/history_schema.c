/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/history_db.h"

/* "Blst", in the file's header: whose database it is. */
static const int application_id = 0x426c7374;

/* Files up to this size are checked whole when they are opened. */
static const int64_t check_bytes = INT64_C(64) << 20;

static const int busy_ms = 2000;

#define REAL_COLUMN(column, ...) ", " #column " REAL"

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE second(at_ms INTEGER PRIMARY KEY, n_ticks INTEGER NOT NULL,"
    " degraded INTEGER NOT NULL" SECOND_LIST(
        REAL_COLUMN) ");"
                     "CREATE TABLE battery(id INTEGER PRIMARY KEY, name TEXT "
                     "NOT NULL);"
                     "CREATE TABLE battery_second(at_ms INTEGER NOT NULL,"
                     " battery_id INTEGER NOT NULL, set_w REAL, flags INTEGER, "
                     "alarms INTEGER" //
    BATTERY_SECOND_LIST(REAL_COLUMN) ", PRIMARY KEY(at_ms, battery_id))"
                                     " WITHOUT ROWID;"
                                     "CREATE TABLE decision(at_ms INTEGER NOT "
                                     "NULL, tick INTEGER NOT NULL,"
                                     " line INTEGER NOT NULL, code TEXT NOT "
                                     "NULL, asset TEXT NOT NULL,"
                                     " value REAL, limit_value REAL, need "
                                     "REAL, text TEXT NOT NULL,"
                                     " n_suppressed INTEGER NOT NULL, PRIMARY "
                                     "KEY(at_ms, tick, line))"
                                     " WITHOUT ROWID;"
                                     "CREATE TABLE event(id INTEGER PRIMARY "
                                     "KEY, at_ms INTEGER NOT NULL,"
                                     " kind TEXT NOT NULL, asset TEXT NOT "
                                     "NULL, text TEXT NOT NULL);"
                                     "CREATE INDEX event_at ON event(at_ms);"
                                     "CREATE TABLE kept(key TEXT PRIMARY KEY, "
                                     "value BLOB NOT NULL)"
                                     " WITHOUT ROWID;";

/* Beside the schema: another version of the program does without. */
static const char beside[] =
    "CREATE TABLE IF NOT EXISTS carried(asset TEXT PRIMARY KEY,"
    " at_ms INTEGER NOT NULL, is_last INTEGER NOT NULL, state BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS carried_refused(asset TEXT PRIMARY KEY,"
    " at_ms INTEGER NOT NULL, state BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS car_day(at_ms INTEGER NOT NULL,"
    " day TEXT NOT NULL, fleet TEXT NOT NULL, car TEXT NOT NULL" CAR_DAY_LIST(
        REAL_COLUMN) ", PRIMARY KEY(at_ms, car)) WITHOUT ROWID;";

static int say(sqlite3 *sql, int result, char error[HISTORY_ERROR_MAX])
{
    if (result != SQLITE_OK) {
        snprintf(error, HISTORY_ERROR_MAX, "%s",
                 sql != NULL ? sqlite3_errmsg(sql) : sqlite3_errstr(result));
    }
    return result;
}

static int refuse(char error[HISTORY_ERROR_MAX], const char *what)
{
    snprintf(error, HISTORY_ERROR_MAX, "%s", what);
    return SQLITE_SCHEMA;
}

/* The integer that 'text' gives. */
static int ask_int(sqlite3 *sql, const char *text, int *out)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(sql, text, -1, &s, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(s);
        *out = result == SQLITE_ROW ? sqlite3_column_int(s, 0) : 0;
        result =
            result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
    }
    sqlite3_finalize(s);
    return result;
}

static int create(sqlite3 *sql)
{
    int result = sqlite3_exec(sql, schema, NULL, NULL, NULL);
    char *text = sqlite3_mprintf("PRAGMA application_id=%d;"
                                 "PRAGMA user_version=%d; COMMIT;",
                                 application_id, (int)HISTORY_SCHEMA);
    if (result == SQLITE_OK) {
        result = text == NULL ? SQLITE_NOMEM
                              : sqlite3_exec(sql, text, NULL, NULL, NULL);
    }
    sqlite3_free(text);
    return result;
}

static int check_version(sqlite3 *sql, bool may_create,
                         char error[HISTORY_ERROR_MAX])
{
    int id = 0;
    int version = 0;
    int tables = 0;
    int result = ask_int(sql, "PRAGMA application_id", &id);
    if (result == SQLITE_OK) {
        result = ask_int(sql, "PRAGMA user_version", &version);
    }
    if (result == SQLITE_OK) {
        result = ask_int(sql, "SELECT count(*) FROM sqlite_master", &tables);
    }
    if (result != SQLITE_OK) {
        return say(sql, result, error);
    }
    if (id == 0 && version == 0 && tables == 0 && may_create) {
        return say(sql, create(sql), error);
    }
    if (id != application_id) {
        return refuse(error, "a database of another program; give another "
                             "history.file");
    }
    if (version > HISTORY_SCHEMA) {
        return refuse(error, "written by a newer version of Ballast; use that "
                             "one, or give another history.file");
    }
    return SQLITE_OK;
}

/* PRAGMA quick_check gives the single row "ok", or what is wrong. */
static int check_sound(sqlite3 *sql, const char *path,
                       char error[HISTORY_ERROR_MAX])
{
    struct stat st;
    if (stat(path, &st) != 0 || st.st_size > check_bytes) {
        return SQLITE_OK;
    }
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(sql, "PRAGMA quick_check(1)", -1, &s, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(s);
    }
    if (result == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        bool ok = text != NULL && strcmp(text, "ok") == 0;
        result = ok ? SQLITE_OK : SQLITE_CORRUPT;
        snprintf(error, HISTORY_ERROR_MAX, "%s", text != NULL ? text : "?");
        for (char *p = error; *p != '\0'; p++) {
            *p = *p == '\n' ? ' ' : *p; /* it goes into one line */
        }
    } else {
        say(sql, result, error);
    }
    sqlite3_finalize(s);
    return result;
}

static int set_up(sqlite3 *sql, const char *path, char error[HISTORY_ERROR_MAX])
{
    sqlite3_extended_result_codes(sql, 1);
    sqlite3_busy_timeout(sql, busy_ms);
    int result = check_version(sql, true, error);
    if (result == SQLITE_OK) {
        result = say(sql,
                     sqlite3_exec(sql,
                                  "PRAGMA journal_mode=WAL;"
                                  "PRAGMA synchronous=NORMAL;"
                                  "PRAGMA journal_size_limit=16777216;",
                                  NULL, NULL, NULL),
                     error);
    }
    if (result == SQLITE_OK) {
        result = check_sound(sql, path, error);
    }
    return result == SQLITE_OK
               ? say(sql, sqlite3_exec(sql, beside, NULL, NULL, NULL), error)
               : result;
}

int history_schema_open(const char *path, struct sqlite3 **out,
                        char error[HISTORY_ERROR_MAX])
{
    sqlite3 *sql = NULL;
    int result =
        say(NULL,
            sqlite3_open_v2(path, &sql,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                SQLITE_OPEN_FULLMUTEX,
                            NULL),
            error);
    if (result == SQLITE_OK) {
        result = set_up(sql, path, error);
    }
    if (result != SQLITE_OK) {
        sqlite3_close(sql);
        sql = NULL;
    }
    *out = sql;
    return result;
}

int history_schema_read(const char *path, struct sqlite3 **out,
                        char error[HISTORY_ERROR_MAX])
{
    sqlite3 *sql = NULL;
    int result = sqlite3_open_v2(path, &sql, SQLITE_OPEN_READONLY, NULL);
    say(sql, result, error);
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(sql, busy_ms);
        result = check_version(sql, false, error);
    }
    if (result != SQLITE_OK) {
        sqlite3_close(sql);
        sql = NULL;
    }
    *out = sql;
    return result;
}

bool history_set_aside(const char *path, char aside[256])
{
    time_t now = time(NULL);
    struct tm utc;
    char stamp[32] = "";
    if (gmtime_r(&now, &utc) != NULL) {
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
    }
    int n = snprintf(aside, 256, "%s.corrupt-%s", path, stamp);
    if (n < 0 || n >= 250 || access(aside, F_OK) == 0 ||
        rename(path, aside) != 0) {
        return false;
    }
    char from[256];
    char to[300];
    snprintf(from, sizeof(from), "%.250s-wal", path);
    snprintf(to, sizeof(to), "%s-wal", aside);
    if (access(from, F_OK) == 0 && rename(from, to) != 0) {
        return false;
    }
    snprintf(from, sizeof(from), "%.250s-shm", path);
    unlink(from);
    return true;
}
