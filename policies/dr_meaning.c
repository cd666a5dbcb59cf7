/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/dr_meaning.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { ID_BYTES = 18 }; /* of an event's id in an instruction's */

static const int64_t PRICE_STEPS_MS[] = {3600000, 900000, 300000};

static int64_t later_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sorted by start as it is put in; the farthest gives way. */
static void put(struct dr_meaning_out *out, const struct utility_in *u)
{
    int64_t at = out->n;
    while (at > 0 && out->list[at - 1].start_at_ms > u->start_at_ms) {
        at--;
    }
    if (out->n == out->max) {
        out->cut = true;
        if (at == out->n) {
            return;
        }
        out->n--;
    }
    memmove(&out->list[at + 1], &out->list[at],
            (size_t)(out->n - at) * sizeof(out->list[0]));
    out->list[at] = *u;
    out->n++;
}

/* Ids are unique: the event's begins it, its start ends it. */
static void name_it(struct utility_in *u, const char *event)
{
    snprintf(u->id, sizeof(u->id), "%.*s@%lld", (int)ID_BYTES, event,
             (long long)(u->start_at_ms / 1000));
}

bool dr_meaning_binds(enum dr_subject subject, double value)
{
    switch (subject) {
    case DR_IMPORT_MAX:
    case DR_EXPORT_MAX:
    case DR_IMPORT_SUBSCRIPTION:
    case DR_EXPORT_SUBSCRIPTION:
    case DR_IMPORT_RESERVATION:
    case DR_EXPORT_RESERVATION:
    case DR_EMERGENCY:
    case DR_BLACK_START:
        return true;
    case DR_SHED_LEVEL:
        return value >= DR_LEVELS - 1;
    default:
        return false;
    }
}

/* What holds of the three import (or export) subjects at an instant. */
struct envelope {
    enum dr_subject limit;
    enum dr_subject subscription;
    enum dr_subject reservation;
    enum utility_kind kind;
    double fallback_w; /* INFINITY: none */
    bool outage;       /* no limit counts */
};

static double envelope_at(const struct dr_rows *rows, const struct envelope *e,
                          int64_t at_ms, const struct dr_row **row)
{
    *row = e->outage ? NULL : dr_rows_at(rows, e->limit, at_ms);
    if (*row != NULL) {
        return (*row)->value;
    }
    *row = dr_rows_at(rows, e->subscription, at_ms);
    if (*row != NULL) {
        const struct dr_row *more = dr_rows_at(rows, e->reservation, at_ms);
        return (*row)->value + (more != NULL ? more->value : 0.0);
    }
    return e->fallback_w;
}

/* Of what is asked and of what is left of it after opt-outs the stricter. */
static double stricter_at(const struct dr_rows *rows,
                          const struct dr_rows *taken, const struct envelope *e,
                          int64_t at_ms, const struct dr_row **row)
{
    const struct dr_row *left = NULL;
    double asked_w = envelope_at(rows, e, at_ms, row);
    double left_w = envelope_at(taken, e, at_ms, &left);
    if (left_w < asked_w) {
        *row = left;
    }
    return fmin(asked_w, left_w);
}

/* The next instant at which any of the three changes. */
static int64_t envelope_next_ms(const struct dr_rows *rows,
                                const struct envelope *e, int64_t at_ms)
{
    int64_t next_ms = DR_FOREVER_MS;
    for (int64_t i = 0; i < rows->n; i++) {
        const struct dr_row *r = &rows->rows[i];
        if (r->subject == (int64_t)e->limit ||
            r->subject == (int64_t)e->subscription ||
            r->subject == (int64_t)e->reservation) {
            if (r->start_ms > at_ms) {
                next_ms = sooner_ms(next_ms, r->start_ms);
            }
            if (r->end_ms > at_ms) {
                next_ms = sooner_ms(next_ms, r->end_ms);
            }
        }
    }
    return next_ms;
}

static void put_envelope(const struct dr_rows *rows,
                         const struct dr_event *const *events,
                         const struct dr_meaning_terms *terms,
                         const struct envelope *e, struct dr_meaning_out *out)
{
    const struct dr_rows *taken = terms->taken != NULL ? terms->taken : rows;
    int64_t at_ms = terms->now_ms;
    while (at_ms < terms->until_ms) {
        const struct dr_row *row = NULL;
        double value_w = stricter_at(rows, taken, e, at_ms, &row);
        int64_t next_ms = sooner_ms(envelope_next_ms(rows, e, at_ms),
                                    envelope_next_ms(taken, e, at_ms));
        if (isfinite(value_w)) {
            struct utility_in u = {.kind = (int64_t)e->kind,
                                   .start_at_ms = at_ms,
                                   .end_at_ms = next_ms,
                                   .value = value_w};
            if (row != NULL) {
                /* it may hold since before now */
                u.start_at_ms = at_ms == terms->now_ms ? row->start_ms : at_ms;
                u.priority = events[row->event]->priority;
            }
            name_it(&u, row != NULL ? events[row->event]->id : "subscribed");
            put(out, &u);
        }
        at_ms = next_ms;
    }
}

/* The limit that a shed leaves, or NAN while what was drawn is not known. */
static double shed_w(const struct dr_meaning_terms *terms,
                     const struct dr_row *row, int level)
{
    return terms->base_w[row->event] * (1.0 - terms->shed_pu[level]);
}

/* One row that stands for itself. */
static void put_row(const struct dr_row *row,
                    const struct dr_event *const *events,
                    const struct dr_meaning_terms *terms,
                    struct dr_meaning_out *out)
{
    struct utility_in u = {.kind = UTILITY_COUNT,
                           .start_at_ms = row->start_ms,
                           .end_at_ms = row->end_ms,
                           .priority = events[row->event]->priority};
    switch ((enum dr_subject)row->subject) {
    case DR_SETPOINT:
        u.kind = UTILITY_SETPOINT;
        u.value = row->value;
        break;
    case DR_SHED_LEVEL:
        u.kind = UTILITY_IMPORT_MAX;
        u.value = row->value > 0.0 ? shed_w(terms, row, (int)row->value) : NAN;
        break;
    case DR_EMERGENCY:
        u.kind = UTILITY_EMERGENCY;
        u.value = shed_w(terms, row, DR_LEVELS - 1);
        break;
    case DR_BLACK_START:
        u.kind = UTILITY_EMERGENCY;
        u.value = 0.0;
        break;
    case DR_OUTAGE:
        u.kind = UTILITY_RESERVE;
        u.value = terms->reserve_pu > 0.0 ? terms->reserve_pu : NAN;
        break;
    default: /* limits are put together; the rest is shown */
        return;
    }
    bool limits = row->subject == DR_SETPOINT || row->subject == DR_SHED_LEVEL;
    if (isfinite(u.value) && row->end_ms > terms->now_ms &&
        !(limits && terms->outage)) {
        name_it(&u, events[row->event]->id);
        put(out, &u);
    }
}

/* Whether 'r', a shed that binds, is not among 'rows' because an event that is
 * opted out of asks for less and goes before it. */
static bool comes_forth(const struct dr_rows *rows, const struct dr_row *r)
{
    if (r->subject != (int64_t)DR_SHED_LEVEL) {
        return false;
    }
    for (int64_t i = 0; i < rows->n; i++) {
        const struct dr_row *o = &rows->rows[i];
        if (o->subject == r->subject && o->event == r->event &&
            o->start_ms <= r->start_ms && o->end_ms >= r->end_ms) {
            return false;
        }
    }
    return true;
}

void dr_meaning_instruct(const struct dr_rows *rows,
                         const struct dr_event *const *events,
                         const struct dr_meaning_terms *terms,
                         struct dr_meaning_out *out)
{
    const struct envelope import = {
        .limit = DR_IMPORT_MAX,
        .subscription = DR_IMPORT_SUBSCRIPTION,
        .reservation = DR_IMPORT_RESERVATION,
        .kind = UTILITY_IMPORT_MAX,
        .fallback_w =
            terms->lost || terms->outage ? terms->subscribed_w : INFINITY,
        .outage = terms->outage,
    };
    const struct envelope export = {
        .limit = DR_EXPORT_MAX,
        .subscription = DR_EXPORT_SUBSCRIPTION,
        .reservation = DR_EXPORT_RESERVATION,
        .kind = UTILITY_EXPORT_MAX,
        .fallback_w = INFINITY,
        .outage = terms->outage,
    };
    out->n = 0;
    out->cut = false;
    put_envelope(rows, events, terms, &import, out);
    put_envelope(rows, events, terms, &export, out);
    const struct dr_rows *taken = terms->taken != NULL ? terms->taken : rows;
    for (int64_t i = 0; i < rows->n; i++) {
        const struct dr_row *r = &rows->rows[i];
        if (dr_meaning_binds((enum dr_subject)r->subject, r->value)) {
            put_row(r, events, terms, out);
        }
    }
    for (int64_t i = 0; i < taken->n; i++) {
        const struct dr_row *r = &taken->rows[i];
        if (!dr_meaning_binds((enum dr_subject)r->subject, r->value) ||
            comes_forth(rows, r)) {
            put_row(r, events, terms, out);
        }
    }
}

static bool fits(const struct dr_rows *rows, enum dr_subject subject,
                 int64_t step_ms)
{
    for (int64_t i = 0; i < rows->n; i++) {
        const struct dr_row *r = &rows->rows[i];
        if (r->subject == (int64_t)subject &&
            (r->start_ms % step_ms != 0 ||
             (r->end_ms != DR_FOREVER_MS && r->end_ms % step_ms != 0))) {
            return false;
        }
    }
    return true;
}

/* Mean over what of the slot has a price; NAN where nothing has. */
static double mean_price(const struct dr_rows *rows, enum dr_subject subject,
                         int64_t from_ms, int64_t to_ms)
{
    double sum = 0.0;
    double known_ms = 0.0;
    for (int64_t i = 0; i < rows->n; i++) {
        const struct dr_row *r = &rows->rows[i];
        int64_t a = later_ms(r->start_ms, from_ms);
        int64_t b = sooner_ms(r->end_ms, to_ms);
        if (r->subject == (int64_t)subject && a < b) {
            sum += r->value * (double)(b - a);
            known_ms += (double)(b - a);
        }
    }
    return known_ms > 0.0 ? sum / known_ms : NAN;
}

bool dr_meaning_price(const struct dr_rows *rows, enum dr_subject subject,
                      const struct dr_meaning_terms *terms, int64_t mono_ms,
                      struct price_in *out)
{
    bool any = false;
    for (int64_t i = 0; i < rows->n; i++) {
        any = any || rows->rows[i].subject == (int64_t)subject;
    }
    if (!any) {
        return false;
    }
    size_t k = 0;
    const size_t last = sizeof(PRICE_STEPS_MS) / sizeof(PRICE_STEPS_MS[0]) - 1;
    while (k < last && !fits(rows, subject, PRICE_STEPS_MS[k])) {
        k++;
    }
    int64_t step_ms = PRICE_STEPS_MS[k];
    memset(out, 0, sizeof(*out));
    out->start_at_ms = terms->now_ms / step_ms * step_ms;
    out->step_s = (double)step_ms / 1e3;
    out->mono_ms = mono_ms;
    for (int64_t ms = out->start_at_ms;
         ms < terms->until_ms && out->n_slots < PRICE_SLOTS_MAX;
         ms += step_ms) {
        out->per_kwh[out->n_slots++] =
            mean_price(rows, subject, ms, ms + step_ms);
    }
    out->expires_at_ms = out->start_at_ms + out->n_slots * step_ms;
    return true;
}
