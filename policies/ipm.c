/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ipm.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "policies/ipm_vector.h"

/* Complementarity of the start, about. */
static const double start_mu = 1.0;
/* Part of the range that the start keeps off its bounds: there is far to go. */
static const double start_off_pu = 0.02;
static const double anew_off_pu = 0.2;
/* Centrality correctors of an iteration, at most; none where the way is long
 * already, and each is kept only where it makes it this much longer. */
enum { CENTRE_MAX = 1 };
static const double centre_gain = 0.1;
static const double long_way = 0.95;
/* Of a sum of a few products. */
static const double rounding_pu = 4.0 * DBL_EPSILON;

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

double *ipm_take_unset(struct ipm_memory *m, size_t n)
{
    if (padded(n) > m->n - m->n_used) {
        return NULL;
    }
    double *at = m->base + m->n_used;
    m->n_used += padded(n);
    return at;
}

double *ipm_take(struct ipm_memory *m, size_t n)
{
    double *at = ipm_take_unset(m, n);
    if (at != NULL) {
        memset(at, 0, padded(n) * sizeof(double));
    }
    return at;
}

static size_t n_values(const struct ipm *p)
{
    return (size_t)p->n_cols * (size_t)p->n_stages;
}

/* Between the first and the last of 'n' values that is not 0. */
static struct ipm_span span(const double *values, int n)
{
    int from = 0;
    int to = n;
    while (from < n && values[from] == 0.0) {
        from++;
    }
    while (to > from && values[to - 1] == 0.0) {
        to--;
    }
    return (struct ipm_span){from, to};
}

static void spans(struct ipm *p)
{
    for (int c = 0; c < p->n_cols; c++) {
        struct ipm_col *col = &p->cols[c];
        col->on = (struct ipm_span){0, p->n_stages};
        for (int e = 0; e < col->n_entries; e++) {
            int n = p->n_stages - col->entries[e].lag;
            const double *shape = col->entries[e].shape;
            col->there[e] = shape ? span(shape, n) : (struct ipm_span){0, n};
        }
    }
}

bool ipm_open(struct ipm *p, struct ipm_memory *m)
{
    struct ipm_way *one = &p->ways[0];
    struct ipm_way *two = &p->ways[1];
    double **columns[] = {&p->cost,  &p->range, &p->xl,   &p->xu,
                          &p->zl,    &p->zu,    &p->il,   &p->iu,
                          &p->theta, &p->grad,  &one->dx, &one->cl,
                          &one->cu,  &two->dx,  &two->cl, &two->cu};
    double **rows[] = {&p->rhs, &p->y, &p->rp, &one->dy, &two->dy};
    size_t n_rows = (size_t)p->n_rows * (size_t)p->n_stages;
    bool ok = (p->work = ipm_take(m, (size_t)p->n_stages));
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        ok = (*columns[i] = ipm_take(m, n_values(p))) && ok;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok = (*rows[i] = ipm_take(m, n_rows)) && ok;
    }
    spans(p);
    return ok && ipm_normal_open(p, m);
}

static void start(struct ipm *p, double off_pu)
{
    p->stopped = false;
    p->start_off_pu = off_pu;
    p->n_on = 0.0;
    for (int c = 0; c < p->n_cols; c++) {
        size_t at = (size_t)c * (size_t)p->n_stages;
        p->cols[c].on = span(p->range + at, p->n_stages);
        for (int t = 0; t < p->n_stages; t++) {
            p->n_on += p->range[at + (size_t)t] > 0.0 ? 1.0 : 0.0;
        }
    }
    ipm_pass_start(p, start_mu);
}

void ipm_start(struct ipm *p)
{
    start(p, start_off_pu);
}

void ipm_start_anew(struct ipm *p)
{
    memset(p->y, 0, (size_t)p->n_rows * (size_t)p->n_stages * sizeof(double));
    start(p, anew_off_pu);
}

double ipm_cost(const struct ipm *p)
{
    return p->cost_sum;
}

/* What A'y is the sum of, without signs: rounding goes by it. */
static void dot_sizes(const struct ipm *p, int c, const double *sizes,
                      double *out)
{
    const struct ipm_col *col = &p->cols[c];
    size_t n = (size_t)p->n_stages;
    memset(out, 0, n * sizeof(double));
    for (int e = 0; e < col->n_entries; e++) {
        const struct ipm_entry *at = &col->entries[e];
        struct ipm_span in = ipm_span_both(col->on, col->there[e]);
        size_t count = (size_t)(in.to - in.from);
        const double *from = sizes + (size_t)at->row * n + at->lag + in.from;
        double k = fabs(at->k);
        if (at->shape) {
            ipm_add_shaped(count, k,
                           (const double *[]){from, at->shape + in.from},
                           out + in.from);
        } else {
            ipm_add(count, k, from, out + in.from);
        }
    }
}

/* Between iterations the second way is free to be scratch. */
double ipm_bound(const struct ipm *p)
{
    size_t n = (size_t)p->n_stages;
    double *sizes = p->ways[1].dy;
    double *size = p->ways[1].dx;
    double sum = 0.0;
    double lost = 0.0;
    for (size_t i = 0; i < (size_t)p->n_rows * n; i++) {
        double part = p->rhs[i] * p->y[i];
        sizes[i] = fabs(p->y[i]);
        sum += part;
        lost += fabs(part);
    }
    for (int c = 0; c < p->n_cols; c++) {
        const double *cost = p->cost + (size_t)c * n;
        const double *range = p->range + (size_t)c * n;
        ipm_column_dot(p, c, p->y, p->work);
        dot_sizes(p, c, sizes, size);
        struct ipm_span on = p->cols[c].on;
        for (int t = on.from; t < on.to; t++) {
            double slope = cost[t] - p->work[t] - rounding_pu * size[t];
            sum += (slope < 0.0 ? slope : 0.0) * range[t];
        }
    }
    return sum - rounding_pu * lost;
}

/* The right hand side of A theta A' dy = rp - A theta g, from the last in dy.
 */
static double *aim(const struct ipm *p, struct ipm_way *way)
{
    size_t n_rows = (size_t)p->n_rows * (size_t)p->n_stages;
    for (size_t i = 0; i < n_rows; i++) {
        way->dy[i] = p->rp[i] - way->dy[i];
    }
    return way->dy;
}

static void solve(struct ipm *p, struct ipm_way *way)
{
    ipm_normal_solve(p, aim(p, way));
    ipm_pass_reach(p, way);
}

static void predict(struct ipm *p, struct ipm_way *way)
{
    ipm_normal_factor(p, aim(p, way));
    ipm_pass_predict(p, way);
}

/* Where the predictor leads: it wants all products 0, so the sum of x dz is
 * minus that of dx z and of all products. */
static double mu_after(const struct ipm *p, const struct ipm_way *way)
{
    double sides = fmax(2.0 * p->n_on, 1.0);
    double change = way->primal * way->by_x -
                    way->dual * (way->by_x + sides * p->mu) +
                    way->primal * way->dual * way->by_both;
    return p->mu + change / sides;
}

/* Longer ways of the same factorisation, as long as they get longer. */
static struct ipm_way *lengthen(struct ipm *p, double target)
{
    struct ipm_way *way = &p->ways[0];
    struct ipm_way *next = &p->ways[1];
    for (int k = 0; k < CENTRE_MAX; k++) {
        double length = way->primal + way->dual;
        if (fmin(way->primal, way->dual) > long_way) {
            break;
        }
        ipm_pass_centre(p, target, way, next);
        solve(p, next);
        if (!(next->primal + next->dual >= length + centre_gain)) {
            break;
        }
        struct ipm_way *was = way;
        way = next;
        next = was;
    }
    return way;
}

bool ipm_iterate(struct ipm *p)
{
    struct ipm_way *way = &p->ways[0];
    predict(p, way);
    if (ipm_stopped(p)) {
        return false;
    }
    double sigma = fmax(mu_after(p, way), 0.0) / p->mu;
    double target = sigma * sigma * sigma * sigma * p->mu;
    ipm_pass_correct(p, target, way);
    solve(p, way);
    if (ipm_stopped(p)) {
        return false;
    }
    way = lengthen(p, target);
    double back = fmin(fmax(0.995, 1.0 - p->mu), 0.9995);
    way->primal = fmin(1.0, back * way->primal);
    way->dual = fmin(1.0, back * way->dual);
    if (!isfinite(way->by_x + way->by_both) ||
        fmax(way->primal, way->dual) < 1e-8) {
        return false;
    }
    ipm_pass_move(p, way, way->primal, way->dual);
    return p->mu > 0.0;
}
