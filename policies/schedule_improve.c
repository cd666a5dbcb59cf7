/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the best schedule so far to a better one: its directions are kept but
 * where the programme's multipliers promise most from the other one. */
#include "policies/schedule_search.h"

#include <math.h>

/* A power below it is none, as a part of the full one. */
static const double idle_pu = 1e-6;
static const double rough_pu = 1e-3;

/* The directions of the best schedule; true where there are any. */
static bool take_best(struct schedule_search *at)
{
    struct schedule_solver *s = at->s;
    bool any = false;
    s->ways = s->root;
    for (int64_t i = 0; i < at->p->n_batteries; i++) {
        const struct schedule_battery *b = &at->p->batteries[i];
        for (int64_t t = 0; t < at->p->n_steps; t++) {
            double w = at->best->battery_w[i][t];
            int8_t *way = &s->ways.at[i][t];
            if (*way != SCHEDULE_WAY_SHARED) {
                continue;
            }
            any = true;
            *way = w > idle_pu * b->charge_max_w[t]       ? SCHEDULE_WAY_IN
                   : -w > idle_pu * b->discharge_max_w[t] ? SCHEDULE_WAY_OUT
                                                          : *way;
        }
    }
    return any;
}

/* What a direction's power would bring at most, all segments alike: of what
 * the multipliers say a unit of it costs. */
static double worth(const struct schedule_lp *lp, const int *cols, int n, int t)
{
    double least = 0.0;
    for (int s = 0; s < n; s++) {
        const struct ipm_col *c = &lp->ipm.cols[cols[s]];
        size_t at = (size_t)cols[s] * (size_t)lp->n + (size_t)t;
        double cost = lp->ipm.cost[at];
        for (int e = 0; e < 2; e++) { /* the balance and the store */
            const struct ipm_entry *q = &c->entries[e];
            double k = q->shape ? q->k * q->shape[t] : q->k;
            cost -= k * lp->ipm.y[(size_t)q->row * (size_t)lp->n + (size_t)t];
        }
        least = fmin(least, cost);
    }
    return -least;
}

static double promise(const struct schedule_search *at, int i, int t)
{
    const struct schedule_lp *lp = &at->s->lp;
    const struct schedule_lp_battery *b = &lp->batteries[i];
    int8_t way = at->s->ways.at[i][t];
    double in = b->in_max[t] * worth(lp, b->charge, b->store.n_segments, t);
    double out =
        b->out_max[t] * worth(lp, b->discharge, b->store.n_segments, t);
    return way == SCHEDULE_WAY_IN ? out - in : in - out;
}

static bool is_fixed(int8_t way)
{
    return way == SCHEDULE_WAY_IN || way == SCHEDULE_WAY_OUT;
}

/* A number below which 'part' of the promises of the fixed steps do not lie. */
static double threshold(const struct schedule_search *at, double part)
{
    const struct schedule_lp *lp = &at->s->lp;
    double lo = INFINITY;
    double hi = -INFINITY;
    int n = 0;
    for (int i = 0; i < lp->n_batteries; i++) {
        for (int t = 0; t < lp->n; t++) {
            if (is_fixed(at->s->ways.at[i][t])) {
                double x = promise(at, i, t);
                lo = fmin(lo, x);
                hi = fmax(hi, x);
                n++;
            }
        }
    }
    for (int k = 0; k < 12; k++) {
        double mid = 0.5 * (lo + hi);
        int above = 0;
        for (int i = 0; i < lp->n_batteries; i++) {
            for (int t = 0; t < lp->n; t++) {
                above +=
                    is_fixed(at->s->ways.at[i][t]) && promise(at, i, t) >= mid;
            }
        }
        if (above > part * n) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return hi;
}

static void open_best(struct schedule_search *at, double part)
{
    const struct schedule_lp *lp = &at->s->lp;
    double least = threshold(at, part);
    for (int i = 0; i < lp->n_batteries; i++) {
        for (int t = 0; t < lp->n; t++) {
            int8_t *way = &at->s->ways.at[i][t];
            if (is_fixed(*way) && at->s->root.at[i][t] == SCHEDULE_WAY_SHARED &&
                promise(at, i, t) >= least) {
                *way = SCHEDULE_WAY_SHARED;
            }
        }
    }
}

void schedule_improve(struct schedule_search *at, double part)
{
    double rough = at->rough_pu;
    if (!take_best(at)) {
        return;
    }
    at->rough_pu = 0.0;
    if (!at->fits) {
        schedule_search_solve(at, -INFINITY);
    }
    if (schedule_search_over(at)) {
        at->rough_pu = rough;
        return;
    }
    open_best(at, part);
    at->rough_pu = rough_pu;
    double bound = schedule_search_solve(at, -INFINITY);
    at->rough_pu = 0.0;
    if (bound < at->best_cur) {
        schedule_round(at);
    }
    at->rough_pu = rough;
}
