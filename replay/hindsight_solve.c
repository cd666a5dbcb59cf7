/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/hindsight_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS_MAX = 200, ROUNDS_MAX = 4 };

static const double GAP_PU = 1e-7;
static const double PRIMAL_PU = 1e-8;
static const double MU_MIN = 1e-13;   /* below it, steps are rounding */
static const double GOOD_PU = 1e-3;   /* an answer that stalled here will do */
static const double EXCESS_PU = 1e-5; /* of the reach; less is rounding */

/* One solve and what it works on. */
struct solve {
    struct hindsight_stores stores;
    struct hindsight_ways ways;
    struct hindsight_lp lp;
    struct ipm_memory memory;
    double bound; /* of the first round: it holds for all, scaled */
    bool bounded;
    bool progress;
};

static double cost_of(const struct hindsight_lp *lp)
{
    const struct ipm *q = &lp->ipm;
    double sum = ipm_cost(q);
    for (size_t i = 0; i < (size_t)q->n_cols * (size_t)lp->n; i++) {
        sum += q->cost[i] * lp->lo[i];
    }
    return sum;
}

static double bound_of(const struct hindsight_lp *lp, double cost)
{
    return ipm_bound(&lp->ipm) + cost - ipm_cost(&lp->ipm);
}

/* True where it comes near its own bound. */
static bool iterate(struct solve *s, struct hindsight_answer *out)
{
    struct hindsight_lp *lp = &s->lp;
    ipm_start(&lp->ipm);
    double cost = INFINITY;
    double bound = -INFINITY;
    for (int i = 0; i < ITERATIONS_MAX && ipm_iterate(&lp->ipm); i++) {
        cost = cost_of(lp);
        bound = fmax(bound, bound_of(lp, cost));
        out->n_iterations++;
        if (s->progress) {
            fprintf(stderr, "\rhindsight: iteration %d ", out->n_iterations);
        }
        bool near = lp->ipm.primal_pu < PRIMAL_PU &&
                    cost - bound <= GAP_PU * fmax(1.0, fabs(cost));
        if (near || lp->ipm.mu < MU_MIN) {
            break;
        }
    }
    if (!s->bounded) {
        s->bound = bound;
        s->bounded = true;
    }
    out->cost_cur = cost * lp->unit_cur;
    out->gap_pu = fmax(cost - s->bound, 0.0) / fmax(1.0, fabs(cost));
    return cost - bound <= GOOD_PU * fmax(1.0, fabs(cost)) &&
           lp->ipm.primal_pu < GOOD_PU;
}

/* Both ways of a store at a step, of all its segments. */
static double sum_w(const struct solve *s, const int *cols, int i, int t)
{
    double w = 0.0;
    for (int k = 0; k < s->stores.at[i].n_segments; k++) {
        w += hindsight_lp_value(&s->lp, cols[k], t);
    }
    return w;
}

/* Steps at which a store does both may only do what they do net.  False where
 * there is none. */
static bool decide(struct solve *s)
{
    bool any = false;
    for (int i = 0; i < s->stores.n; i++) {
        const struct hindsight_lp_store *at = &s->lp.at[i];
        for (int t = 0; t < s->lp.n; t++) {
            double in_w = sum_w(s, at->charge, i, t);
            double out_w = sum_w(s, at->discharge, i, t);
            signed char *way = &s->ways.at[i][t];
            if (*way == 0 && fmin(in_w, out_w) > EXCESS_PU * s->lp.reach_w) {
                *way = in_w < out_w ? -1 : 1;
                any = true;
            }
        }
    }
    return any;
}

static void take_step(const struct solve *s, int t,
                      struct hindsight_answer *out)
{
    const struct hindsight_lp *lp = &s->lp;
    double least_w = EXCESS_PU * lp->reach_w;
    double held_w = 0.0;
    for (int k = 0; k < SITE_CLASSES_MAX; k++) {
        double w = hindsight_lp_value(lp, lp->held[k], t) -
                   hindsight_lp_value(lp, lp->more[k], t);
        out->held_w[k][t] = w;
        held_w += w;
        out->held_wh += lp->queue_row[k] >= 0
                            ? hindsight_lp_value(lp, lp->lost[k], t)
                            : w * lp->h[t];
    }
    out->saved_w[t] = (lp->shed[t] - 1.0) * held_w;
    if (lp->saving >= 0) {
        out->saved_w[t] +=
            lp->cool_pu[t] * hindsight_lp_value(lp, lp->saving, t);
    }
    double ramp_w = hindsight_lp_value(lp, lp->ramp_over, t) +
                    hindsight_lp_value(lp, lp->ramp_under, t);
    out->n_ramps += ramp_w > least_w;
    out->n_limits += hindsight_lp_value(lp, lp->over, t) > least_w;
    for (int i = 0; i < s->stores.n; i++) {
        const struct hindsight_lp_store *at = &lp->at[i];
        out->store_w[i][t] =
            sum_w(s, at->charge, i, t) - sum_w(s, at->discharge, i, t);
        out->swing_wh += hindsight_lp_value(lp, at->top_rise, t) +
                         hindsight_lp_value(lp, at->bottom_fall, t);
    }
}

static enum err answer(struct solve *s, const struct hindsight_truth *truth,
                       enum hindsight_aim aim, struct hindsight_answer *out)
{
    bool again = true;
    for (int round = 0; again && round < ROUNDS_MAX; round++) {
        s->memory.n_used = 0;
        if (!hindsight_lp_open(&s->lp, aim, truth, &s->stores, &s->memory)) {
            return ERR_MEMORY;
        }
        hindsight_fill(&s->lp, &s->ways);
        if (!iterate(s, out)) {
            return ERR_RANGE;
        }
        /* What is needed at least may be met by burning energy in a circle. */
        again = aim == HINDSIGHT_COST && decide(s);
    }
    for (int t = 0; t < s->lp.n; t++) {
        take_step(s, t, out);
    }
    return ERR_NONE;
}

enum err hindsight_solve(const struct hindsight_truth *truth,
                         enum hindsight_aim aim, bool progress,
                         struct hindsight_answer *out)
{
    memset(out, 0, sizeof(*out));
    struct solve *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return ERR_MEMORY;
    }
    enum err e = ERR_FULL;
    s->progress = progress;
    if (hindsight_stores(truth->site, aim, &s->stores)) {
        s->memory.n = hindsight_lp_memory(truth, &s->stores);
        s->memory.base = calloc(s->memory.n, sizeof(*s->memory.base));
        e = s->memory.base != NULL ? answer(s, truth, aim, out) : ERR_MEMORY;
    }
    if (progress) {
        fprintf(stderr, "\r                              \r");
    }
    free(s->memory.base);
    free(s);
    return e;
}
