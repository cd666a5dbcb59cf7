/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inputs - what a replay is given: load, prices, events, and when it begins.
 */
#ifndef REPLAY_INPUTS_H
#define REPLAY_INPUTS_H

#include <stdbool.h>

#include "controller/cli.h"
#include "models/zone.h"
#include "replay/events.h"
#include "replay/prices.h"
#include "replay/trace.h"

/* As given on the command line; NULL where not. */
struct inputs_options {
    const char *load;
    const char *column;
    struct cli_texts where;
    double scale;
    long repeat;
    const char *price;
    const char *price_column;
    const char *price_zone; /* NULL: the site's */
    const char *price_known;
    const char *settle_column;
    const char *ahead_column;
    const char *start;
    const char *events;
};

struct inputs {
    struct trace trace;
    struct prices prices; /* n 0: none */
    struct events events;
    int64_t start_utc_ms;
    struct zone zone; /* of the site */
};

/*
 * Load all of it.  A site without a market gets one for the price file, and one
 * more for a column that is known ahead.
 * False after messages on stderr (gaps and the like are told, too, but do not
 * fail); then 'out' is empty.
 */
bool inputs_load(const struct inputs_options *o, struct site *site,
                 struct inputs *out);
void inputs_clear(struct inputs *in);

#endif
