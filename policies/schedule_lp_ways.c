/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction at a time, as far as a linear programme can say it.
 *
 * From an energy e in [l0, h0] a step leads to [l1, h1], with c of charge or
 * with d of discharge.  The convex hull of both (Balas, Disjunctive
 * programming, Discrete Appl. Math. 89, 1998) is
 *     c / C + d / D <= 1
 *     e >= min(l0, l1) + d' + (l1 - l0)+ d / D + (l0 - l1)+ c / C
 *     e <= max(h0, h1) - c' - (h0 - h1)+ c / C - (h1 - h0)+ d / D
 * where C and D are the most that the window leaves room for, c' and d' the
 * energies that c and d come to.  It is the first row everywhere, and all three
 * with 'rooms', in terms of the energy after the step.  Each of several
 * segments begins a step between its own ends as well: for it, the last two
 * rows with l0 = l1 and h0 = h1. */
#include "policies/schedule_lp_fill.h"

#include <math.h>
#include <stddef.h>

/* A window narrower than that is none, scaled, in an hour. */
static const double narrow = 1e-7;

/* A step as its battery sees it, scaled. */
struct reach {
    double low; /* before it */
    double high;
    double in; /* the most that there is room for */
    double out;
};

static struct reach reach(const struct schedule_lp *lp,
                          const struct schedule_battery *b,
                          const struct schedule_lp_battery *at, int t)
{
    double start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    start /= lp->unit_w;
    struct reach r = {.low = t > 0 ? at->low[t - 1] : start,
                      .high = t > 0 ? at->high[t - 1] : start};
    double up = (at->high[t] - r.low) / (lp->h[t] * b->charge_eff_pu);
    double down = (r.high - at->low[t]) * b->discharge_eff_pu / lp->h[t];
    r.in = fmin(at->in_max[t], up);
    r.out = fmin(at->out_max[t], down);
    return r;
}

static void rooms(struct schedule_lp *lp, const struct schedule_battery *b,
                  struct schedule_lp_battery *out, double *on)
{
    bool missing =
        isfinite(b->soc_end_min_pu) && !lp->give && !lp->kept[SCHEDULE_SOC_END];
    for (int t = 1; t < lp->n - (missing ? 1 : 0); t++) {
        struct reach r = reach(lp, b, out, t);
        if (out->in_share[t] == 0.0 ||
            !(fmin(r.high - r.low, out->high[t] - out->low[t]) >
              narrow * lp->h[t])) {
            continue;
        }
        double fall = (r.low - out->low[t]);
        double rise = (out->high[t] - r.high);
        on[t] = 1.0;
        out->bottom.in[t] =
            -lp->h[t] * b->charge_eff_pu - fmax(fall, 0.0) / r.in;
        out->bottom.out[t] = -fmax(-fall, 0.0) / r.out;
        out->bottom.limit[t] = fmin(r.low, out->low[t]);
        out->top.in[t] = fmax(-rise, 0.0) / r.in;
        out->top.out[t] =
            lp->h[t] / b->discharge_eff_pu + fmax(rise, 0.0) / r.out;
        out->top.limit[t] = fmax(r.high, out->high[t]);
        out->rooms_on = on;
    }
}

static bool take_side(struct schedule_lp_side *side, size_t n,
                      struct ipm_memory *m)
{
    side->in = ipm_take(m, n);
    side->out = ipm_take(m, n);
    side->limit = ipm_take(m, n);
    return side->in && side->out && side->limit;
}

static bool take_segment(struct schedule_lp_battery *out, int s, size_t n,
                         struct ipm_memory *m)
{
    struct schedule_lp_side *bottom = &out->bottoms[s];
    struct schedule_lp_side *top = &out->tops[s];
    bottom->in = ipm_take(m, n);
    bottom->on = ipm_take(m, n);
    bottom->limit = ipm_take(m, n);
    bottom->range = ipm_take(m, n);
    top->out = ipm_take(m, n);
    top->limit = ipm_take(m, n);
    top->on = bottom->on;
    top->range = bottom->range;
    return bottom->in && bottom->on && bottom->limit && bottom->range &&
           top->out && top->limit;
}

/* A segment begins a step between empty and full, too. */
static void segment(struct schedule_lp *lp, const struct schedule_battery *b,
                    struct schedule_lp_battery *out, int s)
{
    struct schedule_lp_side *bottom = &out->bottoms[s];
    struct schedule_lp_side *top = &out->tops[s];
    double low = out->store.start_wh[s] / lp->unit_w;
    double high = low;
    struct schedule_lp_room before = {0.0, 0.0};
    bool any = false;
    for (int t = 0; t < lp->n; t++) {
        struct schedule_lp_room now = schedule_lp_segment_room(lp, out, s, t);
        double reach = fmin(before.hi, high) - fmax(before.lo, low);
        low -= out->out_max[t] * lp->h[t] / b->discharge_eff_pu;
        high += out->in_max[t] * lp->h[t] * b->charge_eff_pu;
        double lo = fmin(before.lo, now.lo);
        double hi = fmax(before.hi, now.hi);
        if (t > 0 && out->in_share[t] > 0.0 && out->rooms_on &&
            out->rooms_on[t] > 0.0 && reach > narrow * lp->h[t] &&
            fmin(now.hi, high) - fmax(now.lo, low) > narrow * lp->h[t]) {
            bottom->on[t] = 1.0;
            bottom->in[t] = -lp->h[t] * b->charge_eff_pu;
            bottom->limit[t] = lo;
            top->out[t] = lp->h[t] / b->discharge_eff_pu;
            top->limit[t] = hi;
            bottom->range[t] = hi - lo;
            any = true;
        }
        before = now;
    }
    bottom->on = top->on = any ? bottom->on : NULL;
}

bool schedule_lp_ways_shape(struct schedule_lp *lp,
                            const struct schedule_battery *b, int i,
                            const struct schedule_ways *ways,
                            struct ipm_memory *m)
{
    struct schedule_lp_battery *out = &lp->batteries[i];
    size_t n = (size_t)lp->n;
    bool any = false;
    for (int t = 0; t < lp->n && ways; t++) {
        any = any || ways->at[i][t] == SCHEDULE_WAY_SHARED;
    }
    if (!any) {
        return true;
    }
    out->in_share = ipm_take(m, n);
    out->out_share = ipm_take(m, n);
    if (!out->in_share || !out->out_share) {
        return false;
    }
    for (int t = 0; t < lp->n; t++) {
        struct reach r = reach(lp, b, out, t);
        if (ways->at[i][t] == SCHEDULE_WAY_SHARED && r.in > 0.0 &&
            r.out > 0.0) {
            out->in_share[t] = 1.0 / r.in;
            out->out_share[t] = 1.0 / r.out;
        }
    }
    if (ways->rooms) {
        double *on = ipm_take(m, n);
        if (!on || !take_side(&out->bottom, n, m) ||
            !take_side(&out->top, n, m)) {
            return false;
        }
        rooms(lp, b, out, on);
        for (int s = 0; s < out->store.n_segments && out->store.n_segments > 1;
             s++) {
            if (!take_segment(out, s, n, m)) {
                return false;
            }
            segment(lp, b, out, s);
        }
    }
    return true;
}

static void fill_side(struct schedule_lp *lp, const struct schedule_lp_side *s,
                      int t, double range)
{
    schedule_lp_set(lp, s->room, t,
                    (struct schedule_lp_value){0.0, range, 0.0, 1.0});
    schedule_lp_rhs(lp, s->row, t, s->limit[t]);
}

void schedule_lp_ways_fill(struct schedule_lp *lp,
                           const struct schedule_lp_battery *at)
{
    for (int t = 0; t < lp->n && at->one_row >= 0; t++) {
        if (at->in_share[t] > 0.0) {
            schedule_lp_set(lp, at->one_room, t,
                            (struct schedule_lp_value){0.0, 1.0, 0.0, 1.0});
            schedule_lp_rhs(lp, at->one_row, t, 1.0);
        }
        if (at->bottom.row >= 0 && at->rooms_on[t] > 0.0) {
            double range = at->top.limit[t] - at->bottom.limit[t];
            fill_side(lp, &at->bottom, t, range);
            fill_side(lp, &at->top, t, range);
        }
        for (int k = 0; k < at->store.n_segments; k++) {
            const struct schedule_lp_side *bottom = &at->bottoms[k];
            if (bottom->row >= 0 && bottom->on[t] > 0.0) {
                fill_side(lp, bottom, t, bottom->range[t]);
                fill_side(lp, &at->tops[k], t, bottom->range[t]);
            }
        }
    }
}
