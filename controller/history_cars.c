/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_cars.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "models/reason.h"

enum { ROWS_MAX = 4096 };

enum err history_cars_init(struct history_cars *c)
{
    *c = (struct history_cars){.rows = calloc(ROWS_MAX, sizeof(*c->rows))};
    pthread_mutex_init(&c->lock, NULL);
    return c->rows != NULL ? ERR_NONE : ERR_MEMORY;
}

void history_cars_clear(struct history_cars *c)
{
    if (c->rows != NULL) {
        pthread_mutex_destroy(&c->lock);
        free(c->rows);
        c->rows = NULL;
    }
}

int history_cars_put(struct history_cars *c, const struct ledger_day *rows,
                     int n)
{
    int taken = 0;
    pthread_mutex_lock(&c->lock);
    for (; taken < n && c->n < ROWS_MAX; taken++) {
        c->rows[(c->first + c->n) % ROWS_MAX] = rows[taken];
        c->n++;
    }
    pthread_mutex_unlock(&c->lock);
    return taken;
}

size_t history_cars_wait(struct history_cars *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->n;
    pthread_mutex_unlock(&c->lock);
    return n;
}

static enum err write_row(struct history_db *db, const struct site *site,
                          const struct ledger_day *row)
{
    char car[HISTORY_NAME_MAX];
    asset_name(site, ASSET_NODE, row->node, car, sizeof(car));
    sqlite3_stmt *s = db->statements[HISTORY_CAR_DAY];
    sqlite3_bind_int64(s, 1, row->at_ms);
    sqlite3_bind_text(s, 2, row->day, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 3, site->fleets[row->fleet].name, -1,
                      SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 4, car, -1, SQLITE_TRANSIENT);
    int at = 5;
#define BIND(column) sqlite3_bind_double(s, at++, row->added.column);
    CAR_DAY_LIST(BIND)
#undef BIND
    return history_db_put(db, HISTORY_CAR_DAY);
}

/* Only this thread takes rows out, so the first 'n' stay as they are. */
enum err history_cars_write(struct history_cars *c, size_t n,
                            struct history_db *db, const struct site *site)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < n && e == ERR_NONE; i++) {
        e = write_row(db, site, &c->rows[(c->first + i) % ROWS_MAX]);
    }
    return e;
}

void history_cars_done(struct history_cars *c, size_t n)
{
    pthread_mutex_lock(&c->lock);
    c->first = (c->first + n) % ROWS_MAX;
    c->n -= n;
    pthread_mutex_unlock(&c->lock);
}
