/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_carry.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/step/carry.h"

enum { SLOTS = 64, RUNS_MAX = 1000000 };

/* Of all states that wait; several of the largest. */
static const size_t BYTES = 16 * CARRY_SIZE_MAX;

struct carry_slot {
    size_t size;
    size_t at;  /* in the bytes */
    size_t end; /* bytes ever taken, with this one */
    bool is_last;
};

enum err history_carry_init(struct history_carry *c)
{
    atomic_init(&c->pushed, 0);
    atomic_init(&c->popped, 0);
    atomic_init(&c->freed, 0);
    c->next = 0;
    c->place = 0;
    c->slots = malloc(SLOTS * sizeof(*c->slots));
    c->bytes = malloc(BYTES);
    if (c->slots == NULL || c->bytes == NULL) {
        history_carry_clear(c);
        return ERR_MEMORY;
    }
    /* the pages are touched here, not in the control thread */
    memset(c->slots, 0, SLOTS * sizeof(*c->slots));
    memset(c->bytes, 0, BYTES);
    return ERR_NONE;
}

void history_carry_clear(struct history_carry *c)
{
    free(c->slots);
    free(c->bytes);
    c->slots = NULL;
    c->bytes = NULL;
}

unsigned char *history_carry_slot(struct history_carry *c, size_t size)
{
    assert(size <= CARRY_SIZE_MAX);
    size_t at = atomic_load_explicit(&c->pushed, memory_order_relaxed);
    size_t done = atomic_load_explicit(&c->popped, memory_order_acquire);
    size_t freed = atomic_load_explicit(&c->freed, memory_order_acquire);
    /* none lies across the end */
    size_t left = BYTES - c->next % BYTES;
    c->place = size <= left ? c->next : c->next + left;
    bool room = at - done < SLOTS && c->place + size - freed <= BYTES;
    return room ? c->bytes + c->place % BYTES : NULL;
}

void history_carry_post(struct history_carry *c, size_t size, bool is_last)
{
    size_t at = atomic_load_explicit(&c->pushed, memory_order_relaxed);
    assert(size <= CARRY_SIZE_MAX);
    c->next = c->place + size;
    c->slots[at % SLOTS] = (struct carry_slot){.size = size,
                                               .at = c->place % BYTES,
                                               .end = c->next,
                                               .is_last = is_last};
    atomic_store_explicit(&c->pushed, at + 1, memory_order_release);
}

size_t history_carry_waits(struct history_carry *c)
{
    return atomic_load_explicit(&c->pushed, memory_order_acquire) -
           atomic_load_explicit(&c->popped, memory_order_relaxed);
}

bool history_carry_is_due(struct history_carry *c)
{
    size_t n = history_carry_waits(c);
    size_t first = atomic_load_explicit(&c->popped, memory_order_relaxed);
    size_t freed = atomic_load_explicit(&c->freed, memory_order_relaxed);
    return n >= SLOTS / 2 ||
           (n > 0 && c->slots[(first + n - 1) % SLOTS].end - freed > BYTES / 2);
}

static enum err failed(struct history_db *db, int result)
{
    db->result = result;
    snprintf(db->error, sizeof(db->error), "%s", sqlite3_errmsg(db->sql));
    return ERR_IO;
}

static enum err put(struct history_db *db, enum history_statement which)
{
    sqlite3_stmt *s = db->statements[which];
    int result = sqlite3_step(s);
    enum err e = result == SQLITE_DONE ? ERR_NONE : failed(db, result);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return e;
}

static enum err run(struct history_db *db, const char *text)
{
    int result = sqlite3_exec(db->sql, text, NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_NONE : failed(db, result);
}

enum err history_carry_write(struct history_carry *c, size_t n,
                             struct history_db *db)
{
    size_t first = atomic_load_explicit(&c->popped, memory_order_relaxed);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < n && e == ERR_NONE; i++) {
        struct carry_slot *slot = &c->slots[(first + i) % SLOTS];
        char asset[CARRY_NAME_MAX];
        unsigned char *blob = c->bytes + slot->at;
        carry_seal(blob, slot->size);
        sqlite3_stmt *s = db->statements[HISTORY_CARRY];
        sqlite3_bind_text(s, 1, carry_asset(blob, asset), -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(s, 2, carry_saved_at_ms(blob));
        sqlite3_bind_int(s, 3, slot->is_last);
        sqlite3_bind_blob64(s, 4, blob, slot->size, SQLITE_STATIC);
        e = put(db, HISTORY_CARRY);
    }
    return e;
}

void history_carry_done(struct history_carry *c, size_t n)
{
    size_t first = atomic_load_explicit(&c->popped, memory_order_relaxed);
    if (n > 0) {
        size_t end = c->slots[(first + n - 1) % SLOTS].end;
        atomic_store_explicit(&c->freed, end, memory_order_release);
    }
    atomic_store_explicit(&c->popped, first + n, memory_order_release);
}

static enum err refuse(struct history_db *db, const char *asset)
{
    sqlite3_stmt *s = db->statements[HISTORY_REFUSE];
    sqlite3_bind_text(s, 1, asset, -1, SQLITE_TRANSIENT);
    return put(db, HISTORY_REFUSE);
}

/* From is_last: 1 saved by the last act of its run, 0 by a run under way, and
 * one less for every run that has begun with it since. */
static int64_t runs_since(int64_t is_last)
{
    if (is_last > 1) {
        return 1; /* nobody wrote that */
    }
    return is_last > -RUNS_MAX ? 1 - is_last : RUNS_MAX;
}

static enum err load_all(struct history_db *db, history_carried_fn *fn,
                         void *user)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(
        db->sql, "SELECT asset,state,is_last FROM carried ORDER BY asset", -1,
        &s, NULL);
    enum err e = ERR_NONE;
    while (result == SQLITE_OK && e == ERR_NONE &&
           sqlite3_step(s) == SQLITE_ROW) {
        struct history_carried c = {
            .asset = (const char *)sqlite3_column_text(s, 0),
            .state = sqlite3_column_blob(s, 1),
            .size = (size_t)sqlite3_column_bytes(s, 1),
            .n_since = runs_since(sqlite3_column_int64(s, 2)),
        };
        if (c.asset != NULL && !fn(user, &c)) {
            e = refuse(db, c.asset);
        }
    }
    int end = sqlite3_finalize(s);
    result = result == SQLITE_OK ? end : result;
    return e != ERR_NONE || result == SQLITE_OK ? e : failed(db, result);
}

enum err history_carry_load(struct history_db *db, history_carried_fn *fn,
                            void *user)
{
    enum err e = history_db_begin(db, true);
    if (e == ERR_NONE) {
        e = load_all(db, fn, user);
    }
    if (e == ERR_NONE) {
        e = run(db, "UPDATE carried SET is_last=is_last-1");
    }
    if (e == ERR_NONE) {
        e = history_db_commit(db);
    }
    if (e != ERR_NONE) {
        history_db_rollback(db);
    }
    return e;
}
