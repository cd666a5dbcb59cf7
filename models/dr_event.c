/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/dr_event.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { SPANS_MAX = 1024 }; /* of one event in a window */

#define SENSE_ROW(name, text, sense) DR_SENSE_##sense,
#define TEXT_ROW(name, text, sense) text,

enum dr_sense dr_subject_sense(enum dr_subject subject)
{
    static const enum dr_sense senses[] = {DR_SUBJECT_LIST(SENSE_ROW)};
    assert((unsigned)subject < DR_SUBJECTS);
    return senses[subject];
}

const char *dr_subject_text(enum dr_subject subject)
{
    static const char *const texts[] = {DR_SUBJECT_LIST(TEXT_ROW)};
    assert((unsigned)subject < DR_SUBJECTS);
    return texts[subject];
}

/* Raw rows of one subject, before anybody has won. */
struct heap {
    struct dr_row *rows;
    int64_t max;
    int64_t n;
    bool full;
};

static void add(struct heap *h, const struct dr_row *row)
{
    if (h->n == h->max) {
        h->full = true;
        return;
    }
    h->rows[h->n++] = *row;
}

/* What one interval of 'event' says of 'subject' while 'span' holds. */
static void add_span(struct heap *h, const struct dr_event *e, int64_t event,
                     int64_t subject, const struct dr_span *span,
                     const struct dr_window *window)
{
    for (int64_t p = 0; p < e->n_payloads; p++) {
        const struct dr_payload *says = &e->payloads[p];
        if (says->subject != subject || says->interval != span->interval) {
            continue;
        }
        for (int64_t k = 0; k < says->n; k++) {
            struct dr_span part = dr_span_part(span, k, says->n);
            if (part.start_ms < part.end_ms && part.end_ms > window->from_ms &&
                part.start_ms < window->to_ms) {
                add(h, &(struct dr_row){subject, part.start_ms, part.end_ms,
                                        e->values[says->first + k], event});
            }
        }
    }
}

static void collect(struct heap *h, const struct dr_event *const *events,
                    int64_t n, int64_t subject, const struct dr_window *window)
{
    for (int64_t i = 0; i < n; i++) {
        if (events[i]->fault[0] != '\0') {
            continue;
        }
        struct dr_span spans[SPANS_MAX];
        int64_t n_spans = dr_timing_spans(&events[i]->timing, window->from_ms,
                                          window->to_ms, spans, SPANS_MAX);
        h->full = h->full || n_spans > SPANS_MAX;
        n_spans = n_spans < SPANS_MAX ? n_spans : SPANS_MAX;
        for (int64_t k = 0; k < n_spans; k++) {
            add_span(h, events[i], i, subject, &spans[k], window);
        }
    }
}

/* How strict what a row says is; the same of all where that has no meaning. */
static double strictness(const struct dr_row *r)
{
    switch ((enum dr_subject)r->subject) {
    case DR_IMPORT_MAX:
    case DR_EXPORT_MAX:
    case DR_IMPORT_SUBSCRIPTION:
    case DR_EXPORT_SUBSCRIPTION:
    case DR_IMPORT_RESERVATION:
    case DR_EXPORT_RESERVATION:
        return -r->value;
    case DR_SHED_LEVEL:
        return r->value;
    default:
        return 0.0;
    }
}

/* True where 'a' goes before 'b'. */
static bool wins(const struct dr_event *const *events, const struct dr_row *a,
                 const struct dr_row *b)
{
    const struct dr_event *x = events[a->event];
    const struct dr_event *y = events[b->event];
    if (x->priority != y->priority) {
        return x->priority < y->priority;
    }
    if (x->modified_ms != y->modified_ms) {
        return x->modified_ms > y->modified_ms;
    }
    int order = strcmp(x->id, y->id);
    if (order != 0) {
        return order > 0;
    }
    /* an event that contradicts itself: nothing of it is loosened */
    double stricter = strictness(a) - strictness(b);
    bool open = a->end_ms == DR_FOREVER_MS || b->end_ms == DR_FOREVER_MS;
    if (open && a->start_ms != b->start_ms) {
        return a->start_ms > b->start_ms; /* ends where the next begins */
    }
    if (stricter > 0.0 || stricter < 0.0) {
        return stricter > 0.0;
    }
    return a->start_ms > b->start_ms;
}

/* First instant after 'at_ms' at which anything begins or ends. */
static int64_t next_edge_ms(const struct heap *h, int64_t at_ms)
{
    int64_t next_ms = DR_FOREVER_MS;
    for (int64_t i = 0; i < h->n; i++) {
        const struct dr_row *r = &h->rows[i];
        if (r->start_ms > at_ms && r->start_ms < next_ms) {
            next_ms = r->start_ms;
        }
        if (r->end_ms > at_ms && r->end_ms < next_ms) {
            next_ms = r->end_ms;
        }
    }
    return next_ms;
}

static const struct dr_row *winner_at(const struct heap *h,
                                      const struct dr_event *const *events,
                                      int64_t at_ms)
{
    const struct dr_row *best = NULL;
    for (int64_t i = 0; i < h->n; i++) {
        const struct dr_row *r = &h->rows[i];
        if (r->start_ms <= at_ms && at_ms < r->end_ms &&
            (best == NULL || wins(events, r, best))) {
            best = r;
        }
    }
    return best;
}

static void put(struct dr_rows *r, const struct dr_row *row)
{
    struct dr_row *last = r->n > 0 ? &r->rows[r->n - 1] : NULL;
    bool goes_on = last != NULL && last->subject == row->subject &&
                   last->event == row->event && last->end_ms == row->start_ms &&
                   last->value >= row->value && last->value <= row->value;
    if (goes_on) {
        last->end_ms = row->end_ms;
    } else if (r->n == r->max) {
        r->full = true;
    } else {
        r->rows[r->n++] = *row;
    }
}

/* From edge to edge, the winner of each stretch. */
static void sweep(struct dr_rows *r, const struct heap *h,
                  const struct dr_event *const *events)
{
    int64_t at_ms = next_edge_ms(h, INT64_MIN);
    while (at_ms != DR_FOREVER_MS) {
        int64_t next_ms = next_edge_ms(h, at_ms);
        const struct dr_row *best = winner_at(h, events, at_ms);
        if (best != NULL) {
            struct dr_row row = *best;
            row.start_ms = at_ms;
            row.end_ms = next_ms;
            put(r, &row);
        }
        at_ms = next_ms;
    }
}

void dr_rows_make(struct dr_rows *r, const struct dr_event *const *events,
                  int64_t n, struct dr_window window)
{
    r->n = 0;
    r->full = false;
    for (int64_t s = 0; s < DR_SUBJECTS; s++) {
        struct heap h = {.rows = r->scratch, .max = r->max};
        collect(&h, events, n, s, &window);
        r->full = r->full || h.full;
        if (dr_subject_sense((enum dr_subject)s) == DR_SENSE_ALERT) {
            for (int64_t i = 0; i < h.n; i++) {
                put(r, &h.rows[i]);
            }
        } else {
            sweep(r, &h, events);
        }
    }
}

const struct dr_row *dr_rows_at(const struct dr_rows *r,
                                enum dr_subject subject, int64_t at_ms)
{
    for (int64_t i = 0; i < r->n; i++) {
        const struct dr_row *row = &r->rows[i];
        if (row->subject == (int64_t)subject && row->start_ms <= at_ms &&
            at_ms < row->end_ms) {
            return row;
        }
    }
    return NULL;
}
