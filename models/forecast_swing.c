/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "models/forecast_parts.h"

/* The nearest horizon that covers 'step', and its weights. */
static const struct forecast_horizon *covering(const struct forecast *f,
                                               int64_t step)
{
    int64_t i = 0;
    while (i < f->cfg.n_horizons - 1 && f->h[i].steps < step) {
        i++;
    }
    return &f->h[i];
}

/* The expected load 'step' steps ahead, by the experts that cost little. */
static double path(const struct forecast *f, int64_t step)
{
    const struct forecast_horizon *h = covering(f, step);
    const struct forecast_level *l = &f->level;
    const double *y = forecast_past(f);
    const double *w = h->weight;
    bool breaks;
    double rise = forecast_announced(f, step, &breaks);
    double sum =
        w[FORECAST_BY_PERSISTENCE] * (y[0] + rise) +
        w[FORECAST_BY_MEAN] * (l->mean + rise) +
        w[FORECAST_BY_LEVEL] * (l->level + rise) +
        w[FORECAST_BY_TREND] * (l->trend + l->slope * (double)step + rise);
    double copies = 0.0;
    int n = 0;
    for (int c = 0; c < FORECAST_COPIES; c++) {
        int64_t lag = h->far[c].lag;
        if (lag >= step) {
            copies += y[lag - step];
            n++;
        }
    }
    double left = 0.0;
    for (int e = FORECAST_BY_CYCLE; e < FORECAST_EXPERTS; e++) {
        left += w[e];
    }
    return sum + left * (n > 0 ? copies / n : y[0]);
}

struct forecast_swing forecast_swing(const struct forecast *f, double window_s)
{
    struct forecast_swing s = {NAN, NAN, NAN, NAN, NAN};
    if (f->n == 0) {
        return s;
    }
    double n = fmax(1.0, fmin(window_s / f->cfg.grid_s, FORECAST_LAGS / 2));
    double last = forecast_past(f)[0];
    double lo = last, hi = last, sum = 0.0, up = 0.0, down = 0.0;
    int64_t steps = (int64_t)n;
    for (int64_t k = 1; k <= steps; k++) {
        double x = path(f, k);
        up = fmax(up, x - last);
        down = fmax(down, last - x);
        lo = fmin(lo, x);
        hi = fmax(hi, x);
        sum += x;
        last = x;
    }
    const struct forecast_at *at = &covering(f, steps)->at;
    double band = at->q90 - at->q10;
    s.mean = sum / (double)steps;
    s.peak_to_peak = hi - lo;
    s.peak_to_peak_q90 = s.peak_to_peak + band;
    s.edge_up_q90 = up + 0.5 * band;
    s.edge_down_q90 = down + 0.5 * band;
    return s;
}
