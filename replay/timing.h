/* SPDX-License-Identifier: GPL-3.0-or-later */
/* timing - how long single calls took: durations in, quantiles out. */
#ifndef REPLAY_TIMING_H
#define REPLAY_TIMING_H

#include <stdint.h>

enum { TIMING_MAX = 1 << 13 };

/* Keeps every n-th duration; n doubles whenever the room is full. */
struct timing {
    double s[TIMING_MAX];
    int64_t n;     /* kept */
    int64_t every; /* 1 at first */
    int64_t seen;
};

/* Seconds on the monotonic clock. */
double timing_now_s(void);

void timing_reset(struct timing *t);

/* True where the next duration is wanted; counts it. */
int timing_wanted(struct timing *t);
void timing_add(struct timing *t, double duration_s);

/* The 'pu' quantile, NAN where nothing was added; sorts what it holds. */
double timing_quantile(struct timing *t, double pu);

#endif
