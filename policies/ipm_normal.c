/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The normal equations A theta A' dy = r of a programme in stages: symbolic
 * structure once, then products, elimination of the local rows along time and
 * a banded Cholesky factorisation of the rest.  A pivot that is nothing but
 * rounding belongs to a row that depends on others: it is skipped, and its dy
 * is 0. */
#include "policies/ipm.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double pivot_min_pu = 1e-13;

static void mark(int16_t *at, int *n)
{
    if (*at < 0) {
        *at = (int16_t)(*n)++;
    }
}

static void mark_diag(struct ipm_normal *q, int a, int b)
{
    mark(&q->diag[a][b], &q->n_pairs);
    q->diag[b][a] = q->diag[a][b];
}

static void mark_two(struct ipm_normal *q, struct ipm_neighbour a,
                     struct ipm_neighbour b)
{
    if (a.lag == b.lag) {
        mark_diag(q, a.row, b.row);
    } else if (a.lag > b.lag) {
        mark(&q->after[a.row][b.row], &q->n_pairs);
    } else {
        mark(&q->after[b.row][a.row], &q->n_pairs);
    }
}

static void mark_columns(struct ipm *p)
{
    struct ipm_normal *q = &p->normal;
    for (int c = 0; c < p->n_cols; c++) {
        const struct ipm_col *col = &p->cols[c];
        for (int i = 0; i < col->n_entries; i++) {
            for (int j = 0; j <= i; j++) {
                const struct ipm_entry *a = &col->entries[i];
                const struct ipm_entry *b = &col->entries[j];
                mark_two(q, (struct ipm_neighbour){a->row, a->lag, 0},
                         (struct ipm_neighbour){b->row, b->lag, 0});
            }
        }
    }
}

static void neighbours(const struct ipm *p, int l, struct ipm_local *out)
{
    const struct ipm_normal *q = &p->normal;
    out->n_neighbours = 0;
    for (int r = 0; r < p->n_rows; r++) {
        bool gone = r >= p->n_coupled && r <= l;
        if (!gone && q->diag[l][r] >= 0) {
            out->at[out->n_neighbours++] =
                (struct ipm_neighbour){r, 0, q->diag[l][r]};
        }
        assert(q->after[l][r] < 0);
        if (q->after[r][l] >= 0) {
            assert(r < p->n_coupled);
            out->at[out->n_neighbours++] =
                (struct ipm_neighbour){r, 1, q->after[r][l]};
        }
    }
}

static void mark_fill(struct ipm *p)
{
    struct ipm_normal *q = &p->normal;
    for (int l = p->n_coupled; l < p->n_rows; l++) {
        struct ipm_local *local = &q->local[l - p->n_coupled];
        mark_diag(q, l, l);
        neighbours(p, l, local);
        for (int i = 0; i < local->n_neighbours; i++) {
            for (int j = 0; j <= i; j++) {
                mark_two(q, local->at[i], local->at[j]);
            }
        }
    }
}

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

bool ipm_normal_open(struct ipm *p, struct ipm_memory *m)
{
    struct ipm_normal *q = &p->normal;
    memset(q->diag, 0xff, sizeof(q->diag));
    memset(q->after, 0xff, sizeof(q->after));
    q->n_pairs = 0;
    for (int r = 0; r < p->n_coupled; r++) {
        mark_diag(q, r, r);
    }
    mark_columns(p);
    mark_fill(p);
    q->width = width(p);
    size_t n = (size_t)p->n_stages;
    size_t n_band = n * (size_t)p->n_coupled;
    size_t pad = (size_t)q->width + 8; /* updates run past the last column */
    q->pairs = ipm_take(m, (size_t)q->n_pairs * n);
    q->inverse = ipm_take(m, (size_t)(p->n_rows - p->n_coupled) * n);
    q->band = ipm_take(m, (n_band + pad) * band_stride(p));
    list_blocks(p);
    q->rhs = ipm_take(m, n_band + pad);
    return q->pairs && q->inverse && q->band && q->rhs;
}

static double *pair_of(const struct ipm *p, int pair)
{
    return p->normal.pairs + (size_t)pair * (size_t)p->n_stages;
}

/* Where the product of two entries goes, and over how many stages. */
struct target {
    double *at;
    int n;
};

static struct target target(const struct ipm *p, struct ipm_neighbour a,
                            struct ipm_neighbour b)
{
    const struct ipm_normal *q = &p->normal;
    int n = a.lag || b.lag ? p->n_stages - 1 : p->n_stages;
    if (a.lag == b.lag) {
        return (struct target){pair_of(p, q->diag[a.row][b.row]) + a.lag, n};
    }
    int pair = a.lag > b.lag ? q->after[a.row][b.row] : q->after[b.row][a.row];
    return (struct target){pair_of(p, pair), n};
}

static void add_product(struct ipm *p, const double *theta,
                        const struct ipm_entry *a, const struct ipm_entry *b)
{
    struct target to = target(p, (struct ipm_neighbour){a->row, a->lag, 0},
                              (struct ipm_neighbour){b->row, b->lag, 0});
    double k = a->k * b->k;
    const double *restrict sa = a->shape;
    const double *restrict sb = b->shape;
    double *restrict at = to.at;
    if (!sa && !sb) {
        for (int t = 0; t < to.n; t++) {
            at[t] += k * theta[t];
        }
        return;
    }
    if (!sa || !sb) {
        const double *restrict one = sa ? sa : sb;
        for (int t = 0; t < to.n; t++) {
            at[t] += k * theta[t] * one[t];
        }
        return;
    }
    for (int t = 0; t < to.n; t++) {
        at[t] += k * theta[t] * (sa[t] * sb[t]);
    }
}

static void products(struct ipm *p)
{
    memset(p->normal.pairs, 0,
           (size_t)p->normal.n_pairs * (size_t)p->n_stages * sizeof(double));
    for (int c = 0; c < p->n_cols; c++) {
        const double *theta = p->theta + (size_t)c * (size_t)p->n_stages;
        const struct ipm_col *col = &p->cols[c];
        for (int i = 0; i < col->n_entries; i++) {
            for (int j = 0; j <= i; j++) {
                add_product(p, theta, &col->entries[i], &col->entries[j]);
            }
        }
    }
}

static void eliminate(struct ipm *p, int l)
{
    const struct ipm_local *local = &p->normal.local[l];
    int row = p->n_coupled + l;
    const double *pivot = pair_of(p, p->normal.diag[row][row]);
    double *inv = p->normal.inverse + (size_t)l * (size_t)p->n_stages;
    for (int t = 0; t < p->n_stages; t++) {
        inv[t] = pivot[t] > 1e-30 ? 1.0 / pivot[t] : 0.0;
    }
    for (int i = 0; i < local->n_neighbours; i++) {
        const double *restrict a = pair_of(p, local->at[i].pair);
        for (int j = 0; j <= i; j++) {
            const double *restrict b = pair_of(p, local->at[j].pair);
            struct target to = target(p, local->at[i], local->at[j]);
            double *restrict at = to.at;
            for (int t = 0; t < to.n; t++) {
                at[t] -= a[t] * inv[t] * b[t];
            }
        }
    }
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
    double whole = pair_of(p, p->normal.diag[r][r])[j / nc];
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

static void cholesky(struct ipm *p)
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

void ipm_normal_factor(struct ipm *p)
{
    products(p);
    for (int l = 0; l < p->n_rows - p->n_coupled; l++) {
        eliminate(p, l);
    }
    cholesky(p);
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
static void band_solve(const struct ipm *p)
{
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    forward(p, columns);
    memset(p->normal.rhs + columns, 0,
           ((size_t)p->normal.width + 8) * sizeof(double));
    backward(p, columns);
}

static void forward_local(struct ipm *p, int l, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    const struct ipm_local *local = &p->normal.local[l];
    const double *restrict inv = p->normal.inverse + (size_t)l * n;
    double *restrict own = rhs + (size_t)(p->n_coupled + l) * n;
    for (int i = 0; i < local->n_neighbours; i++) {
        const struct ipm_neighbour *nb = &local->at[i];
        const double *restrict a = pair_of(p, nb->pair);
        double *restrict to = rhs + (size_t)nb->row * n + nb->lag;
        for (int t = 0; t < p->n_stages - nb->lag; t++) {
            to[t] -= a[t] * inv[t] * own[t];
        }
    }
}

static void back_local(struct ipm *p, int l, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    const struct ipm_local *local = &p->normal.local[l];
    const double *restrict inv = p->normal.inverse + (size_t)l * n;
    double *restrict own = rhs + (size_t)(p->n_coupled + l) * n;
    for (int i = 0; i < local->n_neighbours; i++) {
        const struct ipm_neighbour *nb = &local->at[i];
        const double *restrict a = pair_of(p, nb->pair);
        const double *restrict from = rhs + (size_t)nb->row * n + nb->lag;
        for (int t = 0; t < p->n_stages - nb->lag; t++) {
            own[t] -= a[t] * from[t];
        }
    }
    for (int t = 0; t < p->n_stages; t++) {
        own[t] *= inv[t];
    }
}

void ipm_normal_solve(struct ipm *p, double *rhs)
{
    int n_local = p->n_rows - p->n_coupled;
    size_t n = (size_t)p->n_stages;
    size_t nc = (size_t)p->n_coupled;
    for (int l = 0; l < n_local; l++) {
        forward_local(p, l, rhs);
    }
    for (size_t r = 0; r < nc; r++) {
        for (size_t t = 0; t < n; t++) {
            p->normal.rhs[t * nc + r] = rhs[r * n + t];
        }
    }
    memset(p->normal.rhs + n * nc, 0,
           ((size_t)p->normal.width + 8) * sizeof(double));
    band_solve(p);
    for (size_t r = 0; r < nc; r++) {
        for (size_t t = 0; t < n; t++) {
            rhs[r * n + t] = p->normal.rhs[t * nc + r];
        }
    }
    for (int l = n_local - 1; l >= 0; l--) {
        back_local(p, l, rhs);
    }
}
