/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_lp_fill.h"

#include <math.h>

/* Bounds that are only there to be finite leave this much room. */
static const double loose_pu = 1.05;
/* What the window may be narrower than the segments without a row, scaled. */
static const double window_min = 1e-9;

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

static bool window(struct schedule_lp *lp, const struct schedule_problem *p,
                   int i, struct ipm_memory *m)
{
    struct schedule_lp_battery *out = &lp->batteries[i];
    const struct schedule_battery *b = &p->batteries[i];
    schedule_store(b, &out->store);
    double *lo = ipm_take(m, (size_t)lp->n);
    double *hi = ipm_take(m, (size_t)lp->n);
    double *on = ipm_take(m, (size_t)lp->n);
    if (!lo || !hi || !on) {
        return false;
    }
    struct schedule_tube tube = schedule_tube(b);
    double whole = out->store.whole_wh / lp->unit_w;
    bool any = false;
    for (int t = 0; t < lp->n; t++) {
        schedule_tube_step(&tube, b, t, lp->h[t]);
        lo[t] = tube.lo_wh / lp->unit_w;
        hi[t] = tube.hi_wh / lp->unit_w;
        bool end = t == lp->n - 1 && isfinite(b->soc_end_min_pu);
        bool narrow =
            lo[t] > window_min * whole || hi[t] < whole * (1.0 - window_min);
        on[t] = end || narrow ? 1.0 : 0.0;
        any = any || on[t] > 0.0;
    }
    out->lo = lo;
    out->hi = hi;
    out->sum_on = any && out->store.n_segments > 1 ? on : NULL;
    return true;
}

bool schedule_lp_shapes(struct schedule_lp *lp,
                        const struct schedule_problem *p, struct ipm_memory *m)
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
        if (!window(lp, p, i, m)) {
            return false;
        }
    }
    return true;
}

/* One value of a column: bounds in scaled units, cost per kWh or kW in site
 * currency times 'times' (hours where the column is a power). */
struct value {
    double lo;
    double hi;
    double per_k;
    double times;
};

static void set(struct schedule_lp *lp, int col, int t, struct value v)
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

static void rhs(struct schedule_lp *lp, int row, int t, double value)
{
    lp->ipm.rhs[(size_t)row * (size_t)lp->n + (size_t)t] = value;
}

static void fill_grid(struct schedule_lp *lp, const struct schedule_problem *p,
                      int t)
{
    double h = lp->h[t];
    double buy = p->import_per_kwh[t];
    double sell = fmin(p->export_per_kwh[t], buy);
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
    set(lp, lp->import, t, (struct value){0.0, in, buy, h});
    set(lp, lp->import_over, t,
        (struct value){0.0, hi - in, fmax(buy, 0.0) + penalty, h});
    set(lp, lp->export, t, (struct value){0.0, out, -sell, h});
    set(lp, lp->export_over, t,
        (struct value){0.0, lo - out, fmax(-sell, 0.0) + penalty, h});
    lp->missed_cur +=
        h * (p->export_per_kwh[t] - sell) * out * lp->unit_w / 1000.0;
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
        set(lp, lp->peak_room, t,
            (struct value){0.0, most * loose_pu + 0.1, 0.0, 1.0});
        set(lp, lp->peak_rise, t,
            (struct value){0.0, rise, p->peak_per_kw, 1.0});
    }
    rhs(lp, lp->peak_row, 0, before);
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
        set(lp, lp->ramp, t, (struct value){-free, free, 0.0, 1.0});
        set(lp, lp->ramp_over, t, (struct value){0.0, over, price, 1.0});
        set(lp, lp->ramp_under, t, (struct value){0.0, over, price, 1.0});
    }
    rhs(lp, lp->ramp_row, 0, start);
}

static void fill_class(struct schedule_lp *lp, const struct schedule_problem *p,
                       int k)
{
    const struct schedule_class *c = &p->classes[k];
    double all = 0.0;
    for (int t = 0; t < lp->n; t++) {
        double h = lp->h[t];
        double demand = fmax(c->demand_w[t], 0.0) / lp->unit_w;
        if (!c->deferrable) {
            double least = demand * fmin(fmax(c->min_pu, 0.0), 1.0);
            double per_kwh = c->value_per_kwh;
            set(lp, lp->unserved[k], t,
                (struct value){0.0, demand - least, per_kwh, h});
            set(lp, lp->shed[k], t,
                (struct value){0.0, least,
                               per_kwh + lp->penalties.floor_per_kwh, h});
            continue;
        }
        all += h * demand;
        double left = t == lp->n - 1 ? c->value_per_kwh : 0.0;
        set(lp, lp->served[k], t,
            (struct value){0.0, c->max_w / lp->unit_w, 0.0, h});
        set(lp, lp->queue[k], t,
            (struct value){0.0, all * loose_pu + 0.1,
                           h * c->delay_per_kwh_h + left, 1.0});
        rhs(lp, lp->queue_row[k], t, h * demand);
    }
}

static void fill_segment(struct schedule_lp *lp,
                         const struct schedule_battery *b,
                         const struct schedule_lp_battery *at, int s)
{
    const struct schedule_store *store = &at->store;
    double width = store->width_wh[s] / lp->unit_w;
    double whole = store->whole_wh / lp->unit_w;
    bool one = store->n_segments == 1;
    for (int t = 0; t < lp->n; t++) {
        bool end = t == lp->n - 1;
        double lo = s == 0 ? fmin(at->lo[t], 0.0) : 0.0;
        double hi = width;
        if (s == store->n_segments - 1) {
            hi += fmax(at->hi[t] - whole, 0.0);
        }
        if (one) {
            lo = at->lo[t];
            hi = at->hi[t];
        }
        double left = end ? -b->terminal_value_per_kwh : 0.0;
        set(lp, at->energy[s], t, (struct value){lo, hi, left, 1.0});
    }
    rhs(lp, at->soc_row[s], 0, store->start_wh[s] / lp->unit_w);
}

static void fill_powers(struct schedule_lp *lp,
                        const struct schedule_problem *p, int i,
                        const struct schedule_ways *ways)
{
    const struct schedule_battery *b = &p->batteries[i];
    const struct schedule_lp_battery *at = &lp->batteries[i];
    for (int t = 0; t < lp->n; t++) {
        int way = ways ? ways->at[i][t] : 0;
        double in = way < 0 ? 0.0 : fmax(b->charge_max_w[t], 0.0) / lp->unit_w;
        double out =
            way > 0 ? 0.0 : fmax(b->discharge_max_w[t], 0.0) / lp->unit_w;
        for (int s = 0; s < at->store.n_segments; s++) {
            set(lp, at->charge[s], t, (struct value){0.0, in, 0.0, 1.0});
            set(lp, at->discharge[s], t,
                (struct value){0.0, out, at->store.per_kwh[s], lp->h[t]});
        }
        if (at->charge_row >= 0) {
            set(lp, at->charge_room, t, (struct value){0.0, in, 0.0, 1.0});
            set(lp, at->discharge_room, t, (struct value){0.0, out, 0.0, 1.0});
            rhs(lp, at->charge_row, t, in);
            rhs(lp, at->discharge_row, t, out);
        }
    }
}

/* The floor at the end gives way: what is missing counts as if it were
 * there. */
static void fill_sum(struct schedule_lp *lp, const struct schedule_battery *b,
                     const struct schedule_lp_battery *at)
{
    int end = lp->n - 1;
    double want = (b->soc_end_min_pu - b->soc_min_pu) * b->energy_wh;
    want = fmin(want / lp->unit_w, at->hi[end]);
    bool missing = at->missing >= 0 && want > at->lo[end];
    bool sum = at->sum >= 0;
    if (missing) {
        double price = lp->penalties.soc_end_per_kwh;
        price += sum ? 0.0 : b->terminal_value_per_kwh;
        set(lp, at->missing, end,
            (struct value){0.0, want - at->lo[end], price, 1.0});
        if (!sum) {
            double left = -b->terminal_value_per_kwh;
            set(lp, at->energy[0], end,
                (struct value){want, at->hi[end], left, 1.0});
        }
    }
    for (int t = 0; sum && t < lp->n; t++) {
        double lo = missing && t == end ? want : at->lo[t];
        double on = at->sum_on[t];
        set(lp, at->sum, t, (struct value){on * lo, on * at->hi[t], 0.0, 1.0});
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
        rhs(lp, lp->balance_row, t, load);
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
        const struct schedule_battery *b = &p->batteries[i];
        for (int s = 0; s < lp->batteries[i].store.n_segments; s++) {
            fill_segment(lp, b, &lp->batteries[i], s);
        }
        fill_powers(lp, p, i, ways);
        fill_sum(lp, b, &lp->batteries[i]);
    }
    fold_bounds(lp);
}
