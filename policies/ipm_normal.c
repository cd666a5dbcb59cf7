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
    size_t pad = (size_t)q->width + 1; /* updates run past the last column */
    q->pairs = ipm_take(m, (size_t)q->n_pairs * n);
    q->inverse = ipm_take(m, (size_t)(p->n_rows - p->n_coupled) * n);
    q->band = ipm_take(m, (n_band + pad) * ((size_t)q->width + 1));
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

static void scatter_pair(struct ipm *p, int pair, int col, int below)
{
    const double *from = pair_of(p, pair);
    size_t stride = (size_t)p->normal.width + 1;
    size_t step = (size_t)p->n_coupled * stride;
    double *to = p->normal.band + (size_t)col * stride + (size_t)below;
    for (int t = 0; t < p->n_stages; t++) {
        to[(size_t)t * step] = from[t];
    }
}

static void scatter(struct ipm *p)
{
    const struct ipm_normal *q = &p->normal;
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    size_t stride = (size_t)q->width + 1;
    memset(q->band, 0, (columns + stride) * stride * sizeof(double));
    for (int r = 0; r < p->n_coupled; r++) {
        for (int s = 0; s < p->n_coupled; s++) {
            if (s >= r && q->diag[r][s] >= 0) {
                scatter_pair(p, q->diag[r][s], r, s - r);
            }
            if (q->after[s][r] >= 0) {
                scatter_pair(p, q->after[s][r], r, p->n_coupled + s - r);
            }
        }
    }
}

/* The diagonal keeps 1 / L[j][j], 0 for a skipped pivot. */
static void cholesky(struct ipm *p)
{
    int w = p->normal.width;
    size_t stride = (size_t)w + 1;
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    for (size_t j = 0; j < columns; j++) {
        double *restrict col = p->normal.band + j * stride;
        int r = (int)(j % (size_t)p->n_coupled);
        double whole =
            pair_of(p, p->normal.diag[r][r])[j / (size_t)p->n_coupled];
        if (!(col[0] > pivot_min_pu * whole && col[0] > 1e-30)) {
            memset(col, 0, stride * sizeof(double));
            continue;
        }
        double inv = 1.0 / sqrt(col[0]);
        col[0] = inv;
        for (int k = 1; k <= w; k++) {
            col[k] *= inv;
        }
        for (int k = 1; k <= w; k++) {
            double f = col[k];
            double *restrict to = col + (size_t)k * stride;
            for (int i = k; i <= w; i++) {
                to[i - k] -= f * col[i];
            }
        }
    }
}

void ipm_normal_factor(struct ipm *p)
{
    products(p);
    for (int l = 0; l < p->n_rows - p->n_coupled; l++) {
        eliminate(p, l);
    }
    scatter(p);
    cholesky(p);
}

static void band_solve(struct ipm *p)
{
    int w = p->normal.width;
    size_t stride = (size_t)w + 1;
    size_t columns = (size_t)p->n_stages * (size_t)p->n_coupled;
    double *restrict v = p->normal.rhs;
    for (size_t j = 0; j < columns; j++) {
        const double *restrict col = p->normal.band + j * stride;
        double f = v[j] * col[0];
        v[j] = f;
        for (int k = 1; k <= w; k++) {
            v[j + (size_t)k] -= f * col[k];
        }
    }
    memset(v + columns, 0, stride * sizeof(double));
    for (size_t j = columns; j-- > 0;) {
        const double *restrict col = p->normal.band + j * stride;
        double even = 0.0;
        double odd = 0.0;
        int k = 1;
        for (; k < w; k += 2) {
            even += col[k] * v[j + (size_t)k];
            odd += col[k + 1] * v[j + (size_t)k + 1];
        }
        if (k == w) {
            even += col[k] * v[j + (size_t)k];
        }
        v[j] = (v[j] - (even + odd)) * col[0];
    }
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
           ((size_t)p->normal.width + 1) * sizeof(double));
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
