/* SPDX-License-Identifier: GPL-3.0-or-later */
/* events_load(): the file of replay/events. */
#include "replay/events.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/json_in.h"
#include "replay/events_line.h"

struct loading {
    struct events_line line;
    FILE *file;
    char text[JSON_IN_BYTES_MAX];
};

/* One line into l->text; -1 at the end of the file, -2 where it is too long.
 * The line end, CR and a byte-order mark are not part of it. */
static long read_line(struct loading *l)
{
    size_t n = 0;
    int c = getc_unlocked(l->file);
    if (c == EOF) {
        return -1;
    }
    l->line.line++;
    for (; c != EOF && c != '\n'; c = getc_unlocked(l->file)) {
        if (n >= JSON_IN_BYTES_MAX) {
            return -2;
        }
        l->text[n++] = (char)c;
    }
    n -= n > 0 && l->text[n - 1] == '\r';
    if (l->line.line == 1 && n >= 3 &&
        memcmp(l->text, "\xEF\xBB\xBF", 3) == 0) {
        n -= 3;
        memmove(l->text, l->text + 3, n);
    }
    return (long)n;
}

static enum err read_lines(struct loading *l)
{
    for (;;) {
        long n = read_line(l);
        if (ferror(l->file)) {
            events_line_fault(&l->line,
                              "cannot be read on: expected a readable file");
            return ERR_IO;
        }
        if (n == -1) {
            return ERR_NONE;
        }
        if (n == -2) {
            return events_line_fault(&l->line,
                                     "line too long: expected at most 64 KiB");
        }
        size_t size = (size_t)n;
        size_t blank = 0;
        while (blank < size &&
               (l->text[blank] == ' ' || l->text[blank] == '\t')) {
            blank++;
        }
        enum err e = blank == size ? ERR_NONE
                                   : events_line_read(&l->line, l->text, size);
        if (e != ERR_NONE) {
            return e;
        }
    }
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_id(const void *a, const void *b)
{
    const struct events_utility *x = a;
    const struct events_utility *y = b;
    int c = strcmp(x->in.id, y->in.id);
    c = c != 0 ? c : order(x->known_ms, y->known_ms);
    return c != 0 ? c : order(x->line, y->line);
}

static int by_start(const void *a, const void *b)
{
    const struct events_utility *x = a;
    const struct events_utility *y = b;
    int c = order(x->in.start_at_ms, y->in.start_at_ms);
    return c != 0 ? c : order(x->line, y->line);
}

static int by_post(const void *a, const void *b)
{
    const struct events_job *x = a;
    const struct events_job *y = b;
    int c = order(x->post_ms, y->post_ms);
    c = c != 0 ? c : order(x->in.at_ms, y->in.at_ms);
    return c != 0 ? c : order(x->line, y->line);
}

static int by_time(const void *a, const void *b)
{
    const struct events_fault *x = a;
    const struct events_fault *y = b;
    int c = order(x->at_ms, y->at_ms);
    return c != 0 ? c : order(x->line, y->line);
}

static void sort(struct events *e)
{
    qsort(e->utility, e->n_utility, sizeof(e->utility[0]), by_id);
    for (size_t i = 1; i < e->n_utility; i++) {
        if (strcmp(e->utility[i - 1].in.id, e->utility[i].in.id) == 0) {
            e->utility[i - 1].replaced_ms = e->utility[i].known_ms;
        }
    }
    qsort(e->utility, e->n_utility, sizeof(e->utility[0]), by_start);
    qsort(e->jobs, e->n_jobs, sizeof(e->jobs[0]), by_post);
    qsort(e->faults, e->n_faults, sizeof(e->faults[0]), by_time);
}

static enum err load(struct loading *l)
{
    struct events *e = l->line.events;
    e->utility = calloc(EVENTS_MAX, sizeof(e->utility[0]));
    e->jobs = calloc(EVENTS_MAX, sizeof(e->jobs[0]));
    e->faults = calloc(EVENTS_MAX, sizeof(e->faults[0]));
    if (e->utility == NULL || e->jobs == NULL || e->faults == NULL) {
        snprintf(l->line.why, l->line.why_size, "%s: out of memory",
                 l->line.cfg->path);
        return ERR_MEMORY;
    }
    enum err err = read_lines(l);
    if (err == ERR_NONE) {
        sort(e);
    }
    return err;
}

enum err events_load(const struct events_cfg *cfg, struct events *out,
                     char *why, size_t why_size)
{
    assert(cfg->start_utc_ms >= 0);
    *out = (struct events){0};
    struct loading *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        snprintf(why, why_size, "%s: out of memory", cfg->path);
        return ERR_MEMORY;
    }
    l->line = (struct events_line){
        .cfg = cfg, .events = out, .why = why, .why_size = why_size};
    l->file = fopen(cfg->path, "rb");
    enum err e = ERR_IO;
    if (l->file == NULL) {
        snprintf(why, why_size, "%s: cannot be opened: %s", cfg->path,
                 strerror(errno));
    } else {
        e = load(l);
        fclose(l->file);
    }
    free(l);
    if (e != ERR_NONE) {
        events_clear(out);
    }
    return e;
}
