/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vector work of an iteration, one column after the other: what a column
 * needs is still near when the next step of the pass asks for it. */
#include "policies/ipm.h"

#include <math.h>
#include <string.h>

#include "policies/ipm_vector.h"
#include "policies/ipm_wide.h"

static size_t stages(const struct ipm *p)
{
    return (size_t)p->n_stages;
}

/* x of the least cost'x - mu (log(x - lo) + log(hi - x)), with less mu where
 * the range is small, or z would be large there.  The smaller of both distances
 * comes without cancellation. */
static void centre(struct ipm *p, int c, double mu)
{
    size_t at = (size_t)c * stages(p);
    for (size_t i = at; i < at + stages(p); i++) {
        double range = p->range[i];
        double slope = -p->grad[i];
        double narrow = range < 1.0 ? range : 1.0;
        double m = mu * narrow;
        double s = slope * range;
        double root = sqrt(s * s + 4.0 * m * m);
        double on = range > 0.0 ? 1.0 : 0.0;
        double off = 1.0 - on;
        double part = 2.0 * m / (2.0 * m + fabs(s) + root + off);
        double near = fmax(part, p->start_off_pu) * range;
        double far = range - near;
        double z = m / (far + off);
        double steep = on * (z + fabs(slope));
        p->xl[i] = slope > 0.0 ? near : far;
        p->xu[i] = slope > 0.0 ? far : near;
        p->zl[i] = slope > 0.0 ? steep : z;
        p->zu[i] = slope > 0.0 ? z : steep;
    }
}

/* 1 / x and the weights of the normal equations, 0 for a fixed column; the
 * predictor wants all products 0. */
IPM_WIDE static void weigh(struct ipm *p, struct ipm_part part)
{
    const double *restrict xl = p->xl + part.at;
    const double *restrict xu = p->xu + part.at;
    const double *restrict zl = p->zl + part.at;
    const double *restrict zu = p->zu + part.at;
    const double *restrict grad = p->grad + part.at;
    double *restrict il = p->il + part.at;
    double *restrict iu = p->iu + part.at;
    double *restrict theta = p->theta + part.at;
    double *restrict v = p->work + part.t;
    IPM_APART
    for (size_t t = 0; t < part.n; t++) {
        double both = xl[t] * xu[t];
        double on = both > 0.0 ? 1.0 : 0.0;
        double off = 1.0 - on; /* for the divisions only */
        double inv = on / (both + off);
        double weight = both / (zl[t] * xu[t] + zu[t] * xl[t] + off);
        il[t] = xu[t] * inv;
        iu[t] = xl[t] * inv;
        theta[t] = weight;
        v[t] = weight * grad[t];
    }
}

/* The products and the cost. */
IPM_WIDE static void add_sums(struct ipm *p, struct ipm_part part)
{
    const double *xl = p->xl + part.at;
    const double *xu = p->xu + part.at;
    const double *zl = p->zl + part.at;
    const double *zu = p->zu + part.at;
    const double *cost = p->cost + part.at;
    double sum[IPM_LANES] = {0.0};
    double cur[IPM_LANES] = {0.0};
    size_t t = 0;
    for (; t + IPM_LANES <= part.n; t += IPM_LANES) {
        for (size_t k = 0; k < IPM_LANES; k++) {
            sum[k] += xl[t + k] * zl[t + k] + xu[t + k] * zu[t + k];
            cur[k] += cost[t + k] * xl[t + k];
        }
    }
    for (; t < part.n; t++) {
        sum[0] += xl[t] * zl[t] + xu[t] * zu[t];
        cur[0] += cost[t] * xl[t];
    }
    p->mu += ipm_add_up(sum);
    p->cost_sum += ipm_add_up(cur);
}

static void clear_rows(const struct ipm *p, double *rows)
{
    memset(rows, 0, (size_t)p->n_rows * stages(p) * sizeof(double));
}

/* rp = rhs - A x, from A x. */
static void residual(struct ipm *p)
{
    size_t n = (size_t)p->n_rows * stages(p);
    double worst = 0.0;
    double scale = 1.0;
    for (size_t i = 0; i < n; i++) {
        double r = p->rhs[i] - p->rp[i];
        double off = fabs(r);
        double size = fabs(p->rhs[i]);
        p->rp[i] = r;
        worst = off > worst ? off : worst;
        scale = size > scale ? size : scale;
    }
    p->primal_pu = worst / scale;
    p->mu /= fmax(2.0 * p->n_on, 1.0);
}

/* What the next iteration needs of a column where it is now. */
static void arrive(struct ipm *p, int c, struct ipm_way *way)
{
    struct ipm_part part = ipm_part_of(p, c);
    add_sums(p, part);
    ipm_column_times(p, c, p->xl + (size_t)c * stages(p), p->rp);
    weigh(p, part);
    ipm_column_times(p, c, p->work, way->dy);
    ipm_normal_add(p, c);
}

static struct ipm_way *begin(struct ipm *p)
{
    p->mu = 0.0;
    p->cost_sum = 0.0;
    clear_rows(p, p->rp);
    clear_rows(p, p->ways[0].dy);
    ipm_normal_clear(p);
    return &p->ways[0];
}

void ipm_pass_start(struct ipm *p, double mu)
{
    struct ipm_way *way = begin(p);
    for (int c = 0; c < p->n_cols; c++) {
        ipm_column_slope(p, c);
        centre(p, c, mu);
        arrive(p, c, way);
    }
    residual(p);
}

/* How far to go in x and in z. */
struct stride {
    double primal;
    double dual;
};

IPM_WIDE static void move(struct ipm *p, struct ipm_part part,
                          const struct ipm_way *by, struct stride by_pu)
{
    size_t at = part.at;
    const double *restrict dx = by->dx + at;
    const double *restrict cl = by->cl + at;
    const double *restrict cu = by->cu + at;
    const double *restrict il = p->il + at;
    const double *restrict iu = p->iu + at;
    double *restrict xl = p->xl + at;
    double *restrict xu = p->xu + at;
    double *restrict zl = p->zl + at;
    double *restrict zu = p->zu + at;
    IPM_APART
    for (size_t t = 0; t < part.n; t++) {
        double d = by_pu.primal * dx[t];
        xl[t] += d;
        xu[t] -= d;
        zl[t] += by_pu.dual * (cl[t] - zl[t] * dx[t] * il[t]);
        zu[t] += by_pu.dual * (cu[t] + zu[t] * dx[t] * iu[t]);
    }
}

void ipm_pass_move(struct ipm *p, const struct ipm_way *by, double primal,
                   double dual)
{
    ipm_add((size_t)p->n_rows * stages(p), dual, by->dy, p->y);
    struct ipm_way *way = begin(p);
    for (int c = 0; c < p->n_cols; c++) {
        move(p, ipm_part_of(p, c), by, (struct stride){primal, dual});
        ipm_column_slope(p, c);
        arrive(p, c, way);
    }
    residual(p);
}

/* From the predictor in 'way' to Mehrotra's corrector in it. */
IPM_WIDE static void correct(struct ipm *p, struct ipm_part part, double target,
                             struct ipm_way *way)
{
    size_t at = part.at;
    const double *restrict dx = way->dx + at;
    const double *restrict zl = p->zl + at;
    const double *restrict zu = p->zu + at;
    const double *restrict il = p->il + at;
    const double *restrict iu = p->iu + at;
    const double *restrict grad = p->grad + at;
    const double *restrict theta = p->theta + at;
    double *restrict cl = way->cl + at;
    double *restrict cu = way->cu + at;
    double *restrict v = p->work + part.t;
    IPM_APART
    for (size_t t = 0; t < part.n; t++) {
        double dzl = -zl[t] - zl[t] * dx[t] * il[t];
        double dzu = -zu[t] + zu[t] * dx[t] * iu[t];
        double l = (target - dx[t] * dzl) * il[t];
        double u = (target + dx[t] * dzu) * iu[t];
        cl[t] = l - zl[t];
        cu[t] = u - zu[t];
        v[t] = theta[t] * (grad[t] + l - u);
    }
}

void ipm_pass_correct(struct ipm *p, double target, struct ipm_way *way)
{
    clear_rows(p, way->dy);
    for (int c = 0; c < p->n_cols; c++) {
        correct(p, ipm_part_of(p, c), target, way);
        ipm_column_times(p, c, p->work, way->dy);
    }
}

static const double product_min = 0.1; /* of the target */
static const double product_max = 10.0;
static const double farther = 0.5; /* than the way goes */

/* What a product lacks to be near the target. */
static inline double lack(double product, double lo, double hi)
{
    double in = product < lo ? lo : product;
    in = in > hi ? hi : in;
    double by = in - product;
    return by > -hi ? by : -hi;
}

/* A way that goes farther than 'from': where it would leave the surroundings
 * of the target there, it is drawn back to them. */
IPM_WIDE static void draw(struct ipm *p, struct ipm_part part, double target,
                          const struct ipm_way *const from_to[2])
{
    size_t at = part.at;
    const struct ipm_way *from = from_to[0];
    const double primal = fmin(1.0, from->primal + farther);
    const double dual = fmin(1.0, from->dual + farther);
    const double lo = product_min * target;
    const double hi = product_max * target;
    const double *restrict dx = from->dx + at;
    const double *restrict cl = from->cl + at;
    const double *restrict cu = from->cu + at;
    const double *restrict xl = p->xl + at;
    const double *restrict xu = p->xu + at;
    const double *restrict zl = p->zl + at;
    const double *restrict zu = p->zu + at;
    const double *restrict il = p->il + at;
    const double *restrict iu = p->iu + at;
    const double *restrict grad = p->grad + at;
    const double *restrict theta = p->theta + at;
    double *restrict to_cl = from_to[1]->cl + at;
    double *restrict to_cu = from_to[1]->cu + at;
    double *restrict v = p->work + part.t;
    IPM_APART
    for (size_t t = 0; t < part.n; t++) {
        double dzl = cl[t] - zl[t] * dx[t] * il[t];
        double dzu = cu[t] + zu[t] * dx[t] * iu[t];
        double l = (xl[t] + primal * dx[t]) * (zl[t] + dual * dzl);
        double u = (xu[t] - primal * dx[t]) * (zu[t] + dual * dzu);
        double new_cl = cl[t] + lack(l, lo, hi) * il[t];
        double new_cu = cu[t] + lack(u, lo, hi) * iu[t];
        to_cl[t] = new_cl;
        to_cu[t] = new_cu;
        v[t] = theta[t] * ipm_aim(grad[t], new_cl, zl[t], new_cu, zu[t]);
    }
}

void ipm_pass_centre(struct ipm *p, double target, const struct ipm_way *from,
                     struct ipm_way *to)
{
    clear_rows(p, to->dy);
    for (int c = 0; c < p->n_cols; c++) {
        draw(p, ipm_part_of(p, c), target,
             (const struct ipm_way *[]){from, to});
        ipm_column_times(p, c, p->work, to->dy);
    }
}
