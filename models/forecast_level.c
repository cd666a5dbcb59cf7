/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"

static const double JUMP = 8.0;     /* usual deviations */
static const double STEP = 6.0;     /* usual changes, of one step */
static const double DRIFT = 1.5;    /* of the mean of the last few */
static const double OUTSIDE = 1.5;  /* of the largest usual miss */
static const double MEMORY = 300.0; /* steps of memory */
static const double FEW = 8.0;
static const double NOISE_LEVEL = 0.05; /* per step, of the measurement's */
static const double NOISE_SLOPE = 0.000005;
static const double START_SLOPE = 0.001;
static const double SCALE_GAIN = 0.02;
static const double SCALE_CUT = 3.0; /* usual sizes; more is a jump */
static const double USUAL_FADE = 1.0 / 2000.0;
static const int64_t RETURNS = 100; /* steps within which a jump may go back */
static const int64_t BRIEF = 8;     /* steps outside that are still usual */
static const int64_t LONG = 100;    /* steps outside that make a new usual */
static const int64_t PROOF = 20;    /* steps inside until trusted again */
static const int64_t SETTLED = 3;   /* steps inside that end an excursion */
static const double RELIED =
    0.2; /* weight of the pattern at which a break matters */
static const int64_t ANEW = 20; /* what the scores count for after a break */

/* A usual size that a jump does not spoil. */
static void scale_step(double *scale, double size, int64_t n)
{
    double gain = max_of(SCALE_GAIN, 1.0 / (double)(n + 1));
    double cut = n > 5 ? min_of(size, SCALE_CUT * *scale) : size;
    if (n > 5 && *scale < 1e-3 * size) {
        cut = 1e-3 * size;
    }
    *scale += gain * (cut - *scale);
}

static void trend_start(struct forecast_level *l, double y)
{
    l->trend = y;
    l->slope = 0.0;
    l->p00 = 1.0;
    l->p01 = 0.0;
    l->p11 = START_SLOPE;
}

static void trend_step(struct forecast_level *l, double y)
{
    double error = y - l->trend - l->slope;
    bool jump =
        l->n > 5 && fabs(error) > JUMP * l->trend_miss && l->trend_miss > 0.0;
    scale_step(&l->trend_miss, fabs(error), l->n);
    if (jump) {
        trend_start(l, y);
        return;
    }
    double p00 = l->p00 + 2.0 * l->p01 + l->p11 + NOISE_LEVEL;
    double p01 = l->p01 + l->p11;
    double p11 = l->p11 + NOISE_SLOPE;
    double k0 = p00 / (p00 + 1.0);
    double k1 = p01 / (p00 + 1.0);
    l->trend += l->slope + k0 * error;
    l->slope += k1 * error;
    l->p00 = (1.0 - k0) * p00;
    l->p01 = (1.0 - k0) * p01;
    l->p11 = p11 - k1 * p01;
}

/* A new mean, or the one before again. */
static void mean_jump(struct forecast_level *l, double y, int64_t now)
{
    bool back = now - l->jumped_at < RETURNS &&
                fabs(y - l->before) < 0.5 * JUMP * l->deviation;
    double mean = back ? l->before : y;
    double n = back ? l->before_n : 1.0;
    l->before = l->mean;
    l->before_n = l->mean_n;
    l->mean = mean;
    l->mean_n = n;
    l->jumped_at = now;
}

static void mean_step(struct forecast_level *l, double y, int64_t now)
{
    double off = fabs(y - l->mean);
    bool jump =
        l->mean_n >= 2.0 && l->deviation > 0.0 && off > JUMP * l->deviation;
    scale_step(&l->deviation, off, l->n);
    if (jump) {
        mean_jump(l, y, now);
        return;
    }
    l->mean_n = min_of(l->mean_n + 1.0, MEMORY);
    l->mean += (y - l->mean) / l->mean_n;
}

static void step_step(struct forecast_level *l, double y)
{
    double change = fabs(y - l->last);
    l->last = y;
    bool jump = fabs(y - l->level) > STEP * l->noise;
    if (change > 0.0) {
        scale_step(&l->noise, change, l->n);
    }
    if (jump) {
        l->level = y;
        l->level_n = 1.0;
        l->fast = y;
        return;
    }
    l->level_n = min_of(l->level_n + 1.0, MEMORY);
    l->level += (y - l->level) / l->level_n;
    l->fast += (y - l->fast) / min_of(l->level_n, FEW);
    if (fabs(l->fast - l->level) > DRIFT * l->noise) {
        l->level = l->fast;
        l->level_n = FEW;
    }
}

static void level_step(struct forecast_level *l, double y, int64_t now)
{
    if (l->n == 0) {
        l->mean = l->level = l->fast = l->before = l->last = y;
        l->mean_n = l->level_n = 1.0;
        trend_start(l, y);
    } else {
        trend_step(l, y);
        mean_step(l, y, now);
        step_step(l, y);
    }
    l->n++;
}

void forecast_follow(struct forecast *f, double value)
{
    level_step(&f->level, value, f->now);
}

double forecast_nowcast(const struct forecast *f,
                        const struct forecast_horizon *h)
{
    const double *y = forecast_past(f);
    double sum = 0.0;
    int n = 0;
    for (int c = 0; c < FORECAST_COPIES; c++) {
        if (h->far[c].lag > 0) {
            sum += y[h->far[c].lag - 1];
            n++;
        }
    }
    return n > 0 ? sum / n : y[0];
}

static void stay_outside(struct forecast_horizon *h, int64_t now)
{
    struct forecast_trust *t = &h->trust;
    t->outside++;
    t->inside = 0;
    t->holds = 0;
    if (t->outside == BRIEF && t->relied > RELIED) {
        t->broke_at = now - BRIEF + 1;
        h->n_scored = h->n_scored < ANEW ? h->n_scored : ANEW;
    }
    if (t->outside > LONG + h->steps) {
        t->usual = max_of(t->usual, t->excursion);
    }
}

void forecast_judge(struct forecast *f, struct forecast_horizon *h)
{
    struct forecast_trust *t = &h->trust;
    h->trust_before = *t;
    double y = forecast_past(f)[0];
    double miss = fabs(y - t->nowcast);
    if (f->n <= PROOF) {
        t->usual = f->n > 1 ? max_of(t->usual, miss) : 0.0;
        t->holds = 1;
        return;
    }
    bool outside = miss > OUTSIDE * t->usual + 1e-9 * fabs(y);
    t->usual -= USUAL_FADE * t->usual;
    t->excursion = max_of(t->excursion, miss);
    if (outside) {
        stay_outside(h, f->now);
        return;
    }
    if (t->outside < BRIEF) {
        t->usual = max_of(t->usual, t->excursion);
    }
    t->excursion = 0.0;
    t->inside++;
    t->outside = t->inside >= SETTLED ? 0 : t->outside;
    t->holds = t->inside >= PROOF ? 1 : t->holds;
}

void forecast_distrust(struct forecast *f)
{
    for (int64_t i = 0; i < f->cfg.n_horizons; i++) {
        struct forecast_trust *t = &f->h[i].trust;
        t->holds = 0;
        t->inside = 0;
        t->broke_at = f->now;
    }
}
