/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_expire.h"

#include <sqlite3.h>
#include <stdbool.h>

static const int64_t EVERY_MS = 15000;
static const int64_t PART_MS = 60000; /* of a table at a time */
static const int64_t CARS_FIRST_MS = 600000;
static const int64_t CARS_EVERY_MS = INT64_C(6) * 3600000;
static const int64_t DAY_MAX_MS = INT64_C(25) * 3600000; /* in autumn */
enum { CARS_AT_ONCE = 1000 };

static enum err expire_seconds(struct history_db *db, int64_t before_ms)
{
    static const char *const tables[] = {"second", "battery_second", "decision",
                                         "event"};
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char text[200];
        sqlite3_snprintf(sizeof(text), text,
                         "DELETE FROM %s WHERE at_ms<%lld AND at_ms<"
                         "(SELECT min(at_ms)+%lld FROM %s)",
                         tables[i], (long long)before_ms, (long long)PART_MS,
                         tables[i]);
        if (e == ERR_NONE) {
            e = history_db_exec(db, text);
        }
    }
    return e;
}

/* Of the oldest day: a row is of the day that began then, and is added to until
 * that ends, so its age counts from there.  A day of a million cars goes in
 * pieces; 'more' where it may have more of them. */
static enum err expire_cars(struct history_db *db, int64_t before_ms,
                            bool *more)
{
    char text[240];
    sqlite3_snprintf(sizeof(text), text,
                     "DELETE FROM car_day WHERE (at_ms,car) IN (SELECT "
                     "at_ms,car FROM car_day WHERE at_ms<%lld AND at_ms="
                     "(SELECT min(at_ms) FROM car_day) ORDER BY car LIMIT %d)",
                     (long long)(before_ms - DAY_MAX_MS), CARS_AT_ONCE);
    enum err e = history_db_exec(db, text);
    *more = e == ERR_NONE && sqlite3_changes(db->sql) >= CARS_AT_ONCE;
    return e;
}

enum err history_expire(struct history_expire *x, struct history_db *db,
                        int64_t utc_ms, int64_t mono_ms)
{
    if (mono_ms <= 0) {
        return ERR_NONE;
    }
    if (x->due_ms == 0) {
        x->due_ms = mono_ms + EVERY_MS;
        x->cars_due_ms = mono_ms + CARS_FIRST_MS;
    }
    if (mono_ms < x->due_ms) {
        return ERR_NONE;
    }
    x->due_ms = mono_ms + EVERY_MS;
    int64_t before_ms = utc_ms - x->keep_ms;
    enum err e = expire_seconds(db, before_ms);
    if (e == ERR_NONE && mono_ms >= x->cars_due_ms) {
        bool more = false;
        e = expire_cars(db, before_ms, &more);
        x->cars_due_ms = more ? mono_ms : mono_ms + CARS_EVERY_MS;
    }
    return e;
}
