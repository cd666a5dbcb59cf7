/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>

#include "models/forecast_parts.h"

TUNE double K_MEM = 200.0; /* steps of memory, besides the horizon's own */
TUNE double K_POW = 10.0;  /* how much more a better expert weighs */
TUNE double K_NW = 2.0;    /* and a nearer stretch */

#define OF_PATTERN(name, of_pattern) of_pattern,
static const bool of_pattern[] = {FORECAST_EXPERT_LIST(OF_PATTERN)};

static struct forecast_due *due(struct forecast *f,
                                const struct forecast_horizon *h, int64_t made)
{
    if (made < 0 || made % h->stride != 0) {
        return NULL;
    }
    return &f->pool[h->pool_at + made / h->stride % h->pool_n];
}

/* In proportion to a power of how well they have done of late. */
static void weigh(struct forecast_horizon *h, bool trusted)
{
    double best = INFINITY;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        if (trusted || !of_pattern[e]) {
            best = fmin(best, h->loss[e]);
        }
    }
    double sum = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        bool counts = trusted || !of_pattern[e];
        double ratio = (best + DBL_MIN) / (h->loss[e] + DBL_MIN);
        h->weight[e] = counts ? pow(ratio, K_POW) : 0.0;
        sum += h->weight[e];
    }
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        h->weight[e] /= sum;
    }
}

void forecast_score(struct forecast *f, struct forecast_horizon *h)
{
    int64_t made = f->now - h->steps;
    struct forecast_due *d = due(f, h, made);
    if (d == NULL || d->made != made) {
        return;
    }
    double y = forecast_past(f)[0];
    conformal_feed_late(&h->around, &h->past, y - (double)d->mean, 1.0);
    struct forecast_view v;
    forecast_look(f, h, h->steps, &v);
    forecast_law_learn(&h->law, &v, y);
    if (made < h->trust.broke_at) {
        return;
    }
    h->n_scored++;
    double gain =
        fmax(1.0 / (double)h->n_scored, 1.0 / (K_MEM + (double)h->steps));
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        double miss = fabs(y - (double)d->expert[e]);
        h->loss[e] += gain * (miss - h->loss[e]);
    }
}

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
        double w = pow(ratio, K_NW);
        sum += w * y[h->near[k].lag - h->steps];
        weights += w;
    }
    return weights > 0.0 ? sum / weights : y[0];
}

static void ask(const struct forecast *f, struct forecast_horizon *h,
                double rise)
{
    const struct forecast_level *l = &f->level;
    const double *y = forecast_past(f);
    struct forecast_view v;
    forecast_look(f, h, 0, &v);
    double *p = h->point;
    p[FORECAST_BY_PERSISTENCE] = y[0] + rise;
    p[FORECAST_BY_LEVEL] = l->level + rise;
    p[FORECAST_BY_FAST] = l->fast + rise;
    p[FORECAST_BY_TREND] = l->trend + l->slope * (double)h->steps + rise;
    p[FORECAST_BY_CYCLE] =
        h->far[0].lag > 0 ? y[h->far[0].lag - h->steps] : y[0];
    p[FORECAST_BY_CYCLES] = v.base;
    p[FORECAST_BY_LAW] = forecast_law_say(&h->law, &v);
    p[FORECAST_BY_PATTERN] = by_pattern(f, h);
}

static void keep(struct forecast *f, struct forecast_horizon *h, double mean)
{
    struct forecast_due *d = due(f, h, f->now);
    if (d == NULL) {
        return;
    }
    d->made = f->now;
    d->mean = (float)mean;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        d->expert[e] = (float)h->point[e];
    }
}

void forecast_predict(struct forecast *f, struct forecast_horizon *h)
{
    bool breaks;
    double rise = forecast_announced(f, h->steps, &breaks);
    ask(f, h, rise);
    if (h->n_scored > 0) {
        weigh(h, h->trust.holds && !breaks);
    }
    double mean = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        mean += h->weight[e] * h->point[e];
    }
    double q[CONFORMAL_LEVELS];
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        q[i] =
            mean + conformal_offset(&h->around, (enum conformal_level)i, 1.0);
    }
    h->at = (struct forecast_at){mean,
                                 q[CONFORMAL_Q01],
                                 q[CONFORMAL_Q10],
                                 q[CONFORMAL_Q50],
                                 q[CONFORMAL_Q90],
                                 q[CONFORMAL_Q99]};
    keep(f, h, mean);
}
