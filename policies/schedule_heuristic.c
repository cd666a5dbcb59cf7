/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_heuristic.h"

#include <math.h>
#include <string.h>

#include "policies/slope_dp.h"

enum { POOL_PER_STEP = 256, PASSES = 2, PEAKS = 6 };

struct work {
    const struct schedule_problem *p;
    struct schedule_penalties penalties;
    struct slope_work slope;
    struct slope_problem problem;
    struct slope_step *steps;
    double *energy;
    double *others_w; /* grid power without the battery at hand */
    double peak_w;    /* above which the demand charge counts */
    struct schedule *s;
    const struct schedule_heuristic_room *room;
};

static bool over(const struct work *w)
{
    return w->room->stop != NULL && w->room->stop(w->room->context);
}

static size_t words(size_t bytes)
{
    return (bytes + sizeof(double) - 1) / sizeof(double) + 8;
}

size_t schedule_heuristic_memory(int n_steps)
{
    size_t n = (size_t)n_steps + 1;
    return words(sizeof(struct work)) + words(2 * sizeof(struct schedule)) +
           words(n * POOL_PER_STEP * sizeof(struct slope_piece)) +
           words(n * sizeof(size_t)) + words(n * sizeof(struct slope_step)) +
           3 * (n + 16);
}

/* The price of grid power rises with it: at which power to which price. */
struct tariff {
    int n;
    double from_w[5]; /* the first: anything below */
    double per_kwh[5];
};

static struct tariff tariff(const struct work *w, int64_t t)
{
    const struct schedule_problem *p = w->p;
    double h = p->step_s[t] / 3600.0;
    double buy = p->import_per_kwh[t];
    double sell = fmin(p->export_per_kwh[t], buy);
    double penalty = w->penalties.grid_per_kwh;
    double out_w = fmax(p->export_max_w[t], 0.0);
    double cap_w = fmax(p->import_max_w[t], 0.0);
    double peak_w = fmin(fmax(w->peak_w, 0.0), cap_w);
    double peak = p->peak_per_kw / h;
    struct tariff f = {
        .n = 5,
        .from_w = {-INFINITY, -out_w, 0.0, peak_w, cap_w},
        .per_kwh = {sell - penalty, sell, buy, buy + peak,
                    buy + peak + penalty},
    };
    return f;
}

/* Slopes never fall, whatever rounding does. */
static void add_piece(struct slope_step *s, double change_wh,
                      double slope_per_kwh)
{
    double slope = slope_per_kwh / 1000.0;
    if (change_wh <= 0.0 || s->n >= SLOPE_PIECES_MAX) {
        return;
    }
    if (s->n > 0) {
        slope = fmax(slope, s->pieces[s->n - 1].slope);
    }
    s->pieces[s->n++] = (struct slope_piece){slope, change_wh};
}

/* The step's cost over the change of energy.  Where the price is negative,
 * discharge counts as dear as charging pays: the function stays convex. */
static void step_cost(const struct work *w, const struct schedule_battery *b,
                      int64_t t, double wear)
{
    struct slope_step *s = &w->steps[t];
    struct tariff f = tariff(w, t);
    double h = w->p->step_s[t] / 3600.0;
    double in_w = fmax(b->charge_max_w[t], 0.0);
    double out_w = fmax(b->discharge_max_w[t], 0.0);
    s->change_min = -out_w * h / b->discharge_eff_pu;
    s->n = 0;
    for (int side = 0; side < 2; side++) {
        bool out = side == 0;
        for (int i = 0; i < f.n; i++) {
            double from = f.from_w[i] - w->others_w[t];
            double to =
                i + 1 < f.n ? f.from_w[i + 1] - w->others_w[t] : INFINITY;
            from = fmax(from, out ? -out_w : 0.0);
            to = fmin(to, out ? 0.0 : in_w);
            double m = f.per_kwh[i];
            double given = (m - wear) * b->discharge_eff_pu;
            double taken = m / b->charge_eff_pu;
            if (out) {
                add_piece(s, (to - from) * h / b->discharge_eff_pu,
                          fmin(given, taken));
            } else {
                add_piece(s, (to - from) * h * b->charge_eff_pu, taken);
            }
        }
    }
}

static double mean_wear(const struct schedule_store *store)
{
    double sum = 0.0;
    for (int i = 0; i < store->n_segments; i++) {
        double part = store->whole_wh > 0.0
                          ? store->width_wh[i] / store->whole_wh
                          : 1.0 / store->n_segments;
        sum += part * store->per_kwh[i];
    }
    return sum;
}

static void final_cost(struct work *w, const struct schedule_battery *b)
{
    const struct slope_step *last = &w->steps[w->p->n_steps - 1];
    double value = -b->terminal_value_per_kwh / 1000.0;
    double penalty = w->penalties.soc_end_per_kwh / 1000.0;
    double want = isfinite(b->soc_end_min_pu)
                      ? (b->soc_end_min_pu - b->soc_min_pu) * b->energy_wh
                      : last->lo;
    want = fmin(fmax(want, last->lo), last->hi);
    w->problem.n_final = 2;
    w->problem.final[0] =
        (struct slope_piece){value - penalty, want - last->lo};
    w->problem.final[1] = (struct slope_piece){value, last->hi - want};
}

static void one_battery(struct work *w, int64_t i)
{
    const struct schedule_battery *b = &w->p->batteries[i];
    int64_t n = w->p->n_steps;
    struct schedule_store store;
    schedule_store(b, &store);
    double wear = mean_wear(&store);
    struct schedule_tube tube = schedule_tube(b);
    for (int64_t t = 0; t < n; t++) {
        schedule_tube_step(&tube, b, t, w->p->step_s[t] / 3600.0);
        w->steps[t].lo = tube.lo_wh;
        w->steps[t].hi = tube.hi_wh;
        w->others_w[t] -= w->s->battery_w[i][t];
        step_cost(w, b, t, wear);
    }
    final_cost(w, b);
    w->problem.n_steps = (int)n;
    w->problem.start = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    w->problem.steps = w->steps;
    slope_dp_solve(&w->problem, &w->slope, w->energy);
    double before = w->problem.start;
    for (int64_t t = 0; t < n; t++) {
        double change = w->energy[t] - before;
        double h = w->p->step_s[t] / 3600.0;
        before = w->energy[t];
        w->s->battery_w[i][t] = change > 0.0 ? change / (b->charge_eff_pu * h)
                                             : change * b->discharge_eff_pu / h;
        w->others_w[t] += w->s->battery_w[i][t];
    }
}

/* What the classes want: everything at once, unless the price is above what a
 * firm one is worth. */
static void want_classes(struct work *w)
{
    const struct schedule_problem *p = w->p;
    for (int64_t k = 0; k < p->n_classes; k++) {
        const struct schedule_class *c = &p->classes[k];
        double queue_wh = 0.0;
        for (int64_t t = 0; t < p->n_steps; t++) {
            double h = p->step_s[t] / 3600.0;
            double demand = fmax(c->demand_w[t], 0.0);
            bool dear = p->import_per_kwh[t] > c->value_per_kwh;
            double firm =
                dear ? demand * fmin(fmax(c->min_pu, 0.0), 1.0) : demand;
            queue_wh += demand * h;
            double flows = fmin(fmax(c->max_w, 0.0), queue_wh / h);
            w->s->served_w[k][t] = c->deferrable ? flows : firm;
            queue_wh -= c->deferrable ? flows * h : queue_wh;
            w->others_w[t] += w->s->served_w[k][t];
        }
    }
}

/* Brings a step under its limit: firm classes to their floor, then below it.
 * The import limit gives way after them. */
static void shed(struct work *w, int64_t t, double over_w)
{
    const struct schedule_problem *p = w->p;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t k = 0; k < p->n_classes && over_w > 0.0; k++) {
            const struct schedule_class *c = &p->classes[k];
            double *served = &w->s->served_w[k][t];
            double floor =
                fmax(c->demand_w[t], 0.0) * fmin(fmax(c->min_pu, 0.0), 1.0);
            double can = *served - (pass == 0 ? floor : 0.0);
            double less = fmin(over_w, fmax(can, 0.0));
            if (!c->deferrable) {
                *served -= less;
                over_w -= less;
            }
        }
    }
}

/* Deferrable work goes where there is room under the limit. */
static void defer(struct work *w)
{
    const struct schedule_problem *p = w->p;
    double queue_wh[SCHEDULE_CLASSES_MAX] = {0.0};
    for (int64_t t = 0; t < p->n_steps; t++) {
        double h = p->step_s[t] / 3600.0;
        double grid = w->others_w[t];
        for (int64_t k = 0; k < p->n_classes; k++) {
            grid -= p->classes[k].deferrable ? w->s->served_w[k][t] : 0.0;
        }
        double cap = fmax(p->import_max_w[t], 0.0);
        double room = fmin(cap, fmax(w->peak_w, 0.0)) - grid;
        for (int64_t k = 0; k < p->n_classes; k++) {
            const struct schedule_class *c = &p->classes[k];
            if (!c->deferrable) {
                continue;
            }
            queue_wh[k] += fmax(c->demand_w[t], 0.0) * h;
            double flows = fmin(fmax(c->max_w, 0.0), queue_wh[k] / h);
            flows = fmax(fmin(flows, room), 0.0);
            w->s->served_w[k][t] = flows;
            queue_wh[k] -= flows * h;
            room -= flows;
        }
        shed(w, t, fmin(cap, fmax(w->peak_w, 0.0)) - room - cap);
    }
}

/* The cost with penalties, NAN where time was up. */
static double attempt(struct work *w, double peak_w, struct schedule *s)
{
    const struct schedule_problem *p = w->p;
    w->s = s;
    w->peak_w = peak_w;
    for (int64_t t = 0; t < p->n_steps; t++) {
        w->others_w[t] = p->load_w[t];
        for (int64_t i = 0; i < p->n_batteries; i++) {
            s->battery_w[i][t] = 0.0;
        }
    }
    want_classes(w);
    int passes = p->n_batteries > 1 ? PASSES : 1;
    for (int pass = 0; pass < passes; pass++) {
        for (int64_t i = 0; i < p->n_batteries; i++) {
            if (over(w)) {
                return NAN;
            }
            one_battery(w, i);
        }
    }
    if (p->n_classes > 0) {
        defer(w);
    }
    schedule_hold_windows(p, s);
    return schedule_settle(p, &w->penalties, s);
}

static double highest(const struct schedule_problem *p,
                      const struct schedule *s)
{
    double top_w = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        top_w = fmax(top_w, s->grid_w[t]);
    }
    return top_w;
}

static void *part(double **base, size_t bytes)
{
    void *at = *base;
    *base += words(bytes);
    return at;
}

bool schedule_heuristic(const struct schedule_problem *p,
                        const struct schedule_heuristic_room *room,
                        struct schedule *out)
{
    double *base = room->base;
    if (p->n_steps <= 0 || base == NULL ||
        room->n < schedule_heuristic_memory((int)p->n_steps)) {
        return false;
    }
    size_t m = (size_t)p->n_steps + 1;
    struct work *w = part(&base, sizeof(*w));
    struct schedule *second = part(&base, sizeof(*second));
    w->p = p;
    w->room = room;
    w->slope.n_pool = m * POOL_PER_STEP;
    w->slope.pool = part(&base, w->slope.n_pool * sizeof(struct slope_piece));
    w->slope.first = part(&base, m * sizeof(size_t));
    w->slope.begin = part(&base, m * sizeof(double));
    w->steps = part(&base, m * sizeof(struct slope_step));
    w->energy = part(&base, m * sizeof(double));
    w->others_w = part(&base, m * sizeof(double));
    schedule_penalties(p, &w->penalties);
    double cost = attempt(w, INFINITY, out);
    if (!isfinite(cost)) {
        return false;
    }
    double top_w = highest(p, out);
    double paid_w = fmax(p->peak_w, 0.0);
    for (int i = 0; i < PEAKS && p->peak_per_kw > 0.0 && top_w > paid_w; i++) {
        double at = (double)i / PEAKS;
        double other = attempt(w, paid_w + at * (top_w - paid_w), second);
        if (isnan(other)) {
            break;
        }
        if (other < cost) {
            *out = *second;
            cost = other;
        }
    }
    out->status = PLAN_HEURISTIC;
    out->gap_pu = NAN;
    out->relaxed_gap_pu = NAN;
    out->n_iterations = 0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        for (int64_t i = 0; i < p->n_batteries; i++) {
            out->energy_value_per_kwh[i][t] = NAN;
        }
        out->grid_value_per_kwh[t] = NAN;
        out->cap_value_per_kwh[t] = NAN;
    }
    out->peak_value_per_kw = NAN;
    return true;
}
