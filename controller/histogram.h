/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * histogram - durations in fixed buckets, eight to an octave from 1 us to
 * 64 s: no allocation, constant time, quantiles within 9.1 %.
 */
#ifndef CONTROLLER_HISTOGRAM_H
#define CONTROLLER_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_PER_OCTAVE = 8, HISTOGRAM_BUCKETS = 26 * 8 };

struct histogram {
    uint64_t n;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

/* Below 1 us (and what is not a number) counts in the first bucket, above
 * the range in the last. */
void histogram_add(struct histogram *h, double duration_s);

/* Upper edge of the bucket that holds the q-quantile (0..1); 0 while empty. */
double histogram_quantile_s(const struct histogram *h, double q);

#endif
