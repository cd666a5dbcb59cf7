/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * edges - raw edges of the grid power: how high, and for how long.
 *
 * A moving mean hides what the batteries' response lets through; this does
 * not.  Pure and pointer-free.  An edge begins where the power moves within
 * one tick by more than 'least', which is what would break the ramp if it
 * stayed: ramp_max * ramp_average.  It lasts until the power is back within
 * that of where a lawful ramp from its foot could be by then, or for
 * EDGE_MAX_S.  Its height is the largest departure from its foot.
 */
#ifndef MODELS_EDGES_H
#define MODELS_EDGES_H

#include <stdbool.h>
#include <stdint.h>

#include "models/site.h"

#define EDGE_MAX_S 600.0

enum { EDGE_TOP = 8, EDGE_HEIGHTS = 6, EDGE_LENGTHS = 6 };

struct edge {
    int64_t tick;    /* at which it began */
    double height_w; /* signed, + up */
    double length_s; /* until inside again */
};

struct edges {
    double least_w;
    double ramp_w_per_s;
    double period_s;
    double last_w;
    int64_t ticks; /* pushed */
    int64_t known; /* last_w is */
    int64_t open;  /* one is running */
    double foot_w;
    struct edge now;
    int64_t n;
    double length_max_s;
    double length_sum_s;
    struct edge top[EDGE_TOP]; /* highest first */
    int64_t n_top;
    /* by height in multiples of 'least' and by length in s, see
     * edges_heights() and edges_lengths_s() */
    int64_t histogram[EDGE_HEIGHTS][EDGE_LENGTHS];
};

/* 'period_s' > 0. */
void edges_init(struct edges *e, const struct site_grid *grid, double period_s);

/* One tick; true where an edge ended with it, then in e->now. */
bool edges_push(struct edges *e, double grid_w);

/* The grid was not seen for a while: an edge that runs is dropped, and the next
 * push is compared with nothing. */
void edges_resume(struct edges *e);

/* Lower bounds of the histogram's classes, EDGE_HEIGHTS and EDGE_LENGTHS of
 * them. */
const double *edges_heights(void);
const double *edges_lengths_s(void);

#endif
