/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"
#include "models/wide.h"

static const double FAR_MEMORY = 400.0; /* steps of memory, of cycles */
static const double NEAR_MEMORY = 40.0; /* and of similar stretches */
static const double RARE = 2.0; /* doubt in a lag that was compared rarely */
static const double NEAR_PU =
    0.1; /* of a long lag: longer memory for long cycles */
static const double NEAR_MAX = 300.0;
static const double KIN = 1.3;    /* as far as the best, of a copy to be used */
static const double HINTED = 0.7; /* how much nearer a lag looks if told of */

/* A lag counts after comparisons over half of its own length, at least and at
 * most these: fewer may have missed what the present has and it had not. */
static const int64_t SUPPORT_MIN = 20;
static const int64_t SUPPORT_MAX = 300;

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

WIDE static void relax(double *restrict d, const double *restrict y,
                       int64_t end, double gain)
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

static bool is_dip(const double *d)
{
    return (d[0] <= d[-1]) & (d[0] < d[1]);
}

/* Least of each block: where it is not near, nothing in it is.  Halves of all
 * are compared at once until a block's is among its first four. */
WIDE static void find_least(const double *restrict d, double *restrict least)
{
    double x[FORECAST_LAGS];
    for (int i = 0; i < FORECAST_LAGS - 8; i++) {
        x[i] = d[i + 8] < d[i] ? d[i + 8] : d[i];
    }
    for (int i = 0; i < FORECAST_LAGS - 12; i++) {
        x[i] = x[i + 4] < x[i] ? x[i + 4] : x[i];
    }
    for (int b = 0; b < FORECAST_BLOCKS; b++) {
        const double *m = &x[b * FORECAST_BLOCK];
        double even = m[2] < m[0] ? m[2] : m[0];
        double odd = m[3] < m[1] ? m[3] : m[1];
        least[b] = odd < even ? odd : even;
    }
}

void forecast_compare(struct forecast *f)
{
    double memory = NEAR_PU * (double)f->h[0].far[0].lag;
    compare(f, f->far, FAR_MEMORY);
    find_least(f->far, f->far_least);
    compare(f, f->near, min_of(NEAR_MAX, max_of(NEAR_MEMORY, memory)));
    find_least(f->near, f->near_least);
}

/* Lags below this one have been compared often enough, of 'n' steps. */
int64_t forecast_supported(int64_t n)
{
    int64_t end = n * 2 / 3;
    end = end < n - SUPPORT_MIN ? end : n - SUPPORT_MIN;
    end = end > n - SUPPORT_MAX ? end : n - SUPPORT_MAX;
    return end < FORECAST_LAGS - 1 ? end : FORECAST_LAGS - 1;
}

/* A search under way for the 'n' nearest local minima of 'd'. */
struct search {
    const struct forecast *f;
    const double *d;
    const double *least; /* of each block of 'd' */
    struct forecast_lag *best;
    struct forecast_search *past;
    int n;
};

static bool was_best(const struct search *s, int64_t lag)
{
    bool was = false;
    for (int k = 0; k < s->n; k++) {
        was = was || s->past->old[k].lag == lag;
    }
    return was;
}

/* The distance as the choice sees it. */
static double weigh(const struct search *s, int64_t lag)
{
    const struct forecast *f = s->f;
    double d = s->d[lag] * (1.0 + RARE / sqrt((double)(f->n - lag)));
    if (f->hint > 0.0) {
        double cycles = round((double)lag / f->hint);
        bool told = fabs((double)lag - cycles * f->hint) <= 1.0;
        d *= told ? HINTED : 1.0;
    }
    return d;
}

static void try_lag(struct search *s, int64_t lag)
{
    const double *d = s->d;
    if (!is_dip(&d[lag])) {
        return;
    }
    struct forecast_lag x = {lag, weigh(s, lag)};
    int i = s->n - 1;
    if (!(x.distance < s->best[i].distance)) {
        return;
    }
    for (; i > 0 && s->best[i - 1].distance > x.distance; i--) {
        s->best[i] = s->best[i - 1];
    }
    s->best[i] = x;
    s->past->shortest = lag < s->past->shortest ? lag : s->past->shortest;
}

static void look_closer(struct search *s, int64_t lag, int64_t end)
{
    for (; lag < end; lag++) {
        if (s->d[lag] < s->best[s->n - 1].distance && is_dip(&s->d[lag]) &&
            !was_best(s, lag)) {
            try_lag(s, lag);
        }
    }
}

/* The nearest local minima from lag 'from' on.  Those of the last search come
 * first, so that little of the rest needs a closer look. */
static void search(struct search *s, int64_t from)
{
    int64_t end = forecast_supported(s->f->n);
    struct forecast_lag *old = s->past->old;
    s->past->shortest = INT64_MAX;
    for (int i = 0; i < s->n; i++) {
        old[i] = s->best[i];
        s->best[i] = (struct forecast_lag){0, INFINITY};
    }
    for (int i = 0; i < s->n; i++) {
        if (old[i].lag >= from && old[i].lag < end) {
            try_lag(s, old[i].lag);
        }
    }
    for (int64_t b = from / FORECAST_BLOCK; b * FORECAST_BLOCK < end; b++) {
        if (s->least[b] < s->best[s->n - 1].distance) {
            int64_t lag = b * FORECAST_BLOCK;
            int64_t stop = lag + FORECAST_BLOCK;
            look_closer(s, lag < from ? from : lag, stop < end ? stop : end);
        }
    }
    memcpy(s->past->best, s->best, (size_t)s->n * sizeof(s->best[0]));
}

/* Would it find what the one before has found? */
static bool is_known(const struct search *s, int64_t from)
{
    bool same = s->past->shortest >= from;
    for (int i = 0; i < s->n; i++) {
        same = same && s->best[i].lag == s->past->old[i].lag;
    }
    return same;
}

static void find(struct search *s, int64_t from)
{
    if (is_known(s, from)) {
        memcpy(s->best, s->past->best, (size_t)s->n * sizeof(s->best[0]));
    } else {
        search(s, from);
    }
}

void forecast_choose(const struct forecast *f, struct forecast_horizon *h,
                     struct forecast_choice *choice)
{
    int64_t from = h->steps > 2 ? h->steps : 2;
    struct search far = {.f = f,
                         .d = f->far,
                         .least = f->far_least,
                         .best = h->far,
                         .past = &choice->far,
                         .n = FORECAST_COPIES};
    find(&far, from);
    for (int c = 1; c < FORECAST_COPIES; c++) {
        if (h->far[c].distance > KIN * h->far[0].distance) {
            h->far[c].lag = 0;
        }
    }
    struct search near = {.f = f,
                          .d = f->near,
                          .least = f->near_least,
                          .best = h->near,
                          .past = &choice->near,
                          .n = FORECAST_NEAREST};
    find(&near, from);
}
