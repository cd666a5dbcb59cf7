/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Banded Cholesky factorisation of what the local rows leave, four columns at
 * a time.  A pivot that is nothing but rounding belongs to a row that depends
 * on others: it is skipped, and its dy is 0. */
#include "policies/ipm.h"

#include <math.h>
#include <string.h>

static const double pivot_min_pu = 1e-13;

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
    return w;
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

/* Of a column of the band: the zeros past its end let four columns be
 * subtracted at once, four rows at a time. */
static size_t band_stride(const struct ipm *p)
{
    return (size_t)p->normal.width + 8;
}

bool ipm_band_open(struct ipm *p, struct ipm_memory *m)
{
    struct ipm_normal *q = &p->normal;
    q->width = width(p);
    list_blocks(p);
    size_t n = (size_t)p->n_stages * (size_t)p->n_coupled;
    size_t pad = (size_t)q->width + 8; /* updates run past the last column */
    q->band = ipm_take(m, (n + pad) * band_stride(p));
    q->rhs = ipm_take(m, n + pad);
    return q->band && q->rhs;
}

/* Stage 't' of the products into its columns. */
static void scatter(struct ipm *p, size_t t)
{
    const struct ipm_normal *q = &p->normal;
    size_t stride = band_stride(p);
    size_t n = (size_t)p->n_stages;
    size_t all = (size_t)p->n_coupled * stride;
    double *to = q->band + t * all;
    memset(to, 0, all * sizeof(double));
    for (int i = 0; i < q->n_blocks; i++) {
        const struct ipm_block *b = &q->blocks[i];
        to[(size_t)b->col * stride + (size_t)b->below] =
            q->pairs[(size_t)b->pair * n + t];
    }
}

/* Takes column j's multiples off the next 'n' columns. */
static void subtract(double *restrict col, size_t stride, int n, int w)
{
    for (int k = 1; k <= n && k <= w; k++) {
        double f = col[k];
        double *restrict to = col + (size_t)k * stride;
        for (int i = k; i <= w; i++) {
            to[i - k] -= f * col[i];
        }
    }
}

/* The same of four neighbouring columns off all that follow them. */
static void subtract_four(double *col, size_t stride, int w)
{
    const double *restrict a = col + 4;
    const double *restrict b = col + stride + 3;
    const double *restrict c = col + 2 * stride + 2;
    const double *restrict d = col + 3 * stride + 1;
    for (int k = 0; k < w; k++) {
        double *restrict to = col + (size_t)(k + 4) * stride;
        double fa = a[k];
        double fb = b[k];
        double fc = c[k];
        double fd = d[k];
        for (int i = k; i < w; i += 4) {
            for (int m = i; m < i + 4; m++) {
                to[m - k] -= (fa * a[m] + fb * b[m]) + (fc * c[m] + fd * d[m]);
            }
        }
    }
}

/* Pivot and scale a column; the diagonal keeps 1 / L[j][j], 0 for a skipped
 * pivot. */
static void pivot(struct ipm *p, double *restrict col, size_t j)
{
    int w = p->normal.width;
    size_t nc = (size_t)p->n_coupled;
    size_t r = j % nc;
    double whole =
        p->normal
            .pairs[(size_t)p->normal.diag[r][r] * (size_t)p->n_stages + j / nc];
    if (!(col[0] > pivot_min_pu * whole && col[0] > 1e-30)) {
        memset(col, 0, ((size_t)w + 1) * sizeof(double));
        return;
    }
    double inv = 1.0 / sqrt(col[0]);
    col[0] = inv;
    for (int k = 1; k <= w; k++) {
        col[k] *= inv;
    }
}

void ipm_band_factor(struct ipm *p)
{
    int w = p->normal.width;
    size_t stride = band_stride(p);
    size_t n = (size_t)p->n_stages;
    size_t nc = (size_t)p->n_coupled;
    size_t columns = n * nc;
    size_t ready = 0; /* stages scattered */
    /* What a column reaches, in stages. */
    size_t ahead = nc > 0 ? ((size_t)w + 4) / nc + 1 : 0;
    memset(p->normal.band + columns * stride, 0,
           ((size_t)w + 8) * stride * sizeof(double));
    for (size_t j = 0; j < columns; j += 4) {
        while (ready < n && ready <= j / nc + ahead) {
            scatter(p, ready++);
        }
        double *col = p->normal.band + j * stride;
        size_t left = columns - j < 4 ? columns - j : 4;
        for (size_t k = 0; k < left; k++) {
            pivot(p, col + k * stride, j + k);
            subtract(col + k * stride, stride, left < 4 ? w : (int)(3 - k), w);
        }
        if (left == 4) {
            subtract_four(col, stride, w);
        }
    }
}

/* v[j..] -= what the columns j.. make of their own values. */
static void forward(const struct ipm *p, size_t columns)
{
    int w = p->normal.width;
    size_t stride = band_stride(p);
    double *v = p->normal.rhs;
    for (size_t j = 0; j < columns; j += 4) {
        const double *col = p->normal.band + j * stride;
        size_t left = columns - j < 4 ? columns - j : 4;
        double f[4] = {0.0};
        for (size_t k = 0; k < left; k++) {
            const double *restrict own = col + k * stride;
            f[k] = v[j + k] * own[0];
            v[j + k] = f[k];
            for (size_t i = k + 1; i < 4; i++) {
                v[j + i] -= f[k] * own[i - k];
            }
        }
        const double *restrict a = col + 4;
        const double *restrict b = col + stride + 3;
        const double *restrict c = col + 2 * stride + 2;
        const double *restrict d = col + 3 * stride + 1;
        double *restrict to = v + j + 4;
        for (int i = 0; i < w; i += 4) {
            for (int m = i; m < i + 4; m++) {
                to[m] -=
                    (f[0] * a[m] + f[1] * b[m]) + (f[2] * c[m] + f[3] * d[m]);
            }
        }
    }
}

static void backward(const struct ipm *p, size_t columns)
{
    int w = p->normal.width;
    size_t stride = band_stride(p);
    double *v = p->normal.rhs;
    for (size_t j = (columns + 3) & ~(size_t)3; j > 0;) {
        j -= 4;
        const double *col = p->normal.band + j * stride;
        const double *restrict from = v + j + 4;
        double f[4] = {0.0};
        for (int i = 0; i < w; i++) {
            f[0] += col[4 + i] * from[i];
            f[1] += col[stride + 3 + (size_t)i] * from[i];
            f[2] += col[2 * stride + 2 + (size_t)i] * from[i];
            f[3] += col[3 * stride + 1 + (size_t)i] * from[i];
        }
        for (size_t k = 4; k-- > 0;) {
            const double *restrict own = col + k * stride;
            double sum = f[k];
            for (size_t i = k + 1; i < 4; i++) {
                sum += own[i - k] * v[j + i];
            }
            v[j + k] = (v[j + k] - sum) * own[0];
        }
    }
}

/* Columns past the last are 0 and stay so. */
void ipm_band_solve(struct ipm *p)
{
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    forward(p, columns);
    memset(p->normal.rhs + columns, 0,
           ((size_t)p->normal.width + 8) * sizeof(double));
    backward(p, columns);
}
