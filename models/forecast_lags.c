/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "models/forecast_parts.h"

TUNE double K_FAR = 400.0; /* steps of memory, of cycles */
TUNE double K_NEAR = 40.0; /* and of similar stretches */
TUNE double K_SUP = 2.0;   /* doubt in a lag that was compared rarely */
TUNE double K_HYST = 0.97; /* a lag in use stays until one is better */
TUNE double K_NP = 0.1;
TUNE double K_KIN = 1.3; /* as far as the best, of a copy to be used */
/* A lag counts after comparisons over half of its own length, at least and at
 * most these: fewer may have missed what the present has and it had not. */
static const int64_t SUPPORT_MIN = 20;
static const int64_t SUPPORT_MAX = 300;
static const double PERIODIC_PU = 0.7; /* of the mean distance */
static const double SHORTER = 1.15;    /* a multiple must be so much nearer */

void forecast_push(struct forecast *f, double value)
{
    if (f->n == 0) {
        for (int i = 0; i < 2 * FORECAST_HISTORY; i++) {
            f->ring[i] = value;
        }
    }
    f->head = f->head == 0 ? FORECAST_HISTORY - 1 : f->head - 1;
    f->ring[f->head] = value;
    f->ring[f->head + FORECAST_HISTORY] = value;
    f->now++;
    if (f->n < FORECAST_HISTORY) {
        f->n++;
    }
}

static void relax(double *restrict d, const double *restrict y, int64_t end,
                  double gain)
{
    double newest = y[0];
    for (int64_t lag = 1; lag < end; lag++) {
        d[lag] += gain * (fabs(newest - y[lag]) - d[lag]);
    }
}

/* A mean that begins as a plain one: lag L has n - L comparisons. */
static void compare(const struct forecast *f, double *d, double memory)
{
    const double *y = forecast_past(f);
    int64_t end = f->n < FORECAST_LAGS ? f->n : FORECAST_LAGS;
    int64_t young = f->n - (int64_t)memory;
    young = young < 1 ? 1 : young > end ? end : young;
    relax(d, y, young, 1.0 / memory);
    for (int64_t lag = young; lag < end; lag++) {
        d[lag] += (fabs(y[0] - y[lag]) - d[lag]) / (double)(f->n - lag);
    }
}

void forecast_compare(struct forecast *f)
{
    compare(f, f->far, K_FAR);
    {
        double p = K_NP * (double)f->h[0].far[0].lag;
        compare(f, f->near, fmin(300.0, fmax(K_NEAR, p)));
    }
}

/* Lags below this one have been compared often enough, of 'n' steps. */
static int64_t supported(int64_t n)
{
    int64_t end = n * 2 / 3;
    end = end < n - SUPPORT_MIN ? end : n - SUPPORT_MIN;
    end = end > n - SUPPORT_MAX ? end : n - SUPPORT_MAX;
    return end < FORECAST_LAGS - 1 ? end : FORECAST_LAGS - 1;
}

static void insert(struct forecast_lag *best, int n, struct forecast_lag x)
{
    int i = n - 1;
    for (; i > 0 && best[i - 1].distance > x.distance; i--) {
        best[i] = best[i - 1];
    }
    best[i] = x;
}

/* The distance as the choice sees it. */
static double weigh(const struct forecast *f, const struct forecast_lag *old,
                    int n, struct forecast_lag x)
{
    double d = x.distance * (1.0 + K_SUP / sqrt((double)(f->n - x.lag)));
    for (int k = 0; k < n; k++) {
        d *= old[k].lag == x.lag ? K_HYST : 1.0;
    }
    if (f->hint > 0.0) {
        double cycles = round((double)x.lag / f->hint);
        d *= fabs((double)x.lag - cycles * f->hint) <= 1.0 ? 0.7 : 1.0;
    }
    return d;
}

/* The 'n' nearest local minima of 'd' from lag 'from' on. */
static void search(const struct forecast *f, const double *d, int64_t from,
                   struct forecast_lag *best, int n)
{
    struct forecast_lag old[FORECAST_COPIES + FORECAST_NEAREST];
    memcpy(old, best, (size_t)n * sizeof(*best));
    for (int i = 0; i < n; i++) {
        best[i] = (struct forecast_lag){0, INFINITY};
    }
    int64_t end = supported(f->n);
    for (int64_t lag = from; lag < end; lag++) {
        if (d[lag] < best[n - 1].distance && d[lag] <= d[lag - 1] &&
            d[lag] < d[lag + 1]) {
            struct forecast_lag x = {lag, d[lag]};
            x.distance = weigh(f, old, n, x);
            if (x.distance < best[n - 1].distance) {
                insert(best, n, x);
            }
        }
    }
}

void forecast_choose(const struct forecast *f, struct forecast_horizon *h)
{
    int64_t from = h->steps > 2 ? h->steps : 2;
    search(f, f->far, from, h->far, FORECAST_COPIES);
    for (int c = 1; c < FORECAST_COPIES; c++) {
        if (h->far[c].distance > K_KIN * h->far[0].distance) {
            h->far[c].lag = 0;
        }
    }
    search(f, f->near, from, h->near, FORECAST_NEAREST);
}

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

int forecast_periods(const struct forecast *f, double out[FORECAST_PERIODS_MAX])
{
    const double *d = f->far;
    int64_t end = supported(f->n);
    double mean = 0.0;
    for (int64_t lag = 1; lag < end; lag++) {
        mean += d[lag] / (double)(end - 1);
    }
    int n = 0;
    while (n < FORECAST_PERIODS_MAX) {
        struct forecast_lag best = {0, PERIODIC_PU * mean};
        for (int64_t lag = 2; lag < end; lag++) {
            bool low = d[lag] < d[lag - 1] && d[lag] <= d[lag + 1];
            double x = d[lag] * (best.lag > 0 ? SHORTER : 1.0);
            if (low && x < best.distance &&
                !is_multiple(vertex(d, lag), out, n)) {
                best = (struct forecast_lag){lag, d[lag]};
            }
        }
        if (best.lag == 0) {
            break;
        }
        out[n++] = vertex(d, best.lag);
    }
    for (int i = 0; i < n; i++) {
        out[i] *= f->cfg.grid_s;
    }
    return n;
}
