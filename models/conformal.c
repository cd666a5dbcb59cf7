/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/conformal.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "models/clamp.h"

static const double scale_gain = 0.02;
static const double scale_growth = 1.5; /* a lone error is no news */
static const double scale_max = 1e15;
static const double offset_max = 50.0;
static const double early_boost = 3.0; /* of the gain, gone after early_n */
static const double early_n = 50.0;
static const double late_share = 6.0; /* a delayed loop must be slow */

/* Offsets of a Laplace distribution whose mean |error| is 1.  The gain is
 * large where the density is small, so that all levels take about as long. */
static const struct {
    double tau;
    double start;
    double gain;
} levels[CONFORMAL_LEVELS] = {
    [CONFORMAL_Q01] = {0.01, -3.91, 0.15}, [CONFORMAL_Q10] = {0.1, -1.61, 0.06},
    [CONFORMAL_Q50] = {0.5, 0.0, 0.03},    [CONFORMAL_Q90] = {0.9, 1.61, 0.06},
    [CONFORMAL_Q99] = {0.99, 3.91, 0.15},
};

double conformal_pinball(double tau, double q, double y)
{
    return y >= q ? tau * (y - q) : (1.0 - tau) * (q - y);
}

void conformal_init(struct conformal *c)
{
    *c = (struct conformal){.n = 0};
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        c->offset[i] = levels[i].start;
    }
}

/* A mean that starts as a plain one; it may fall at once but rises by so much
 * at a time, unless it stood at nothing. */
static void follow_scale(struct conformal *c, double size, double gain)
{
    gain = max_of(gain, 1.0 / (double)(c->n + 1));
    double next = c->scale + gain * (size - c->scale);
    if (c->scale > 0.0 && c->n > 1) {
        next = min_of(next, scale_growth * c->scale);
    }
    c->scale = min_of(next, scale_max);
}

/* 'e' against the offsets 'then', all in spreads. */
static void move(struct conformal *c, const double *then, double e,
                 double share)
{
    share *= 1.0 + early_boost / (1.0 + (double)c->n / early_n);
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        double tau = levels[i].tau;
        double below = e < then[i] ? 1.0 : e > then[i] ? 0.0 : tau;
        double x = c->offset[i] + share * levels[i].gain * (tau - below);
        c->offset[i] = max_of(-offset_max, min_of(offset_max, x));
    }
    for (int i = 1; i < CONFORMAL_LEVELS; i++) {
        for (int k = i; k > 0 && c->offset[k] < c->offset[k - 1]; k--) {
            double x = c->offset[k];
            c->offset[k] = c->offset[k - 1];
            c->offset[k - 1] = x;
        }
    }
}

static bool usable(double error, double spread)
{
    return isfinite(error) && isfinite(spread) && spread > 0.0;
}

static void spreads(const struct conformal *c, double out[CONFORMAL_LEVELS])
{
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        out[i] = c->offset[i] * c->scale;
    }
}

/* 'then' may be NULL for the offsets as they are. */
static void feed(struct conformal *c, const double *then, double e,
                 int64_t delay)
{
    double now[CONFORMAL_LEVELS];
    e = max_of(-scale_max, min_of(scale_max, e));
    follow_scale(c, fabs(e), min_of(scale_gain, 1.0 / (double)delay));
    c->n++;
    if (c->scale > 0.0) {
        spreads(c, now);
        move(c, then != NULL ? then : now, e,
             min_of(1.0, late_share / (double)delay));
    }
}

void conformal_feed(struct conformal *c, double error, double spread)
{
    if (usable(error, spread)) {
        feed(c, NULL, error / spread, 1);
    }
}

void conformal_past_init(struct conformal_past *p, int64_t delay)
{
    assert(delay >= 1);
    *p = (struct conformal_past){.delay = delay};
}

/* The offsets that the forecast of the error that comes now was made with;
 * NULL where it was made before any were kept. */
static const double *recall(const struct conformal_past *p, int64_t stride)
{
    int64_t at = p->n - p->delay; /* errors that it knew of */
    if (at < stride) {
        return NULL;
    }
    return p->offset[at / stride % CONFORMAL_PAST];
}

void conformal_feed_late(struct conformal *c, struct conformal_past *p,
                         double error, double spread)
{
    int64_t stride = (p->delay + CONFORMAL_PAST - 2) / (CONFORMAL_PAST - 1);
    if (p->n == 0 && !usable(error, spread)) {
        return; /* no forecast yet */
    }
    p->n++;
    if (usable(error, spread)) {
        feed(c, recall(p, stride), error / spread, p->delay);
    }
    if (p->n % stride == 0) {
        spreads(c, p->offset[p->n / stride % CONFORMAL_PAST]);
    }
}

double conformal_offset(const struct conformal *c, enum conformal_level level,
                        double spread)
{
    assert((unsigned)level < CONFORMAL_LEVELS);
    if (c->n == 0 || !isfinite(spread) || spread <= 0.0) {
        return 0.0;
    }
    double x = c->offset[level] * c->scale * spread;
    return max_of(-1e18, min_of(1e18, x));
}
