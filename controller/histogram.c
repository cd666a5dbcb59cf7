/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/histogram.h"

#include <assert.h>
#include <math.h>

static const double FIRST_S = 1e-6;

void histogram_add(struct histogram *h, double duration_s)
{
    int bucket = 0;
    if (duration_s > FIRST_S) {
        double octaves = log2(duration_s / FIRST_S);
        bucket = (int)fmin(octaves * HISTOGRAM_PER_OCTAVE,
                           (double)(HISTOGRAM_BUCKETS - 1));
    }
    h->counts[bucket]++;
    h->n++;
}

double histogram_quantile_s(const struct histogram *h, double q)
{
    assert(q >= 0.0 && q <= 1.0);
    if (h->n == 0) {
        return 0.0;
    }
    uint64_t rank = (uint64_t)ceil(q * (double)h->n);
    uint64_t seen = 0;
    int i = 0;
    while (i < HISTOGRAM_BUCKETS - 1) {
        seen += h->counts[i];
        if (seen >= rank && seen > 0) {
            break;
        }
        i++;
    }
    return FIRST_S * exp2((double)(i + 1) / HISTOGRAM_PER_OCTAVE);
}
