/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "models/forecast_parts.h"

TUNE double K_JUMP = 8.0;    /* usual deviations */
TUNE double K_OUT = 1.5;     /* of the largest usual miss */
TUNE double K_LEVEL = 300.0; /* steps of memory */
TUNE double K_FAST = 8.0;
static const double NOISE_LEVEL = 0.05; /* per step, of the measurement's */
static const double NOISE_SLOPE = 0.0005;
static const double DEVIATION_GAIN = 0.01;
static const double USUAL_FADE = 1.0 / 2000.0;
static const int64_t RETURNS = 100; /* steps within which a jump may go back */
static const int64_t BRIEF = 8;     /* steps outside that are still usual */
static const int64_t LONG = 100;    /* steps outside that make a new usual */
static const int64_t PROOF = 20;    /* steps inside until trusted again */
static const int64_t SETTLED = 3;   /* steps inside that end an excursion */
static const int64_t ANEW = 20; /* what the scores count for after a break */

static void trend_start(struct forecast_level *l, double y)
{
    l->trend = y;
    l->slope = 0.0;
    l->p00 = 1.0;
    l->p01 = 0.0;
    l->p11 = 0.1;
}

static void trend_step(struct forecast_level *l, double y)
{
    double p00 = l->p00 + 2.0 * l->p01 + l->p11 + NOISE_LEVEL;
    double p01 = l->p01 + l->p11;
    double p11 = l->p11 + NOISE_SLOPE;
    double k0 = p00 / (p00 + 1.0);
    double k1 = p01 / (p00 + 1.0);
    double error = y - l->trend - l->slope;
    l->trend += l->slope + k0 * error;
    l->slope += k1 * error;
    l->p00 = (1.0 - k0) * p00;
    l->p01 = (1.0 - k0) * p01;
    l->p11 = p11 - k1 * p01;
}

/* A new level, or the one before again. */
static void jump(struct forecast_level *l, double y, int64_t now)
{
    bool back = now - l->jumped_at < RETURNS &&
                fabs(y - l->before) < 0.5 * K_JUMP * l->deviation;
    double level = back ? l->before : y;
    double n = back ? l->before_n : 1.0;
    l->before = l->level;
    l->before_n = l->n;
    l->level = level;
    l->n = n;
    l->jumped_at = now;
    l->fast = y;
    trend_start(l, y);
}

static void level_step(struct forecast_level *l, double y, int64_t now)
{
    if (l->n == 0.0) {
        *l = (struct forecast_level){
            .level = y, .n = 1.0, .fast = y, .before = y};
        trend_start(l, y);
        return;
    }
    double off = fabs(y - l->level);
    double widest = K_JUMP * l->deviation;
    if (l->n >= 2.0 && l->deviation > 0.0 && off > widest) {
        jump(l, y, now);
        l->deviation += DEVIATION_GAIN * (widest - l->deviation);
        return;
    }
    trend_step(l, y);
    l->n = fmin(l->n + 1.0, K_LEVEL);
    l->level += (y - l->level) / l->n;
    l->fast += (y - l->fast) / fmin(l->n, K_FAST);
    l->deviation += fmax(DEVIATION_GAIN, 0.5 / l->n) * (off - l->deviation);
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
    t->holds = false;
    if (t->outside == BRIEF) {
        t->broke_at = now - BRIEF + 1;
        h->n_scored = h->n_scored < ANEW ? h->n_scored : ANEW;
    }
    if (t->outside > LONG + h->steps) {
        t->usual = fmax(t->usual, t->excursion);
    }
}

void forecast_judge(struct forecast *f, struct forecast_horizon *h)
{
    struct forecast_trust *t = &h->trust;
    double y = forecast_past(f)[0];
    double miss = fabs(y - t->nowcast);
    if (f->n <= PROOF) {
        t->usual = f->n > 1 ? fmax(t->usual, miss) : 0.0;
        t->holds = true;
        return;
    }
    bool outside = miss > K_OUT * t->usual + 1e-9 * fabs(y);
    t->usual -= USUAL_FADE * t->usual;
    t->excursion = fmax(t->excursion, miss);
    if (outside) {
        stay_outside(h, f->now);
        return;
    }
    if (t->outside < BRIEF) {
        t->usual = fmax(t->usual, t->excursion);
    }
    t->excursion = 0.0;
    t->inside++;
    t->outside = t->inside >= SETTLED ? 0 : t->outside;
    t->holds = t->holds || t->inside >= PROOF;
}
