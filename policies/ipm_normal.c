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
                struct ipm_span in =
                    ipm_span_both(col->there[i], col->there[j]);
                if (in.to <= in.from) {
                    continue;
                }
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

/* The stages of every local row, from the columns in it. */
static void find_local(struct ipm *p)
{
    for (int l = 0; l < p->n_rows - p->n_coupled; l++) {
        p->normal.local[l].on = (struct ipm_span){p->n_stages, 0};
    }
    for (int c = 0; c < p->n_cols; c++) {
        const struct ipm_col *col = &p->cols[c];
        for (int e = 0; e < col->n_entries; e++) {
            int l = col->entries[e].row - p->n_coupled;
            struct ipm_span in = col->there[e];
            if (l >= 0 && in.to > in.from) {
                struct ipm_span *on = &p->normal.local[l].on;
                int from = in.from + col->entries[e].lag;
                int to = in.to + col->entries[e].lag;
                on->from = from < on->from ? from : on->from;
                on->to = to > on->to ? to : on->to;
            }
        }
    }
}

static void mark_fill(struct ipm *p)
{
    struct ipm_normal *q = &p->normal;
    find_local(p);
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
    for (int r = 0; r < p->n_rows; r++) {
        size_t row = (size_t)p->n_rows * sizeof(q->diag[0][0]);
        memset(q->diag[r], 0xff, row);
        memset(q->after[r], 0xff, row);
    }
    q->n_pairs = 0;
    for (int r = 0; r < p->n_coupled; r++) {
        mark_diag(q, r, r);
    }
    mark_columns(p);
    mark_fill(p);
    size_t n = (size_t)p->n_stages;
    q->pairs = ipm_take_unset(m, (size_t)q->n_pairs * n);
    q->inverse = ipm_take(m, (size_t)(p->n_rows - p->n_coupled) * n);
    return q->pairs && q->inverse && ipm_band_open(p, m);
}

static double *pair_of(const struct ipm *p, int pair)
{
    return p->normal.pairs + (size_t)pair * (size_t)p->n_stages;
}

/* Where the product of two entries goes: that of a column's stage 0. */
static double *target(struct ipm *p, struct ipm_neighbour a,
                      struct ipm_neighbour b)
{
    struct ipm_normal *q = &p->normal;
    int pair = a.lag == b.lag  ? q->diag[a.row][b.row]
               : a.lag > b.lag ? q->after[a.row][b.row]
                               : q->after[b.row][a.row];
    if (!q->clean[pair]) {
        q->clean[pair] = true;
        memset(pair_of(p, pair), 0, (size_t)p->n_stages * sizeof(double));
    }
    return pair_of(p, pair) + (a.lag == b.lag ? a.lag : 0);
}

static void add_product(struct ipm *p, const double *theta,
                        const struct ipm_entry *const of[2], struct ipm_span in)
{
    const struct ipm_entry *a = of[0];
    const struct ipm_entry *b = of[1];
    double *to = target(p, (struct ipm_neighbour){a->row, a->lag, 0},
                        (struct ipm_neighbour){b->row, b->lag, 0}) +
                 in.from;
    double k = a->k * b->k;
    const double *one = a->shape ? a->shape : b->shape;
    size_t n = (size_t)(in.to - in.from);
    theta += in.from;
    if (a->shape && b->shape) {
        ipm_add_twice_shaped(
            n, k, (const double *[]){theta, one + in.from, b->shape + in.from},
            to);
    } else if (one) {
        ipm_add_shaped(n, k, (const double *[]){theta, one + in.from}, to);
    } else {
        ipm_add(n, k, theta, to);
    }
}

void ipm_normal_clear(struct ipm *p)
{
    memset(p->normal.clean, 0, (size_t)p->normal.n_pairs);
}

void ipm_normal_add(struct ipm *p, int c)
{
    const double *theta = p->theta + (size_t)c * (size_t)p->n_stages;
    const struct ipm_col *col = &p->cols[c];
    for (int i = 0; i < col->n_entries; i++) {
        struct ipm_span on = ipm_span_both(col->on, col->there[i]);
        for (int j = 0; j <= i; j++) {
            struct ipm_span in = ipm_span_both(on, col->there[j]);
            if (in.to > in.from) {
                add_product(p, theta,
                            (const struct ipm_entry *[]){&col->entries[i],
                                                         &col->entries[j]},
                            in);
            }
        }
    }
}

static void clear_rest(struct ipm *p)
{
    for (int pair = 0; pair < p->normal.n_pairs; pair++) {
        if (!p->normal.clean[pair]) {
            memset(pair_of(p, pair), 0, (size_t)p->n_stages * sizeof(double));
        }
    }
    memset(p->normal.clean, 1, (size_t)p->normal.n_pairs);
}

static void invert(const double *pivot, size_t n, double *inv)
{
    for (size_t t = 0; t < n; t++) {
        inv[t] = pivot[t] > 1e-30 ? 1.0 / pivot[t] : 0.0;
    }
}

/* The stages of a local row that its neighbour is there for. */
static size_t shared(const struct ipm *p, const struct ipm_local *local,
                     int lag)
{
    int to = p->n_stages - lag;
    to = local->on.to < to ? local->on.to : to;
    return to > local->on.from ? (size_t)(to - local->on.from) : 0;
}

/* From the last neighbour on, so that those before are as they were; what
 * stays in a pair is divided by the pivot. */
static void eliminate(struct ipm *p, int l)
{
    const struct ipm_local *local = &p->normal.local[l];
    int row = p->n_coupled + l;
    size_t n = (size_t)p->n_stages;
    int from = local->on.from;
    size_t count = shared(p, local, 0);
    double *inv = p->normal.inverse + (size_t)l * n;
    if (count == 0) {
        return;
    }
    invert(pair_of(p, p->normal.diag[row][row]) + from, count, inv + from);
    for (int i = local->n_neighbours - 1; i >= 0; i--) {
        double *own = pair_of(p, local->at[i].pair) + from;
        memcpy(p->work, own, count * sizeof(double));
        ipm_scale(count, inv + from, own);
        for (int j = 0; j <= i; j++) {
            const double *with =
                j == i ? p->work : pair_of(p, local->at[j].pair) + from;
            double *to = target(p, local->at[i], local->at[j]) + from;
            int lag = local->at[i].lag | local->at[j].lag;
            ipm_subtract(shared(p, local, lag), own, with, to);
        }
    }
}

static void forward_local(struct ipm *p, int l, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    const struct ipm_local *local = &p->normal.local[l];
    int from = local->on.from;
    const double *own = rhs + (size_t)(p->n_coupled + l) * n + from;
    for (int i = 0; i < local->n_neighbours; i++) {
        const struct ipm_neighbour *nb = &local->at[i];
        double *to = rhs + (size_t)nb->row * n + nb->lag + from;
        ipm_subtract(shared(p, local, nb->lag), pair_of(p, nb->pair) + from,
                     own, to);
    }
}

static void back_local(struct ipm *p, int l, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    const struct ipm_local *local = &p->normal.local[l];
    int from = local->on.from;
    double *own = rhs + (size_t)(p->n_coupled + l) * n;
    ipm_scale(n, p->normal.inverse + (size_t)l * n, own);
    for (int i = 0; i < local->n_neighbours; i++) {
        const struct ipm_neighbour *nb = &local->at[i];
        const double *with = rhs + (size_t)nb->row * n + nb->lag + from;
        ipm_subtract(shared(p, local, nb->lag), pair_of(p, nb->pair) + from,
                     with, own + from);
    }
}

static void forward_all(struct ipm *p, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    size_t nc = (size_t)p->n_coupled;
    for (int l = 0; l < p->n_rows - p->n_coupled; l++) {
        forward_local(p, l, rhs);
    }
    for (size_t t = 0; t < n; t++) {
        for (size_t r = 0; r < nc; r++) {
            p->normal.rhs[t * nc + r] = rhs[r * n + t];
        }
    }
}

static void back_all(struct ipm *p, double *rhs)
{
    size_t n = (size_t)p->n_stages;
    size_t nc = (size_t)p->n_coupled;
    for (size_t t = 0; t < n; t++) {
        for (size_t r = 0; r < nc; r++) {
            rhs[r * n + t] = p->normal.rhs[t * nc + r];
        }
    }
    for (int l = p->n_rows - p->n_coupled - 1; l >= 0; l--) {
        back_local(p, l, rhs);
    }
}

void ipm_normal_factor(struct ipm *p, double *rhs)
{
    clear_rest(p);
    for (int l = 0; l < p->n_rows - p->n_coupled; l++) {
        eliminate(p, l);
    }
    forward_all(p, rhs);
    ipm_band_factor(p);
    back_all(p, rhs);
}

void ipm_normal_solve(struct ipm *p, double *rhs)
{
    forward_all(p, rhs);
    ipm_band_solve(p);
    back_all(p, rhs);
}
