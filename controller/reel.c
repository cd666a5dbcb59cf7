/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/reel.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/parts.h"
#include "controller/reel_files.h"

static const double PART_BYTES = 64e6;
static const double PARTS_MIN = 8.0; /* fit into what is allowed */
/* A part begins with the state: where that is large, not every few seconds. */
static const double PART_STATES = 8.0;
static const int64_t DAY_MS = INT64_C(86400000);

struct reel {
    char path[REEL_PATH_MAX];
    struct recording_head head;
    char *site_text; /* owned */
    const struct site *site;
    double part_bytes;
    double closed_bytes; /* of all closed parts together */
    int64_t keep_ms;
    struct recorder *recorder; /* NULL: failed */
    uint64_t n_in_part;        /* ticks */
    int64_t last_utc_ms;       /* of the last tick */
    uint64_t last_tick;
    struct step_cfg *cfg;
    struct step_state *state; /* before the next tick */
    struct step_scratch *scratch;
    struct step_out *out;
};

static void release(struct reel *r)
{
    free(r->site_text);
    free(r->cfg);
    free(r->state);
    free(r->scratch);
    free(r->out);
    free(r);
}

static enum err prepare_step(struct reel *r, const struct reel_cfg *cfg)
{
    r->cfg = malloc(step_cfg_size());
    if (r->cfg == NULL) {
        return ERR_MEMORY;
    }
    enum err e =
        step_cfg_init(r->cfg, cfg->site, (enum policy)cfg->head.policy);
    if (e != ERR_NONE) {
        return e;
    }
    if (cfg->head.state_size != step_state_size(r->cfg)) {
        return ERR_MISMATCH;
    }
    struct parts parts;
    parts_init(&parts, cfg->site);
    r->state = malloc(cfg->head.state_size);
    r->scratch = calloc(1, step_scratch_size(r->cfg));
    r->out = parts_out(&parts);
    if (r->state == NULL || r->scratch == NULL || r->out == NULL) {
        return ERR_MEMORY;
    }
    r->out->n_nodes = cfg->site->n_nodes;
    memcpy(r->state, cfg->head.state, cfg->head.state_size);
    return ERR_NONE;
}

static enum err make(const struct reel_cfg *cfg, struct reel **out)
{
    struct reel *r = calloc(1, sizeof(*r));
    *out = r;
    if (r == NULL) {
        return ERR_MEMORY;
    }
    r->site = cfg->site;
    r->head = cfg->head;
    r->site_text = malloc(cfg->head.site_text_size + 1);
    if (r->site_text == NULL) {
        return ERR_MEMORY;
    }
    memcpy(r->site_text, cfg->head.site_text, cfg->head.site_text_size);
    r->site_text[cfg->head.site_text_size] = '\0';
    r->head.site_text = r->site_text;
    double state_bytes = (double)cfg->head.state_size;
    r->part_bytes = fmin(fmax(PART_BYTES, PART_STATES * state_bytes),
                         cfg->bytes_max / PARTS_MIN);
    r->closed_bytes = cfg->bytes_max - r->part_bytes;
    r->keep_ms = (int64_t)(cfg->keep_s * 1e3);
    r->last_utc_ms = cfg->utc_ms;
    snprintf(r->path, sizeof(r->path), "%s", cfg->path);
    return prepare_step(r, cfg);
}

static void prune(const struct reel *r)
{
    struct reel_limits limits = {
        .bytes_max = r->closed_bytes,
        .oldest_ms = r->last_utc_ms - r->keep_ms,
    };
    reel_files_prune(r->path, &limits);
}

static enum err begin_part(struct reel *r, char *why, size_t why_size)
{
    r->head.state = r->state;
    r->head.after_tick = r->last_tick;
    r->n_in_part = 0;
    return recorder_open(r->path, &r->head, r->site, &r->recorder, why,
                         why_size);
}

enum err reel_open(const struct reel_cfg *cfg, struct reel **out, char *why,
                   size_t why_size)
{
    struct reel *r = NULL;
    if (strlen(cfg->path) >= REEL_PATH_MAX) {
        snprintf(why, why_size, "%.60s...: the path is too long", cfg->path);
        return ERR_RANGE;
    }
    enum err e = make(cfg, &r);
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s: %s", cfg->path, err_text(e));
    } else {
        e = reel_files_aside(cfg->path, reel_files_written_ms(cfg->path), why,
                             why_size);
    }
    if (e == ERR_NONE) {
        prune(r);
        e = begin_part(r, why, why_size);
    }
    if (e != ERR_NONE) {
        if (r != NULL) {
            release(r);
        }
        return e;
    }
    *out = r;
    return ERR_NONE;
}

static enum err end_part(struct reel *r)
{
    enum err e = recorder_close(r->recorder);
    r->recorder = NULL;
    return e;
}

static bool is_full(const struct reel *r, const struct snapshot *in)
{
    return r->n_in_part > 0 &&
           ((double)recorder_bytes(r->recorder) >= r->part_bytes ||
            in->utc_ms / DAY_MS != r->last_utc_ms / DAY_MS);
}

static enum err next_part(struct reel *r)
{
    char why[REEL_PATH_MAX * 2];
    enum err e = end_part(r);
    if (e == ERR_NONE) {
        e = reel_files_aside(r->path, r->last_utc_ms, why, sizeof(why));
    }
    if (e == ERR_NONE) {
        prune(r);
        e = begin_part(r, why, sizeof(why));
    }
    return e;
}

enum err reel_tick(struct reel *r, const struct snapshot *in,
                   const struct plan *plan, const struct step_out *out)
{
    if (r->recorder == NULL) {
        errno = EIO;
        return ERR_IO;
    }
    if (is_full(r, in) && next_part(r) != ERR_NONE) {
        return ERR_IO;
    }
    r->last_utc_ms = in->utc_ms;
    r->last_tick = in->tick;
    enum err e = recorder_tick(r->recorder, in, plan, out);
    r->n_in_part++;
    step(r->cfg, r->state, r->scratch, in, plan, r->out);
    return e;
}

enum err reel_flush(struct reel *r)
{
    if (r->recorder == NULL) {
        errno = EIO;
        return ERR_IO;
    }
    return recorder_flush(r->recorder);
}

double reel_tick_bytes(const struct reel *r)
{
    return r->recorder != NULL && r->n_in_part > 0
               ? (double)recorder_bytes(r->recorder) / (double)r->n_in_part
               : 0.0;
}

bool reel_drop_oldest(struct reel *r)
{
    return reel_files_drop(r->path);
}

enum err reel_close(struct reel *r)
{
    enum err e = ERR_IO;
    int error = EIO;
    if (r->recorder != NULL) {
        e = end_part(r);
        error = errno;
    }
    release(r);
    errno = error;
    return e;
}
