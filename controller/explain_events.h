/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_events - what the utility asked for at a time, from the history's
 * "utility_begin" and "utility_end": a limit that does not bind just then is
 * no reason of a decision, and still what explains it; and what was known then
 * to come, from "utility_coming".  Prices are not booked.
 */
#ifndef CONTROLLER_EXPLAIN_EVENTS_H
#define CONTROLLER_EXPLAIN_EVENTS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "controller/history_read.h"
#include "models/snapshot.h"

enum { EXPLAIN_COMING_MAX = 5 };

struct explain_events {
    int n;
    struct utility_in held[UTILITY_EVENTS_MAX]; /* UTC, W; of a reserve pu */
    int n_coming;
    struct utility_in coming[EXPLAIN_COMING_MAX]; /* the nearest first */
};

/* What held or was to come at 'at_ms', UTC.  Nothing where memory is out; a
 * failure of the history is in history_read_error(). */
void explain_events_read(struct history_reader *r, int64_t at_ms,
                         struct explain_events *out);

/* A line each on stdout, or objects in the list "utility" of 'o'. */
void explain_events_print(const struct explain_events *e);
void explain_events_add(cJSON *o, const struct explain_events *e);

#endif
