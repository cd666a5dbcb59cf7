/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batteries in the programme: windows, powers within reach and their numbers.
 */
#include "policies/schedule_lp_fill.h"

#include <math.h>

/* Bounds that are only there to be finite leave this much room. */
static const double loose_pu = 1.05;
/* A power below it is none, scaled. */
static const double still = 1e-9;
/* What the window may be narrower than the segments without a row, scaled. */
static const double window_min = 1e-9;

/* What the grid's limits leave a battery where all else does its best for it,
 * scaled: its power goes from -out to in. */
struct grid_room {
    double in;
    double out;
};

static struct grid_room grid_room(const struct schedule_lp *lp,
                                  const struct schedule_problem *p, int i,
                                  int t)
{
    double in_w = fmax(p->import_max_w[t], 0.0) - p->load_w[t];
    double out_w = fmax(p->export_max_w[t], 0.0) + p->load_w[t];
    for (int k = 0; k < lp->n_classes; k++) {
        const struct schedule_class *c = &p->classes[k];
        double demand_w = fmax(c->demand_w[t], 0.0);
        out_w += c->deferrable ? fmax(c->max_w, 0.0) : demand_w;
    }
    for (int j = 0; j < lp->n_batteries; j++) {
        if (j != i) {
            in_w += fmax(p->batteries[j].discharge_max_w[t], 0.0);
            out_w += fmax(p->batteries[j].charge_max_w[t], 0.0);
        }
    }
    return (struct grid_room){fmax(in_w, 0.0) / lp->unit_w,
                              fmax(out_w, 0.0) / lp->unit_w};
}

/* The full powers, scaled. */
static void full_powers(struct schedule_lp *lp,
                        const struct schedule_problem *p, int i)
{
    const struct schedule_battery *b = &p->batteries[i];
    struct schedule_lp_battery *out = &lp->batteries[i];
    for (int t = 0; t < lp->n; t++) {
        double in = fmax(b->charge_max_w[t], 0.0) / lp->unit_w;
        double give = fmax(b->discharge_max_w[t], 0.0) / lp->unit_w;
        if (lp->within) {
            struct grid_room room = grid_room(lp, p, i, t);
            in = room.in > still ? fmin(in, room.in) : 0.0;
            give = room.out > still ? fmin(give, room.out) : 0.0;
        }
        out->in_max[t] = in;
        out->out_max[t] = give;
    }
}

/* What the windows leave within reach, from the start and of what is to come:
 * a store that cannot move has no room between its bounds, and the programme
 * no inside, unless its powers are taken away. */
static void set_powers(struct schedule_lp *lp, const struct schedule_problem *p,
                       int i)
{
    const struct schedule_battery *b = &p->batteries[i];
    struct schedule_lp_battery *out = &lp->batteries[i];
    double in_wh = b->charge_eff_pu;
    double out_wh = 1.0 / b->discharge_eff_pu;
    double start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    start /= lp->unit_w;
    double *in = out->in_max;
    double *give = out->out_max;
    double lo = start;
    double hi = start;
    full_powers(lp, p, i);
    for (int t = 0; t < lp->n; t++) {
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

/* Where the segments' own bounds do not say it, a row for their sum. */
static bool needs_sum(const struct schedule_lp *lp,
                      const struct schedule_lp_battery *at, int t)
{
    const struct schedule_store *s = &at->store;
    double whole = s->whole_wh / lp->unit_w;
    int top = s->n_segments - 1;
    return at->floor[t] > window_min * whole ||
           at->ceiling[t] < whole * (1.0 - window_min) ||
           s->start_wh[0] < 0.0 || s->start_wh[top] > s->width_wh[top];
}

static void set_windows(struct schedule_lp *lp,
                        const struct schedule_battery *b,
                        struct schedule_lp_battery *out)
{
    struct schedule_tube tube = schedule_tube(b);
    struct schedule_window hard = schedule_window_hard(b);
    for (int t = 0; t < lp->n; t++) {
        bool end = t == lp->n - 1;
        struct schedule_window wish = schedule_window_wish(b, t, end);
        schedule_tube_step(&tube, b, t, lp->h[t]);
        out->lo[t] = (lp->give ? hard.lo_wh : tube.lo_wh) / lp->unit_w;
        out->hi[t] = (lp->give ? hard.hi_wh : tube.hi_wh) / lp->unit_w;
        out->floor[t] = (lp->give ? wish.lo_wh : tube.lo_wh) / lp->unit_w;
        out->ceiling[t] = (lp->give ? wish.hi_wh : tube.hi_wh) / lp->unit_w;
    }
}

static bool window(struct schedule_lp *lp, const struct schedule_problem *p,
                   int i, struct ipm_memory *m)
{
    const struct schedule_battery *b = &p->batteries[i];
    struct schedule_lp_battery *out = &lp->batteries[i];
    schedule_store(b, &out->store);
    double *on = ipm_take(m, (size_t)lp->n);
    out->lo = ipm_take(m, (size_t)lp->n);
    out->hi = ipm_take(m, (size_t)lp->n);
    out->floor = ipm_take(m, (size_t)lp->n);
    out->ceiling = ipm_take(m, (size_t)lp->n);
    out->in_max = ipm_take(m, (size_t)lp->n);
    out->out_max = ipm_take(m, (size_t)lp->n);
    out->low = ipm_take(m, (size_t)lp->n);
    out->high = ipm_take(m, (size_t)lp->n);
    if (!on || !out->lo || !out->hi || !out->floor || !out->ceiling ||
        !out->in_max || !out->out_max || !out->low || !out->high) {
        return false;
    }
    set_windows(lp, b, out);
    bool any = false;
    for (int t = 0; t < lp->n; t++) {
        bool end = t == lp->n - 1 && isfinite(b->soc_end_min_pu);
        on[t] = end || needs_sum(lp, out, t) ? 1.0 : 0.0;
        any = any || on[t] > 0.0;
    }
    bool row = out->store.n_segments > 1 || lp->give;
    out->sum_on = any && row ? on : NULL;
    set_powers(lp, p, i);
    return true;
}

struct schedule_lp_room
schedule_lp_segment_room(const struct schedule_lp *lp,
                         const struct schedule_lp_battery *at, int s, int t)
{
    const struct schedule_store *store = &at->store;
    double whole = store->whole_wh / lp->unit_w;
    if (store->n_segments == 1) {
        return (struct schedule_lp_room){at->lo[t], at->hi[t]};
    }
    struct schedule_lp_room r = {s == 0 ? fmin(at->lo[t], 0.0) : 0.0,
                                 store->width_wh[s] / lp->unit_w};
    if (s == store->n_segments - 1) {
        r.hi = fmax(r.hi, store->start_wh[s] / lp->unit_w);
        r.hi += lp->give ? 0.0 : fmax(at->hi[t] - whole, 0.0);
    }
    return r;
}

static void fill_segment(struct schedule_lp *lp,
                         const struct schedule_battery *b,
                         const struct schedule_lp_battery *at, int s)
{
    const struct schedule_store *store = &at->store;
    double start = store->start_wh[s] / lp->unit_w;
    double low = start;
    double high = start;
    for (int t = 0; t < lp->n; t++) {
        bool end = t == lp->n - 1;
        struct schedule_lp_room room = schedule_lp_segment_room(lp, at, s, t);
        double lo = room.lo;
        double hi = room.hi;
        /* What no power can have moved by then has no room. */
        low -= at->out_max[t] * lp->h[t] / b->discharge_eff_pu;
        high += at->in_max[t] * lp->h[t] * b->charge_eff_pu;
        if (fmin(hi, high) - fmax(lo, low) <= still * lp->h[t]) {
            lo = hi = fmin(fmax(lo, low), hi);
        }
        double left = end ? -b->terminal_value_per_kwh : 0.0;
        schedule_lp_set(lp, at->energy[s], t,
                        (struct schedule_lp_value){lo, hi, left, 1.0});
    }
    schedule_lp_rhs(lp, at->soc_row[s], 0, start);
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
            schedule_lp_set(lp, at->charge[s], t,
                            (struct schedule_lp_value){0.0, in, 0.0, 1.0});
            schedule_lp_set(lp, at->discharge[s], t,
                            (struct schedule_lp_value){
                                0.0, out, at->store.per_kwh[s], lp->h[t]});
        }
        if (at->charge_row >= 0) {
            schedule_lp_set(lp, at->charge_room, t,
                            (struct schedule_lp_value){0.0, in, 0.0, 1.0});
            schedule_lp_set(lp, at->discharge_room, t,
                            (struct schedule_lp_value){0.0, out, 0.0, 1.0});
            schedule_lp_rhs(lp, at->charge_row, t, in);
            schedule_lp_rhs(lp, at->discharge_row, t, out);
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
    schedule_lp_set(lp, at->missing, end,
                    (struct schedule_lp_value){least, most, price, 1.0});
    return held ? at->low[end] + least : want;
}

/* What is missing and what is too much, each kWh at each step's end. */
static void fill_give(struct schedule_lp *lp,
                      const struct schedule_lp_battery *at)
{
    double price = lp->penalties.soc_end_per_kwh;
    for (int t = 0; t < lp->n && at->sum >= 0; t++) {
        double on = at->sum_on[t];
        double below = (at->floor[t] - at->lo[t]) * loose_pu + 0.1;
        double above = (at->hi[t] - at->ceiling[t]) * loose_pu + 0.1;
        schedule_lp_set(
            lp, at->below, t,
            (struct schedule_lp_value){0.0, on * below, price, 1.0});
        schedule_lp_set(
            lp, at->above, t,
            (struct schedule_lp_value){0.0, on * above, price, 1.0});
        schedule_lp_set(lp, at->sum, t,
                        (struct schedule_lp_value){
                            on * at->floor[t], on * at->ceiling[t], 0.0, 1.0});
    }
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
            schedule_lp_set(
                lp, at->sum, t,
                (struct schedule_lp_value){on * lo, on * hi, 0.0, 1.0});
        } else if (isfinite(from)) {
            double left = -b->terminal_value_per_kwh;
            schedule_lp_set(lp, at->energy[0], t,
                            (struct schedule_lp_value){lo, hi, left, 1.0});
        }
    }
}

bool schedule_lp_store_shape(struct schedule_lp *lp,
                             const struct schedule_problem *p, int i,
                             const struct schedule_ways *ways,
                             struct ipm_memory *m)
{
    return window(lp, p, i, m) &&
           schedule_lp_ways_shape(lp, &p->batteries[i], i, ways, m);
}

void schedule_lp_store_fill(struct schedule_lp *lp,
                            const struct schedule_battery *b, int i,
                            const struct schedule_ways *ways)
{
    const struct schedule_lp_battery *at = &lp->batteries[i];
    for (int s = 0; s < at->store.n_segments; s++) {
        fill_segment(lp, b, at, s);
    }
    fill_powers(lp, i, ways);
    schedule_lp_ways_fill(lp, at);
    if (lp->give) {
        fill_give(lp, at);
    } else {
        fill_sum(lp, b, at);
    }
}
