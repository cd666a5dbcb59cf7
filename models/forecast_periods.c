/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"

static const double PERIODIC_PU = 0.7; /* of the mean distance */
static const double SHORTER = 1.15;    /* a longer one must be so much nearer */
static const double PARTS = 1.4;       /* a part may be so much farther */
static const int64_t REFINED = 6;      /* multiples */

/* The vertex of the parabola through three distances. */
static double vertex(const double *d, int64_t lag)
{
    double a = d[lag - 1] - d[lag];
    double b = d[lag + 1] - d[lag];
    return a + b > 0.0 ? (double)lag + 0.5 * (a - b) / (a + b) : (double)lag;
}

static bool is_multiple(double x, const double *of, int n)
{
    for (int i = 0; i < n; i++) {
        double times = round(x / of[i]);
        if (times >= 1.0 && fabs(x - times * of[i]) < 1.5 + 0.01 * x) {
            return true;
        }
    }
    return false;
}

static bool is_low(const double *d, int64_t lag)
{
    return d[lag] < d[lag - 1] && d[lag] <= d[lag + 1];
}

/* The nearest lag below 'end' that is neither one of 'of' nor a multiple; 0
 * where none is nearer than 'limit'. */
static int64_t nearest(const double *d, int64_t end, double limit,
                       const double of[FORECAST_PERIODS_MAX], int n)
{
    int64_t best = 0;
    for (int64_t lag = 2; lag < end; lag++) {
        double most = best > 0 ? d[best] / SHORTER : limit;
        if (d[lag] < most && is_low(d, lag) &&
            !is_multiple(vertex(d, lag), of, n)) {
            best = lag;
        }
    }
    return best;
}

/* The shortest lag of which this may be a multiple: several cycles look a
 * little nearer where one is no whole number of steps. */
static int64_t shortest(const double *d, int64_t lag)
{
    for (int64_t k = lag / 2; k > 1; k--) {
        int64_t part = lag / k;
        for (int64_t at = part > 3 ? part - 1 : 2; at <= part + 1; at++) {
            if (is_low(d, at) && d[at] < PARTS * d[lag]) {
                return at;
            }
        }
    }
    return lag;
}

/* A lag to a part of a step: its multiples tell it better. */
static double refine(const double *d, int64_t lag, int64_t end)
{
    double period = vertex(d, lag);
    for (int64_t k = 2; k <= REFINED; k++) {
        int64_t at = (int64_t)round((double)k * period);
        for (int64_t i = at - 1; i <= at + 1 && i < end; i++) {
            if (is_low(d, i) && d[i] < PARTS * d[lag]) {
                period = vertex(d, i) / (double)k;
            }
        }
    }
    return period;
}

int forecast_periods(const struct forecast *f, double out[FORECAST_PERIODS_MAX])
{
    const double *d = f->far;
    int64_t end = forecast_supported(f->n);
    double mean = 0.0;
    for (int64_t lag = 1; lag < end; lag++) {
        mean += d[lag];
    }
    mean /= max_of(1.0, (double)(end - 1));
    int n = 0;
    int64_t known = end;
    while (n < FORECAST_PERIODS_MAX) {
        int64_t lag = nearest(d, end, PERIODIC_PU * mean, out, n);
        if (lag == 0) {
            break;
        }
        lag = shortest(d, lag);
        out[n++] = refine(d, lag, known);
        end = lag / 2 + 1;
    }
    for (int i = 0; i < n; i++) {
        out[i] *= f->cfg.grid_s;
    }
    return n;
}
