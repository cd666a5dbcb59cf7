/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>

#include "models/forecast_parts.h"

TUNE double K_MEM = 200.0; /* steps of memory, besides the horizon's own */
TUNE double K_POW = 16.0;  /* how much more a better expert weighs */
TUNE double K_HAND = 1.25; /* until a pattern is believed */
TUNE double K_NEW = 2.0;   /* early on, later scores count for more */
TUNE double K_MP = 1.0;
TUNE double K_D = 1.3;
TUNE double K_S0 = 0.5;
TUNE double K_W = 0.04;
static const double BEYOND_PU = 0.5; /* of the range seen: a slope's reach */
TUNE double K_DOUBT = 0.3;
TUNE double K_HP = 1.0;
TUNE double K_NW = 4.0; /* and a nearer stretch */

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
static void weigh(const struct forecast *f, struct forecast_horizon *h,
                  bool trusted)
{
    double best = INFINITY;
    double doubt = 1.0 + K_DOUBT * (double)h->steps / (double)h->n_scored;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        if (trusted || !of_pattern[e]) {
            best = fmin(best, h->loss[e]);
        }
    }
    double sum = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        bool counts = trusted || !of_pattern[e];
        double loss = h->loss[e];
        if (K_D > 0 && e >= FORECAST_BY_CYCLE && e <= FORECAST_BY_LAW &&
            h->far[0].lag > 0)
            loss *= fmin(1.0, K_D * h->loss[FORECAST_BY_PERSISTENCE] *
                                  (h->far[0].distance + DBL_MIN) /
                                  (f->far[h->steps] + DBL_MIN) /
                                  (h->loss[FORECAST_BY_CYCLE] + DBL_MIN));
        loss *= (of_pattern[e] ? K_HAND : 1.0);
        loss *= e == FORECAST_BY_PATTERN ? K_HP : 1.0;
        if (e != FORECAST_BY_PERSISTENCE)
            loss *= doubt;
        double ratio = (best + DBL_MIN) / (loss + DBL_MIN);
        h->weight[e] = counts ? pow(ratio, K_POW) : 0.0;
        sum += h->weight[e];
    }
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        h->weight[e] /= sum;
    }
}

static double pattern_weight(const struct forecast_horizon *h)
{
    double sum = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        sum += of_pattern[e] ? h->weight[e] : 0.0;
    }
    return sum;
}

void forecast_score(struct forecast *f, struct forecast_horizon *h)
{
    int64_t made = f->now - h->steps;
    struct forecast_due *d = due(f, h, made);
    if (d == NULL || d->made != made) {
        return;
    }
    double y = forecast_past(f)[0];
    bool broken = made < h->trust.broke_at;
    conformal_feed_late(&h->around, &h->past, y - (double)d->mean,
                        (double)d->spread);
    double k = pattern_weight(h) * fmin(K_W, 1.0 / (double)h->steps);
    h->widen[0] += k * ((y < (double)d->q10 ? 1.0 : 0.0) - 0.1);
    h->widen[1] += k * ((y > (double)d->q90 ? 1.0 : 0.0) - 0.1);
    for (int i = 0; i < 2; i++)
        h->widen[i] = fmax(-1.0, fmin(1.5, h->widen[i]));
    struct forecast_view v;
    forecast_look(f, h, h->steps, &v);
    forecast_law_learn(&h->law, &v, y);
    if (broken) {
        return;
    }
    h->n_scored++;
    double memory =
        fmax(K_MEM, K_MP * (double)h->far[0].lag) + (double)h->steps;
    double gain = fmax(fmin(1.0, K_NEW / (double)h->n_scored), 1.0 / memory);
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
    p[FORECAST_BY_MEAN] = l->mean + rise;
    p[FORECAST_BY_LEVEL] = l->level + rise;
    p[FORECAST_BY_TREND] = l->trend + l->slope * (double)h->steps + rise;
    p[FORECAST_BY_CYCLE] =
        h->far[0].lag > 0 ? y[h->far[0].lag - h->steps] : y[0];
    p[FORECAST_BY_CYCLES] = v.base;
    p[FORECAST_BY_LAW] = forecast_law_say(&h->law, &v);
    p[FORECAST_BY_PATTERN] = by_pattern(f, h);
    double lo = f->clean.lo;
    double hi = f->clean.hi;
    double margin = BEYOND_PU * (hi - lo);
    p[FORECAST_BY_LAW] = fmax(lo, fmin(hi, p[FORECAST_BY_LAW]));
    p[FORECAST_BY_TREND] =
        fmax(lo - margin, fmin(hi + margin, p[FORECAST_BY_TREND] - rise)) +
        rise;
}

void forecast_keep(struct forecast *f, const struct forecast_horizon *h)
{
    struct forecast_due *d = due(f, h, f->now);
    if (d == NULL) {
        return;
    }
    d->made = f->now;
    d->mean = (float)h->at.mean;
    d->spread = (float)h->spread;
    d->q10 = (float)h->at.q10;
    d->q90 = (float)h->at.q90;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        d->expert[e] = (float)h->point[e];
    }
}

/* Where the copies change or disagree, they are less sure. */
static void foresee_spread(const struct forecast *f, struct forecast_horizon *h)
{
    const double *y = forecast_past(f);
    double lo = INFINITY;
    double hi = -INFINITY;
    for (int c = 0; c < FORECAST_COPIES; c++) {
        int64_t at = h->far[c].lag - h->steps;
        for (int64_t j = -1; j <= 1 && h->far[c].lag > 0; j++) {
            double x = y[at + j < 0 ? 0 : at + j];
            lo = fmin(lo, x);
            hi = fmax(hi, x);
        }
    }
    double unrest = hi >= lo ? hi - lo : 0.0;
    h->unrest += 0.01 * (unrest - h->unrest);
    double weight = pattern_weight(h);
    double ratio = h->unrest > 0.0 ? unrest / h->unrest : 1.0;
    ratio = K_S0 + (1 - K_S0) * fmin(ratio, 5.0);
    h->spread = 1.0 + weight * (ratio - 1.0);
}

void forecast_predict(struct forecast *f, struct forecast_horizon *h)
{
    bool breaks;
    double rise = forecast_announced(f, h->steps, &breaks);
    ask(f, h, rise);
    if (h->n_scored > 0) {
        weigh(f, h, h->trust.holds && !breaks);
    }
    double mean = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        mean += h->weight[e] * h->point[e];
    }
    foresee_spread(f, h);
    double weight = pattern_weight(h);
    double q[CONFORMAL_LEVELS];
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        double off =
            conformal_offset(&h->around, (enum conformal_level)i, h->spread);
        q[i] = mean + off * exp(weight * h->widen[off > 0.0]);
    }
    for (int i = 1; i < CONFORMAL_LEVELS; i++)
        q[i] = fmax(q[i], q[i - 1]);
    q[CONFORMAL_Q50] = fmax(q[CONFORMAL_Q10], fmin(q[CONFORMAL_Q90], mean));
    h->at = (struct forecast_at){mean,
                                 q[CONFORMAL_Q01],
                                 q[CONFORMAL_Q10],
                                 q[CONFORMAL_Q50],
                                 q[CONFORMAL_Q90],
                                 q[CONFORMAL_Q99]};
}
