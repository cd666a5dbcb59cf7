/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smooth - where the grid power shall be in the next tick.
 *
 * The grid reference follows a target (the load's level, plus what plan and
 * recentring want) no faster than the ramp limit.  The utility judges the
 * moving mean over ramp_average, in every window up to 60 s, and an edge of
 * the load leaks into that mean before any battery answers: what leaks within
 * one window is the latency times the difference of the load at its ends,
 * however many edges lie between.  So the reference is held where the mean
 * stays inside the limit over the next seconds, what is under way to the
 * batteries counted, with room for the load to rise or drop once more as far
 * as it may.  The same for the peak to peak of the mean over swing_average.
 *
 * Pure; the state is plain data.
 */
#ifndef POLICIES_SMOOTH_H
#define POLICIES_SMOOTH_H

#include <stdbool.h>
#include <stdint.h>

#include "models/site.h"
#include "models/window.h"
#include "policies/smooth_lag.h"

enum { SMOOTH_TICKS = 4096 }; /* ramp_average + 60 s, at the shortest period */

struct smooth_cfg {
    double period_s;
    double ramp_max_w_per_s; /* > 0 */
    int64_t n_average;       /* ticks of ramp_average, >= 1 */
    int64_t n_window;        /* ticks of 60 s, >= n_average */
    int64_t n_swing;         /* ticks of swing_average, >= 1 */
    double swing_max_w;      /* of its mean in 60 s; INFINITY for none */
    bool limiter; /* plain: the reference itself ramps, nothing else */
};

/* History of the grid power and of its mean, newest last; moved to the front
 * when the end is reached. */
struct smooth_state {
    double ref_w; /* NAN before the first tick */
    double out_w; /* where the grid was wanted in the tick before */
    double sum_w; /* of the newest n_average of grid_w */
    int64_t n;    /* filled */
    double grid_w[2 * SMOOTH_TICKS];
    double mean_w[2 * SMOOTH_TICKS];
    struct window_extreme highest; /* mean of the last 60 s */
    struct window_extreme lowest;
    double swing_sum_w; /* of the newest n_swing of grid_w */
    struct window_extreme swing_highest;
    struct window_extreme swing_lowest;
};

struct smooth_in {
    double grid_w;   /* measured in the tick before */
    double target_w; /* where the grid power should go in the long run */
    double load_w;   /* of the site in that tick, without batteries */
    double rise_w;   /* by so much the load may rise at once, >= 0 */
    double drop_w;   /* or drop */
    const struct smooth_lag *lag; /* of the batteries; not kept */
    double floor_w; /* hard bounds of the reference: -export and import */
    double cap_w;
    bool urgent; /* emergency: the cap holds at once, whatever the ramp */
};

struct smooth_out {
    double grid_w;       /* what the grid power shall be next */
    double mean_w;       /* of the measured grid power over ramp_average */
    double ramp_w_per_s; /* of that mean, over ramp_average */
    bool ramping;        /* the ramp limit binds */
};

/* From the site's values; the counts of ticks follow. */
void smooth_init(struct smooth_cfg *cfg, double period_s,
                 const struct site_grid *grid);
void smooth_reset(struct smooth_state *s);

/* 'n_ticks' in which what the grid did is not held against anybody: they count
 * as if it had been where it was wanted. */
void smooth_freeze(const struct smooth_cfg *cfg, struct smooth_state *s,
                   int64_t n_ticks);

/* One tick; 'n_ticks' >= 1 is how many periods have passed. */
struct smooth_out smooth_step(const struct smooth_cfg *cfg,
                              struct smooth_state *s,
                              const struct smooth_in *in, int64_t n_ticks);

#endif
