/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/swing.h"

#include <math.h>

void swing_init(struct swing *s, double average_s, double period_s)
{
    *s = (struct swing){0};
    double n = ceil(average_s / period_s - 1e-9);
    s->n_mean = (int64_t)fmin(fmax(n, 1.0), SWING_RING);
}

/* Mean of the newest n_mean samples; the sum is built anew once per turn of
 * the ring so that rounding does not pile up. */
static double mean(struct swing *s, double grid_w)
{
    if (s->n == s->n_mean) {
        s->sum_w -= s->ring_w[s->at];
    } else {
        s->n++;
    }
    s->ring_w[s->at] = grid_w;
    s->sum_w += grid_w;
    s->at = (s->at + 1) % s->n_mean;
    if (s->at == 0) {
        s->sum_w = 0.0;
        for (int64_t i = 0; i < s->n; i++) {
            s->sum_w += s->ring_w[i];
        }
    }
    return s->sum_w / (double)s->n;
}

/* Opens the buckets of the seconds up to 'second', each with 'w'. */
static void open_buckets(struct swing *s, int64_t second, double w)
{
    int64_t missed = s->n_seconds == 0 ? 1 : second - s->second;
    for (int64_t i = 0; i < missed && i < SWING_WINDOW_S; i++) {
        int64_t b = (second - i) % SWING_WINDOW_S;
        s->min_w[b] = w;
        s->max_w[b] = w;
    }
    s->n_seconds = s->n_seconds + missed < SWING_WINDOW_S
                       ? s->n_seconds + missed
                       : SWING_WINDOW_S;
    s->second = second;
}

void swing_add(struct swing *s, int64_t mono_ms, double grid_w)
{
    if (!isfinite(grid_w)) {
        return;
    }
    double w = mean(s, grid_w);
    if (s->n < s->n_mean) {
        return; /* the mean is not one yet */
    }
    int64_t second = mono_ms / 1000;
    if (s->n_seconds == 0 || second > s->second) {
        open_buckets(s, second, w);
    }
    int64_t b = s->second % SWING_WINDOW_S;
    s->min_w[b] = fmin(s->min_w[b], w);
    s->max_w[b] = fmax(s->max_w[b], w);
}

double swing_pp_w(const struct swing *s)
{
    double lo_w = INFINITY;
    double hi_w = -INFINITY;
    for (int64_t i = 0; i < s->n_seconds; i++) {
        int64_t b = (s->second - i) % SWING_WINDOW_S;
        lo_w = fmin(lo_w, s->min_w[b]);
        hi_w = fmax(hi_w, s->max_w[b]);
    }
    return s->n_seconds > 0 ? hi_w - lo_w : 0.0;
}
