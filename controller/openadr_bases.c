/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_bases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "controller/history_told.h"

static const char key[] = "openadr/bases";

/* As it lies in the history: those that are fixed. */
struct kept_bases {
    int64_t version;
    int64_t n;
    struct openadr_base bases[OPENADR_EVENTS_MAX];
};

static const int64_t VERSION = 1;

_Static_assert(sizeof(struct kept_bases) <= KEPT_SIZE_MAX,
               "the bases of all events can be kept");

static bool is_sound(const struct openadr_base *b)
{
    return b->event[0] != '\0' && memchr(b->event, '\0', DR_ID_MAX) != NULL &&
           isfinite(b->w);
}

static void take_kept(struct openadr_bases *b, const struct kept_bases *kept)
{
    for (int64_t i = 0; i < kept->n; i++) {
        if (is_sound(&kept->bases[i])) {
            b->bases[b->n] = kept->bases[i];
            b->bases[b->n].fixed = 1;
            b->n++;
        }
    }
}

void openadr_bases_init(struct openadr_bases *b, struct historian *historian)
{
    memset(b, 0, sizeof(*b));
    b->historian = historian;
    struct kept_bases *kept = calloc(1, sizeof(*kept));
    if (historian == NULL || kept == NULL) {
        free(kept);
        return;
    }
    size_t size = historian_kept(historian, key, kept, sizeof(*kept));
    if (size == sizeof(*kept) && kept->version == VERSION && kept->n >= 0 &&
        kept->n <= OPENADR_EVENTS_MAX) {
        take_kept(b, kept);
    }
    free(kept);
}

/* What cannot be kept for want of memory is kept with the next change. */
static void keep(const struct openadr_bases *b)
{
    struct kept_bases *kept = calloc(1, sizeof(*kept));
    if (b->historian != NULL && kept != NULL) {
        kept->version = VERSION;
        for (int i = 0; i < b->n; i++) {
            if (b->bases[i].fixed) {
                kept->bases[kept->n++] = b->bases[i];
            }
        }
        historian_keep(b->historian, key, kept, sizeof(*kept));
    }
    free(kept);
}

void openadr_bases_sample(struct openadr_bases *b, double grid_w)
{
    if (isfinite(grid_w)) {
        b->samples_w[b->n_samples % OPENADR_BASE_SAMPLES] = grid_w;
        b->n_samples++;
    }
}

double openadr_bases_mean_w(const struct openadr_bases *b)
{
    int64_t n = b->n_samples < OPENADR_BASE_SAMPLES ? b->n_samples
                                                    : OPENADR_BASE_SAMPLES;
    double sum_w = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum_w += b->samples_w[i];
    }
    return n >= OPENADR_BASE_LEAST ? sum_w / (double)n : NAN;
}

static struct openadr_base *find(struct openadr_bases *b, const char *event)
{
    for (int i = 0; i < b->n; i++) {
        if (strcmp(b->bases[i].event, event) == 0) {
            return &b->bases[i];
        }
    }
    return NULL;
}

/* Bases of events that are gone make room; true where one that is kept is. */
static bool drop_gone(struct openadr_bases *b,
                      const struct openadr_events *events)
{
    int n = 0;
    bool lost = false;
    for (int i = 0; i < b->n; i++) {
        bool there = false;
        for (int64_t k = 0; k < events->n && !there; k++) {
            there = strcmp(events->list[k]->id, b->bases[i].event) == 0;
        }
        if (there) {
            b->bases[n++] = b->bases[i];
        } else {
            lost = lost || b->bases[i].fixed;
        }
    }
    b->n = n;
    return lost;
}

/* Until an event begins its base follows what is drawn, for the planner; true
 * where it is fixed now. */
static bool follow(struct openadr_bases *b, struct openadr_base *base,
                   const struct dr_event *event, int64_t utc_ms)
{
    if (base->fixed) {
        return false;
    }
    struct dr_span life;
    base->w = openadr_bases_mean_w(b);
    base->fixed = isfinite(base->w) && dr_timing_life(&event->timing, &life) &&
                  life.start_ms <= utc_ms;
    return base->fixed;
}

void openadr_bases_make(struct openadr_bases *b,
                        const struct openadr_events *events, int64_t utc_ms,
                        double *base_w)
{
    /* before the first listing nobody knows which events are gone */
    bool changed = events->version > 0 && drop_gone(b, events);
    for (int64_t i = 0; i < events->n; i++) {
        const struct dr_event *event = events->list[i];
        struct openadr_base *base = find(b, event->id);
        if (base == NULL) {
            base = &b->bases[b->n++];
            *base = (struct openadr_base){.w = NAN};
            memcpy(base->event, event->id, sizeof(base->event));
        }
        changed = follow(b, base, event, utc_ms) || changed;
        base_w[i] = base->w;
    }
    if (changed) {
        keep(b);
    }
}

double openadr_bases_of(const struct openadr_bases *b, const char *event)
{
    for (int i = 0; i < b->n; i++) {
        if (strcmp(b->bases[i].event, event) == 0) {
            return b->bases[i].w;
        }
    }
    return NAN;
}
