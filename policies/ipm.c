/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ipm.h"

#include <math.h>
#include <string.h>

double *ipm_take(struct ipm_memory *m, size_t n)
{
    size_t padded = (n + 7) & ~(size_t)7;
    if (padded > m->n - m->n_used) {
        return NULL;
    }
    double *at = m->base + m->n_used;
    m->n_used += padded;
    memset(at, 0, padded * sizeof(double));
    return at;
}

static size_t n_values(const struct ipm *p)
{
    return (size_t)p->n_cols * (size_t)p->n_stages;
}

bool ipm_open(struct ipm *p, struct ipm_memory *m)
{
    double **columns[] = {&p->cost, &p->range, &p->on,  &p->xl,  &p->xu,
                          &p->zl,   &p->zu,    &p->il,  &p->iu,  &p->theta,
                          &p->grad, &p->dx,    &p->dzl, &p->dzu, &p->work};
    double **rows[] = {&p->rhs, &p->y, &p->dy, &p->rp};
    size_t n_rows = (size_t)p->n_rows * (size_t)p->n_stages;
    bool ok = true;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        ok = (*columns[i] = ipm_take(m, n_values(p))) && ok;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok = (*rows[i] = ipm_take(m, n_rows)) && ok;
    }
    return ok && ipm_normal_open(p, m);
}

void ipm_times(const struct ipm *p, const double *v, double *out)
{
    size_t n = (size_t)p->n_stages;
    memset(out, 0, (size_t)p->n_rows * n * sizeof(double));
    for (int c = 0; c < p->n_cols; c++) {
        const double *restrict x = v + (size_t)c * n;
        for (int e = 0; e < p->cols[c].n_entries; e++) {
            const struct ipm_entry *at = &p->cols[c].entries[e];
            double *restrict to = out + (size_t)at->row * n + at->lag;
            for (size_t t = 0; t < n - (size_t)at->lag; t++) {
                to[t] += at->k * at->shape[t] * x[t];
            }
        }
    }
}

void ipm_times_t(const struct ipm *p, const double *v, double *out)
{
    size_t n = (size_t)p->n_stages;
    memset(out, 0, n_values(p) * sizeof(double));
    for (int c = 0; c < p->n_cols; c++) {
        double *restrict to = out + (size_t)c * n;
        for (int e = 0; e < p->cols[c].n_entries; e++) {
            const struct ipm_entry *at = &p->cols[c].entries[e];
            const double *restrict y = v + (size_t)at->row * n + at->lag;
            for (size_t t = 0; t < n - (size_t)at->lag; t++) {
                to[t] += at->k * at->shape[t] * y[t];
            }
        }
    }
}

/* rp = rhs - A x and grad = A'y - cost. */
static void residuals(struct ipm *p)
{
    ipm_times(p, p->xl, p->rp);
    size_t n_rows = (size_t)p->n_rows * (size_t)p->n_stages;
    double worst = 0.0;
    double scale = 1.0;
    for (size_t i = 0; i < n_rows; i++) {
        p->rp[i] = p->rhs[i] - p->rp[i];
        worst = fmax(worst, fabs(p->rp[i]));
        scale = fmax(scale, fabs(p->rhs[i]));
    }
    p->primal_pu = worst / scale;
    ipm_times_t(p, p->y, p->grad);
    double mu = 0.0;
    for (size_t i = 0; i < n_values(p); i++) {
        p->grad[i] -= p->cost[i];
        mu += p->xl[i] * p->zl[i] + p->xu[i] * p->zu[i];
    }
    p->mu = mu / fmax(2.0 * p->n_on, 1.0);
}

void ipm_start(struct ipm *p)
{
    size_t n = n_values(p);
    p->n_on = 0.0;
    for (size_t i = 0; i < n; i++) {
        bool on = p->range[i] > 0.0;
        p->on[i] = on ? 1.0 : 0.0;
        p->n_on += p->on[i];
        p->xl[i] = on ? fmin(0.5 * p->range[i], 1.0) : 0.0;
        p->xu[i] = on ? p->range[i] - p->xl[i] : 0.0;
        double c = p->cost[i];
        double z = 1.0;
        p->zl[i] = on ? z + fmax(c, 0.0) : 0.0;
        p->zu[i] = on ? z + fmax(-c, 0.0) : 0.0;
    }
    memset(p->y, 0, (size_t)p->n_rows * (size_t)p->n_stages * sizeof(double));
    residuals(p);
}

double ipm_cost(const struct ipm *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < n_values(p); i++) {
        sum += p->cost[i] * p->xl[i];
    }
    return sum;
}

double ipm_bound(const struct ipm *p)
{
    ipm_times_t(p, p->y, p->work);
    double sum = 0.0;
    for (size_t i = 0; i < (size_t)p->n_rows * (size_t)p->n_stages; i++) {
        sum += p->rhs[i] * p->y[i];
    }
    for (size_t i = 0; i < n_values(p); i++) {
        sum += fmin(p->cost[i] - p->work[i], 0.0) * p->range[i];
    }
    return sum;
}

/* 1 / x and the weights of the normal equations; 0 for a fixed column. */
static void weights(struct ipm *p)
{
    size_t n = n_values(p);
    for (size_t i = 0; i < n; i++) {
        double off = 1.0 - p->on[i];
        p->il[i] = p->on[i] / (p->xl[i] + off);
        p->iu[i] = p->on[i] / (p->xu[i] + off);
        p->theta[i] =
            p->on[i] / (p->zl[i] * p->il[i] + p->zu[i] * p->iu[i] + off);
    }
}

/* dy and dx of A theta A' dy = rp - A theta g, dx = theta (A'dy + g). */
static void direction(struct ipm *p, const double *g)
{
    size_t n = n_values(p);
    size_t n_rows = (size_t)p->n_rows * (size_t)p->n_stages;
    for (size_t i = 0; i < n; i++) {
        p->dx[i] = p->theta[i] * g[i];
    }
    ipm_times(p, p->dx, p->dy);
    for (size_t i = 0; i < n_rows; i++) {
        p->dy[i] = p->rp[i] - p->dy[i];
    }
    ipm_normal_solve(p, p->dy);
    ipm_times_t(p, p->dy, p->dx);
    for (size_t i = 0; i < n; i++) {
        p->dx[i] = p->theta[i] * (p->dx[i] + g[i]);
    }
}

/* How far, at most 1, until the first of the values reaches 0: the inverse of
 * the largest relative shrinkage. */
static void lengths(const struct ipm *p, double *primal, double *dual)
{
    double x = 1.0;
    double z = 1.0;
    for (size_t i = 0; i < n_values(p); i++) {
        double l = -p->dx[i] * p->il[i];
        double u = p->dx[i] * p->iu[i];
        double shrink = l > u ? l : u;
        x = x > shrink ? x : shrink;
        double dl = -p->dzl[i];
        double du = -p->dzu[i];
        z = dl > z * p->zl[i] ? dl / p->zl[i] : z;
        z = du > z * p->zu[i] ? du / p->zu[i] : z;
    }
    *primal = 1.0 / x;
    *dual = 1.0 / z;
}

static double mu_after(const struct ipm *p, double primal, double dual)
{
    double sum = 0.0;
    for (size_t i = 0; i < n_values(p); i++) {
        double d = primal * p->dx[i];
        sum += (p->xl[i] + d) * (p->zl[i] + dual * p->dzl[i]) +
               (p->xu[i] - d) * (p->zu[i] + dual * p->dzu[i]);
    }
    return sum / fmax(2.0 * p->n_on, 1.0);
}

static void predict(struct ipm *p)
{
    direction(p, p->grad);
    for (size_t i = 0; i < n_values(p); i++) {
        p->dzl[i] = -p->zl[i] - p->zl[i] * p->dx[i] * p->il[i];
        p->dzu[i] = -p->zu[i] + p->zu[i] * p->dx[i] * p->iu[i];
    }
}

/* dzl and dzu hold the predictor's and are replaced by the corrector's. */
static void correct(struct ipm *p, double target)
{
    size_t n = n_values(p);
    for (size_t i = 0; i < n; i++) {
        double l = (target - p->dx[i] * p->dzl[i]) * p->il[i];
        double u = (target + p->dx[i] * p->dzu[i]) * p->iu[i];
        p->dzl[i] = l - p->zl[i];
        p->dzu[i] = u - p->zu[i];
        p->work[i] = p->grad[i] + l - u;
    }
    direction(p, p->work);
    for (size_t i = 0; i < n; i++) {
        p->dzl[i] -= p->zl[i] * p->dx[i] * p->il[i];
        p->dzu[i] += p->zu[i] * p->dx[i] * p->iu[i];
    }
}

static void move(struct ipm *p, double primal, double dual)
{
    for (size_t i = 0; i < n_values(p); i++) {
        double d = primal * p->dx[i];
        p->xl[i] += d;
        p->xu[i] -= d;
        p->zl[i] += dual * p->dzl[i];
        p->zu[i] += dual * p->dzu[i];
    }
    for (size_t i = 0; i < (size_t)p->n_rows * (size_t)p->n_stages; i++) {
        p->y[i] += dual * p->dy[i];
    }
}

bool ipm_iterate(struct ipm *p)
{
    double primal;
    double dual;
    weights(p);
    ipm_normal_factor(p);
    predict(p);
    lengths(p, &primal, &dual);
    double sigma = mu_after(p, primal, dual) / p->mu;
    correct(p, sigma * sigma * sigma * p->mu);
    lengths(p, &primal, &dual);
    double back = fmax(0.9, 1.0 - fmin(p->mu, 0.1));
    back = fmin(back, 0.9995);
    primal = fmin(1.0, back * primal);
    dual = fmin(1.0, back * dual);
    double mu = mu_after(p, primal, dual);
    if (!isfinite(mu) || !(mu > 0.0) || fmax(primal, dual) < 1e-8) {
        return false;
    }
    p->step_p = primal;
    p->step_d = dual;
    move(p, primal, dual);
    residuals(p);
    return true;
}
