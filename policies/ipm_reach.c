/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dx of a way from its dy, and how far it may go: the pass that an iteration
 * makes most often. */
#include "policies/ipm.h"

#include <math.h>
#include <string.h>

#include "policies/ipm_vector.h"
#include "policies/ipm_wide.h"

/* By lanes, so that sums and maxima run side by side. */
struct lanes {
    double x[IPM_LANES];
    double z[IPM_LANES];
    double z_over[IPM_LANES]; /* z / z_over is the largest ratio */
    double by_x[IPM_LANES];
    double by_both[IPM_LANES];
};

/* dx of 'n' values from 'j' on, A'dy of them in 'v'; how far they may go.  What
 * the predictor wants is known. */
static inline __attribute__((always_inline)) void
reach_some(const struct ipm *p, const struct ipm_way *way, size_t j,
           const double *v, struct lanes *sum, size_t n, bool first)
{
    const double *zl = p->zl + j;
    const double *zu = p->zu + j;
    const double *il = p->il + j;
    const double *iu = p->iu + j;
    const double *cl = way->cl + j;
    const double *cu = way->cu + j;
    const double *grad = p->grad + j;
    const double *theta = p->theta + j;
    double *dx = way->dx + j;
    IPM_APART
    for (size_t k = 0; k < n; k++) {
        double wl = first ? -zl[k] : cl[k];
        double wu = first ? -zu[k] : cu[k];
        double g = first ? grad[k] : ipm_aim(grad[k], wl, zl[k], wu, zu[k]);
        double d = theta[k] * (v[k] + g);
        double to_l = -d * il[k];
        double to_u = d * iu[k];
        double dzl = wl + zl[k] * to_l;
        double dzu = wu + zu[k] * to_u;
        double x = to_l > to_u ? to_l : to_u;
        double l = -dzl * zu[k];
        double u = -dzu * zl[k];
        double z = l > u ? l : u;
        double over = zl[k] * zu[k];
        bool most = z * sum->z_over[k] > sum->z[k] * over;
        dx[k] = d;
        sum->x[k] = x > sum->x[k] ? x : sum->x[k];
        sum->z[k] = most ? z : sum->z[k];
        sum->z_over[k] = most ? over : sum->z_over[k];
        sum->by_x[k] += d * (zl[k] - zu[k]);
        sum->by_both[k] += d * (dzl - dzu);
    }
}

static inline __attribute__((always_inline)) void
reach_part(const struct ipm *p, const struct ipm_way *way, struct ipm_part part,
           struct lanes *sum, bool first)
{
    const double *v = p->work + part.t;
    size_t whole = part.n / IPM_LANES * IPM_LANES;
    for (size_t t = 0; t < whole; t += IPM_LANES) {
        reach_some(p, way, part.at + t, v + t, sum, IPM_LANES, first);
    }
    reach_some(p, way, part.at + whole, v + whole, sum, part.n - whole, first);
}

IPM_WIDE static void reach(const struct ipm *p, const struct ipm_way *way,
                           struct ipm_part part, struct lanes *sum)
{
    reach_part(p, way, part, sum, false);
}

IPM_WIDE static void reach_first(const struct ipm *p, const struct ipm_way *way,
                                 struct ipm_part part, struct lanes *sum)
{
    reach_part(p, way, part, sum, true);
}

static void clear(struct lanes *sum)
{
    memset(sum, 0, sizeof(*sum));
    for (int k = 0; k < IPM_LANES; k++) {
        sum->z_over[k] = 1.0;
    }
}

static void finish(const struct lanes *sum, struct ipm_way *way)
{
    double x = 1.0;
    double z = 1.0;
    for (int k = 0; k < IPM_LANES; k++) {
        x = fmax(x, sum->x[k]);
        z = fmax(z, sum->z[k] / sum->z_over[k]);
    }
    way->by_x = ipm_add_up(sum->by_x);
    way->by_both = ipm_add_up(sum->by_both);
    way->primal = 1.0 / x;
    way->dual = 1.0 / z;
}

void ipm_pass_reach(struct ipm *p, struct ipm_way *way)
{
    struct lanes sum;
    clear(&sum);
    for (int c = 0; c < p->n_cols; c++) {
        ipm_column_dot(p, c, way->dy, p->work);
        reach(p, way, ipm_part_of(p, c), &sum);
    }
    finish(&sum, way);
}

void ipm_pass_predict(struct ipm *p, struct ipm_way *way)
{
    struct lanes sum;
    clear(&sum);
    for (int c = 0; c < p->n_cols; c++) {
        ipm_column_dot(p, c, way->dy, p->work);
        reach_first(p, way, ipm_part_of(p, c), &sum);
    }
    finish(&sum, way);
}
