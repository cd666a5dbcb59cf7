/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"
#include "models/wide.h"

static const double KEEP = 0.999; /* forgetting per step */
static const double RIDGE =
    100.0;                       /* steps of usual features that say nothing */
static const double HUBER = 1.0; /* usual errors; what is beyond pulls less */
static const double SCALE_GAIN = 0.02;
static const double SCALE_CUT = 5.0;

enum { ABREAST = 5 }; /* laws: half of the horizons that a site asks for */

void forecast_look(const struct forecast *f, const struct forecast_horizon *h,
                   struct forecast_view *view)
{
    const double *y = forecast_past(f) + view->ago;
    int64_t lags[FORECAST_COPIES];
    int n = 0;
    double sum = 0.0;
    for (int c = 0; c < FORECAST_COPIES; c++) {
        lags[c] = h->far[c].lag;
        if (lags[c] > 0) {
            sum += y[forecast_copy(lags[c], view->ahead)];
            n++;
        }
    }
    view->base = n > 0 ? sum / n : y[0];
    double *x = view->x;
    for (int c = 0; c < FORECAST_COPIES; c++) {
        for (int j = -FORECAST_REACH; j <= FORECAST_REACH; j++) {
            int64_t at = lags[c] - view->ahead + j;
            *x++ = lags[c] == 0 || at < 0 ? 0.0 : y[at] - view->base;
        }
    }
    for (int r = 0; r < FORECAST_RECENT; r++) {
        double then = 0.0;
        for (int c = 0; c < FORECAST_COPIES; c++) {
            then += lags[c] > 0 ? y[r + lags[c]] : 0.0;
        }
        *x++ = n > 0 ? y[r] - then / n : 0.0;
    }
}

double forecast_law_say(const struct forecast_law *l,
                        const struct forecast_view *v)
{
    double s = v->base;
    for (int i = 0; i < FORECAST_FEATURES; i++) {
        s += l->theta[i] * v->x[i];
    }
    return s;
}

static void scales(struct forecast_law *l, const double *x, double error)
{
    l->n++;
    double gain = max_of(SCALE_GAIN, 1.0 / (double)l->n);
    double size = fabs(error);
    if (l->n > 5) {
        size = min_of(size, SCALE_CUT * l->scale);
    }
    l->scale += gain * (size - l->scale);
    double square = 0.0;
    for (int i = 0; i < FORECAST_FEATURES; i++) {
        square += x[i] * x[i];
    }
    l->energy += max_of(0.2 * SCALE_GAIN, 1.0 / (double)l->n) *
                 (square / FORECAST_FEATURES - l->energy);
}

/* The next estimate of a feature's weight; 's' is what the others leave. */
static void move(struct forecast_law *l, int i, double s)
{
    double ridge = RIDGE * l->energy + DBL_MIN;
    double own = l->a[i][i];
    l->theta[i] = (s + own * l->theta[i]) / (own + ridge);
}

static void solve(struct forecast_law *l)
{
    for (int i = 0; i < FORECAST_FEATURES; i++) {
        double s = l->b[i];
        for (int j = 0; j < FORECAST_FEATURES; j++) {
            s -= l->a[i][j] * l->theta[j];
        }
        move(l, i, s);
    }
}

/* The same of several, whose sums do not wait for each other. */
static void solve_abreast(struct forecast_law *const laws[ABREAST])
{
    for (int i = 0; i < FORECAST_FEATURES; i++) {
        double s[ABREAST];
        for (int k = 0; k < ABREAST; k++) {
            s[k] = laws[k]->b[i];
        }
        for (int j = 0; j < FORECAST_FEATURES; j++) {
            for (int k = 0; k < ABREAST; k++) {
                s[k] -= laws[k]->a[i][j] * laws[k]->theta[j];
            }
        }
        for (int k = 0; k < ABREAST; k++) {
            move(laws[k], i, s[k]);
        }
    }
}

/* One sweep of Gauss and Seidel a step: the equations change slowly, they are
 * positive definite, so it cannot diverge. */
void forecast_law_solve(struct forecast_law *const laws[], int n)
{
    int k = 0;
    for (; k + ABREAST <= n; k += ABREAST) {
        solve_abreast(&laws[k]);
    }
    for (; k < n; k++) {
        solve(laws[k]);
    }
}

/* Forgets a little and adds what the newest step says. */
WIDE static void add(struct forecast_law *l, const double *restrict x,
                     double weight, double came)
{
    for (int i = 0; i < FORECAST_FEATURES; i++) {
        double wx = weight * x[i];
        for (int j = 0; j < FORECAST_FEATURES; j++) {
            l->a[i][j] = KEEP * l->a[i][j] + wx * x[j];
        }
        l->b[i] = KEEP * l->b[i] + wx * came;
    }
}

void forecast_law_learn(struct forecast_law *l, const struct forecast_view *v,
                        double came)
{
    double error = came - forecast_law_say(l, v);
    double weight =
        min_of(1.0, HUBER * l->scale / max_of(fabs(error), DBL_MIN));
    weight = l->n == 0 ? 1.0 : weight;
    scales(l, v->x, error);
    add(l, v->x, weight, came - v->base);
}
