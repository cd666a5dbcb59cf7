/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * past_load - what the baseline of an event is made of, from the history: the
 * load of the days before, and which other events there were.
 */
#ifndef CONTROLLER_PAST_LOAD_H
#define CONTROLLER_PAST_LOAD_H

#include <stddef.h>

#include "controller/event_book.h"
#include "controller/history_read.h"
#include "models/zone.h"
#include "policies/baseline.h"

enum {
    PAST_CELL_MS = 60000,
    PAST_CELLS_MAX = (BASELINE_LOOK_BACK_MAX + 8) * 1440,
};

/* More than 1 MB: not for a stack. */
struct past_load {
    struct zone zone;
    struct event_spans spans; /* all that the history knows */
    struct baseline_span others[EVENT_SPANS_MAX];
    struct baseline_load load;
    double cells_w[PAST_CELLS_MAX];
};

/* The site's zone, and all events until now_ms.  Errors of zone_file_load();
 * what the history cannot tell says history_read_error(). */
CHECKED enum err past_load_open(struct past_load *p, const char *time_zone,
                                struct history_reader *history, char *why,
                                size_t why_size);

/*
 * The load that the baseline of in->event is made of, by in->terms, and the
 * other events: zone, load and others of 'in', which 'p' outlives.  Only the
 * times of day that count are read.
 */
void past_load_read(struct past_load *p, struct history_reader *history,
                    struct baseline_in *in);

#endif
