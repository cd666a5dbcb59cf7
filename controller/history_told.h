/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_told - what other threads tell the historian: events, and values to
 * keep across a restart.
 *
 * Under one lock that is never held during input or output.  Whatever is told
 * stays here until the commit that holds it has succeeded.
 */
#ifndef CONTROLLER_HISTORY_TOLD_H
#define CONTROLLER_HISTORY_TOLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/history_db.h"
#include "models/err.h"

enum { KEPT_MAX = 256, KEPT_KEY_MAX = 96, KEPT_SIZE_MAX = 65536 };

struct kept {
    char key[KEPT_KEY_MAX];
    unsigned char *blob; /* owned */
    size_t size;
    uint64_t seq; /* when it was told; 0: came from the database */
    bool is_unsaved;
};

struct history_told {
    pthread_mutex_t lock;
    pthread_cond_t news;          /* something was told */
    pthread_cond_t committed;     /* done_seq moved */
    struct history_event *events; /* a ring, owned */
    size_t first;
    size_t n_events;
    uint64_t n_events_dropped; /* the ring was full */
    struct kept kept[KEPT_MAX];
    size_t n_kept;
    uint64_t seq;      /* of what was told last */
    uint64_t done_seq; /* told until then is committed */
    bool is_closing;
};

/* What one batch takes along. */
struct told_batch {
    size_t n_events;
    size_t n_kept;
    uint64_t seq;
};

CHECKED enum err told_init(struct history_told *t);
void told_clear(struct history_told *t);

/* Any thread. */
void told_event(struct history_told *t, const struct history_event *e);
/* False where key or blob is too long, there are too many, or no memory. */
bool told_keep(struct history_told *t, const char *key, const void *blob,
               size_t size);
/* Copy what is kept under 'key', at most 'max' bytes; its size, 0 for none. */
size_t told_kept(struct history_told *t, const char *key, void *blob,
                 size_t max);
/* Wait until all that was told before is committed, at most 'timeout_s'. */
bool told_sync(struct history_told *t, double timeout_s);
uint64_t told_dropped(struct history_told *t);
void told_close(struct history_told *t);

/* The historian's thread. */
/* Sleep until something uncommitted is told, at most 'timeout_s'; false once
 * it is to close. */
bool told_wait(struct history_told *t, double timeout_s, bool is_for_news);
/* What came from the database, before the thread runs. */
void told_loaded(void *told, const char *key, const void *blob, size_t size);
/* Whether something is not committed yet. */
bool told_waits(struct history_told *t);
struct told_batch told_batch(struct history_told *t);
CHECKED enum err told_write(struct history_told *t,
                            const struct told_batch *batch,
                            struct history_db *db);
/* The batch is committed: forget its events. */
void told_done(struct history_told *t, const struct told_batch *batch);

#endif
