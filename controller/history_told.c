/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_told.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVENTS_MAX = 512 };

enum err told_init(struct history_told *t)
{
    memset(t, 0, sizeof(*t));
    t->events = calloc(EVENTS_MAX, sizeof(*t->events));
    if (t->events == NULL) {
        return ERR_MEMORY;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->news, &monotonic);
    pthread_cond_init(&t->committed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return ERR_NONE;
}

void told_clear(struct history_told *t)
{
    pthread_cond_destroy(&t->news);
    pthread_cond_destroy(&t->committed);
    pthread_mutex_destroy(&t->lock);
    for (size_t i = 0; i < t->n_kept; i++) {
        free(t->kept[i].blob);
    }
    free(t->events);
}

static struct timespec after(double seconds)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    double whole = floor(seconds);
    at.tv_sec += (time_t)whole;
    at.tv_nsec += (long)((seconds - whole) * 1e9);
    if (at.tv_nsec >= 1000000000L) {
        at.tv_nsec -= 1000000000L;
        at.tv_sec++;
    }
    return at;
}

void told_event(struct history_told *t, const struct history_event *e)
{
    pthread_mutex_lock(&t->lock);
    if (t->n_events == EVENTS_MAX) {
        t->n_events_dropped++;
    } else {
        t->events[(t->first + t->n_events) % EVENTS_MAX] = *e;
        t->n_events++;
        t->seq++;
        pthread_cond_signal(&t->news);
    }
    pthread_mutex_unlock(&t->lock);
}

/* With the lock held: the entry of 'key', a new one, or NULL where full. */
static struct kept *find(struct history_told *t, const char *key)
{
    for (size_t i = 0; i < t->n_kept; i++) {
        if (strcmp(t->kept[i].key, key) == 0) {
            return &t->kept[i];
        }
    }
    if (t->n_kept == KEPT_MAX) {
        return NULL;
    }
    struct kept *k = &t->kept[t->n_kept++];
    strcpy(k->key, key);
    return k;
}

static struct kept *store(struct history_told *t, const char *key,
                          const void *blob, size_t size)
{
    if (strlen(key) >= KEPT_KEY_MAX || size == 0 || size > KEPT_SIZE_MAX) {
        return NULL;
    }
    unsigned char *copy = malloc(size);
    struct kept *k = copy != NULL ? find(t, key) : NULL;
    if (k == NULL) {
        free(copy);
        return NULL;
    }
    memcpy(copy, blob, size);
    free(k->blob);
    k->blob = copy;
    k->size = size;
    return k;
}

bool told_keep(struct history_told *t, const char *key, const void *blob,
               size_t size)
{
    pthread_mutex_lock(&t->lock);
    struct kept *k = store(t, key, blob, size);
    if (k != NULL) {
        k->seq = ++t->seq;
        k->is_unsaved = true;
        pthread_cond_signal(&t->news);
    }
    pthread_mutex_unlock(&t->lock);
    return k != NULL;
}

void told_loaded(void *told, const char *key, const void *blob, size_t size)
{
    store(told, key, blob, size);
}

size_t told_kept(struct history_told *t, const char *key, void *blob,
                 size_t max)
{
    size_t size = 0;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->n_kept; i++) {
        const struct kept *k = &t->kept[i];
        if (strcmp(k->key, key) == 0 && k->blob != NULL) {
            size = k->size;
            if (max > 0) {
                memcpy(blob, k->blob, size < max ? size : max);
            }
        }
    }
    pthread_mutex_unlock(&t->lock);
    return size;
}

bool told_sync(struct history_told *t, double timeout_s)
{
    struct timespec until = after(timeout_s);
    pthread_mutex_lock(&t->lock);
    uint64_t seq = t->seq;
    int result = 0;
    while (t->done_seq < seq && result == 0) {
        result = pthread_cond_timedwait(&t->committed, &t->lock, &until);
    }
    bool done = t->done_seq >= seq;
    pthread_mutex_unlock(&t->lock);
    return done;
}

void told_close(struct history_told *t)
{
    pthread_mutex_lock(&t->lock);
    t->is_closing = true;
    pthread_cond_signal(&t->news);
    pthread_mutex_unlock(&t->lock);
}

bool told_wait(struct history_told *t, double timeout_s, bool is_for_news)
{
    struct timespec until = after(timeout_s);
    pthread_mutex_lock(&t->lock);
    int result = 0;
    while (!t->is_closing && result == 0 &&
           !(is_for_news && t->seq != t->done_seq)) {
        result = pthread_cond_timedwait(&t->news, &t->lock, &until);
    }
    bool go_on = !t->is_closing;
    pthread_mutex_unlock(&t->lock);
    return go_on;
}

bool told_waits(struct history_told *t)
{
    pthread_mutex_lock(&t->lock);
    bool waits = t->seq != t->done_seq;
    pthread_mutex_unlock(&t->lock);
    return waits;
}

uint64_t told_dropped(struct history_told *t)
{
    pthread_mutex_lock(&t->lock);
    uint64_t n = t->n_events_dropped;
    pthread_mutex_unlock(&t->lock);
    return n;
}

struct told_batch told_batch(struct history_told *t)
{
    pthread_mutex_lock(&t->lock);
    struct told_batch batch = {.n_events = t->n_events, .seq = t->seq};
    for (size_t i = 0; i < t->n_kept; i++) {
        batch.n_kept += t->kept[i].is_unsaved;
    }
    pthread_mutex_unlock(&t->lock);
    return batch;
}

/* Writes entry 'i' where it is unsaved.  It may be newer than the batch; then
 * it stays unsaved and is written again. */
static enum err write_kept(struct history_told *t, size_t i,
                           struct history_db *db)
{
    unsigned char *copy = NULL;
    char key[KEPT_KEY_MAX];
    size_t size = 0;
    pthread_mutex_lock(&t->lock);
    const struct kept *k = &t->kept[i];
    bool is_unsaved = i < t->n_kept && k->is_unsaved;
    if (is_unsaved) {
        size = k->size;
        memcpy(key, k->key, sizeof(key));
        copy = malloc(size);
        if (copy != NULL) {
            memcpy(copy, k->blob, size);
        }
    }
    pthread_mutex_unlock(&t->lock);
    if (!is_unsaved) {
        return ERR_NONE;
    }
    enum err e =
        copy != NULL ? history_db_keep(db, key, copy, size) : ERR_MEMORY;
    free(copy);
    return e;
}

enum err told_write(struct history_told *t, const struct told_batch *batch,
                    struct history_db *db)
{
    enum err e = ERR_NONE;
    /* the slots of the batch are the thread's alone until told_done() */
    for (size_t i = 0; i < batch->n_events && e == ERR_NONE; i++) {
        e = history_db_event(db, &t->events[(t->first + i) % EVENTS_MAX]);
    }
    for (size_t i = 0; i < KEPT_MAX && batch->n_kept > 0 && e == ERR_NONE;
         i++) {
        e = write_kept(t, i, db);
    }
    return e;
}

void told_done(struct history_told *t, const struct told_batch *batch)
{
    pthread_mutex_lock(&t->lock);
    t->first = (t->first + batch->n_events) % EVENTS_MAX;
    t->n_events -= batch->n_events;
    for (size_t i = 0; i < t->n_kept; i++) {
        if (t->kept[i].seq <= batch->seq) {
            t->kept[i].is_unsaved = false;
        }
    }
    t->done_seq = batch->seq;
    pthread_cond_broadcast(&t->committed);
    pthread_mutex_unlock(&t->lock);
}
