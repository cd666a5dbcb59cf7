/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * swing - peak to peak of the mean grid power over the last 60 s, as the
 * utility judges it.  Fixed size; the extremes are kept by whole seconds, so
 * the window is 60 to 61 s long.
 */
#ifndef CONTROLLER_SWING_H
#define CONTROLLER_SWING_H

#include <stdint.h>

enum { SWING_RING = 1024, SWING_WINDOW_S = 60 };

struct swing {
    int64_t n_mean; /* samples of the mean, 1..SWING_RING */
    int64_t n;      /* samples so far, up to n_mean */
    int64_t at;
    double sum_w;
    double ring_w[SWING_RING];
    int64_t second; /* of the newest bucket */
    int64_t n_seconds;
    double min_w[SWING_WINDOW_S];
    double max_w[SWING_WINDOW_S];
};

/* 'average_s' > 0 in samples of 'period_s' > 0. */
void swing_init(struct swing *s, double average_s, double period_s);

/* A sample at 'mono_ms', which never goes back; what is not finite is left
 * out. */
void swing_add(struct swing *s, int64_t mono_ms, double grid_w);

/* Peak to peak so far, >= 0. */
double swing_pp_w(const struct swing *s);

#endif
