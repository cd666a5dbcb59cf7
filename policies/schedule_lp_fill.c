/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_lp_fill.h"

#include <math.h>

/* Bounds that are only there to be finite leave this much room. */
static const double loose_pu = 1.05;

/* What the grid's power can come to, whatever is decided. */
static void reach(struct schedule_lp *lp, const struct schedule_problem *p,
                  double *lo, double *hi)
{
    double most_w = 1.0;
    for (int t = 0; t < lp->n; t++) {
        lo[t] = hi[t] = p->load_w[t];
        for (int i = 0; i < lp->n_batteries; i++) {
            lo[t] -= p->batteries[i].discharge_max_w[t];
            hi[t] += p->batteries[i].charge_max_w[t];
        }
        for (int k = 0; k < lp->n_classes; k++) {
            const struct schedule_class *c = &p->classes[k];
            hi[t] += c->deferrable ? c->max_w : fmax(c->demand_w[t], 0.0);
        }
        most_w = fmax(most_w, fmax(fabs(lo[t]), fabs(hi[t])));
    }
    lp->unit_w = most_w / 16.0;
    for (int t = 0; t < lp->n; t++) {
        lo[t] /= lp->unit_w;
        hi[t] /= lp->unit_w;
    }
}

/* The mean price of a unit of power for an hour costs 1. */
static double unit_cur(const struct schedule_lp *lp,
                       const struct schedule_problem *p)
{
    double sum = 0.0;
    for (int t = 0; t < lp->n; t++) {
        sum += fabs(p->import_per_kwh[t]) / lp->n;
    }
    sum = fmax(sum, 1e-4 * lp->penalties.soc_end_per_kwh);
    return sum * lp->unit_w / 1000.0;
}

bool schedule_lp_shapes(struct schedule_lp *lp,
                        const struct schedule_problem *p,
                        const struct schedule_ways *ways, struct ipm_memory *m)
{
    size_t n = (size_t)lp->n;
    double *h = ipm_take(m, n);
    double *last = ipm_take(m, n);
    double *ramp_on = ipm_take(m, n);
    double *lo = ipm_take(m, n);
    double *hi = ipm_take(m, n);
    if (!h || !last || !ramp_on || !lo || !hi) {
        return false;
    }
    for (size_t t = 0; t < n; t++) {
        h[t] = p->step_s[t] / 3600.0;
        ramp_on[t] = t > 0 || isfinite(p->grid_start_w) ? 1.0 : 0.0;
    }
    last[n - 1] = 1.0;
    reach(lp, p, lo, hi);
    lp->h = h;
    lp->last = last;
    lp->ramp_on = ramp_on;
    lp->grid_lo = lo;
    lp->grid_hi = hi;
    lp->unit_cur = unit_cur(lp, p);
    for (int i = 0; i < lp->n_batteries; i++) {
        if (!schedule_lp_store_shape(lp, p, i, ways, m)) {
            return false;
        }
    }
    return true;
}

void schedule_lp_set(struct schedule_lp *lp, int col, int t,
                     struct schedule_lp_value v)
{
    if (col < 0) {
        return;
    }
    size_t at = (size_t)col * (size_t)lp->n + (size_t)t;
    double range = v.hi - v.lo;
    lp->lo[at] = v.lo;
    lp->ipm.range[at] = range > 1e-12 ? range : 0.0;
    lp->ipm.cost[at] = v.per_k * v.times * lp->unit_w / 1000.0 / lp->unit_cur;
}

void schedule_lp_rhs(struct schedule_lp *lp, int row, int t, double value)
{
    lp->ipm.rhs[(size_t)row * (size_t)lp->n + (size_t)t] = value;
}

static void fill_grid(struct schedule_lp *lp, const struct schedule_problem *p,
                      int t)
{
    double h = lp->h[t];
    double buy = p->import_per_kwh[t];
    double paid = p->export_per_kwh[t];
    double sell = lp->grid_hi[t] > 0.0 ? fmin(paid, buy) : paid;
    double hi = fmax(lp->grid_hi[t], 0.0) * loose_pu + 0.1;
    double lo = fmax(-lp->grid_lo[t], 0.0) * loose_pu + 0.1;
    double in = fmin(fmax(p->import_max_w[t], 0.0) / lp->unit_w, hi);
    double out = fmin(fmax(p->export_max_w[t], 0.0) / lp->unit_w, lo);
    double penalty = lp->penalties.grid_per_kwh;
    if (lp->grid_lo[t] >= 0.0) {
        out = 0.0;
    }
    if (lp->grid_hi[t] <= 0.0) {
        in = 0.0;
    }
    schedule_lp_set(lp, lp->import, t,
                    (struct schedule_lp_value){0.0, in, buy, h});
    schedule_lp_set(lp, lp->import_over, t,
                    (struct schedule_lp_value){0.0, hi - in, buy + penalty, h});
    schedule_lp_set(lp, lp->export, t,
                    (struct schedule_lp_value){0.0, out, -sell, h});
    schedule_lp_set(
        lp, lp->export_over, t,
        (struct schedule_lp_value){0.0, lo - out, penalty - paid, h});
    lp->missed_cur += h * (paid - sell) * out * lp->unit_w / 1000.0;
}

static void fill_peak(struct schedule_lp *lp, const struct schedule_problem *p)
{
    double before = fmax(p->peak_w, 0.0) / lp->unit_w;
    double most = before;
    for (int t = 0; t < lp->n; t++) {
        most = fmax(most, lp->grid_hi[t]);
    }
    for (int t = 0; t < lp->n; t++) {
        double rise = (most - before) * loose_pu + 0.1;
        schedule_lp_set(
            lp, lp->peak_room, t,
            (struct schedule_lp_value){0.0, most * loose_pu + 0.1, 0.0, 1.0});
        schedule_lp_set(
            lp, lp->peak_rise, t,
            (struct schedule_lp_value){0.0, rise, p->peak_per_kw, 1.0});
    }
    schedule_lp_rhs(lp, lp->peak_row, 0, before);
}

static void fill_ramp(struct schedule_lp *lp, const struct schedule_problem *p)
{
    bool known = isfinite(p->grid_start_w);
    double start = known ? p->grid_start_w / lp->unit_w : 0.0;
    double price = lp->penalties.ramp_per_kw;
    for (int t = 0; t < lp->n; t++) {
        double from_hi = t > 0 ? lp->grid_hi[t - 1] : start;
        double from_lo = t > 0 ? lp->grid_lo[t - 1] : start;
        double most = fmax(lp->grid_hi[t] - from_lo, from_hi - lp->grid_lo[t]);
        most = fabs(most) * loose_pu + 0.5;
        double free = p->ramp_max_w_per_s * p->step_s[t] / lp->unit_w;
        free = lp->ramp_on[t] > 0.0 ? fmin(free, most) : 0.0;
        double over = lp->ramp_on[t] > 0.0 ? most : 0.0;
        schedule_lp_set(lp, lp->ramp, t,
                        (struct schedule_lp_value){-free, free, 0.0, 1.0});
        schedule_lp_set(lp, lp->ramp_over, t,
                        (struct schedule_lp_value){0.0, over, price, 1.0});
        schedule_lp_set(lp, lp->ramp_under, t,
                        (struct schedule_lp_value){0.0, over, price, 1.0});
    }
    schedule_lp_rhs(lp, lp->ramp_row, 0, start);
}

static void fill_class(struct schedule_lp *lp, const struct schedule_problem *p,
                       int k)
{
    const struct schedule_class *c = &p->classes[k];
    double most = 0.0; /* of the queue, and what has to be left in it */
    double least = 0.0;
    for (int t = 0; t < lp->n; t++) {
        double h = lp->h[t];
        double demand = fmax(c->demand_w[t], 0.0) / lp->unit_w;
        if (!c->deferrable) {
            double floor = demand * fmin(fmax(c->min_pu, 0.0), 1.0);
            double per_kwh = c->value_per_kwh;
            schedule_lp_set(
                lp, lp->unserved[k], t,
                (struct schedule_lp_value){0.0, demand - floor, per_kwh, h});
            schedule_lp_set(
                lp, lp->shed[k], t,
                (struct schedule_lp_value){
                    0.0, floor, per_kwh + lp->penalties.floor_per_kwh, h});
            continue;
        }
        most += h * demand;
        least = fmax(least + h * (demand - c->max_w / lp->unit_w), 0.0);
        double left = t == lp->n - 1 ? c->value_per_kwh : 0.0;
        schedule_lp_set(
            lp, lp->served[k], t,
            (struct schedule_lp_value){0.0, c->max_w / lp->unit_w, 0.0, h});
        double delay = h * c->delay_per_kwh_h + left;
        struct schedule_lp_value waits = {fmax(least / loose_pu - 0.1, 0.0),
                                          most * loose_pu + 0.1, delay, 1.0};
        if (lp->late[k] >= 0) {
            double in_time = fmax(c->queue_max_wh[t], 0.0) / lp->unit_w;
            double late = delay + h * c->late_per_kwh_h;
            struct schedule_lp_value beyond = {fmax(waits.lo - in_time, 0.0),
                                               waits.hi, late, 1.0};
            schedule_lp_set(lp, lp->late[k], t, beyond);
            waits.hi = fmin(waits.hi, in_time);
            waits.lo = fmin(waits.lo, waits.hi);
        }
        schedule_lp_set(lp, lp->queue[k], t, waits);
        schedule_lp_rhs(lp, lp->queue_row[k], t, h * demand);
    }
}

static void fold_bounds(struct schedule_lp *lp)
{
    struct ipm *q = &lp->ipm;
    size_t n_rows = (size_t)q->n_rows * (size_t)lp->n;
    size_t n_cols = (size_t)q->n_cols * (size_t)lp->n;
    ipm_times(q, lp->lo, q->rp);
    for (size_t i = 0; i < n_rows; i++) {
        q->rhs[i] -= q->rp[i];
    }
    lp->offset = 0.0;
    for (size_t i = 0; i < n_cols; i++) {
        lp->offset += q->cost[i] * lp->lo[i];
    }
}

static void guess_row(struct schedule_lp *lp, int row, double y)
{
    for (int t = 0; row >= 0 && t < lp->n; t++) {
        lp->ipm.y[(size_t)row * (size_t)lp->n + (size_t)t] = y;
    }
}

/* Multipliers to begin with: a kWh costs what it costs now, one that is stored
 * or waits what it costs on average. */
static void guess(struct schedule_lp *lp, const struct schedule_problem *p)
{
    double per_kwh = lp->unit_w / 1000.0 / lp->unit_cur;
    double hours = 0.0;
    double sum = 0.0;
    for (int t = 0; t < lp->n; t++) {
        double price = p->import_per_kwh[t] * per_kwh * lp->h[t];
        size_t at = (size_t)lp->balance_row * (size_t)lp->n + (size_t)t;
        lp->ipm.y[at] = price;
        sum += price;
        hours += lp->h[t];
    }
    for (int k = 0; k < lp->n_classes; k++) {
        guess_row(lp, lp->queue_row[k], sum / hours);
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        for (int s = 0; s < lp->batteries[i].store.n_segments; s++) {
            guess_row(lp, lp->batteries[i].soc_row[s], -sum / hours);
        }
    }
}

void schedule_lp_fill(struct schedule_lp *lp, const struct schedule_problem *p,
                      const struct schedule_ways *ways)
{
    for (int t = 0; t < lp->n; t++) {
        double load = p->load_w[t] / lp->unit_w;
        for (int k = 0; k < lp->n_classes; k++) {
            const struct schedule_class *c = &p->classes[k];
            if (!c->deferrable) {
                load += fmax(c->demand_w[t], 0.0) / lp->unit_w;
            }
        }
        schedule_lp_rhs(lp, lp->balance_row, t, load);
        fill_grid(lp, p, t);
    }
    if (lp->peak_row >= 0) {
        fill_peak(lp, p);
    }
    if (lp->ramp_row >= 0) {
        fill_ramp(lp, p);
    }
    for (int k = 0; k < lp->n_classes; k++) {
        fill_class(lp, p, k);
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        schedule_lp_store_fill(lp, &p->batteries[i], i, ways);
    }
    fold_bounds(lp);
    guess(lp, p);
}
