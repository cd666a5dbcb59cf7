/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"

static const double MEMORY = 200.0;  /* steps, besides horizon and lag */
static const double EARLY = 2.0;     /* at first, later scores count for more */
static const double POWER = 16.0;    /* how much more a better expert weighs */
static const double UNPROVEN = 1.25; /* of a pattern, until it is better */
static const double DOUBT = 0.3;     /* of all but the value as it is, while
                                        scored for less than a horizon */
static const double IN_SAMPLE = 1.3; /* a miss told by hindsight is larger */
static const double UNREST_GAIN = 0.01;
static const double UNREST_PU = 0.5; /* part of the spread that follows it */
static const double UNREST_MAX = 5.0;
static const double WIDEN_GAIN = 0.04;
static const double WIDEN_MIN = -1.0;
static const double WIDEN_MAX = 1.5;

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

double forecast_pattern_weight(const struct forecast_horizon *h)
{
    double sum = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        sum += of_pattern[e] ? h->weight[e] : 0.0;
    }
    return sum;
}

/* How the cycles look against their score: a lag that has just been found
 * tells the newest history better than the one that was scored. */
static double hindsight(const struct forecast *f,
                        const struct forecast_horizon *h)
{
    if (h->far[0].lag == 0) {
        return 1.0;
    }
    double better =
        (h->far[0].distance + DBL_MIN) / (f->far[h->steps] + DBL_MIN);
    double miss = IN_SAMPLE * better * h->loss[FORECAST_BY_PERSISTENCE];
    return min_of(1.0,
                  (miss + DBL_MIN) / (h->loss[FORECAST_BY_CYCLE] + DBL_MIN));
}

/* In proportion to a power of how well they have done of late. */
static void weigh(const struct forecast *f, struct forecast_horizon *h,
                  bool trusted)
{
    double doubt = 1.0 + DOUBT * (double)h->steps / (double)h->n_scored;
    double found = hindsight(f, h);
    double loss[FORECAST_EXPERTS];
    double best = INFINITY;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        loss[e] = h->loss[e] * (of_pattern[e] ? UNPROVEN : 1.0);
        loss[e] *= e == FORECAST_BY_PERSISTENCE ? 1.0 : doubt;
        loss[e] *= of_pattern[e] && e != FORECAST_BY_PATTERN ? found : 1.0;
        if (trusted || !of_pattern[e]) {
            best = min_of(best, loss[e]);
        }
    }
    double sum = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        bool counts = trusted || !of_pattern[e];
        double ratio = (best + DBL_MIN) / (loss[e] + DBL_MIN);
        h->weight[e] = !counts ? 0.0 : ratio < 1.0 ? pow(ratio, POWER) : 1.0;
        sum += h->weight[e];
    }
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        h->weight[e] /= sum;
    }
}

/* The bands of what repeats are held to their share more tightly than the
 * tracker does alone.  Elsewhere the misses are jumps, which are no reason. */
static void widen(struct forecast_horizon *h, const struct forecast_due *d,
                  double y)
{
    double gain =
        forecast_pattern_weight(h) * min_of(WIDEN_GAIN, 1.0 / (double)h->steps);
    bool out[2] = {y<(double)d->q10, y>(double) d->q90};
    for (int i = 0; i < 2; i++) {
        double x = h->widen[i] + gain * ((out[i] ? 1.0 : 0.0) - 0.1);
        h->widen[i] = max_of(WIDEN_MIN, min_of(WIDEN_MAX, x));
    }
}

bool forecast_score(struct forecast *f, struct forecast_horizon *h)
{
    int64_t made = f->now - h->steps;
    const struct forecast_due *d = due(f, h, made);
    if (d == NULL || d->made != made) {
        return false;
    }
    double y = forecast_past(f)[0];
    conformal_feed_late(&h->around, &h->past, y - (double)d->mean,
                        (double)d->spread);
    widen(h, d, y);
    struct forecast_view v = {.ago = h->steps, .ahead = h->steps};
    forecast_look(f, h, &v);
    forecast_law_learn(&h->law, &v, y);
    if (made < h->trust.broke_at) {
        return true; /* a break that no one could know of tells nothing */
    }
    h->n_scored++;
    double memory = max_of(MEMORY, (double)h->far[0].lag) + (double)h->steps;
    double gain =
        max_of(min_of(1.0, EARLY / (double)h->n_scored), 1.0 / memory);
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        double miss = fabs(y - (double)d->expert[e]);
        h->loss[e] += gain * (miss - h->loss[e]);
    }
    return true;
}

void forecast_keep(struct forecast *f, const struct forecast_horizon *h)
{
    struct forecast_due *d = due(f, h, f->now);
    if (d == NULL) {
        return;
    }
    *d = (struct forecast_due){
        .made = f->now,
        .mean = (float)h->at.mean,
        .spread = (float)h->spread,
        .q10 = (float)h->at.q10,
        .q90 = (float)h->at.q90,
    };
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        d->expert[e] = (float)h->point[e];
    }
}

/* Where the copies change or disagree, they are less sure. */
static void spread(const struct forecast *f, struct forecast_horizon *h)
{
    double unrest = forecast_unrest(f, h);
    h->unrest += h->ahead > h->steps ? 0.0 : UNREST_GAIN * (unrest - h->unrest);
    double ratio = h->unrest > 0.0 ? unrest / h->unrest : 1.0;
    double more = UNREST_PU * (min_of(ratio, UNREST_MAX) - 1.0);
    h->spread = 1.0 + forecast_pattern_weight(h) * more;
}

static void bands(struct forecast_horizon *h, double mean)
{
    double weight = forecast_pattern_weight(h);
    double wider[2] = {exp(weight * h->widen[0]), exp(weight * h->widen[1])};
    double q[CONFORMAL_LEVELS];
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        double off =
            conformal_offset(&h->around, (enum conformal_level)i, h->spread);
        q[i] = mean + off * wider[off > 0.0];
        q[i] = i > 0 ? max_of(q[i], q[i - 1]) : q[i];
    }
    q[CONFORMAL_Q50] = max_of(q[CONFORMAL_Q10], min_of(q[CONFORMAL_Q90], mean));
    h->at = (struct forecast_at){
        .mean = mean,
        .q01 = q[CONFORMAL_Q01],
        .q10 = q[CONFORMAL_Q10],
        .q50 = q[CONFORMAL_Q50],
        .q90 = q[CONFORMAL_Q90],
        .q99 = q[CONFORMAL_Q99],
    };
}

void forecast_predict(struct forecast *f, struct forecast_horizon *h)
{
    bool breaks;
    double rise = forecast_announced(f, h->ahead, &breaks);
    forecast_ask(f, h, rise);
    if (h->n_scored > 0) {
        weigh(f, h, h->trust.holds != 0 && !breaks);
    }
    if (h->trust.holds != 0) {
        h->trust.relied = forecast_pattern_weight(h);
    }
    double mean = 0.0;
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        mean += h->weight[e] * h->point[e];
    }
    spread(f, h);
    bands(h, mean);
}
