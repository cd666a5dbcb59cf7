/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_apart.h"

#include <float.h>
#include <math.h>

/* Windows are that much wider, so that rounding closes none. */
static const double wider = 1e-10;
/* Of what was added up, per step: a sum, two ways and their lower one. */
static const double rounding_pu = 16.0 * DBL_EPSILON;
/* What leaving points out may cost altogether. */
static const double dust_pu = 2e-8;

/* A battery at the multipliers of a programme. */
struct single {
    const struct schedule_lp *lp;
    const struct schedule_battery *b;
    const struct schedule_lp_battery *at;
    const int8_t *ways; /* per step */
    struct schedule_apart *work;
    double dust;
};

static double dual(const struct schedule_lp *lp, int row, int t)
{
    return lp->ipm.y[(size_t)row * (size_t)lp->n + (size_t)t];
}

static size_t place(const struct schedule_lp *lp, int col, int t)
{
    return (size_t)col * (size_t)lp->n + (size_t)t;
}

/* Of a segment's energy, above the smallest of all of them: that one is of the
 * sum, and the way through the horizon keeps the sum by itself. */
static double energy_dual(const struct single *q, int s, int t)
{
    double least = INFINITY;
    for (int k = 0; k < q->at->store.n_segments; k++) {
        double y = dual(q->lp, q->at->soc_row[k], t);
        least = fabs(y) < fabs(least) ? y : least;
    }
    return dual(q->lp, q->at->soc_row[s], t) - least;
}

/* Of a row beside a segment; 0 where it is not there. */
static double side_dual(const struct single *q,
                        const struct schedule_lp_side *s, int t)
{
    bool there = s->row >= 0 && s->on[t] > 0.0;
    return there ? dual(q->lp, s->row, t) : 0.0;
}

/* The least a unit of power costs in any of the segments, without the rows that
 * the way through the horizon keeps by itself. */
static double power_cost(const struct single *q, int t, bool in)
{
    const struct schedule_lp *lp = q->lp;
    double h = lp->h[t];
    double balance = dual(lp, lp->balance_row, t);
    double least = INFINITY;
    for (int s = 0; s < q->at->store.n_segments; s++) {
        double stored = h * energy_dual(q, s, t);
        int col = in ? q->at->charge[s] : q->at->discharge[s];
        double cost = lp->ipm.cost[place(lp, col, t)];
        cost += in ? balance + q->b->charge_eff_pu * stored
                   : -balance - stored / q->b->discharge_eff_pu;
        const struct schedule_lp_side *side =
            in ? &q->at->bottoms[s] : &q->at->tops[s];
        double beside = side_dual(q, side, t);
        cost -= beside != 0.0 ? beside * (in ? side->in : side->out)[t] : 0.0;
        least = fmin(least, cost);
    }
    return least;
}

/* The part of the energies from lo to hi. */
struct span {
    double lo;
    double hi;
};

/* What may be stored at a step's end. */
static struct span window(const struct single *q, int t)
{
    struct span w = {q->at->low[t], q->at->high[t]};
    if (t == q->lp->n - 1 && isfinite(q->b->soc_end_min_pu)) {
        double want = (q->b->soc_end_min_pu - q->b->soc_min_pu);
        want *= q->b->energy_wh / q->lp->unit_w;
        w.lo = fmax(w.lo, fmin(want, w.hi));
    }
    double more = wider * (1.0 + fabs(w.hi));
    return (struct span){w.lo - more, w.hi + more};
}

/* A segment at a step's end. */
struct layer {
    double slope;
    double range;
};

static double layer_cost(const struct single *q, int s, int t)
{
    const struct schedule_lp *lp = q->lp;
    double after = t + 1 < lp->n ? energy_dual(q, s, t + 1) : 0.0;
    return lp->ipm.cost[place(lp, q->at->energy[s], t)] - energy_dual(q, s, t) +
           after - side_dual(q, &q->at->bottoms[s], t) -
           side_dual(q, &q->at->tops[s], t);
}

/* What is stored at a step's end and what that costs, the cheapest segment
 * first; past the ends of all of them it goes on. */
static void hold(const struct single *q, int t, struct schedule_curve *out)
{
    const struct schedule_lp *lp = q->lp;
    int n = q->at->store.n_segments;
    struct layer layers[SCHEDULE_SEGMENTS_MAX] = {{0.0, 0.0}};
    double x = 0.0;
    double y = 0.0;
    for (int s = 0; s < n; s++) {
        size_t col = place(lp, q->at->energy[s], t);
        struct layer layer = {layer_cost(q, s, t), lp->ipm.range[col]};
        int k = s;
        for (; k > 0 && layers[k - 1].slope > layer.slope; k--) {
            layers[k] = layers[k - 1];
        }
        layers[k] = layer;
        x += lp->lo[col];
        y += lp->lo[col] * layer.slope;
    }
    struct span w = window(q, t);
    double more = wider * (1.0 + fabs(w.hi));
    x -= more;
    y -= more * layers[0].slope;
    layers[0].range += more;
    layers[n - 1].range += more;
    schedule_curve_clear(out, q->dust);
    for (int s = 0; s < n; s++) {
        double from = fmax(x, w.lo);
        double to = fmin(x + layers[s].range, w.hi);
        if (from <= to) {
            double slope = layers[s].slope;
            schedule_curve_push(out, from, y + slope * (from - x));
            schedule_curve_push(out, to, y + slope * (to - x));
        }
        x += layers[s].range;
        y += layers[s].slope * layers[s].range;
    }
}

/* One step on: what it costs at least to come to what is stored after it. */
static void step(const struct single *q, int t, struct schedule_curve *cost)
{
    struct schedule_curve *c = q->work->curves;
    double h = q->lp->h[t];
    double k_in = h * q->b->charge_eff_pu;
    double k_out = h / q->b->discharge_eff_pu;
    const struct schedule_curve_way in = {q->at->in_max[t] * k_in,
                                          power_cost(q, t, true) / k_in};
    const struct schedule_curve_way out = {-q->at->out_max[t] * k_out,
                                           power_cost(q, t, false) / k_out};
    bool can_in = q->ways[t] != SCHEDULE_WAY_OUT && in.most > 0.0;
    bool can_out = q->ways[t] != SCHEDULE_WAY_IN && out.most < 0.0;
    struct schedule_curve *moved = cost;
    if (can_in) {
        schedule_curve_go(cost, &in, &c[1]);
        moved = &c[1];
    }
    if (can_out) {
        schedule_curve_go(cost, &out, &c[2]);
        moved = &c[2];
    }
    if (can_in && can_out) {
        schedule_curve_lower(&c[1], &c[2], &c[3]);
        moved = &c[3];
    }
    hold(q, t, &c[4]);
    if (moved == cost) {
        c[1] = *cost;
        moved = &c[1];
    }
    schedule_curve_add(moved, &c[4], cost);
}

/* What the rows beside a segment add by themselves. */
static double sides_bound(const struct single *q, int s, double *sizes)
{
    const struct schedule_lp_side *bottom = &q->at->bottoms[s];
    const struct schedule_lp_side *top = &q->at->tops[s];
    double sum = 0.0;
    for (int t = 0; t < q->lp->n; t++) {
        double low = side_dual(q, bottom, t);
        double high = side_dual(q, top, t);
        if (low != 0.0 || high != 0.0) {
            double part = low * bottom->limit[t] + high * top->limit[t] +
                          fmin(low, 0.0) * bottom->range[t] -
                          fmax(high, 0.0) * bottom->range[t];
            sum += part;
            *sizes += fabs(part);
        }
    }
    return sum;
}

/* Scaled; adds up the sizes of what it is made of. */
static double battery_bound(const struct single *q, double *sizes)
{
    struct schedule_curve *cost = &q->work->curves[0];
    double start = 0.0;
    double sum = 0.0;
    for (int s = 0; s < q->at->store.n_segments; s++) {
        double here = q->at->store.start_wh[s] / q->lp->unit_w;
        double part = here * energy_dual(q, s, 0);
        start += here;
        sum += part;
        *sizes += fabs(part);
    }
    for (int s = 0; s < q->at->store.n_segments; s++) {
        sum += sides_bound(q, s, sizes);
    }
    schedule_curve_clear(cost, q->dust);
    schedule_curve_push(cost, start, 0.0);
    for (int t = 0; t < q->lp->n && cost->n > 0; t++) {
        step(q, t, cost);
        double most = 0.0;
        for (int i = 0; i < cost->n; i++) {
            most = fmax(most, fabs(cost->y[i]));
        }
        *sizes = fmax(*sizes, most);
    }
    return cost->full ? -INFINITY : sum + schedule_curve_least(cost);
}

static bool is_battery_row(const struct schedule_lp *lp, int row)
{
    int first = lp->n_batteries > 0 ? lp->batteries[0].soc_row[0] : 0;
    return row >= first && row != lp->balance_row;
}

static bool is_battery_col(const struct schedule_lp *lp, int col)
{
    return lp->n_batteries > 0 && col >= lp->batteries[0].charge[0];
}

/* The part of the programme's bound that is not the batteries'. */
static double rest_bound(const struct schedule_lp *lp, double *work,
                         double *sizes)
{
    const struct ipm *q = &lp->ipm;
    double sum = lp->offset;
    for (int row = 0; row < q->n_rows; row++) {
        for (int t = 0; t < lp->n && !is_battery_row(lp, row); t++) {
            size_t at = (size_t)row * (size_t)lp->n + (size_t)t;
            double part = q->rhs[at] * q->y[at];
            sum += part;
            *sizes += fabs(part);
        }
    }
    for (int col = 0; col < q->n_cols; col++) {
        const double *cost = q->cost + (size_t)col * (size_t)lp->n;
        const double *range = q->range + (size_t)col * (size_t)lp->n;
        if (is_battery_col(lp, col)) {
            const double *lo = lp->lo + (size_t)col * (size_t)lp->n;
            for (int t = 0; t < lp->n; t++) {
                sum -= cost[t] * lo[t]; /* in the offset */
            }
            continue;
        }
        ipm_column_dot(q, col, q->y, work);
        for (int t = q->cols[col].on.from; t < q->cols[col].on.to; t++) {
            double part = fmin(cost[t] - work[t], 0.0) * range[t];
            sum += part;
            *sizes += fabs(part);
        }
    }
    return sum;
}

double schedule_apart_bound(struct schedule_apart *a,
                            const struct schedule_lp *lp,
                            const struct schedule_problem *p,
                            const struct schedule_ways *ways)
{
    double sizes = 0.0;
    double sum = rest_bound(lp, lp->ipm.work, &sizes);
    double cost =
        fmax(1.0 / lp->unit_cur, fabs(ipm_cost(&lp->ipm) + lp->offset));
    for (int i = 0; i < lp->n_batteries; i++) {
        struct single q = {.lp = lp,
                           .b = &p->batteries[i],
                           .at = &lp->batteries[i],
                           .ways = ways->at[i],
                           .work = a,
                           .dust = dust_pu * cost /
                                   (4.0 * lp->n * lp->n_batteries)};
        double part = battery_bound(&q, &sizes);
        if (!isfinite(part)) {
            return part;
        }
        sum += part;
    }
    sum -= rounding_pu * lp->n * sizes;
    return sum * lp->unit_cur - lp->missed_cur;
}
