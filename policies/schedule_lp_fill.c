/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_lp_fill.h"

#include <math.h>

/* Bounds that are only there to be finite leave this much room. */
static const double loose_pu = 1.05;
/* A power below it is none, scaled. */
static const double still = 1e-9;
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

/* What the windows leave within reach, from the start and of what is to come:
 * a store that cannot move has no room between its bounds, and the programme
 * no inside, unless its powers are taken away. */
static void set_powers(struct schedule_lp *lp, const struct schedule_battery *b,
                       struct schedule_lp_battery *out)
{
    double in_wh = b->charge_eff_pu;
    double out_wh = 1.0 / b->discharge_eff_pu;
    double start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    start /= lp->unit_w;
    double *in = out->in_max;
    double *give = out->out_max;
    double lo = start;
    double hi = start;
    for (int t = 0; t < lp->n; t++) {
        in[t] = fmax(b->charge_max_w[t], 0.0) / lp->unit_w;
        give[t] = fmax(b->discharge_max_w[t], 0.0) / lp->unit_w;
        lo = out->low[t] = fmax(out->lo[t], lo - give[t] * lp->h[t] * out_wh);
        hi = out->high[t] = fmin(out->hi[t], hi + in[t] * lp->h[t] * in_wh);
    }
    for (int t = lp->n - 1; t >= 0; t--) {
        lo = out->low[t] = fmax(out->low[t], lo);
        hi = out->high[t] = fmin(out->high[t], hi);
        double from_lo = t > 0 ? out->low[t - 1] : start;
        double from_hi = t > 0 ? out->high[t - 1] : start;
        lo -= in[t] * lp->h[t] * in_wh;
        hi += give[t] * lp->h[t] * out_wh;
        from_lo = fmax(from_lo, lo);
        from_hi = fmin(from_hi, hi);
        double up = (out->high[t] - from_lo) / (lp->h[t] * in_wh);
        double down = (from_hi - out->low[t]) / (lp->h[t] * out_wh);
        in[t] = up > still ? fmin(in[t], loose_pu * up) : 0.0;
        give[t] = down > still ? fmin(give[t], loose_pu * down) : 0.0;
    }
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
    out->in_max = ipm_take(m, (size_t)lp->n);
    out->out_max = ipm_take(m, (size_t)lp->n);
    out->low = ipm_take(m, (size_t)lp->n);
    out->high = ipm_take(m, (size_t)lp->n);
    if (!lo || !hi || !on || !out->in_max || !out->out_max || !out->low ||
        !out->high) {
        return false;
    }
    struct schedule_tube tube = schedule_tube(b);
    double whole = out->store.whole_wh / lp->unit_w;
    int top = out->store.n_segments - 1;
    bool overfull = out->store.start_wh[top] > out->store.width_wh[top];
    bool any = false;
    for (int t = 0; t < lp->n; t++) {
        schedule_tube_step(&tube, b, t, lp->h[t]);
        lo[t] = tube.lo_wh / lp->unit_w;
        hi[t] = tube.hi_wh / lp->unit_w;
        bool end = t == lp->n - 1 && isfinite(b->soc_end_min_pu);
        bool narrow =
            lo[t] > window_min * whole || hi[t] < whole * (1.0 - window_min);
        on[t] = end || narrow || overfull ? 1.0 : 0.0;
        any = any || on[t] > 0.0;
    }
    out->lo = lo;
    out->hi = hi;
    out->sum_on = any && out->store.n_segments > 1 ? on : NULL;
    set_powers(lp, b, out);
    return true;
}

/* Where both directions are there and share the step. */
static bool shares(struct schedule_lp *lp, int i,
                   const struct schedule_ways *ways, struct ipm_memory *m)
{
    struct schedule_lp_battery *out = &lp->batteries[i];
    bool any = false;
    for (int t = 0; t < lp->n && ways; t++) {
        any = any || ways->at[i][t] == SCHEDULE_WAY_SHARED;
    }
    if (!any) {
        return true;
    }
    out->in_share = ipm_take(m, (size_t)lp->n);
    out->out_share = ipm_take(m, (size_t)lp->n);
    if (!out->in_share || !out->out_share) {
        return false;
    }
    for (int t = 0; t < lp->n; t++) {
        double in = out->in_max[t];
        double give = out->out_max[t];
        if (ways->at[i][t] == SCHEDULE_WAY_SHARED && in > 0.0 && give > 0.0) {
            out->in_share[t] = 1.0 / in;
            out->out_share[t] = 1.0 / give;
        }
    }
    return true;
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
        if (!window(lp, p, i, m) || !shares(lp, i, ways, m)) {
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
    set(lp, lp->import, t, (struct value){0.0, in, buy, h});
    set(lp, lp->import_over, t, (struct value){0.0, hi - in, buy + penalty, h});
    set(lp, lp->export, t, (struct value){0.0, out, -sell, h});
    set(lp, lp->export_over, t,
        (struct value){0.0, lo - out, penalty - paid, h});
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
    double start = store->start_wh[s] / lp->unit_w;
    double low = start;
    double high = start;
    for (int t = 0; t < lp->n; t++) {
        bool end = t == lp->n - 1;
        double lo = s == 0 ? fmin(at->lo[t], 0.0) : 0.0;
        double hi = width;
        if (s == store->n_segments - 1) {
            hi = fmax(hi, start) + fmax(at->hi[t] - whole, 0.0);
        }
        if (store->n_segments == 1) {
            lo = at->lo[t];
            hi = at->hi[t];
        }
        /* What no power can have moved by then has no room. */
        low -= at->out_max[t] * lp->h[t] / b->discharge_eff_pu;
        high += at->in_max[t] * lp->h[t] * b->charge_eff_pu;
        if (fmin(hi, high) - fmax(lo, low) <= still * lp->h[t]) {
            lo = hi = fmin(fmax(lo, low), hi);
        }
        double left = end ? -b->terminal_value_per_kwh : 0.0;
        set(lp, at->energy[s], t, (struct value){lo, hi, left, 1.0});
    }
    rhs(lp, at->soc_row[s], 0, start);
}

static void fill_powers(struct schedule_lp *lp, int i,
                        const struct schedule_ways *ways)
{
    const struct schedule_lp_battery *at = &lp->batteries[i];
    for (int t = 0; t < lp->n; t++) {
        int way = ways ? ways->at[i][t] : 0;
        double in = way == SCHEDULE_WAY_OUT ? 0.0 : at->in_max[t];
        double out = way == SCHEDULE_WAY_IN ? 0.0 : at->out_max[t];
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
        if (at->one_row >= 0 && at->in_share[t] > 0.0) {
            set(lp, at->one_room, t, (struct value){0.0, 1.0, 0.0, 1.0});
            rhs(lp, at->one_row, t, 1.0);
        }
    }
}

/* Where the floor at the end gives way, what is missing counts as if it were
 * there.  A store that cannot move misses what it misses. */
static double fill_missing(struct schedule_lp *lp,
                           const struct schedule_battery *b,
                           const struct schedule_lp_battery *at, bool held)
{
    int end = lp->n - 1;
    double want = (b->soc_end_min_pu - b->soc_min_pu) * b->energy_wh;
    want = fmin(want / lp->unit_w, at->hi[end]);
    if (!isfinite(b->soc_end_min_pu) || !(want > at->lo[end])) {
        return NAN;
    }
    bool gives = held && at->missing >= 0;
    double least = gives ? fmax(want - at->low[end], 0.0) : 0.0;
    double most = held ? least : want - at->lo[end];
    double price = lp->penalties.soc_end_per_kwh;
    price += at->sum >= 0 ? 0.0 : b->terminal_value_per_kwh;
    set(lp, at->missing, end, (struct value){least, most, price, 1.0});
    return held ? at->low[end] + least : want;
}

static void fill_sum(struct schedule_lp *lp, const struct schedule_battery *b,
                     const struct schedule_lp_battery *at)
{
    for (int t = 0; t < lp->n; t++) {
        bool held = at->high[t] - at->low[t] <= still * lp->h[t];
        double from = t == lp->n - 1 ? fill_missing(lp, b, at, held) : NAN;
        double lo = isfinite(from) ? from : held ? at->low[t] : at->lo[t];
        double hi = held ? lo : at->hi[t];
        if (at->sum >= 0) {
            double on = at->sum_on[t];
            set(lp, at->sum, t, (struct value){on * lo, on * hi, 0.0, 1.0});
        } else if (isfinite(from)) {
            double left = -b->terminal_value_per_kwh;
            set(lp, at->energy[0], t, (struct value){lo, hi, left, 1.0});
        }
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
        fill_powers(lp, i, ways);
        fill_sum(lp, b, &lp->batteries[i]);
    }
    fold_bounds(lp);
    guess(lp, p);
}
