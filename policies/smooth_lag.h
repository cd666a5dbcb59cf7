/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smooth_lag - how late the batteries answer, and what is under way to them.
 *
 * The batteries together are taken for a delay of D whole ticks and a
 * first-order answer (CONTRACT.md, "Time in replay is causal"):
 *
 *   b[k] = b[k-1] + a (u[k-D] - b[k-1])
 *
 * Every D is tried at once; the one whose least-squares 'a' explains best what
 * was measured while set-points moved is believed.  At rest nothing is
 * learnt, and nothing forgotten.  An element: step(measured), ask, told(set).
 * Pure and pointer-free; bounded work.
 */
#ifndef POLICIES_SMOOTH_LAG_H
#define POLICIES_SMOOTH_LAG_H

#include <stdbool.h>
#include <stdint.h>

enum { SMOOTH_LAG_MAX = 32 }; /* ticks of delay */

struct smooth_lag {
    int64_t delay;                  /* D */
    double part;                    /* a, in (0, 1] */
    double power_w;                 /* measured last; NAN: not yet */
    double sent_w[SMOOTH_LAG_MAX];  /* set-points, newest first */
    double moved_sq;                /* sum of (b[k] - b[k-1])^2, fading */
    double along[SMOOTH_LAG_MAX];   /* sum of it times the way that was left */
    double left_sq[SMOOTH_LAG_MAX]; /* sum of (u[k-D] - b[k-1])^2 */
};

/* What is believed before anything was measured; delay_s >= 0. */
void smooth_lag_init(struct smooth_lag *l, double period_s, double delay_s,
                     double response_s);

/* The batteries are found at 'power_w' (+ charge), at rest. */
void smooth_lag_rest(struct smooth_lag *l, double power_w);

/* One tick: 'power_w' was measured.  Movements of less than 'small_w' > 0
 * teach nothing. */
void smooth_lag_step(struct smooth_lag *l, double power_w, double small_w);

/* What they are asked in this tick. */
void smooth_lag_told(struct smooth_lag *l, double set_w);

/* Ticks' worth of an edge that pass before it is answered, its own included:
 * 1.58 at 100 ms of period and response. */
double smooth_lag_ticks(const struct smooth_lag *l);

/*
 * What the batteries will do beside what they are asked from this tick on, as
 * if it were asked for all time: sum over the coming ticks of b - u is
 * *fixed_wt - *per_w_wt * u, in W times ticks.
 */
void smooth_lag_ahead(const struct smooth_lag *l, double *fixed_wt,
                      double *per_w_wt);

#endif
