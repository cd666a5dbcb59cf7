/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_read.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/history_schema.h"

struct history_reader {
    sqlite3 *sql;
    char error[HISTORY_ERROR_MAX];
};

enum err history_read_open(const char *path, struct history_reader **out,
                           char *why, size_t why_size)
{
    struct history_reader *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    int result = history_schema_read(path, &r->sql, r->error);
    if (result != SQLITE_OK) {
        snprintf(why, why_size, "%s", r->error);
        free(r);
        return result == SQLITE_SCHEMA ? ERR_MISMATCH : ERR_IO;
    }
    *out = r;
    return ERR_NONE;
}

void history_read_close(struct history_reader *r)
{
    sqlite3_close(r->sql);
    free(r);
}

const char *history_read_error(const struct history_reader *r)
{
    return r->error;
}

static sqlite3_stmt *prepare(struct history_reader *r, const char *text,
                             int64_t at_ms)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(r->sql, text, -1, &s, NULL) != SQLITE_OK) {
        snprintf(r->error, sizeof(r->error), "%s", sqlite3_errmsg(r->sql));
        return NULL;
    }
    sqlite3_bind_int64(s, 1, at_ms);
    return s;
}

/* True for a row; an error is kept. */
static bool next_row(struct history_reader *r, sqlite3_stmt *s)
{
    int result = sqlite3_step(s);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        snprintf(r->error, sizeof(r->error), "%s", sqlite3_errmsg(r->sql));
    }
    return result == SQLITE_ROW;
}

static double number(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL
               ? (double)NAN
               : sqlite3_column_double(s, column);
}

static void copy_text(sqlite3_stmt *s, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    snprintf(out, size, "%s", text != NULL ? text : "");
}

static void take_line(sqlite3_stmt *s, struct history_decision *d)
{
    struct history_line *line = &d->lines[d->n_lines++];
    d->at_ms = sqlite3_column_int64(s, 0);
    d->tick = sqlite3_column_int64(s, 1);
    d->n_suppressed = sqlite3_column_int64(s, 2);
    copy_text(s, 3, line->code, sizeof(line->code));
    copy_text(s, 4, line->asset, sizeof(line->asset));
    line->value = number(s, 5);
    line->limit = number(s, 6);
    line->need = number(s, 7);
    copy_text(s, 8, line->text, sizeof(line->text));
}

/* A decision is kept again when its numbers change: since when its first
 * reason stands without another one in between. */
static int64_t standing_since(struct history_reader *r,
                              const struct history_decision *d)
{
    sqlite3_stmt *s = prepare(
        r,
        "SELECT min(at_ms) FROM decision WHERE line=0 AND at_ms<=?1 AND"
        " at_ms>coalesce((SELECT at_ms FROM decision WHERE line=0 AND"
        " at_ms<=?1 AND (code<>?2 OR asset<>?3) ORDER BY at_ms DESC,tick DESC"
        " LIMIT 1),-9e18)",
        d->at_ms);
    int64_t since_ms = d->at_ms;
    if (s != NULL) {
        sqlite3_bind_text(s, 2, d->lines[0].code, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, d->lines[0].asset, -1, SQLITE_STATIC);
        if (next_row(r, s) && sqlite3_column_type(s, 0) != SQLITE_NULL) {
            since_ms = sqlite3_column_int64(s, 0);
        }
    }
    sqlite3_finalize(s);
    return since_ms;
}

bool history_read_decision(struct history_reader *r, int64_t at_ms,
                           struct history_decision *out)
{
    *out = (struct history_decision){0};
    sqlite3_stmt *s = prepare(
        r,
        "SELECT at_ms,tick,n_suppressed,code,asset,value,limit_value,need,text"
        " FROM decision WHERE (at_ms,tick)=(SELECT at_ms,tick FROM decision"
        " WHERE at_ms<=? ORDER BY at_ms DESC,tick DESC LIMIT 1) ORDER BY line",
        at_ms);
    if (s == NULL) {
        return false;
    }
    while (out->n_lines < REASON_LINES && next_row(r, s)) {
        take_line(s, out);
    }
    sqlite3_finalize(s);
    if (out->n_lines > 0) {
        out->since_ms = standing_since(r, out);
    }
    return out->n_lines > 0;
}

#define SECOND_NAME(column, member, how) "," #column
#define SECOND_SELECT                            \
    "SELECT at_ms,n_ticks,degraded" SECOND_LIST( \
        SECOND_NAME) " FROM second WHERE at_ms"

static void take_second(sqlite3_stmt *s, struct second_row *out)
{
    *out = (struct second_row){
        .at_ms = sqlite3_column_int64(s, 0),
        .n_ticks = sqlite3_column_int64(s, 1),
        .degraded = sqlite3_column_int64(s, 2),
    };
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        out->values[i] = number(s, 3 + i);
    }
}

bool history_read_second(struct history_reader *r, int64_t at_ms,
                         struct second_row *out)
{
    sqlite3_stmt *s =
        prepare(r, SECOND_SELECT "<=? ORDER BY at_ms DESC LIMIT 1", at_ms);
    bool found = s != NULL && next_row(r, s);
    if (found) {
        take_second(s, out);
    }
    sqlite3_finalize(s);
    return found;
}

void history_read_seconds(struct history_reader *r, struct history_span span,
                          history_second_fn *fn, void *user)
{
    sqlite3_stmt *s = prepare(
        r, SECOND_SELECT ">=?1 AND at_ms<=?2 ORDER BY at_ms", span.from_ms);
    if (s == NULL) {
        return;
    }
    sqlite3_bind_int64(s, 2, span.to_ms);
    struct second_row row;
    while (next_row(r, s)) {
        take_second(s, &row);
        fn(user, &row);
    }
    sqlite3_finalize(s);
}

void history_read_load(struct history_reader *r, struct history_span span,
                       int64_t cell_ms, history_load_fn *fn, void *user)
{
    sqlite3_stmt *s = prepare(
        r,
        "SELECT at_ms/?3*?3,avg(grid_mean_w),count(grid_mean_w) FROM second"
        " WHERE at_ms>=?1 AND at_ms<=?2 GROUP BY at_ms/?3 ORDER BY 1",
        span.from_ms);
    if (s == NULL) {
        return;
    }
    sqlite3_bind_int64(s, 2, span.to_ms);
    sqlite3_bind_int64(s, 3, cell_ms);
    while (next_row(r, s)) {
        fn(user, sqlite3_column_int64(s, 0), number(s, 1),
           sqlite3_column_int64(s, 2));
    }
    sqlite3_finalize(s);
}

void history_read_events(struct history_reader *r, struct history_span span,
                         struct history_kinds kinds, history_event_fn *fn,
                         void *user)
{
    sqlite3_stmt *s =
        prepare(r,
                "SELECT at_ms,kind,asset,text FROM event WHERE at_ms>=?1 AND"
                " at_ms<=?2 AND (kind=?3 OR kind=?4) ORDER BY at_ms,id",
                span.from_ms);
    if (s == NULL) {
        return;
    }
    sqlite3_bind_int64(s, 2, span.to_ms);
    sqlite3_bind_text(s, 3, kinds.a, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, kinds.b, -1, SQLITE_STATIC);
    struct history_event event;
    while (next_row(r, s)) {
        event.at_ms = sqlite3_column_int64(s, 0);
        copy_text(s, 1, event.kind, sizeof(event.kind));
        copy_text(s, 2, event.asset, sizeof(event.asset));
        copy_text(s, 3, event.text, sizeof(event.text));
        fn(user, &event);
    }
    sqlite3_finalize(s);
}
