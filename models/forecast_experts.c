/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"

static const double BEYOND_PU = 0.5; /* of the range seen: a slope's reach */

/* What followed the most similar stretches, the nearest most. */
static double by_pattern(const struct forecast *f,
                         const struct forecast_horizon *h)
{
    const double *y = forecast_past(f);
    double sum = 0.0;
    double weights = 0.0;
    for (int k = 0; k < FORECAST_NEAREST && h->near[k].lag > 0; k++) {
        double ratio =
            (h->near[0].distance + DBL_MIN) / (h->near[k].distance + DBL_MIN);
        double w = ratio * ratio * ratio * ratio;
        sum += w * y[forecast_copy(h->near[k].lag, h->ahead)];
        weights += w;
    }
    return weights > 0.0 ? sum / weights : y[0];
}

/* What repeats may know of an announced rise already. */
static double informed(double point, double now, double rise)
{
    bool knows = fabs(point - now - rise) <= fabs(point - now);
    return knows ? point : point + rise;
}

void forecast_ask(const struct forecast *f, struct forecast_horizon *h,
                  double rise)
{
    const struct forecast_level *l = &f->level;
    const double *y = forecast_past(f);
    double lo = f->clean.lo;
    double hi = f->clean.hi;
    double reach = BEYOND_PU * (hi - lo);
    double slope = l->trend + l->slope * (double)h->ahead;
    struct forecast_view v = {.ago = 0, .ahead = h->ahead};
    forecast_look(f, h, &v);
    double *p = h->point;
    p[FORECAST_BY_PERSISTENCE] = y[0] + rise;
    p[FORECAST_BY_MEAN] = l->mean + rise;
    p[FORECAST_BY_LEVEL] = l->level + rise;
    p[FORECAST_BY_TREND] = clamp(slope, lo - reach, hi + reach) + rise;
    p[FORECAST_BY_CYCLE] =
        h->far[0].lag > 0 ? y[forecast_copy(h->far[0].lag, h->ahead)] : y[0];
    p[FORECAST_BY_CYCLES] = v.base;
    p[FORECAST_BY_LAW] = clamp(forecast_law_say(&h->law, &v), lo, hi);
    p[FORECAST_BY_PATTERN] = by_pattern(f, h);
    for (int e = FORECAST_BY_CYCLE; e < FORECAST_EXPERTS && rise != 0.0; e++) {
        p[e] = informed(p[e], y[0], rise);
    }
}

double forecast_unrest(const struct forecast *f,
                       const struct forecast_horizon *h)
{
    const double *y = forecast_past(f);
    double lo = INFINITY;
    double hi = -INFINITY;
    for (int c = 0; c < FORECAST_COPIES; c++) {
        int64_t at = h->far[c].lag - h->ahead;
        for (int64_t j = -1; j <= 1 && h->far[c].lag > 0; j++) {
            double x = y[at + j < 0 ? 0 : at + j];
            lo = min_of(lo, x);
            hi = max_of(hi, x);
        }
    }
    return hi >= lo ? hi - lo : 0.0;
}
