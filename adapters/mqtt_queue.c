/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A ring of entries: a head, then topic and payload; any byte may wrap. */
struct ring {
    unsigned char *bytes;
    size_t size;
    size_t first; /* oldest entry */
    size_t used;
};

struct entry {
    uint64_t order; /* over both rings */
    struct mqtt_note note;
};

struct mqtt_queue {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct ring bulk;
    struct ring other;
    uint64_t order;
    uint64_t n_lost;
    uint64_t n_oversized;
    bool woken;
};

static void copy_in(struct ring *r, const void *from, size_t n)
{
    if (n == 0) {
        return; /* an empty payload may come as NULL */
    }
    size_t at = (r->first + r->used) % r->size;
    size_t before_wrap = r->size - at < n ? r->size - at : n;
    memcpy(r->bytes + at, from, before_wrap);
    memcpy(r->bytes, (const unsigned char *)from + before_wrap,
           n - before_wrap);
    r->used += n;
}

/* Copies 'n' bytes that lie 'offset' behind the oldest entry's begin. */
static void peek(const struct ring *r, size_t offset, void *to, size_t n)
{
    size_t at = (r->first + offset) % r->size;
    size_t before_wrap = r->size - at < n ? r->size - at : n;
    memcpy(to, r->bytes + at, before_wrap);
    memcpy((unsigned char *)to + before_wrap, r->bytes, n - before_wrap);
}

static void drop(struct ring *r, size_t n)
{
    assert(n <= r->used);
    r->first = (r->first + n) % r->size;
    r->used -= n;
}

static size_t entry_size(const struct mqtt_note *note)
{
    return sizeof(struct entry) + note->topic_size + note->size;
}

static bool first_entry(const struct ring *r, struct entry *out)
{
    if (r->used == 0) {
        return false;
    }
    peek(r, 0, out, sizeof(*out));
    return true;
}

enum err mqtt_queue_open(const struct mqtt_queue_cfg *cfg,
                         struct mqtt_queue **out)
{
    size_t least = MQTT_QUEUE_MESSAGE_MAX + sizeof(struct entry);
    assert(cfg->bulk_bytes >= least && cfg->other_bytes >= least);
    struct mqtt_queue *q = calloc(1, sizeof(*q));
    if (q == NULL) {
        return ERR_MEMORY;
    }
    q->bulk = (struct ring){malloc(cfg->bulk_bytes), cfg->bulk_bytes, 0, 0};
    q->other = (struct ring){malloc(cfg->other_bytes), cfg->other_bytes, 0, 0};
    pthread_condattr_t attr;
    if (q->bulk.bytes == NULL || q->other.bytes == NULL ||
        pthread_condattr_init(&attr) != 0) {
        free(q->bulk.bytes);
        free(q->other.bytes);
        free(q);
        return ERR_MEMORY;
    }
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->came, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->lock, NULL);
    *out = q;
    return ERR_NONE;
}

void mqtt_queue_close(struct mqtt_queue *q)
{
    if (q == NULL) {
        return;
    }
    pthread_cond_destroy(&q->came);
    pthread_mutex_destroy(&q->lock);
    free(q->bulk.bytes);
    free(q->other.bytes);
    free(q);
}

void mqtt_queue_put(struct mqtt_queue *q, const struct mqtt_note *note,
                    const char *topic, const void *payload)
{
    struct entry entry;
    memset(&entry, 0, sizeof(entry));
    entry.note = *note;
    pthread_mutex_lock(&q->lock);
    if (note->topic_size >= MQTT_TOPIC_MAX || note->size > JSON_IN_BYTES_MAX) {
        q->n_oversized++;
        pthread_mutex_unlock(&q->lock);
        return;
    }
    struct ring *r =
        mqtt_topic_is_bulk(topic, note->topic_size) ? &q->bulk : &q->other;
    while (r->size - r->used < entry_size(note)) {
        struct entry oldest;
        first_entry(r, &oldest);
        drop(r, entry_size(&oldest.note));
        q->n_lost++;
    }
    entry.order = q->order++;
    copy_in(r, &entry, sizeof(entry));
    copy_in(r, topic, note->topic_size);
    copy_in(r, payload, note->size);
    pthread_cond_signal(&q->came);
    pthread_mutex_unlock(&q->lock);
}

bool mqtt_queue_take(struct mqtt_queue *q, struct mqtt_note *note,
                     unsigned char *out)
{
    struct entry bulk = {0};
    struct entry other = {0};
    pthread_mutex_lock(&q->lock);
    bool has_bulk = first_entry(&q->bulk, &bulk);
    bool has_other = first_entry(&q->other, &other);
    if (!has_bulk && !has_other) {
        pthread_mutex_unlock(&q->lock);
        return false;
    }
    bool from_bulk = has_bulk && (!has_other || bulk.order < other.order);
    struct ring *r = from_bulk ? &q->bulk : &q->other;
    *note = from_bulk ? bulk.note : other.note;
    peek(r, sizeof(struct entry), out, note->topic_size + note->size);
    drop(r, entry_size(note));
    pthread_mutex_unlock(&q->lock);
    return true;
}

void mqtt_queue_wait(struct mqtt_queue *q, double timeout_s)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double wait_s = timeout_s < 0.0 ? 0.0 : timeout_s;
    int64_t ns = until.tv_nsec + (int64_t)(wait_s * 1e9);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&q->lock);
    int rc = 0;
    while (q->bulk.used + q->other.used == 0 && !q->woken && rc == 0) {
        rc = pthread_cond_timedwait(&q->came, &q->lock, &until);
    }
    q->woken = false;
    pthread_mutex_unlock(&q->lock);
}

void mqtt_queue_wake(struct mqtt_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->woken = true;
    pthread_cond_signal(&q->came);
    pthread_mutex_unlock(&q->lock);
}

void mqtt_queue_counts(struct mqtt_queue *q, uint64_t *n_lost,
                       uint64_t *n_oversized)
{
    pthread_mutex_lock(&q->lock);
    *n_lost = q->n_lost;
    *n_oversized = q->n_oversized;
    pthread_mutex_unlock(&q->lock);
}
