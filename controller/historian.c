/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/historian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/historian_run.h"

static enum err write_meta(struct historian *h, const struct historian_cfg *cfg)
{
    char build[BUILD_ID_MAX];
    char at[32];
    build_id(build);
    snprintf(at, sizeof(at), "%lld", (long long)cfg->utc_ms);
    const char *const rows[][2] = {
        {"site", cfg->site->name},
        {"site_path", cfg->site_path},
        {"site_text", cfg->site_text},
        {"started_at_ms", at},
        {"build", build},
    };
    enum err e = history_db_begin(&h->db, true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (e == ERR_NONE) {
            e = history_db_meta(&h->db, rows[i][0], rows[i][1]);
        }
    }
    return e == ERR_NONE ? history_db_commit(&h->db) : e;
}

static enum err start_recording(struct historian *h,
                                const struct historian_cfg *cfg, char *why,
                                size_t why_size)
{
    if (cfg->record_path == NULL) {
        return ERR_NONE;
    }
    struct reel_cfg reel = {
        .path = cfg->record_path,
        .head = {.site_text = cfg->site_text,
                 .site_text_size = strlen(cfg->site_text),
                 .policy = (int64_t)cfg->policy,
                 .state = cfg->state,
                 .state_size = cfg->state_size},
        .site = &h->site,
        .bytes_max = cfg->site->history.record_max_bytes,
        .keep_s = cfg->site->history.keep_s,
        .utc_ms = cfg->utc_ms,
    };
    snprintf(reel.head.site_path, sizeof(reel.head.site_path), "%s",
             cfg->site_path);
    snprintf(h->record_path, sizeof(h->record_path), "%s", cfg->record_path);
    h->counts.recording = true;
    return reel_open(&reel, &h->reel, why, why_size);
}

static enum err make(const struct historian_cfg *cfg, struct historian **out)
{
    struct historian *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        return ERR_MEMORY;
    }
    h->site = *cfg->site;
    h->expire.keep_ms = (int64_t)(cfg->site->history.keep_s * 1e3);
    snprintf(h->db_path, sizeof(h->db_path), "%s", cfg->db_path);
    pthread_mutex_init(&h->counts_lock, NULL);
    if (told_init(&h->told) != ERR_NONE ||
        history_carry_init(&h->carry) != ERR_NONE ||
        history_cars_init(&h->cars) != ERR_NONE ||
        history_ring_init(&h->ring, cfg->site) != ERR_NONE ||
        history_tick_init(&h->tick, &h->ring) != ERR_NONE ||
        backlog_init(&h->backlog, cfg->site->n_batteries) != ERR_NONE) {
        *out = h;
        return ERR_MEMORY;
    }
    h->tick.in->utc_ms = cfg->utc_ms;
    *out = h;
    return ERR_NONE;
}

static void release(struct historian *h)
{
    if (h->db.sql != NULL) {
        history_db_close(&h->db);
    }
    if (h->reel != NULL) {
        enum err e = reel_close(h->reel);
        (void)e; /* nothing was written yet */
    }
    backlog_clear(&h->backlog);
    history_tick_clear(&h->tick);
    history_ring_clear(&h->ring);
    history_carry_clear(&h->carry);
    history_cars_clear(&h->cars);
    told_clear(&h->told);
    pthread_mutex_destroy(&h->counts_lock);
    free(h);
}

static enum err read_last_run(struct historian *h,
                              const struct historian_cfg *cfg)
{
    enum err e = history_db_each_kept(&h->db, told_loaded, &h->told);
    if (e == ERR_NONE && cfg->carried != NULL) {
        e = history_carry_load(&h->db, cfg->carried, cfg->carried_user);
    }
    return e;
}

static enum err open_all(struct historian *h, const struct historian_cfg *cfg,
                         char *why, size_t why_size)
{
    enum err e = historian_open_db(h, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    if (write_meta(h, cfg) != ERR_NONE || read_last_run(h, cfg) != ERR_NONE) {
        snprintf(why, why_size, "%s: %s", cfg->db_path, h->db.error);
        return ERR_IO;
    }
    e = start_recording(h, cfg, why, why_size);
    if (e == ERR_NONE &&
        pthread_create(&h->thread, NULL, historian_run, h) != 0) {
        snprintf(why, why_size, "cannot start the historian's thread");
        e = ERR_MEMORY;
    }
    return e;
}

enum err historian_open(const struct historian_cfg *cfg, struct historian **out,
                        char *why, size_t why_size)
{
    struct historian *h = NULL;
    enum err e = make(cfg, &h);
    if (e != ERR_NONE) {
        snprintf(why, why_size, "out of memory");
    } else {
        e = open_all(h, cfg, why, why_size);
    }
    if (e != ERR_NONE) {
        if (h != NULL) {
            release(h);
        }
        return e;
    }
    historian_event(h, cfg->utc_ms, "history", "",
                    cfg->record_path != NULL ? "begun, with a recording"
                                             : "begun, without a recording");
    *out = h;
    return ERR_NONE;
}

bool historian_push(struct historian *h, const struct snapshot *in,
                    const struct plan *plan, const struct step_out *out)
{
    atomic_fetch_add_explicit(&h->n_ticks, 1, memory_order_relaxed);
    return history_ring_push(&h->ring, in, plan, out);
}

void historian_event(struct historian *h, int64_t utc_ms, const char *kind,
                     const char *asset, const char *text)
{
    struct history_event e = {.at_ms = utc_ms};
    snprintf(e.kind, sizeof(e.kind), "%s", kind);
    snprintf(e.asset, sizeof(e.asset), "%s", asset);
    snprintf(e.text, sizeof(e.text), "%s", text);
    told_event(&h->told, &e);
}

int historian_cars(struct historian *h, const struct ledger_day *rows, int n)
{
    return history_cars_put(&h->cars, rows, n);
}

bool historian_sync(struct historian *h, double timeout_s)
{
    return told_sync(&h->told, timeout_s);
}

bool historian_keep(struct historian *h, const char *key, const void *blob,
                    size_t size)
{
    return told_keep(&h->told, key, blob, size);
}

size_t historian_kept(struct historian *h, const char *key, void *blob,
                      size_t max)
{
    return told_kept(&h->told, key, blob, max);
}

unsigned char *historian_carry_slot(struct historian *h, size_t size)
{
    return history_carry_slot(&h->carry, size);
}

void historian_carry_post(struct historian *h, size_t size, bool is_last)
{
    history_carry_post(&h->carry, size, is_last);
}

void historian_counts(struct historian *h, struct historian_counts *out)
{
    pthread_mutex_lock(&h->counts_lock);
    *out = h->counts;
    pthread_mutex_unlock(&h->counts_lock);
    out->n_ticks = atomic_load_explicit(&h->n_ticks, memory_order_relaxed);
    out->n_dropped =
        atomic_load_explicit(&h->ring.n_dropped, memory_order_relaxed);
    out->n_events_dropped = told_dropped(&h->told);
}

void historian_close(struct historian *h)
{
    told_close(&h->told);
    pthread_join(h->thread, NULL);
    release(h);
}
