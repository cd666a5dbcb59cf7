/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * event_book - which instructions of the utility held when: told to the
 * history as they begin and end, so that they can be settled later.
 *
 * An event "utility_begin" or "utility_end" of the history, its asset the
 * instruction's id, its text kind, value in W, start and end:
 *
 *   import_max 2100000 2026-11-21T09:00:00Z 2026-11-21T09:10:00Z
 *
 * One that is known before it begins is told as "utility_coming", and as
 * "utility_gone" where it goes before it begins.  The end of one that was
 * cancelled is when it was; an open one has "-".  Who restarts in mid-event
 * tells its begin again.  Prices are not booked.
 */
#ifndef CONTROLLER_EVENT_BOOK_H
#define CONTROLLER_EVENT_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/historian.h"
#include "controller/history_db.h"
#include "models/snapshot.h"

#define EVENT_BOOK_BEGIN "utility_begin"
#define EVENT_BOOK_END "utility_end"
#define EVENT_BOOK_COMING "utility_coming"
#define EVENT_BOOK_GONE "utility_gone"

/* Zero at first. */
struct event_book {
    struct utility_in held[UTILITY_EVENTS_MAX];
    int n;
    struct utility_in coming[UTILITY_EVENTS_MAX];
    int n_coming;
};

/* A few times a second; 'h' may be NULL. */
void event_book_look(struct event_book *b, const struct snapshot *in,
                     int64_t utc_ms, struct historian *h);

/* The text of an instruction, and back: false where 'text' is none. */
void event_book_text(const struct utility_in *u, char *out, size_t size);
bool event_book_parse(const char *id, const char *text, struct utility_in *out);

enum { EVENT_SPANS_MAX = 1024 };

/* An instruction that held, as the history knows it. */
struct event_span {
    struct utility_in asked;
    int64_t known_ms; /* since then it held here */
    bool ended;       /* its end was told: it is over, or was cancelled */
};

/* From the rows of the history, in order; the same instruction told again
 * replaces what was said of it.  The oldest go where there are too many. */
struct event_spans {
    int n;
    struct event_span spans[EVENT_SPANS_MAX];
};

void event_spans_take(struct event_spans *s, const struct history_event *row);

/* Whether 'id' names the instruction: its own id, or that of the OpenADR event
 * that it comes from, whose id stands before the '@'. */
bool event_span_is(const struct event_span *s, const char *id);

#endif
