/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept waits in bounded memory until a commit has succeeded; the
 * control thread only ever sees the ring. */
#include "controller/historian_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "controller/history_schema.h"

enum { TICKS_AT_ONCE = 256 };

static const double poll_s = 0.02; /* how often the ring is looked at */
static const double try_again_s = 0.25;
static const double try_again_max_s = 5.0;

/* Older parts of the recording go, then it ends in good order, before it fills
 * the disk: the history proper goes on. */
static const double free_min_bytes = 64e6;

static const double BYTES_PER_MB = 1e6;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(struct historian *h, int64_t utc_ms, const char *text)
{
    historian_event(h, utc_ms, "history", "", text);
}

/* Without 'why' because of 'error', an errno. */
static void end_recording(struct historian *h, const char *why, int error)
{
    if (h->reel == NULL) {
        return;
    }
    enum err e = reel_close(h->reel);
    h->reel = NULL;
    char text[HISTORY_TEXT_MAX];
    snprintf(text, sizeof(text), "the recording ends near tick %llu: %s",
             (unsigned long long)h->tick.in->tick,
             why != NULL && e == ERR_NONE ? why
                                          : strerror(error != 0 ? error : EIO));
    tell(h, h->tick.in->utc_ms, text);
    pthread_mutex_lock(&h->counts_lock);
    h->counts.recording = false;
    pthread_mutex_unlock(&h->counts_lock);
}

static bool disk_is_nearly_full(const char *path)
{
    struct statvfs fs;
    return statvfs(path, &fs) == 0 &&
           (double)fs.f_bavail * (double)fs.f_frsize < free_min_bytes;
}

/* After a gap what follows cannot be verified. */
static void end_at_gap(struct historian *h)
{
    if (h->reel == NULL) {
        return;
    }
    char why[HISTORY_TEXT_MAX];
    double mb_s =
        reel_tick_bytes(h->reel) / h->site.control.period_s / BYTES_PER_MB;
    snprintf(why, sizeof(why),
             "its queue of %zu ticks was full; disk and processor do not take "
             "%.3g MB/s, %d cars: a longer control.period or a faster disk do",
             h->ring.n_slots, mb_s, h->site.n_nodes);
    end_recording(h, why, 0);
}

static void take_tick(struct historian *h)
{
    const struct history_tick *t = &h->tick;
    if (t->gap) {
        end_at_gap(h);
    }
    if (h->reel != NULL &&
        reel_tick(h->reel, t->in, &t->plan, t->out) != ERR_NONE) {
        end_recording(h, NULL, errno);
    }
    bool is_new_second = backlog_tick(&h->backlog, t->in, t->out);
    if (is_new_second && h->reel != NULL &&
        disk_is_nearly_full(h->record_path) && !reel_drop_oldest(h->reel)) {
        end_recording(h, "less than 64 MB are free on its disk", 0);
    }
}

static bool drain(struct historian *h)
{
    for (int i = 0; i < TICKS_AT_ONCE; i++) {
        if (!history_ring_pop(&h->ring, &h->tick)) {
            return false;
        }
        take_tick(h);
    }
    return true;
}

static enum err begin_run(struct historian *h)
{
    enum err e = history_db_begin(&h->db, true);
    if (e == ERR_NONE) {
        e = history_db_batteries(&h->db, &h->site);
    }
    return e == ERR_NONE ? history_db_commit(&h->db) : e;
}

enum err historian_open_db(struct historian *h, char *why, size_t why_size)
{
    char notice[HISTORY_TEXT_MAX] = "";
    enum err e = history_db_open(&h->db, h->db_path, notice, why, why_size);
    if (e == ERR_NONE && begin_run(h) != ERR_NONE) {
        snprintf(why, why_size, "%s: %s", h->db_path, h->db.error);
        history_db_close(&h->db);
        e = ERR_IO;
    }
    if (notice[0] != '\0') {
        fprintf(stderr, "ballast: %s\n", notice);
        tell(h, h->tick.in->utc_ms, notice);
    }
    return e;
}

/* What one commit takes along of what others told. */
struct batch {
    struct told_batch told;
    size_t n_carried;
    size_t n_cars;
};

static enum err write_batch(struct historian *h, const struct batch *batch)
{
    bool is_durable =
        batch->told.n_events + batch->told.n_kept + h->backlog.n_decisions > 0;
    enum err e = history_db_begin(&h->db, is_durable);
    if (e == ERR_NONE) {
        e = backlog_write(&h->backlog, &h->db, &h->site);
    }
    if (e == ERR_NONE) {
        e = told_write(&h->told, &batch->told, &h->db);
    }
    if (e == ERR_NONE) {
        e = history_carry_write(&h->carry, batch->n_carried, &h->db);
    }
    if (e == ERR_NONE) {
        e = history_cars_write(&h->cars, batch->n_cars, &h->db, &h->site);
    }
    if (e == ERR_NONE) {
        e = history_expire(&h->expire, &h->db, h->tick.in->utc_ms,
                           h->tick.in->mono_ms);
    }
    return e == ERR_NONE ? history_db_commit(&h->db) : e;
}

static void commit_failed(struct historian *h, const char *error)
{
    h->wait_s =
        h->wait_s == 0.0 ? try_again_s : fmin(2.0 * h->wait_s, try_again_max_s);
    h->try_at_s = now_s() + h->wait_s;
    h->n_failed_now++;
    pthread_mutex_lock(&h->counts_lock);
    h->counts.n_failed++;
    h->counts.degraded = true;
    h->counts.n_seconds_dropped = h->backlog.n_dropped;
    snprintf(h->counts.last_error, sizeof(h->counts.last_error), "%s", error);
    pthread_mutex_unlock(&h->counts_lock);
}

static void commit_done(struct historian *h, const struct batch *batch)
{
    told_done(&h->told, &batch->told);
    history_carry_done(&h->carry, batch->n_carried);
    history_cars_done(&h->cars, batch->n_cars);
    pthread_mutex_lock(&h->counts_lock);
    h->counts.n_commits++;
    h->counts.degraded = false;
    h->counts.last_error[0] = '\0';
    h->counts.committed_tick = h->backlog.closed_tick;
    h->counts.n_seconds_dropped = h->backlog.n_dropped;
    pthread_mutex_unlock(&h->counts_lock);
    if (h->n_failed_now > 0) {
        char text[HISTORY_TEXT_MAX];
        snprintf(text, sizeof(text),
                 "writing again after %llu failed commits; %llu seconds are "
                 "lost in all",
                 (unsigned long long)h->n_failed_now,
                 (unsigned long long)h->backlog.n_dropped);
        h->n_failed_now = 0;
        tell(h, h->tick.in->utc_ms, text);
    }
    backlog_done(&h->backlog);
    h->wait_s = 0.0;
    h->try_at_s = 0.0;
    history_db_checkpoint(&h->db);
}

/* After a failed commit: the connection, and where it is damaged the file, are
 * given up; the next attempt opens again. */
static void give_up_db(struct historian *h)
{
    enum history_fault fault = history_db_fault(&h->db);
    history_db_rollback(&h->db);
    if (fault == HISTORY_RETRY) {
        return;
    }
    /* never sync again on a descriptor that failed */
    history_db_close(&h->db);
    char aside[HISTORY_TEXT_MAX];
    if (fault == HISTORY_CORRUPT && history_set_aside(h->db_path, aside)) {
        char text[HISTORY_TEXT_MAX];
        snprintf(text, sizeof(text),
                 "the database was damaged (%.60s): kept as %.120s, a new one "
                 "is begun",
                 h->db.error, aside);
        tell(h, h->tick.in->utc_ms, text);
    }
}

/* Everything that waits, in one transaction. */
static void commit(struct historian *h)
{
    char why[sizeof(h->db.error) + sizeof(h->db_path)] = "";
    if (h->db.sql == NULL &&
        historian_open_db(h, why, sizeof(why)) != ERR_NONE) {
        commit_failed(h, why);
        return;
    }
    /* what the commit acknowledges is in the recording as well */
    if (h->reel != NULL && reel_flush(h->reel) != ERR_NONE) {
        end_recording(h, NULL, errno);
    }
    struct batch batch = {.told = told_batch(&h->told),
                          .n_carried = history_carry_waits(&h->carry),
                          .n_cars = history_cars_wait(&h->cars)};
    if (write_batch(h, &batch) == ERR_NONE) {
        commit_done(h, &batch);
        return;
    }
    commit_failed(h, h->db.error);
    give_up_db(h);
}

static bool has_waiting(struct historian *h)
{
    return backlog_waits(&h->backlog) || told_waits(&h->told) ||
           history_carry_is_due(&h->carry) || history_cars_wait(&h->cars) > 0;
}

void *historian_run(void *arg)
{
    struct historian *h = arg;
    bool go_on = true;
    while (go_on) {
        bool more = drain(h);
        bool may = now_s() >= h->try_at_s;
        if (may && has_waiting(h)) {
            commit(h);
        }
        if (!more) {
            go_on = told_wait(&h->told, poll_s, may);
        }
    }
    while (drain(h)) {
    }
    backlog_close_second(&h->backlog);
    end_recording(h, "closed", 0);
    commit(h);
    if (has_waiting(h) || history_carry_waits(&h->carry) > 0) {
        commit(h); /* once more: a file set aside, or what it told itself */
    }
    return NULL;
}
