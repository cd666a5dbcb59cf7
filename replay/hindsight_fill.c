/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers of the programme, scaled so that powers and prices are near 1. */
#include <math.h>

#include "models/backlog.h"
#include "models/billing.h"
#include "replay/hindsight_lp.h"

/* Bounds that are only there to be finite leave this much room. */
static const double LOOSE_PU = 1.05;
/* Of what lagged behind a step ago, this little is none. */
static const double LAG_MIN_PU = 0.02;
/* Decides between what costs the same: movement, per mean price. */
static const double TIE_PU = 1e-5;
/* Likewise, so that what an average leaves open stays level. */
static const double LEVEL_PU = 1e-3;
/* Of the need: what is held back, against a kWh of the batteries' swing. */
static const double HELD_PER_KWH = 1000.0;
static const double MOVED_PER_KWH = 1e-4;

static double load_w(const struct hindsight_step *s)
{
    return s->demand_w + s->other_w + s->fleet_w;
}

static double hours_of(const struct hindsight_step *s)
{
    return s->s / 3600.0;
}

static double ratings_w(const struct hindsight_lp *lp)
{
    double sum_w = 0.0;
    for (int i = 0; i < lp->stores->n; i++) {
        const struct hindsight_store *s = &lp->stores->at[i];
        sum_w += s->n * (s->charge_w + s->discharge_w);
    }
    return sum_w;
}

static double value_of(const struct hindsight_lp *lp, int class_id)
{
    const struct site *site = lp->truth->site;
    return class_id < site->n_classes ? site->classes[class_id].value_per_kwh
                                      : 0.0;
}

/* Scales, and the largest rate that can be worth something. */
static void scales(struct hindsight_lp *lp)
{
    const struct hindsight_truth *t = lp->truth;
    const struct site_grid *grid = &t->site->grid;
    double mean = 0.0;
    double most = 0.0;
    lp->reach_w = 1.0;
    for (int i = 0; i < lp->n; i++) {
        const struct hindsight_step *s = &t->steps[i];
        lp->reach_w = fmax(lp->reach_w, fabs(load_w(s)) + ratings_w(lp));
        mean += fabs(s->price_per_kwh) / lp->n;
        most = fmax(most, fabs(s->price_per_kwh));
    }
    lp->unit_w = lp->reach_w / 16.0;
    double wear = 0.0;
    for (int i = 0; i < lp->stores->n; i++) {
        const struct hindsight_store *s = &lp->stores->at[i];
        wear = fmax(wear, s->per_kwh[s->n_segments - 1]);
    }
    double value = 0.0;
    for (int k = 0; k < t->site->n_classes; k++) {
        value = fmax(value, value_of(lp, k));
    }
    lp->rate_per_kwh = 2.0 * most + wear + value +
                       grid->demand_charge_per_kw * 3600.0 /
                           fmax(grid->demand_interval_s, 1.0);
    double unit = fmax(mean, fmax(0.1 * wear, 1e-3 * lp->rate_per_kwh));
    if (lp->aim == HINDSIGHT_NEED) {
        lp->rate_per_kwh = HELD_PER_KWH;
        unit = 1.0;
    }
    lp->rate_per_kwh = fmax(lp->rate_per_kwh, 1e-3);
    lp->unit_cur = fmax(unit, 1e-4) * lp->unit_w / 1e3;
}

/* Means over the intervals of 'length_ms' by the clock: the part of the first
 * that was before the start stood at the first step's power.  'whole': one
 * that does not end counts only where it is the only one. */
static void interval(const struct hindsight_lp *lp, double length_s, bool whole,
                     struct hindsight_interval *out)
{
    const struct hindsight_truth *t = lp->truth;
    int64_t ms = (int64_t)llround(fmax(length_s * 1e3, (double)t->step_ms));
    double before_s = (double)(t->start_utc_ms % ms) / 1e3;
    int n_ended = 0;
    for (int from = 0, to; from < lp->n; from = to) {
        int64_t number = t->steps[from].begin_ms / ms;
        double sum_s = from == 0 ? before_s : 0.0;
        for (to = from; to < lp->n && t->steps[to].begin_ms / ms == number;
             to++) {
            sum_s += t->steps[to].s;
            out->keep[to] = 1.0;
        }
        for (int i = from; i < to; i++) {
            double extra_s = i == 0 ? before_s : 0.0;
            out->weight[i] = (t->steps[i].s + extra_s) / sum_s;
        }
        bool ended = sum_s > (double)ms / 1e3 - 1e-6;
        out->keep[to - 1] = 0.0;
        out->end[to - 1] = ended || (whole && n_ended == 0) ? 1.0 : 0.0;
        n_ended += ended;
    }
}

/* The peak of a month says nothing of the next one. */
static void months(struct hindsight_lp *lp)
{
    const struct hindsight_truth *truth = lp->truth;
    struct billing_month m = {0, 0};
    for (int t = 0; t < lp->n; t++) {
        if (!billing_month_holds(&m, truth->steps[t].begin_ms)) {
            m = billing_month(truth->zone, truth->steps[t].begin_ms);
            lp->n_months++;
        }
        bool last = t + 1 == lp->n ||
                    !billing_month_holds(&m, truth->steps[t + 1].begin_ms);
        lp->month_keep[t] = last ? 0.0 : 1.0;
        lp->month_end[t] = last ? 0.0 : lp->demand.end[t];
    }
}

/* What a kW that is held back saves of the cooling: at once, and later. */
static void cooling(struct hindsight_lp *lp)
{
    const struct site *site = lp->truth->site;
    double share = site->other.present ? site->other.pue_pu - 1.0 : 0.0;
    double period_s = site->control.period_s;
    double lag = site->other.lag_s / (site->other.lag_s + period_s);
    double step_s = (double)lp->truth->step_ms / 1e3;
    bool lags = share > 0.0 && pow(lag, step_s / period_s) > LAG_MIN_PU;
    for (int t = 0; t < lp->n; t++) {
        double n = (double)lp->truth->steps[t].n_ticks;
        double left = pow(lag, n);
        double mean = lags ? lag * (1.0 - left) / ((1.0 - lag) * n) : 0.0;
        lp->shed[t] = 1.0 + share * (1.0 - mean);
        if (lags) {
            lp->cool_gain[t] = share * (1.0 - left);
            lp->cool_pu[t] = mean / left;
            lp->shed[t] -= mean / left * lp->cool_gain[t];
            lp->cool_keep[t > 0 ? t - 1 : lp->n - 1] = t > 0 ? left : 0.0;
        }
    }
    if (!lags) {
        lp->cool_gain = NULL;
    }
}

bool hindsight_shapes(struct hindsight_lp *lp, struct ipm_memory *m)
{
    double **arrays[] = {&lp->h,           &lp->shed,       &lp->cool_pu,
                         &lp->cool_keep,   &lp->cool_gain,  &lp->demand.weight,
                         &lp->demand.keep, &lp->demand.end, &lp->block.weight,
                         &lp->block.keep,  &lp->block.end,  &lp->month_keep,
                         &lp->month_end};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        *arrays[i] = ipm_take(m, (size_t)lp->n);
        if (*arrays[i] == NULL) {
            return false;
        }
    }
    const struct site_grid *grid = &lp->truth->site->grid;
    for (int t = 0; t < lp->n; t++) {
        lp->h[t] = hours_of(&lp->truth->steps[t]);
    }
    scales(lp);
    interval(lp, grid->demand_interval_s, true, &lp->demand);
    interval(lp, grid->import_average_s, false, &lp->block);
    months(lp);
    cooling(lp);
    return true;
}

/* Of a column at a step: bounds in W or Wh, cost per kW or kWh. */
struct value {
    double lo;
    double hi;
    double cur;
};

static void set(struct hindsight_lp *lp, int col, int t, struct value v)
{
    if (col < 0) {
        return;
    }
    size_t at = (size_t)col * (size_t)lp->n + (size_t)t;
    double range = (v.hi - v.lo) / lp->unit_w;
    lp->lo[at] = v.lo / lp->unit_w;
    lp->ipm.range[at] = range > 1e-12 ? range : 0.0;
    lp->ipm.cost[at] = v.cur * lp->unit_w / 1e3 / lp->unit_cur;
}

static void rhs(struct hindsight_lp *lp, int row, int t, double w)
{
    if (row >= 0) {
        lp->ipm.rhs[(size_t)row * (size_t)lp->n + (size_t)t] = w / lp->unit_w;
    }
}

/* That costs 1 when scaled. */
static double rate_per_kwh(const struct hindsight_lp *lp)
{
    return lp->unit_cur * 1e3 / lp->unit_w;
}

/* What it costs to break the ramp by a kW: above what the steps in which it
 * binds on end can gain. */
static double ramp_per_kw(const struct hindsight_lp *lp)
{
    double ramp = lp->truth->site->grid.ramp_max_w_per_s;
    double step_h = (double)lp->truth->step_ms / 3.6e6;
    double run_h =
        fmin(lp->reach_w / fmax(ramp, 1e-9) / 3600.0, step_h * lp->n);
    return 4.0 * lp->rate_per_kwh * (run_h + step_h);
}

static void fill_grid(struct hindsight_lp *lp, int t)
{
    const struct hindsight_step *s = &lp->truth->steps[t];
    const struct site_grid *grid = &lp->truth->site->grid;
    double h = lp->h[t];
    double price = lp->aim == HINDSIGHT_COST ? s->price_per_kwh : 0.0;
    double loose_w = LOOSE_PU * lp->reach_w + lp->unit_w;
    double under_w = lp->import_more >= 0 ? fmin(s->limit_w, loose_w) : loose_w;
    double tie = LEVEL_PU * rate_per_kwh(lp);
    set(lp, lp->import, t, (struct value){0.0, under_w, price * h});
    set(lp, lp->import_more, t,
        (struct value){0.0, loose_w, (price + tie) * h});
    double out_w = fmin(grid->export_max_w, loose_w);
    set(lp, lp->export, t, (struct value){0.0, out_w, -fmin(price, 0.0) * h});
    rhs(lp, lp->balance_row, t, load_w(s));

    double before_s = t > 0 ? lp->truth->steps[t - 1].s : s->s;
    double free_w = grid->ramp_max_w_per_s * fmax(s->s, before_s);
    free_w = fmin(free_w, 2.0 * loose_w);
    double per_kw = ramp_per_kw(lp);
    set(lp, lp->ramp, t, (struct value){-free_w, free_w, 0.0});
    set(lp, lp->ramp_over, t, (struct value){0.0, 2.0 * loose_w, per_kw});
    set(lp, lp->ramp_under, t, (struct value){0.0, 2.0 * loose_w, per_kw});
    rhs(lp, lp->ramp_row, t, t == 0 ? lp->truth->start_w : 0.0);

    double peak_w = loose_w + grid->billing_peak_w;
    set(lp, lp->mean, t, (struct value){-loose_w, peak_w, 0.0});
    set(lp, lp->peak_room, t, (struct value){0.0, peak_w + loose_w, 0.0});
    set(lp, lp->peak_rise, t,
        (struct value){0.0, loose_w, grid->demand_charge_per_kw});
    rhs(lp, lp->peak_row, t, t == 0 ? grid->billing_peak_w : 0.0);

    double weight = lp->block.weight[t];
    bool end = lp->block.end[t] > 0.0;
    double step_h = (double)lp->truth->step_ms / 3.6e6;
    double over = 4.0 * per_kw / step_h * h / weight;
    set(lp, lp->blocked, t,
        (struct value){-loose_w - s->limit_w, end ? 0.0 : loose_w, 0.0});
    set(lp, lp->over, t, (struct value){0.0, end ? loose_w : 0.0, over});
    rhs(lp, lp->block_row, t, -weight * s->limit_w);
}

/* What can wait at the end of a step: what came within the deadline, less the
 * steps' own length and the part of it by which models/backlog.h is early. */
static double waits_max_wh(const struct hindsight_lp *lp, int k, int t)
{
    const struct site_class *c = &lp->truth->site->classes[k];
    double left_s = c->deadline_s * (1.0 - 1.0 / BACKLOG_BINS);
    double wh = 0.0;
    left_s -= lp->truth->steps[t].s;
    for (int i = t; i >= 0 && lp->truth->steps[i].s <= left_s; i--) {
        wh += lp->truth->steps[i].asked_w[k] * lp->h[i];
        left_s -= lp->truth->steps[i].s;
    }
    return wh;
}

/* What waits costs its power when it is done; at the end, at the mean price. */
static void fill_queue(struct hindsight_lp *lp, int k, int t, double value)
{
    if (lp->queue_row[k] < 0) {
        return;
    }
    const struct site_other *other = &lp->truth->site->other;
    double pue_pu = other->present ? other->pue_pu : 1.0;
    bool cost = lp->aim == HINDSIGHT_COST;
    bool end = cost && t == lp->n - 1;
    double left = end ? lp->truth->mean_per_kwh * pue_pu : 0.0;
    double lost_wh = lp->truth->steps[t].room_w[k] * lp->h[t] + lp->unit_w;
    lost_wh += t > 0 ? waits_max_wh(lp, k, t - 1) : 0.0;
    set(lp, lp->more[k], t,
        (struct value){0.0, lp->truth->steps[t].more_w[k], 0.0});
    set(lp, lp->queue[k], t, (struct value){0.0, waits_max_wh(lp, k, t), left});
    set(lp, lp->lost[k], t, (struct value){0.0, LOOSE_PU * lost_wh, value});
}

static void fill_classes(struct hindsight_lp *lp, int t)
{
    bool any = false;
    double tie = TIE_PU * rate_per_kwh(lp);
    for (int k = 0; k < SITE_CLASSES_MAX; k++) {
        double value = value_of(lp, k);
        if (lp->aim == HINDSIGHT_NEED || !(value > 0.0)) {
            value = lp->rate_per_kwh;
        }
        double hi_w = lp->truth->steps[t].room_w[k];
        bool waits = lp->queue_row[k] >= 0;
        double now = waits ? tie : value;
        set(lp, lp->held[k], t, (struct value){0.0, hi_w, now * lp->h[t]});
        fill_queue(lp, k, t, value);
        any = any || waits;
    }
    const struct site_other *other = &lp->truth->site->other;
    double save_w = (other->pue_pu - 1.0) * lp->reach_w;
    set(lp, lp->saving, t, (struct value){any ? -save_w : 0.0, save_w, 0.0});
}

static void fill_store(struct hindsight_lp *lp, int i, int t, int way)
{
    const struct hindsight_store *s = &lp->stores->at[i];
    const struct hindsight_lp_store *at = &lp->at[i];
    bool cost = lp->aim == HINDSIGHT_COST;
    double tie = (cost ? TIE_PU * rate_per_kwh(lp) : MOVED_PER_KWH) * lp->h[t];
    double in_w = way < 0 ? 0.0 : s->n * s->charge_w;
    double out_w = way > 0 ? 0.0 : s->n * s->discharge_w;
    bool end = t == lp->n - 1;
    double left = end && cost ? -lp->truth->mean_per_kwh : 0.0;
    double whole_wh = 0.0;
    double start_wh = 0.0;
    for (int k = 0; k < s->n_segments; k++) {
        double wear = s->per_kwh[k] * lp->h[t];
        double width_wh = s->n * s->width_wh[k];
        set(lp, at->charge[k], t, (struct value){0.0, in_w, tie});
        set(lp, at->discharge[k], t, (struct value){0.0, out_w, wear + tie});
        set(lp, at->energy[k], t, (struct value){0.0, width_wh, left});
        double from_wh = t == 0 ? s->n * s->fill_wh[k] : 0.0;
        rhs(lp, at->energy_row[k], t, from_wh);
        whole_wh += width_wh;
        start_wh += from_wh;
    }
    set(lp, at->room, t, (struct value){0.0, lp->unit_w, 0.0});
    rhs(lp, at->power_row, t, lp->unit_w);
    double per_kwh = lp->aim == HINDSIGHT_NEED ? 1.0 : 0.0;
    struct value room = {0.0, LOOSE_PU * whole_wh, 0.0};
    struct value change = {0.0, LOOSE_PU * whole_wh, per_kwh};
    set(lp, at->top_room, t, room);
    set(lp, at->top_rise, t, change);
    set(lp, at->bottom_room, t, room);
    set(lp, at->bottom_fall, t, change);
    rhs(lp, at->top_row, t, start_wh);
    rhs(lp, at->bottom_row, t, start_wh);
}

static void fold_bounds(struct hindsight_lp *lp)
{
    struct ipm *q = &lp->ipm;
    size_t n_rows = (size_t)q->n_rows * (size_t)lp->n;
    ipm_times(q, lp->lo, q->rp);
    for (size_t i = 0; i < n_rows; i++) {
        q->rhs[i] -= q->rp[i];
    }
}

void hindsight_fill(struct hindsight_lp *lp, const struct hindsight_ways *ways)
{
    for (int t = 0; t < lp->n; t++) {
        fill_grid(lp, t);
        fill_classes(lp, t);
        for (int i = 0; i < lp->stores->n; i++) {
            fill_store(lp, i, t, ways->at[i][t]);
        }
    }
    fold_bounds(lp);
}
