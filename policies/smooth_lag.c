/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/smooth_lag.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double FADE_PU = 0.999; /* per tick in which something moved */
static const double PART_MIN = 0.02; /* slower is no answer */
static const double BETTER_PU = 0.5; /* of the rest unexplained, to change */
static const double ENOUGH = 30.0;   /* squares of the smallest movement */

void smooth_lag_init(struct smooth_lag *l, double period_s, double delay_s,
                     double response_s)
{
    assert(period_s > 0.0 && delay_s >= 0.0);
    memset(l, 0, sizeof(*l));
    int64_t d = (int64_t)lround(delay_s / period_s);
    l->delay = d < SMOOTH_LAG_MAX ? d : SMOOTH_LAG_MAX - 1;
    l->part = response_s > 0.0 ? 1.0 - exp(-period_s / response_s) : 1.0;
    l->part = fmax(l->part, PART_MIN);
    l->power_w = NAN;
}

void smooth_lag_rest(struct smooth_lag *l, double power_w)
{
    l->power_w = power_w;
    for (int i = 0; i < SMOOTH_LAG_MAX; i++) {
        l->sent_w[i] = power_w;
    }
}

static double unexplained(const struct smooth_lag *l, int64_t d)
{
    double left_sq = l->left_sq[d];
    double along = fmax(l->along[d], 0.0);
    return left_sq > 0.0 ? l->moved_sq - along * along / left_sq : INFINITY;
}

static void believe(struct smooth_lag *l)
{
    int64_t best = l->delay;
    double worth = BETTER_PU * unexplained(l, l->delay);
    for (int64_t d = 0; d < SMOOTH_LAG_MAX; d++) {
        double rest = unexplained(l, d);
        if (rest < worth) {
            worth = rest;
            best = d;
        }
    }
    l->delay = best;
    if (l->left_sq[best] > 0.0) {
        double part = l->along[best] / l->left_sq[best];
        l->part = fmax(PART_MIN, fmin(part, 1.0));
    }
}

void smooth_lag_step(struct smooth_lag *l, double power_w, double small_w)
{
    assert(small_w > 0.0);
    if (!isfinite(power_w)) {
        return;
    }
    if (isnan(l->power_w)) {
        smooth_lag_rest(l, power_w);
        return;
    }
    double before_w = l->power_w;
    double moved_w = power_w - before_w;
    l->power_w = power_w;
    if (fabs(moved_w) < small_w && fabs(l->sent_w[0] - before_w) < small_w) {
        return;
    }
    l->moved_sq = FADE_PU * l->moved_sq + moved_w * moved_w;
    for (int d = 0; d < SMOOTH_LAG_MAX; d++) {
        double left_w = l->sent_w[d] - before_w;
        l->along[d] = FADE_PU * l->along[d] + moved_w * left_w;
        l->left_sq[d] = FADE_PU * l->left_sq[d] + left_w * left_w;
    }
    if (l->moved_sq >= ENOUGH * small_w * small_w) {
        believe(l);
    }
}

void smooth_lag_told(struct smooth_lag *l, double set_w)
{
    memmove(l->sent_w + 1, l->sent_w,
            (SMOOTH_LAG_MAX - 1) * sizeof(l->sent_w[0]));
    l->sent_w[0] = set_w;
}

static double after_delay(const struct smooth_lag *l)
{
    return (1.0 - l->part) / l->part;
}

double smooth_lag_ticks(const struct smooth_lag *l)
{
    return 1.0 + (double)l->delay + after_delay(l);
}

void smooth_lag_ahead(const struct smooth_lag *l, double *fixed_wt,
                      double *per_w_wt)
{
    double b = isnan(l->power_w) ? 0.0 : l->power_w;
    double sum = 0.0;
    for (int64_t i = l->delay - 1; i >= 0; i--) { /* oldest first */
        b += l->part * (l->sent_w[i] - b);
        sum += b;
    }
    *fixed_wt = sum + b * after_delay(l);
    *per_w_wt = (double)l->delay + after_delay(l);
}
