/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The normal equations A theta A' dy = r of a programme in stages: symbolic
 * structure once, then products and elimination of the local rows along time;
 * ipm_band.c solves the rest. */
#include "policies/ipm.h"

#include <assert.h>
#include <string.h>

#include "policies/ipm_vector.h"

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
    size_t n = (size_t)p->n_stages;
    q->pairs = ipm_take(m, (size_t)q->n_pairs * n);
    q->inverse = ipm_take(m, (size_t)(p->n_rows - p->n_coupled) * n);
    return q->pairs && q->inverse && ipm_band_open(p, m);
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
    const double *one = a->shape ? a->shape : b->shape;
    const double *other = a->shape && b->shape ? b->shape : NULL;
    size_t n = (size_t)to.n;
    if (other) {
        ipm_add_twice_shaped(n, k, (const double *[]){theta, one, other},
                             to.at);
    } else if (one) {
        ipm_add_shaped(n, k, (const double *[]){theta, one}, to.at);
    } else {
        ipm_add(n, k, theta, to.at);
    }
}

void ipm_normal_clear(struct ipm *p)
{
    memset(p->normal.pairs, 0,
           (size_t)p->normal.n_pairs * (size_t)p->n_stages * sizeof(double));
}

void ipm_normal_add(struct ipm *p, int c)
{
    const double *theta = p->theta + (size_t)c * (size_t)p->n_stages;
    const struct ipm_col *col = &p->cols[c];
    for (int i = 0; i < col->n_entries; i++) {
        for (int j = 0; j <= i; j++) {
            add_product(p, theta, &col->entries[i], &col->entries[j]);
        }
    }
}

static void invert(const double *pivot, size_t n, double *inv)
{
    for (size_t t = 0; t < n; t++) {
        inv[t] = pivot[t] > 1e-30 ? 1.0 / pivot[t] : 0.0;
    }
}

/* From the last neighbour on, so that those before are as they were; what
 * stays in a pair is divided by the pivot. */
static void eliminate(struct ipm *p, int l)
{
    const struct ipm_local *local = &p->normal.local[l];
    int row = p->n_coupled + l;
    size_t n = (size_t)p->n_stages;
    double *inv = p->normal.inverse + (size_t)l * n;
    invert(pair_of(p, p->normal.diag[row][row]), n, inv);
    for (int i = local->n_neighbours - 1; i >= 0; i--) {
        double *own = pair_of(p, local->at[i].pair);
        memcpy(p->work, own, n * sizeof(double));
        ipm_scale(n, inv, own);
        for (int j = 0; j <= i; j++) {
            const double *with =
                j == i ? p->work : pair_of(p, local->at[j].pair);
            struct target to = target(p, local->at[i], local->at[j]);
            ipm_subtract((size_t)to.n, own, with, to.at);
        }
    }
}

void ipm_normal_factor(struct ipm *p)
{
    for (int l = 0; l < p->n_rows - p->n_coupled; l++) {
        eliminate(p, l);
    }
    ipm_band_factor(p);
}

static void forward_local(struct ipm *p, int l, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    const struct ipm_local *local = &p->normal.local[l];
    const double *own = rhs + (size_t)(p->n_coupled + l) * n;
    for (int i = 0; i < local->n_neighbours; i++) {
        const struct ipm_neighbour *nb = &local->at[i];
        double *to = rhs + (size_t)nb->row * n + nb->lag;
        ipm_subtract(n - (size_t)nb->lag, pair_of(p, nb->pair), own, to);
    }
}

static void back_local(struct ipm *p, int l, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    const struct ipm_local *local = &p->normal.local[l];
    double *own = rhs + (size_t)(p->n_coupled + l) * n;
    ipm_scale(n, p->normal.inverse + (size_t)l * n, own);
    for (int i = 0; i < local->n_neighbours; i++) {
        const struct ipm_neighbour *nb = &local->at[i];
        const double *from = rhs + (size_t)nb->row * n + nb->lag;
        ipm_subtract(n - (size_t)nb->lag, pair_of(p, nb->pair), from, own);
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
    ipm_band_solve(p);
    for (size_t r = 0; r < nc; r++) {
        for (size_t t = 0; t < n; t++) {
            rhs[r * n + t] = p->normal.rhs[t * nc + r];
        }
    }
    for (int l = n_local - 1; l >= 0; l--) {
        back_local(p, l, rhs);
    }
}
