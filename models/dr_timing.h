/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dr_timing - when the intervals of a demand-response event hold.
 *
 * The rules of OpenADR 3.1 (User Guide 7.3, 7.4, 7.9; Definition):
 *
 *   start      an interval's own, else the event's for the first one, else
 *              where the interval before it ends; "0001-01-01" is the same as
 *              none, and for the first interval 'now', which is when the
 *              utility wrote the event (so a restart changes nothing)
 *   duration   an interval's own, else the event's, else open-ended
 *   life       event.duration cuts the list, or repeats it from its start
 *   cancelled  what has no duration: PT0S
 *   random     one uniform shift within +-randomizeStart for the whole chain;
 *              an interval with a start and a randomizeStart of its own draws
 *              anew for itself and those behind it
 *
 * Pure, O(intervals) whatever the number of repeats.
 */
#ifndef MODELS_DR_TIMING_H
#define MODELS_DR_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "models/dr_duration.h"
#include "models/err.h"

/* A start that is not said. */
#define DR_NO_START INT64_MIN

/* intervalPeriod, of an event or of one interval. */
struct dr_period {
    int64_t start_ms;            /* UTC; DR_NO_START: none, or "0001-01-01" */
    bool timed;                  /* 'duration' is said */
    struct dr_duration duration; /* not negative */
    int64_t random_ms;           /* randomizeStart, >= 0 */
};

struct dr_timing {
    int64_t now_ms; /* when the utility wrote it: the start 'now' */
    uint64_t seed;  /* of the random start: of the event and of this site */
    struct dr_period whole;
    bool lasts; /* 'life' is said and not PT0S */
    struct dr_duration life;
    int64_t n;
    const struct dr_period *intervals; /* n, borrowed */
};

/* When an interval holds, once: start_ms <= t < end_ms. */
struct dr_span {
    int64_t interval; /* index */
    int64_t start_ms;
    int64_t end_ms; /* DR_FOREVER_MS: open-ended */
};

/* "2026-11-21T00:00:00Z", "2026-11-21T00:00:00" (UTC is meant), "2026-11-21";
 * year 1 is DR_NO_START.  ERR_SYNTAX, ERR_RANGE. */
CHECKED enum err dr_start_parse(const char *text, int64_t *start_ms);

/*
 * What of it holds anywhere in from_ms <= t < to_ms, in the order of the list
 * and of its repeats, at most 'max' of them.  Returns how many there are, which
 * may be more than 'max': the rest is left out.
 */
int64_t dr_timing_spans(const struct dr_timing *t, int64_t from_ms,
                        int64_t to_ms, struct dr_span *out, int64_t max);

/* Whether intervals hold at the same time: the event contradicts itself.  One
 * that is open-ended ends where another begins.  Of very long lists the
 * beginning is looked at. */
bool dr_timing_overlaps(const struct dr_timing *t);

/* From the start of the first interval to the end of all; false for an event
 * that is cancelled or has no interval. */
bool dr_timing_life(const struct dr_timing *t, struct dr_span *out);

/* How long the list takes once; DR_FOREVER_MS: open-ended; 0 where
 * dr_timing_life() is false. */
int64_t dr_timing_list_ms(const struct dr_timing *t);

/* The k-th of 'n' equal parts of a span: several values in one payload.  An
 * open-ended span has one: its first value holds. */
struct dr_span dr_span_part(const struct dr_span *span, int64_t k, int64_t n);

#endif
