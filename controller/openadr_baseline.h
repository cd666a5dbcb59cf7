/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_baseline - what the site would have drawn without an event, for the
 * reports that ask for it: by the method of the site file, as a settlement has
 * it, from the history.
 *
 * Reading the history takes a while, up to a second or so for a month: it is
 * done once for an event that has begun, and every quarter hour for one that
 * lies ahead.  For one thread.
 */
#ifndef CONTROLLER_OPENADR_BASELINE_H
#define CONTROLLER_OPENADR_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/settlement.h"

struct openadr_baseline; /* opaque */

/* 'site' outlives it.  ERR_MEMORY. */
CHECKED enum err openadr_baseline_open(const struct site *site,
                                       struct openadr_baseline **out);
void openadr_baseline_close(struct openadr_baseline *b);

/* Of the event 'id', which lasts for 'event', at 'utc_ms'.  The same until the
 * next call; its method UNKNOWN where the history tells nothing. */
const struct baseline *openadr_baseline_of(struct openadr_baseline *b,
                                           const char *id,
                                           struct baseline_span event,
                                           int64_t utc_ms);

/* Mean over a span, W, of the event that was asked for last; NAN. */
double openadr_baseline_w(const struct openadr_baseline *b,
                          struct baseline_span span);

#endif
