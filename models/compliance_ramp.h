/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compliance_ramp - the part of the compliance meter that judges the ramp: the
 * mean over ramp_average against every one of the last 60 s, in O(1) amortised
 * per tick.  Pure and pointer-free.
 */
#ifndef MODELS_COMPLIANCE_RAMP_H
#define MODELS_COMPLIANCE_RAMP_H

#include <stdint.h>

#include "models/site.h"
#include "models/window.h"

struct compliance_ramp {
    struct window_mean mean;
    double period_s;
    double limit_w_per_s; /* tolerance included */
    int64_t ticks;        /* pushed */
    int64_t lag_min;      /* tau in ticks */
    int64_t lag_max;
    int64_t at;                    /* oldest mean in lags_w */
    double lags_w[2 * WINDOW_MAX]; /* each mean twice: never wraps */
    double per_tau[WINDOW_MAX];    /* 1/tau in 1/s, oldest first */
    double last_w;                 /* newest mean */
    double slack_up_w;    /* no tau rises nearer to the threshold than this */
    double slack_down_w;  /* likewise for falls */
    double now_w_per_s;   /* over the shortest tau, signed */
    double worst_w_per_s; /* over any tau, where the last tick broke it */
    double max_w_per_s;
    int64_t max_tick;
};

/* For means over 'ramp_average' and taus from there to 'longest' ticks. */
void compliance_ramp_init(struct compliance_ramp *r,
                          const struct site_grid *grid, double period_s,
                          int64_t longest);

/* Before the first push: everywhere 'grid_w'. */
void compliance_ramp_stand(struct compliance_ramp *r, double grid_w);

/* One tick.  Ticks of the shortest tau that breaks the limit; 0 where none
 * does. */
int64_t compliance_ramp_push(struct compliance_ramp *r, double grid_w);

#endif
