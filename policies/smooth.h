/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smooth - where the grid power shall be in the next tick.
 *
 * The grid reference follows a target (the load's level, plus what plan and
 * recentring want) no faster than the ramp limit.  The utility judges the
 * moving mean over ramp_average, in every window up to 60 s, and an edge of
 * the load leaks into that mean before any battery answers.  So the reference
 * is held where the mean stays inside the limit over the next seconds, with
 * room kept for one more edge like the largest that has been seen.
 *
 * Pure; the state is plain data.
 */
#ifndef POLICIES_SMOOTH_H
#define POLICIES_SMOOTH_H

#include <stdbool.h>
#include <stdint.h>

#include "models/window.h"

enum { SMOOTH_TICKS = 4096 }; /* ramp_average + 60 s, at the shortest period */

struct smooth_cfg {
    double period_s;
    double ramp_max_w_per_s; /* > 0 */
    int64_t n_average;       /* ticks of ramp_average, >= 1 */
    int64_t n_window;        /* ticks of 60 s, >= n_average */
    bool limiter; /* plain: the reference itself ramps, nothing else */
};

/* History of the grid power and of its mean, newest last; moved to the front
 * when the end is reached. */
struct smooth_state {
    double ref_w; /* NAN before the first tick */
    double sum_w; /* of the newest n_average of grid_w */
    int64_t n;    /* filled */
    double grid_w[2 * SMOOTH_TICKS];
    double mean_w[2 * SMOOTH_TICKS];
    struct window_extreme highest; /* mean of the last 60 s */
    struct window_extreme lowest;
};

struct smooth_in {
    double grid_w;   /* measured in the tick before */
    double target_w; /* where the grid power should go in the long run */
    double edge_w;   /* largest edge of the load to be expected, >= 0 */
    double floor_w;  /* hard bounds of the reference: -export and import */
    double cap_w;
    bool urgent; /* emergency: the cap holds at once, whatever the ramp */
};

struct smooth_out {
    double grid_w;       /* what the grid power shall be next */
    double mean_w;       /* of the measured grid power over ramp_average */
    double ramp_w_per_s; /* of that mean, over ramp_average */
    bool ramping;        /* the ramp limit binds */
};

/* From site values; n_average and n_window follow. */
void smooth_init(struct smooth_cfg *cfg, double period_s,
                 double ramp_max_w_per_s, double ramp_average_s);
void smooth_reset(struct smooth_state *s);

/* One tick; 'n_ticks' >= 1 is how many periods have passed. */
struct smooth_out smooth_step(const struct smooth_cfg *cfg,
                              struct smooth_state *s,
                              const struct smooth_in *in, int64_t n_ticks);

#endif
