/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/rls.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

enum { RLS_MAX = 32 };

/* Forgetting blows up what is never excited; a trace over this starts anew
 * from the ridge. */
static const double TRACE_MAX = 1e9;

void rls_init(const struct rls *r, double ridge)
{
    assert(r->n > 0 && r->n <= RLS_MAX && ridge > 0.0);
    for (int64_t i = 0; i < r->n; i++) {
        r->weight[i] = 0.0;
        for (int64_t j = 0; j < r->n; j++) {
            r->inverse[i * r->n + j] = i == j ? 1.0 / ridge : 0.0;
        }
    }
}

double rls_predict(const double *weight, int64_t n, const double *x)
{
    double y = 0.0;
    for (int64_t i = 0; i < n; i++) {
        y += weight[i] * x[i];
    }
    return y;
}

/* g = inverse x; returns x' inverse x. */
static double gain(const struct rls *r, const double *x, double *g)
{
    double power = 0.0;
    for (int64_t i = 0; i < r->n; i++) {
        g[i] = 0.0;
        for (int64_t j = 0; j < r->n; j++) {
            g[i] += r->inverse[i * r->n + j] * x[j];
        }
        power += g[i] * x[i];
    }
    return power;
}

static double shrink(const struct rls *r, const double *g, double scale)
{
    double trace = 0.0;
    for (int64_t i = 0; i < r->n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double *upper = &r->inverse[j * r->n + i];
            double *lower = &r->inverse[i * r->n + j];
            *lower = (*lower - g[i] * g[j] * scale) / r->forget;
            *upper = *lower;
        }
        trace += r->inverse[i * r->n + i];
    }
    return trace;
}

void rls_learn(const struct rls *r, const double *x, double y, double huge)
{
    double g[RLS_MAX];
    double error = y - rls_predict(r->weight, r->n, x);
    double power = gain(r, x, g);
    if (!isfinite(error) || !isfinite(power) || power < 0.0) {
        return;
    }
    double weight = fabs(error) > huge ? huge / fabs(error) : 1.0;
    double scale = 1.0 / (r->forget / weight + power);
    for (int64_t i = 0; i < r->n; i++) {
        r->weight[i] += g[i] * scale * error;
    }
    double trace = shrink(r, g, scale);
    bool sane = trace > 0.0 && trace < TRACE_MAX;
    for (int64_t i = 0; i < r->n * r->n && !sane; i++) {
        r->inverse[i] = i % (r->n + 1) == 0 ? 1.0 : 0.0;
    }
}
