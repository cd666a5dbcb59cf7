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

static void add_scaled(const struct ipm_entry *e, size_t n,
                       const double *restrict from, double *restrict to)
{
    double k = e->k;
    const double *restrict shape = e->shape;
    if (!shape) {
        for (size_t t = 0; t < n; t++) {
            to[t] += k * from[t];
        }
        return;
    }
    for (size_t t = 0; t < n; t++) {
        to[t] += k * shape[t] * from[t];
    }
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
            add_scaled(at, n - (size_t)at->lag, x, to);
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
            add_scaled(at, n - (size_t)at->lag, y, to);
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
        p->xl[i] = on ? 0.5 * p->range[i] : 0.0;
        p->xu[i] = on ? p->range[i] - p->xl[i] : 0.0;
        double c = p->cost[i];
        double z = 0.3;
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

enum { LANES = 4 };

/* What a step leads to: how far it may go until the first value reaches 0, and
 * the complementarity after any part of it. */
struct reach {
    double primal; /* at most 1 */
    double dual;
    double by_x; /* sum of dx z */
    double by_z; /* sum of x dz */
    double by_both;
};

static void fold(struct reach *r, const double sums[3][LANES],
                 const double worst[2][LANES])
{
    double x = 1.0;
    double z = 1.0;
    *r = (struct reach){0};
    for (int k = 0; k < LANES; k++) {
        x = fmax(x, worst[0][k]);
        z = fmax(z, worst[1][k]);
        r->by_x += sums[0][k];
        r->by_z += sums[1][k];
        r->by_both += sums[2][k];
    }
    r->primal = 1.0 / x;
    r->dual = 1.0 / z;
}

/* By lanes, so that sums and maxima run side by side; the arrays are padded
 * with zeros. */
static struct reach reach(const struct ipm *p)
{
    size_t n = (n_values(p) + LANES - 1) & ~(size_t)(LANES - 1);
    double sums[3][LANES] = {{0}};
    double worst[2][LANES] = {{0}};
    for (size_t i = 0; i < n; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            size_t j = i + k;
            double off = 1.0 - p->on[j];
            double dx = p->dx[j];
            double l = -dx * p->il[j];
            double u = dx * p->iu[j];
            double x = l > u ? l : u;
            double dl = -p->dzl[j] / (p->zl[j] + off);
            double du = -p->dzu[j] / (p->zu[j] + off);
            double z = dl > du ? dl : du;
            worst[0][k] = x > worst[0][k] ? x : worst[0][k];
            worst[1][k] = z > worst[1][k] ? z : worst[1][k];
            sums[0][k] += dx * (p->zl[j] - p->zu[j]);
            sums[1][k] += p->xl[j] * p->dzl[j] + p->xu[j] * p->dzu[j];
            sums[2][k] += dx * (p->dzl[j] - p->dzu[j]);
        }
    }
    struct reach r;
    fold(&r, sums, worst);
    return r;
}

static double mu_after(const struct ipm *p, const struct reach *r)
{
    double change = r->primal * r->by_x + r->dual * r->by_z +
                    r->primal * r->dual * r->by_both;
    return p->mu + change / fmax(2.0 * p->n_on, 1.0);
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
    weights(p);
    ipm_normal_factor(p);
    predict(p);
    struct reach r = reach(p);
    double sigma = fmax(mu_after(p, &r), 0.0) / p->mu;
    correct(p, sigma * sigma * sigma * p->mu);
    r = reach(p);
    double back = fmin(fmax(0.995, 1.0 - p->mu), 0.9995);
    r.primal = fmin(1.0, back * r.primal);
    r.dual = fmin(1.0, back * r.dual);
    if (!isfinite(mu_after(p, &r)) || fmax(r.primal, r.dual) < 1e-8) {
        return false;
    }
    p->step_p = r.primal;
    p->step_d = r.dual;
    move(p, r.primal, r.dual);
    residuals(p);
    return p->mu > 0.0;
}
