/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * observed - a series on an even grid, to forecast: a load or a price.
 *
 * A load comes from replay/trace (a file or the generator) in W; a price, of a
 * column that ends in _per_mwh or _per_kwh, from replay/prices in the unit of
 * the column, negative values included.  Local times are taken as they stand.
 *
 * The grid is the trace's median step, of the generator 1 s, or coarser where
 * asked for: then a value is the mean of its step, known at the end of it.
 * What is missing is NAN: a step over ten times the median, a price left out.
 */
#ifndef REPLAY_OBSERVED_H
#define REPLAY_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/cli.h"
#include "models/err.h"

enum { OBSERVED_NAME_MAX = 300, OBSERVED_MAX = 20000000 };

struct observed_cfg {
    const char *load; /* path, or "gen:..." */
    const char *column;
    struct cli_texts where;
    double scale;
    double step_s; /* 0: the series' own */
};

struct observed {
    char name[OBSERVED_NAME_MAX]; /* for people; says so where synthetic */
    const char *unit;             /* "W", "per_mwh" or "per_kwh" */
    double step_s;
    size_t n;
    double *y;            /* owned; NAN where missing */
    uint8_t *part;        /* owned; another one where the time went back */
    int64_t start_utc_ms; /* -1 where not known; local where the file is */
    size_t n_rows;        /* read */
    size_t n_dropped;     /* rows left out */
    size_t n_gaps;        /* runs of missing steps */
    size_t n_parts;       /* how often the time went back */
};

/*
 * Load what 'cfg' says; what a person should know of it is told on stderr.
 * On failure 'out' needs no clearing and 'why' says FILE:LINE: what: expected.
 * Errors as of trace_load() and prices_load().
 */
CHECKED enum err observed_load(const struct observed_cfg *cfg,
                               struct observed *out, char *why,
                               size_t why_size);
void observed_clear(struct observed *o);

/* The same on a grid of 'step_s': means; NAN where more than half is missing.
 * ERR_RANGE where it is finer than its own. */
CHECKED enum err observed_coarsen(struct observed *o, double step_s);

#endif
