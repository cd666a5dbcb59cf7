/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "models/forecast_parts.h"

/* The nearest horizon that covers 'step'. */
static int64_t covering(const struct forecast *f, int64_t step)
{
    int64_t i = 0;
    while (i < f->cfg.n_horizons - 1 && f->h[i].steps < step) {
        i++;
    }
    return i;
}

/* The expected load 'step' steps ahead, by the experts that cost little and
 * keep an edge as sharp as it is; 'rise' of it is announced. */
static double path(const struct forecast *f, const struct forecast_horizon *h,
                   int64_t step, double rise)
{
    const struct forecast_level *l = &f->level;
    const double *y = forecast_past(f);
    const double *w = h->weight;
    double sum = 0.0;
    double left = 1.0;
    double by[] = {
        [FORECAST_BY_PERSISTENCE] = y[0],
        [FORECAST_BY_MEAN] = l->mean,
        [FORECAST_BY_LEVEL] = l->level,
        [FORECAST_BY_TREND] = l->trend + l->slope * (double)step,
    };
    for (int e = 0; e <= FORECAST_BY_TREND; e++) {
        sum += w[e] * (by[e] + rise);
        left -= w[e];
    }
    int64_t lag = h->far[0].lag;
    return sum + left * (lag >= step ? y[lag - step] : y[0]);
}

/* fmax and fmin without a call, of numbers. */
static double most(double a, double b)
{
    return b > a ? b : a;
}

static double least(double a, double b)
{
    return b < a ? b : a;
}

static struct forecast_range foresee(const struct forecast *f, int64_t steps)
{
    double last = forecast_past(f)[0];
    double lo = INFINITY;
    double hi = -INFINITY;
    struct forecast_range r = {0};
    double rise = 0.0;
    int64_t changes_at = 1; /* what is announced */
    int64_t i = 0;
    for (int64_t k = 1; k <= steps; k++) {
        while (i < f->cfg.n_horizons - 1 && f->h[i].steps < k) {
            i++;
        }
        if (k >= changes_at) {
            bool breaks;
            rise = forecast_announced(f, k, &breaks);
            changes_at = forecast_next_mark(f, k);
        }
        double x = path(f, &f->h[i], k, rise);
        r.up = most(r.up, x - last);
        r.down = most(r.down, last - x);
        lo = least(lo, x);
        hi = most(hi, x);
        r.mean += x / (double)steps;
        last = x;
    }
    r.peak_to_peak = hi - lo;
    return r;
}

/* The same of what came in the last 'steps' steps. */
static struct forecast_range look_back(const struct forecast *f, int64_t steps)
{
    const double *y = forecast_past(f);
    double lo = y[0];
    double hi = y[0];
    struct forecast_range r = {0};
    for (int64_t k = 0; k < steps; k++) {
        r.up = most(r.up, y[k] - y[k + 1]);
        r.down = most(r.down, y[k + 1] - y[k]);
        lo = least(lo, y[k]);
        hi = most(hi, y[k]);
    }
    r.peak_to_peak = hi - lo;
    return r;
}

/* A few windows under way at a time, evenly apart. */
void forecast_swing_step(struct forecast *f, struct forecast_horizon *h)
{
    struct forecast_swings *s = &h->swings;
    int64_t apart = (h->steps + FORECAST_WINDOWS - 1) / FORECAST_WINDOWS;
    if (f->now % apart != 0) {
        return;
    }
    int64_t slot = f->now / apart % FORECAST_WINDOWS;
    int64_t span = apart * FORECAST_WINDOWS;
    if (s->made[slot] > 0 && s->made[slot] == f->now - span) {
        struct forecast_range came = look_back(f, span);
        const struct forecast_range *said = &s->said[slot];
        conformal_feed(&s->peak_to_peak, came.peak_to_peak - said->peak_to_peak,
                       1.0);
        conformal_feed(&s->up, came.up - said->up, 1.0);
        conformal_feed(&s->down, came.down - said->down, 1.0);
    }
    s->made[slot] = f->now;
    s->said[slot] = foresee(f, span);
}

void forecast_swing_init(struct forecast_swings *s)
{
    memset(s->made, 0, sizeof(s->made));
    conformal_init(&s->peak_to_peak);
    conformal_init(&s->up);
    conformal_init(&s->down);
}

void forecast_swing_anew(struct forecast *f)
{
    for (int64_t i = 0; i < f->cfg.n_horizons; i++) {
        forecast_swing_init(&f->h[i].swings);
    }
}

struct forecast_swing forecast_swing(const struct forecast *f, double window_s)
{
    struct forecast_swing out = {NAN, NAN, NAN, NAN, NAN};
    if (f->n == 0 || isnan(window_s)) {
        return out;
    }
    double most = (double)f->h[f->cfg.n_horizons - 1].steps;
    double steps = ceil(fmin(window_s / f->cfg.grid_s, most));
    int64_t n = (int64_t)fmax(1.0, steps);
    struct forecast_range r = foresee(f, n);
    const struct forecast_swings *s = &f->h[covering(f, n)].swings;
    double usual = conformal_offset(&s->peak_to_peak, CONFORMAL_Q50, 1.0);
    double wide = conformal_offset(&s->peak_to_peak, CONFORMAL_Q90, 1.0);
    out.mean = r.mean;
    out.peak_to_peak = fmax(0.0, r.peak_to_peak + usual);
    out.peak_to_peak_q90 = fmax(out.peak_to_peak, r.peak_to_peak + wide);
    out.edge_up_q90 =
        fmax(0.0, r.up + conformal_offset(&s->up, CONFORMAL_Q90, 1.0));
    out.edge_down_q90 =
        fmax(0.0, r.down + conformal_offset(&s->down, CONFORMAL_Q90, 1.0));
    return out;
}
