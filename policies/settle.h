/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settle - what a site delivered in a demand-response event, and how well it
 * kept to what was asked: pure and streaming, over means of a second or so.
 *
 * Powers are of the grid, W, import positive.  Delivered is the baseline minus
 * what was metered, so a site that draws more than its baseline delivers less
 * than nothing.  What is not known counts neither as delivered nor as kept.
 */
#ifndef POLICIES_SETTLE_H
#define POLICIES_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/snapshot.h"

enum {
    SETTLE_INTERVALS_MAX = 1024,
    SETTLE_PIECES_MAX = 64,
    SETTLE_ROWS_MAX = 3600, /* of the mean; more are left out, the oldest */
};

/* An excess of less than this share of the limit is within the meter. */
#define SETTLE_TOLERANCE_PU 1e-3

/* What was asked from start_ms to end_ms. */
struct settle_piece {
    int64_t kind; /* enum utility_kind */
    int64_t start_ms;
    int64_t end_ms;
    double value; /* W; per kWh for a price, which limits nothing */
};

struct settle_terms {
    int64_t from_ms; /* UTC, of the event */
    int64_t to_ms;
    int64_t interval_ms; /* > 0; widened where there are too many */
    int64_t n_pieces;
    const struct settle_piece *pieces;
    double baseline_w; /* of all intervals, or NAN: settle_baseline() tells */
    double average_s;  /* the limit holds for the mean over it; 0: for a row */
};

struct settle_row {
    int64_t at_ms;
    double length_s;     /* > 0, at most an interval */
    double grid_w;       /* mean; NAN: not known */
    double ramp_w_per_s; /* worst, signed; NAN: not known */
};

struct settle_interval {
    int64_t from_ms;
    int64_t to_ms;
    double known_s;
    double metered_w;    /* mean of what is known; NAN */
    double baseline_w;   /* NAN: not known */
    double delivered_wh; /* in the time that is known; NAN */
};

/* The excess of the last rows. */
struct settle_mean {
    int64_t first; /* number of the oldest one in it */
    int64_t next;
    double sum_ws;
    double length_s;
    double excess_ws[SETTLE_ROWS_MAX];
    double row_s[SETTLE_ROWS_MAX];
};

struct settle {
    struct settle_terms terms;
    int64_t n;
    struct settle_interval intervals[SETTLE_INTERVALS_MAX];
    /* totals, over intervals of which both are known */
    double baseline_wh;
    double metered_wh;
    double delivered_wh;
    double known_s; /* of the meter */
    double asked_s; /* for which something limits */
    /* how it was held */
    double judged_s; /* asked for, and known */
    double above_s;  /* over the limit by more than the tolerance: until it is
                      * reached each row, from then on the mean over
                      * average_s or, where that is less, since then */
    double rows_above_s; /* each row by itself */
    double excess_wh;    /* likewise */
    double excess_max_w; /* as 'above_s' is judged; 0: never above */
    int64_t excess_max_at_ms;
    double reach_s; /* from the first asked second to the first that kept to
                     * it; NAN: never */
    double above_later_s;    /* above again after it was reached */
    double error_rms_w;      /* against what was asked; NAN */
    double error_sum_w2s;    /* of which it is the root mean */
    double ramp_max_w_per_s; /* largest, signed; 0: none known */
    int64_t ramp_max_at_ms;
    struct settle_mean mean;
};

/* terms.pieces outlives 's'. */
void settle_init(struct settle *s, const struct settle_terms *terms);

/* In order; rows outside the event are left out. */
void settle_push(struct settle *s, const struct settle_row *row);

/* After the last row: means, then tell each interval's baseline, then sums. */
void settle_close(struct settle *s);
void settle_baseline(struct settle *s, int64_t interval, double baseline_w);
void settle_sum(struct settle *s);

/* The strictest that is asked of the import at 'at_ms', and by how much
 * 'grid_w' is above; false where nothing is asked. */
bool settle_asked(const struct settle_terms *t, int64_t at_ms, double grid_w,
                  struct settle_piece *piece, double *excess_w);

#endif
