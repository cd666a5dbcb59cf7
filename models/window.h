/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * window - mean and extreme of the last values of a stream.
 *
 * Pure and pointer-free, O(1) amortised per value.
 */
#ifndef MODELS_WINDOW_H
#define MODELS_WINDOW_H

#include <stdint.h>

enum { WINDOW_MAX = 4096 };

/* Mean over the last 'n' values. */
struct window_mean {
    int64_t n;
    int64_t at;
    double sum;
    double cells[WINDOW_MAX];
};

/* 1 <= n <= WINDOW_MAX (asserted); all values are 'value' at first. */
void window_mean_init(struct window_mean *w, int64_t n, double value);

/* Takes 'value' in and returns the mean. */
double window_mean_push(struct window_mean *w, double value);

/* Largest or smallest value of a window, and those that may yet become it,
 * oldest first. */
struct window_extreme {
    int64_t span; /* the window is the newest value and 'span' before it */
    int64_t tick; /* of the newest value */
    int64_t head;
    int64_t n;
    double sign; /* +1 keeps the largest, -1 the smallest */
    int64_t ticks[WINDOW_MAX];
    double values[WINDOW_MAX]; /* times sign */
};

/* 0 <= span < WINDOW_MAX (asserted); 'sign' is +1 or -1. */
void window_extreme_init(struct window_extreme *w, int64_t span, double sign);

/* Takes 'value' in and returns the extreme. */
double window_extreme_push(struct window_extreme *w, double value);

/* The extreme of the window as it is; at least one value must be in it. */
double window_extreme_now(const struct window_extreme *w);

#endif
