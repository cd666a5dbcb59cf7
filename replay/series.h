/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * series - series.csv of a replay: one row a tick, or one every so often.
 *
 * Columns as CONTRACT.md names them; powers in W, soc_pu with nine digits,
 * the reason as its word; behind it burn_w, what the pods draw for their floors
 * alone and served_w leaves out, where any pod has a floor.  A row stands for
 * the end of its tick.
 */
#ifndef REPLAY_SERIES_H
#define REPLAY_SERIES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "models/command.h"
#include "models/err.h"
#include "models/plant.h"

struct series {
    FILE *file;      /* NULL: nothing is written */
    int64_t n_every; /* ticks per row, >= 1 */
    bool burns;      /* a last column, of a site whose pods have floors */
};

/* Writes the header.  ERR_IO. */
CHECKED enum err series_begin(struct series *s, FILE *file,
                              const struct site *site, double every_s);

/* Tick 'k' from 0, with the plant as it is at its end. */
CHECKED enum err series_row(struct series *s, int64_t k,
                            const struct site *site, const struct plant *p,
                            const struct tick_record *record);

#endif
