/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ipm - a primal-dual interior point for linear programmes in stages.
 *
 *     min cost'x   A x = rhs   lo <= x <= lo + range
 *
 * Every column and every row is a kind that exists once per stage; a column of
 * stage t has entries in rows of stage t (lag 0) and of stage t + 1 (lag 1).
 * The normal equations are then block banded.  Rows without an entry at lag 1
 * on their own account ("local") are eliminated over all stages at once, and
 * what is left by a banded Cholesky factorisation; a column in local rows only
 * costs nothing.  Vectors are kept by kind, so that all work on them runs along
 * time.
 *
 * Mehrotra's predictor and corrector (SIAM J. Optim. 2(4), 1992) for boxes,
 * then Gondzio's centrality correctors (Comput. Optim. Appl. 6, 1996), so that
 * one factorisation carries farther; y is dual feasible throughout.  x is kept
 * as its distances from both bounds, so that neither vanishes by rounding.
 * Every range is finite: a bound from below follows from any y.
 *
 * Nothing is allocated: ipm_open takes what it needs from the caller's memory.
 */
#ifndef POLICIES_IPM_H
#define POLICIES_IPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPM_ENTRIES_MAX = 8,
    IPM_ROWS_MAX = 200,
    IPM_COLS_MAX = 528,
    IPM_NEIGHBOURS_MAX = 2 * IPM_ROWS_MAX,
};

/* Bump allocator of doubles. */
struct ipm_memory {
    double *base;
    size_t n;
    size_t n_used;
};

/* NULL when it is exhausted; set to 0. */
double *ipm_take(struct ipm_memory *m, size_t n);

/* The same, as it is: for what is written before it is read. */
double *ipm_take_unset(struct ipm_memory *m, size_t n);

struct ipm_entry {
    int row;
    int lag;
    double k;
    const double *shape; /* coefficient k * shape[t]; NULL: k */
};

/* Stages from .. to - 1. */
struct ipm_span {
    int from;
    int to;
};

struct ipm_col {
    int n_entries;
    struct ipm_entry entries[IPM_ENTRIES_MAX];
    /* Set by ipm_open, from shapes, and by ipm_start, from ranges. */
    struct ipm_span there[IPM_ENTRIES_MAX]; /* the entry is not 0 */
    struct ipm_span on;                     /* the column is not fixed */
};

/* A row coupled with a local one: 'pair' holds their products. */
struct ipm_neighbour {
    int row;
    int lag;
    int pair;
};

struct ipm_local {
    struct ipm_span on; /* has entries */
    int n_neighbours;
    struct ipm_neighbour at[IPM_NEIGHBOURS_MAX];
};

/* Where the products of two coupled rows go in the band. */
struct ipm_block {
    int16_t pair;
    int16_t col;
    int16_t below;
};

struct ipm_normal {
    int width;                                 /* half bandwidth */
    int n_pairs;                               /* of rows with products */
    int16_t diag[IPM_ROWS_MAX][IPM_ROWS_MAX];  /* same stage, symmetric */
    int16_t after[IPM_ROWS_MAX][IPM_ROWS_MAX]; /* [row of t + 1][row of t] */
    struct ipm_local local[IPM_ROWS_MAX];
    bool clean[2 * IPM_ROWS_MAX * IPM_ROWS_MAX]; /* pairs, since the clear */
    int n_blocks;
    struct ipm_block blocks[2 * IPM_ROWS_MAX * IPM_ROWS_MAX];
    double *pairs;   /* n_pairs x stages; of a local row over its pivot */
    double *inverse; /* of the local pivots, n_local x stages */
    double *band;    /* columns of the factor */
    double *whole;   /* diagonal before, stages x coupled rows */
    double *rhs;     /* likewise */
};

/* Where an iteration goes, and what it wants of the complementarity: cl is
 * what dzl + zl dx / xl comes to. */
struct ipm_way {
    double *dx; /* n_cols x n_stages */
    double *cl;
    double *cu;
    double *dy;    /* n_rows x n_stages */
    double primal; /* how far, until the first value reaches 0; at most 1 */
    double dual;
    double by_x;    /* sum of dx z */
    double by_both; /* sum of dx dz */
};

struct ipm {
    int n_stages;
    int n_cols;
    int n_rows;
    int n_coupled; /* the first rows; the rest is local */
    struct ipm_col cols[IPM_COLS_MAX];
    /* n_cols x n_stages */
    double *cost;
    double *range; /* 0: the column is fixed at its lower bound */
    double *xl;    /* x - lo */
    double *xu;    /* hi - x */
    double *zl;
    double *zu;
    double *il; /* 1 / xl, 0 for a fixed column */
    double *iu;
    double *theta;
    double *grad; /* A'y - cost */
    /* n_rows x n_stages */
    double *rhs;
    double *y; /* may be set before ipm_start, a guess */
    double *rp;
    double *work;                /* n_stages */
    bool (*stop)(void *context); /* asked within an iteration; NULL: never */
    void *stop_context;
    bool stopped;
    double start_off_pu; /* of a range that the start keeps off its bounds */
    struct ipm_way ways[2];
    double n_on; /* not fixed */
    double mu;
    double cost_sum;  /* cost'(x - lo) */
    double primal_pu; /* residual, relative */
    struct ipm_normal normal;
};

/* Takes the arrays; false when the memory is exhausted.  n_* are set and the
 * columns' entries declared before, with what is in their shapes. */
bool ipm_open(struct ipm *p, struct ipm_memory *m);

/* A start near the central path of y; after cost, range and rhs are set. */
void ipm_start(struct ipm *p);

/* Another one, of no guess and farther from the bounds, where an iteration
 * from the first moves nothing. */
void ipm_start_anew(struct ipm *p);

/* One predictor-corrector iteration; false when nothing moves any more, a
 * number is lost or it is stopped, with the iterate as it was. */
bool ipm_iterate(struct ipm *p);

/* cost'(x - lo) of the iterate. */
double ipm_cost(const struct ipm *p);

static inline struct ipm_span ipm_span_both(struct ipm_span a,
                                            struct ipm_span b)
{
    int from = a.from > b.from ? a.from : b.from;
    int to = a.to < b.to ? a.to : b.to;
    return (struct ipm_span){from, to > from ? to : from};
}

/* A bound from below on the optimum of cost'(x - lo), from y alone, less what
 * rounding may add to it. */
double ipm_bound(const struct ipm *p);

/* out = A v. */
void ipm_times(const struct ipm *p, const double *v, double *out);

/* Of a column where it is not fixed: 'n' values from 'at' on are those of stage
 * 't' on. */
struct ipm_part {
    size_t at;
    size_t t;
    size_t n;
};

/* Asks whether to stop, and remembers. */
static inline bool ipm_stopped(struct ipm *p)
{
    p->stopped = p->stopped || (p->stop != NULL && p->stop(p->stop_context));
    return p->stopped;
}

struct ipm_part ipm_part_of(const struct ipm *p, int c);

/* policies/ipm_column.c: with column c of A where it is not fixed, out += it
 * times v; out = it'v; grad = it'y - cost. */
void ipm_column_times(const struct ipm *p, int c, const double *v, double *out);
void ipm_column_dot(const struct ipm *p, int c, const double *v, double *out);
void ipm_column_slope(struct ipm *p, int c);

/* Where dx = theta (A'dy + gradient) leads: the gradient of the way's aim. */
static inline double ipm_aim(double grad, double cl, double zl, double cu,
                             double zu)
{
    return grad + (cl + zl) - (cu + zu);
}

/* policies/ipm_pass.c: everything at once of one column after the other.  They
 * leave A theta g in the way's dy, where g is the gradient of what it wants. */
void ipm_pass_start(struct ipm *p, double mu);
void ipm_pass_move(struct ipm *p, const struct ipm_way *by, double primal,
                   double dual);
void ipm_pass_correct(struct ipm *p, double target, struct ipm_way *way);
void ipm_pass_centre(struct ipm *p, double target, const struct ipm_way *from,
                     struct ipm_way *to);

/* policies/ipm_reach.c: from dy to dx and how far both go; predict: the way
 * wants all products 0, and its cl and cu are not looked at. */
void ipm_pass_reach(struct ipm *p, struct ipm_way *way);
void ipm_pass_predict(struct ipm *p, struct ipm_way *way);

/* policies/ipm_normal.c: products of a column with theta, after a clear; factor
 * and solve, solve again (rhs and answer n_rows x n_stages, in place). */
bool ipm_normal_open(struct ipm *p, struct ipm_memory *m);
void ipm_normal_clear(struct ipm *p);
void ipm_normal_add(struct ipm *p, int c);
void ipm_normal_factor(struct ipm *p, double *rhs);
void ipm_normal_solve(struct ipm *p, double *rhs);

/* policies/ipm_band.c: the coupled rows, from 'pairs' to 'band' and in 'rhs';
 * the factorisation solves once, too. */
bool ipm_band_open(struct ipm *p, struct ipm_memory *m);
void ipm_band_factor(struct ipm *p);
void ipm_band_solve(struct ipm *p);

#endif
