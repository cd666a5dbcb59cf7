/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Banded L D L' factorisation of what the local rows leave, four columns at a
 * time.  A column of 'band' holds 1 / D and below it L D.  A pivot that is
 * nothing but rounding belongs to a row that depends on others: it is skipped,
 * and its dy is 0. */
#include "policies/ipm.h"

#include <math.h>
#include <string.h>

#include "policies/ipm_wide.h"

enum { GROUP = 4, SPREAD = 8, ASK = 1024 /* columns */ };

static const double pivot_min_pu = 1e-13;
static const double pivot_min = 1e-30;

/* Of the band, in whole groups: a loop over it has no rest. */
static int width(const struct ipm *p)
{
    int w = p->n_coupled > 0 ? p->n_coupled - 1 : 0;
    for (int r = 0; r < p->n_coupled; r++) {
        for (int s = 0; s < p->n_coupled; s++) {
            int d = p->n_coupled + r - s;
            if (p->normal.after[r][s] >= 0 && d > w) {
                w = d;
            }
        }
    }
    return (w + GROUP - 1) / GROUP * GROUP;
}

static void list_blocks(struct ipm *p)
{
    struct ipm_normal *q = &p->normal;
    q->n_blocks = 0;
    for (int r = 0; r < p->n_coupled; r++) {
        for (int s = 0; s < p->n_coupled; s++) {
            if (s >= r && q->diag[r][s] >= 0) {
                q->blocks[q->n_blocks++] = (struct ipm_block){
                    q->diag[r][s], (int16_t)r, (int16_t)(s - r)};
            }
            if (q->after[s][r] >= 0) {
                q->blocks[q->n_blocks++] =
                    (struct ipm_block){q->after[s][r], (int16_t)r,
                                       (int16_t)(p->n_coupled + s - r)};
            }
        }
    }
}

/* Of a column of the band: zeros past its end let a group be subtracted at
 * once. */
static size_t band_stride(const struct ipm *p)
{
    return (size_t)p->normal.width + 2 * GROUP;
}

bool ipm_band_open(struct ipm *p, struct ipm_memory *m)
{
    struct ipm_normal *q = &p->normal;
    q->width = width(p);
    list_blocks(p);
    size_t n = (size_t)p->n_stages * (size_t)p->n_coupled;
    size_t pad = band_stride(p); /* updates run past the last column */
    q->band = ipm_take_unset(m, (n + pad) * band_stride(p));
    q->whole = ipm_take(m, n + pad);
    q->rhs = ipm_take(m, n + pad);
    return q->band && q->whole && q->rhs;
}

/* 'count' stages of the products from 't' on into their columns. */
static void spread(struct ipm *p, size_t t, size_t count)
{
    const struct ipm_normal *q = &p->normal;
    size_t stride = band_stride(p);
    size_t n = (size_t)p->n_stages;
    size_t nc = (size_t)p->n_coupled;
    double *to = q->band + t * nc * stride;
    memset(to, 0, count * nc * stride * sizeof(double));
    for (int i = 0; i < q->n_blocks; i++) {
        const struct ipm_block *b = &q->blocks[i];
        size_t at = (size_t)b->col * stride + (size_t)b->below;
        const double *from = q->pairs + (size_t)b->pair * n + t;
        for (size_t k = 0; k < count; k++) {
            to[k * nc * stride + at] = from[k];
        }
    }
    for (size_t r = 0; r < count * nc; r++) {
        q->whole[t * nc + r] = to[r * stride];
    }
}

static inline double inverse(double pivot, double whole)
{
    double inv = 1.0 / pivot;
    return pivot > pivot_min_pu * whole && pivot > pivot_min ? inv : 0.0;
}

/* The group's columns a, b, c, d among themselves, then off all that follow.
 * Inlined with a width that is known. */
static inline __attribute__((always_inline)) void
group(double *restrict col, const double *whole, int w)
{
    size_t stride = (size_t)w + 2 * GROUP;
    double *restrict a = col;
    double *restrict b = col + stride;
    double *restrict c = col + 2 * stride;
    double *restrict d = col + 3 * stride;
    double ia = inverse(a[0], whole[0]);
    double ba = a[1] * ia;
    double ca = a[2] * ia;
    double da = a[3] * ia;
    double ib = inverse(b[0] - ba * a[1], whole[1]);
    double b1 = b[1] - ca * a[1];
    double b2 = b[2] - da * a[1];
    double cb = b1 * ib;
    double db = b2 * ib;
    double ic = inverse(c[0] - (ca * a[2] + cb * b1), whole[2]);
    double c1 = c[1] - (da * a[2] + db * b1);
    double dc = c1 * ic;
    double id = inverse(d[0] - (da * a[3] + db * b2) - dc * c1, whole[3]);
    for (int i = 0; i < w; i++) {
        double x = a[4 + i];
        double y = b[3 + i] - ba * x;
        double z = c[2 + i] - (ca * x + cb * y);
        d[1 + i] = d[1 + i] - (da * x + db * y) - dc * z;
        c[2 + i] = z;
        b[3 + i] = y;
    }
    a[0] = ia;
    b[0] = ib;
    b[1] = b1;
    b[2] = b2;
    c[0] = ic;
    c[1] = c1;
    d[0] = id;
    for (int k = 0; k < w; k++) {
        double *restrict to = col + (size_t)(k + GROUP) * stride;
        double fa = a[4 + k] * ia;
        double fb = b[3 + k] * ib;
        double fc = c[2 + k] * ic;
        double fd = d[1 + k] * id;
        for (int i = k; i < w; i += GROUP) {
            for (int m = i; m < i + GROUP; m++) {
                to[m - k] -= (fa * a[4 + m] + fb * b[3 + m]) +
                             (fc * c[2 + m] + fd * d[1 + m]);
            }
        }
    }
}

/* v[j..] -= what the columns j.. make of their own values, and v / D. */
static inline __attribute__((always_inline)) void
forward(const double *restrict col, double *restrict v, int w)
{
    size_t stride = (size_t)w + 2 * GROUP;
    const double *a = col;
    const double *b = col + stride;
    const double *c = col + 2 * stride;
    const double *d = col + 3 * stride;
    double fa = v[0] * a[0];
    double fb = (v[1] - fa * a[1]) * b[0];
    double fc = (v[2] - (fa * a[2] + fb * b[1])) * c[0];
    double fd = (v[3] - (fa * a[3] + fb * b[2]) - fc * c[1]) * d[0];
    for (int m = 0; m < w; m++) {
        v[4 + m] -=
            (fa * a[4 + m] + fb * b[3 + m]) + (fc * c[2 + m] + fd * d[1 + m]);
    }
    v[0] = fa;
    v[1] = fb;
    v[2] = fc;
    v[3] = fd;
}

static inline __attribute__((always_inline)) double
dot(const double *restrict a, const double *restrict b, int w)
{
    double sum[GROUP] = {0.0};
    for (int i = 0; i < w; i += GROUP) {
        for (int m = 0; m < GROUP; m++) {
            sum[m] += a[i + m] * b[i + m];
        }
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static inline __attribute__((always_inline)) void
backward(const double *restrict col, double *restrict v, int w)
{
    size_t stride = (size_t)w + 2 * GROUP;
    const double *a = col;
    const double *b = col + stride;
    const double *c = col + 2 * stride;
    const double *d = col + 3 * stride;
    double fa = dot(a + 4, v + 4, w);
    double fb = dot(b + 3, v + 4, w);
    double fc = dot(c + 2, v + 4, w);
    double fd = dot(d + 1, v + 4, w);
    v[3] -= d[0] * fd;
    v[2] -= c[0] * (fc + c[1] * v[3]);
    v[1] -= b[0] * (fb + b[1] * v[2] + b[2] * v[3]);
    v[0] -= a[0] * (fa + a[1] * v[1] + (a[2] * v[2] + a[3] * v[3]));
}

static inline __attribute__((always_inline)) void back(struct ipm *p, int w)
{
    size_t stride = (size_t)w + 2 * GROUP;
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    double *v = p->normal.rhs;
    memset(v + columns, 0, stride * sizeof(double));
    for (size_t j = (columns + GROUP - 1) / GROUP * GROUP; j > 0;) {
        j -= GROUP;
        backward(p->normal.band + j * stride, v + j, w);
    }
}

/* Columns past the last are 0 and stay so. */
static inline __attribute__((always_inline)) void factor(struct ipm *p, int w)
{
    struct ipm_normal *q = &p->normal;
    size_t stride = (size_t)w + 2 * GROUP;
    size_t n = (size_t)p->n_stages;
    size_t nc = (size_t)p->n_coupled;
    size_t columns = n * nc;
    size_t ready = 0; /* stages spread */
    /* What a group reaches, in stages. */
    size_t ahead = nc > 0 ? ((size_t)w + GROUP) / nc + 1 : 0;
    memset(q->band + columns * stride, 0, stride * stride * sizeof(double));
    memset(q->whole + columns, 0, stride * sizeof(double));
    memset(q->rhs + columns, 0, stride * sizeof(double));
    for (size_t j = 0; j < columns; j += GROUP) {
        while (ready < n && ready <= j / nc + ahead) {
            size_t count = n - ready < SPREAD ? n - ready : SPREAD;
            spread(p, ready, count);
            ready += count;
        }
        if (j % ASK == 0 && ipm_stopped(p)) {
            return;
        }
        group(q->band + j * stride, q->whole + j, w);
        forward(q->band + j * stride, q->rhs + j, w);
    }
    back(p, w);
}

static inline __attribute__((always_inline)) void solve(struct ipm *p, int w)
{
    size_t stride = (size_t)w + 2 * GROUP;
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    double *v = p->normal.rhs;
    memset(v + columns, 0, stride * sizeof(double));
    for (size_t j = 0; j < columns; j += GROUP) {
        forward(p->normal.band + j * stride, v + j, w);
    }
    back(p, w);
}

/* With these widths known, loops have a fixed number of turns. */
#define BAND_WIDTH_LIST(X) X(4) X(8) X(12) X(16) X(20) X(24)
#define BAND_FACTOR(w) \
    case w:            \
        factor(p, w);  \
        break;
#define BAND_SOLVE(w) \
    case w:           \
        solve(p, w);  \
        break;

IPM_WIDE void ipm_band_factor(struct ipm *p)
{
    switch (p->normal.width) {
        BAND_WIDTH_LIST(BAND_FACTOR)
    default:
        factor(p, p->normal.width);
    }
}

IPM_WIDE void ipm_band_solve(struct ipm *p)
{
    switch (p->normal.width) {
        BAND_WIDTH_LIST(BAND_SOLVE)
    default:
        solve(p, p->normal.width);
    }
}
