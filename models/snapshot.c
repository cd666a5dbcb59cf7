/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/snapshot.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A recording compares bytes, so no member may leave a hole. */
_Static_assert(sizeof(struct reading) == 24, "padding");
_Static_assert(sizeof(struct node_in) == 14 * 8, "padding");
_Static_assert(sizeof(struct utility_in) == 80, "padding");

enum quality reading_quality(const struct reading *r, int64_t now_mono_ms,
                             double max_age_s)
{
    if (r->mono_ms == 0 || r->quality == QUALITY_MISSING) {
        return QUALITY_MISSING;
    }
    if (!isfinite(r->value) || r->quality == QUALITY_BAD) {
        return QUALITY_BAD;
    }
    double age_s = (double)(now_mono_ms - r->mono_ms) / 1e3;
    if (age_s > max_age_s || age_s < -1.0) {
        return QUALITY_STALE;
    }
    return (enum quality)r->quality;
}

double reading_value(const struct reading *r, int64_t now_mono_ms,
                     double max_age_s)
{
    enum quality q = reading_quality(r, now_mono_ms, max_age_s);
    return q >= QUALITY_SUSPECT ? r->value : NAN;
}

size_t snapshot_size(int n_nodes)
{
    assert(n_nodes >= 0 && n_nodes <= SITE_NODES_MAX);
    return sizeof(struct snapshot) + (size_t)n_nodes * sizeof(struct node_in);
}

void snapshot_clear(struct snapshot *s, int n_nodes)
{
    memset(s, 0, snapshot_size(n_nodes));
    s->n_nodes = n_nodes;
}

double price_at(const struct price_in *p, int64_t utc_ms)
{
    if (p->mono_ms == 0 || utc_ms >= p->expires_at_ms) {
        return NAN;
    }
    if (p->n_slots == 0) {
        return p->value_per_kwh;
    }
    double slot = floor((double)(utc_ms - p->start_at_ms) / (p->step_s * 1e3));
    if (!(slot >= 0.0 && slot < (double)p->n_slots)) {
        return NAN;
    }
    return p->per_kwh[(int)slot];
}

void price_fill(struct price_in *p, const struct price_in *other)
{
    for (int64_t i = 0; i < p->n_slots && i < PRICE_SLOTS_MAX; i++) {
        if (!isfinite(p->per_kwh[i])) {
            int64_t at_ms =
                p->start_at_ms + (int64_t)((double)i * p->step_s * 1e3);
            p->per_kwh[i] = price_at(other, at_ms);
        }
    }
}

static bool holds(const struct utility_in *e, enum utility_kind kind,
                  int64_t from_ms, int64_t to_ms)
{
    return e->id[0] != '\0' && e->kind == (int64_t)kind &&
           e->start_at_ms < to_ms && e->end_at_ms > from_ms;
}

double import_owed_w(const struct snapshot *s, double site_w, int64_t from_ms,
                     int64_t to_ms)
{
    double w = site_w;
    for (int i = 0; i < UTILITY_LOCAL_AT; i++) {
        const struct utility_in *e = &s->utility[i];
        if (holds(e, UTILITY_IMPORT_MAX, from_ms, to_ms) ||
            holds(e, UTILITY_EMERGENCY, from_ms, to_ms)) {
            w = fmin(w, fmax(e->value, 0.0));
        }
    }
    return w;
}

double import_limit_w(const struct snapshot *s, double site_w, int64_t from_ms,
                      int64_t to_ms)
{
    double w = import_owed_w(s, site_w, from_ms, to_ms);
    for (int i = UTILITY_LOCAL_AT; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *e = &s->utility[i];
        if (holds(e, UTILITY_IMPORT_MAX, from_ms, to_ms)) {
            w = fmin(w, fmax(e->value, 0.0));
        }
    }
    return w;
}

double export_limit_w(const struct snapshot *s, double site_w, int64_t from_ms,
                      int64_t to_ms)
{
    double w = site_w;
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        if (holds(&s->utility[i], UTILITY_EXPORT_MAX, from_ms, to_ms)) {
            w = fmin(w, fmax(s->utility[i].value, 0.0));
        }
    }
    return w;
}

double utility_price(const struct snapshot *s, int64_t utc_ms)
{
    const struct utility_in *best = NULL;
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *e = &s->utility[i];
        if (holds(e, UTILITY_PRICE, utc_ms, utc_ms + 1) && isfinite(e->value) &&
            (best == NULL || e->priority < best->priority)) {
            best = e;
        }
    }
    return best != NULL ? best->value : NAN;
}

double utility_reserve_pu(const struct snapshot *s, int64_t from_ms,
                          int64_t to_ms)
{
    double pu = 0.0;
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        if (holds(&s->utility[i], UTILITY_RESERVE, from_ms, to_ms)) {
            pu = fmax(pu, fmin(s->utility[i].value, 1.0));
        }
    }
    return pu;
}

const struct utility_in *utility_island(const struct snapshot *s,
                                        int64_t utc_ms)
{
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        if (holds(&s->utility[i], UTILITY_ISLAND, utc_ms, utc_ms + 1)) {
            return &s->utility[i];
        }
    }
    return NULL;
}

#define TEXT_ROW(name, text) text,

const char *quality_name(enum quality q)
{
    static const char *const names[] = {QUALITY_LIST(TEXT_ROW)};
    assert((unsigned)q < QUALITY_COUNT);
    return names[q];
}

const char *ack_name(enum ack_status s)
{
    static const char *const names[] = {ACK_LIST(TEXT_ROW)};
    assert((unsigned)s < ACK_COUNT);
    return names[s];
}

const char *utility_name(enum utility_kind k)
{
    static const char *const names[] = {UTILITY_LIST(TEXT_ROW)};
    assert((unsigned)k < UTILITY_COUNT);
    return names[k];
}

const char *job_name(enum job_event e)
{
    static const char *const names[] = {JOB_LIST(TEXT_ROW)};
    assert((unsigned)e < JOB_COUNT);
    return names[e];
}
