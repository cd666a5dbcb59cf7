/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorder - the writing half of controller/recording.h. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/delta.h"
#include "controller/parts.h"
#include "controller/recording.h"
#include "controller/recording_format.h"

struct recorder {
    FILE *file;
    int error; /* errno of the first failure, 0 for none */
    struct parts parts;
    uint64_t *old; /* image of the tick before */
    uint64_t *now;
    unsigned char *content;
    uint64_t sum; /* of everything before */
    uint64_t n_ticks;
    uint64_t n_bytes;
};

static enum err failed(struct recorder *r)
{
    if (r->error == 0) {
        r->error = errno != 0 ? errno : EIO;
    }
    errno = r->error;
    return ERR_IO;
}

static enum err put(struct recorder *r, const void *bytes, size_t n)
{
    if (r->error != 0) {
        return failed(r);
    }
    errno = 0;
    r->n_bytes += n;
    return n == 0 || fwrite(bytes, 1, n, r->file) == n ? ERR_NONE : failed(r);
}

/* Part of the header: written and entered into the checksum. */
static enum err put_summed(struct recorder *r, const void *bytes, size_t n)
{
    r->sum = recording_sum(r->sum, bytes, n);
    return put(r, bytes, n);
}

static enum err put_header(struct recorder *r,
                           const struct recording_head *head)
{
    struct recording_prelude prelude = {
        .byte_order = RECORDING_BYTE_ORDER,
        .format = RECORDING_FORMAT,
        .head_size = sizeof(struct recording_prelude) +
                     sizeof(struct recording_fixed) + head->site_text_size +
                     head->state_size + sizeof(uint64_t),
    };
    memcpy(prelude.magic, RECORDING_MAGIC, sizeof(prelude.magic));
    struct recording_fixed fixed = {
        .policy = head->policy,
        .after_tick = head->after_tick,
        .site_text_size = head->site_text_size,
        .state_size = head->state_size,
    };
    recording_sizes(fixed.sizes);
    build_id(fixed.build);
    snprintf(fixed.site_path, sizeof(fixed.site_path), "%s", head->site_path);
    r->sum = RECORDING_SUM_START;
    enum err e = put_summed(r, &prelude, sizeof(prelude));
    if (e == ERR_NONE) {
        e = put_summed(r, &fixed, sizeof(fixed));
    }
    if (e == ERR_NONE) {
        e = put_summed(r, head->site_text, head->site_text_size);
    }
    if (e == ERR_NONE) {
        e = put_summed(r, head->state, head->state_size);
    }
    return e == ERR_NONE ? put(r, &r->sum, sizeof(r->sum)) : e;
}

/* Move an older recording out of the way; anything but a plain file is left
 * alone and refused. */
static enum err set_aside(const char *path, char *why, size_t why_size)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return ERR_NONE; /* fopen() will say what is wrong, if anything */
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s: not a plain file, nothing written", path);
        errno = EEXIST;
        return ERR_IO;
    }
    char aside[PATH_MAX];
    int n = snprintf(aside, sizeof(aside), "%s.1", path);
    if (n < 0 || (size_t)n >= sizeof(aside) || rename(path, aside) != 0) {
        snprintf(why, why_size, "%s: cannot be moved to %s.1: %s", path, path,
                 strerror(errno));
        return ERR_IO;
    }
    return ERR_NONE;
}

static void release(struct recorder *r)
{
    if (r->file != NULL) {
        fclose(r->file);
    }
    free(r->old);
    free(r->now);
    free(r->content);
    free(r);
}

static struct recorder *make(const struct site *site)
{
    struct recorder *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return NULL;
    }
    parts_init(&r->parts, site);
    size_t n = r->parts.total_words;
    r->old = calloc(n, sizeof(*r->old));
    r->now = calloc(n, sizeof(*r->now));
    r->content = malloc(delta_bound(n));
    if (r->old == NULL || r->now == NULL || r->content == NULL) {
        release(r);
        return NULL;
    }
    return r;
}

enum err recorder_open(const char *path, const struct recording_head *head,
                       const struct site *site, struct recorder **out,
                       char *why, size_t why_size)
{
    struct recorder *r = make(site);
    if (r == NULL) {
        snprintf(why, why_size, "%s: out of memory", path);
        return ERR_MEMORY;
    }
    enum err e = set_aside(path, why, why_size);
    if (e == ERR_NONE) {
        r->file = fopen(path, "wb");
        if (r->file == NULL || put_header(r, head) != ERR_NONE ||
            recorder_flush(r) != ERR_NONE) {
            snprintf(why, why_size, "%s: cannot be written: %s", path,
                     strerror(errno));
            e = ERR_IO;
        }
    }
    if (e != ERR_NONE) {
        int error = errno;
        release(r);
        errno = error;
        return e;
    }
    *out = r;
    return ERR_NONE;
}

static enum err put_record(struct recorder *r, enum record_kind kind,
                           const void *content, size_t length)
{
    struct record_head head = {.word = record_word(kind, length)};
    head.sum = recording_sum(r->sum, &head.word, sizeof(head.word));
    uint64_t sum = recording_sum(head.sum, content, length);
    r->sum = sum;
    enum err e = put(r, &head, sizeof(head));
    if (e == ERR_NONE) {
        e = put(r, content, length);
    }
    return e == ERR_NONE ? put(r, &sum, sizeof(sum)) : e;
}

enum err recorder_tick(struct recorder *r, const struct snapshot *in,
                       const struct plan *plan, const struct step_out *out)
{
    assert(in->n_nodes == r->parts.n_nodes && out->n_nodes == in->n_nodes);
    if (r->error != 0) {
        return failed(r);
    }
    parts_gather(&r->parts, PART_SNAPSHOT, in, r->now);
    parts_gather(&r->parts, PART_PLAN, plan, r->now);
    parts_gather(&r->parts, PART_OUT, out, r->now);
    size_t length =
        delta_encode(r->old, r->now, r->parts.total_words, r->content);
    r->n_ticks++;
    return put_record(r, RECORD_TICK, r->content, length);
}

uint64_t recorder_bytes(const struct recorder *r)
{
    return r->n_bytes;
}

enum err recorder_flush(struct recorder *r)
{
    if (r->error != 0) {
        return failed(r);
    }
    errno = 0;
    return fflush(r->file) == 0 ? ERR_NONE : failed(r);
}

enum err recorder_close(struct recorder *r)
{
    enum err e = put_record(r, RECORD_END, &r->n_ticks, sizeof(r->n_ticks));
    if (e == ERR_NONE) {
        e = recorder_flush(r);
    }
    if (e == ERR_NONE && fdatasync(fileno(r->file)) != 0) {
        e = failed(r);
    }
    int error = r->error;
    release(r);
    errno = error;
    return e;
}
