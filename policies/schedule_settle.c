/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_settle.h"

#include <math.h>

static const double excess_min_pu = 1e-7;
static const double hair_pu = 1e-6; /* of the energy */

struct settle {
    const struct schedule_problem *p;
    const struct schedule_penalties *penalties;
    struct schedule *s;
    double excess_min_w;
    double penalty_cur;
};

static double clamp(double x, double lo, double hi)
{
    return fmax(lo, fmin(hi, x));
}

static void violate(struct settle *at, struct schedule_violation v)
{
    struct schedule *s = at->s;
    if (s->n_violations < SCHEDULE_VIOLATIONS_MAX) {
        s->violations[s->n_violations] = v;
    }
    s->n_violations++;
}

static double largest_power(const struct schedule_problem *p)
{
    double most = 1.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double sum = fabs(p->load_w[t]);
        for (int64_t b = 0; b < p->n_batteries; b++) {
            sum += fmax(p->batteries[b].charge_max_w[t],
                        p->batteries[b].discharge_max_w[t]);
        }
        for (int64_t k = 0; k < p->n_classes; k++) {
            sum += fabs(p->classes[k].demand_w[t]);
        }
        most = fmax(most, sum);
    }
    return most;
}

/* Takes energy out of or puts it into the segments; cost of what goes out.  An
 * empty store owes the first. */
static double move_energy(struct schedule_store *store, double change_wh,
                          double eff_pu)
{
    double cost = 0.0;
    int last = store->n_segments - 1;
    for (int i = 0; i <= last; i++) {
        double *e = &store->start_wh[i];
        double part = change_wh;
        if (change_wh < 0.0) {
            part = fmax(change_wh, -fmax(*e, 0.0));
        } else if (change_wh > 0.0 && i < last) {
            part = fmin(change_wh, fmax(store->width_wh[i] - *e, 0.0));
        }
        *e += part;
        change_wh -= part;
        cost -= fmin(part, 0.0) * eff_pu / 1000.0 * store->per_kwh[i];
    }
    store->start_wh[0] += change_wh;
    return cost - change_wh * eff_pu / 1000.0 * store->per_kwh[0];
}

/* The power that changes the energy by so much. */
static double power_w(const struct schedule_battery *b, double change_wh,
                      double h)
{
    return change_wh > 0.0 ? change_wh / (b->charge_eff_pu * h)
                           : change_wh * b->discharge_eff_pu / h;
}

static double change_wh(const struct schedule_battery *b, double w, double h)
{
    return w > 0.0 ? w * b->charge_eff_pu * h : w * h / b->discharge_eff_pu;
}

static void short_of_charge(struct settle *at, int64_t i, int64_t t,
                            double e_wh)
{
    const struct schedule_battery *b = &at->p->batteries[i];
    bool end = t == at->p->n_steps - 1 && isfinite(b->soc_end_min_pu);
    double floor_pu = fmax(b->soc_floor_pu[t], b->soc_min_pu);
    double want_pu = end ? fmax(b->soc_end_min_pu, floor_pu) : floor_pu;
    double ceiling_pu =
        fmax(fmin(b->soc_ceiling_pu[t], b->soc_max_pu), floor_pu);
    double soc_pu = b->soc_min_pu + e_wh / b->energy_wh;
    double below_pu = fmax(want_pu - soc_pu, 0.0);
    double by_pu = fmax(below_pu, soc_pu - ceiling_pu);
    if (by_pu <= 1e-6) {
        return;
    }
    violate(at, (struct schedule_violation){SCHEDULE_SOC_END, i, t, by_pu});
}

/* The power within the rating that leads from 'from_wh' to 'to_wh', or as near
 * as it can. */
static double power_to(const struct schedule_battery *b, int64_t t, double h,
                       const double from_to_wh[2])
{
    double w = power_w(b, from_to_wh[1] - from_to_wh[0], h);
    return clamp(w, -fmax(b->discharge_max_w[t], 0.0),
                 fmax(b->charge_max_w[t], 0.0));
}

static void within_rating(const struct schedule_battery *b, int64_t t,
                          double *w)
{
    *w = clamp(*w, -fmax(b->discharge_max_w[t], 0.0),
               fmax(b->charge_max_w[t], 0.0));
}

/* A window that is missed by less is not missed. */
static double by_a_hair(double to_wh, struct schedule_window wish,
                        double hair_wh)
{
    double in = clamp(to_wh, wish.lo_wh, wish.hi_wh);
    return fabs(in - to_wh) <= hair_wh ? in : to_wh;
}

static double battery(struct settle *at, int64_t i)
{
    const struct schedule_battery *b = &at->p->batteries[i];
    struct schedule_store store;
    schedule_store(b, &store);
    struct schedule_window hard = schedule_window_hard(b);
    double hair_wh = hair_pu * b->energy_wh;
    double e = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    double cost = 0.0;
    for (int64_t t = 0; t < at->p->n_steps; t++) {
        double h = at->p->step_s[t] / 3600.0;
        double *w = &at->s->battery_w[i][t];
        struct schedule_window wish =
            schedule_window_wish(b, t, t == at->p->n_steps - 1);
        within_rating(b, t, w);
        double to = e + change_wh(b, *w, h);
        double in = by_a_hair(clamp(to, hard.lo_wh, hard.hi_wh), wish, hair_wh);
        if (in != to) {
            *w = power_to(b, t, h, (const double[]){e, in});
        }
        double change = change_wh(b, *w, h);
        e += change;
        cost += move_energy(&store, change, b->discharge_eff_pu);
        at->s->soc_pu[i][t] = b->soc_min_pu + e / b->energy_wh;
        short_of_charge(at, i, t, e);
        double by = fmax(wish.lo_wh - e, e - wish.hi_wh);
        if (by > excess_min_pu * b->energy_wh) {
            at->penalty_cur += at->penalties->soc_end_per_kwh * by / 1000.0;
        }
    }
    return cost - b->terminal_value_per_kwh * e / 1000.0;
}

void schedule_hold_windows(const struct schedule_problem *p, struct schedule *s)
{
    for (int64_t i = 0; i < p->n_batteries; i++) {
        const struct schedule_battery *b = &p->batteries[i];
        struct schedule_tube tube = schedule_tube(b);
        double e = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
        for (int64_t t = 0; t < p->n_steps; t++) {
            double h = p->step_s[t] / 3600.0;
            double *w = &s->battery_w[i][t];
            schedule_tube_step(&tube, b, t, h);
            within_rating(b, t, w);
            double to = e + change_wh(b, *w, h);
            double in = clamp(to, tube.lo_wh, tube.hi_wh);
            if (in != to) {
                *w = power_to(b, t, h, (const double[]){e, in});
            }
            e += change_wh(b, *w, h);
        }
    }
}

static double firm(struct settle *at, int64_t k)
{
    const struct schedule_class *c = &at->p->classes[k];
    double cost = 0.0;
    for (int64_t t = 0; t < at->p->n_steps; t++) {
        double h = at->p->step_s[t] / 3600.0;
        double demand = fmax(c->demand_w[t], 0.0);
        double *w = &at->s->served_w[k][t];
        *w = clamp(*w, 0.0, demand);
        cost += h * (demand - *w) / 1000.0 * c->value_per_kwh;
        double below = clamp(c->min_pu, 0.0, 1.0) * demand - *w;
        if (below > at->excess_min_w) {
            violate(at,
                    (struct schedule_violation){SCHEDULE_FLOOR, k, t, below});
            at->penalty_cur +=
                h * below / 1000.0 * at->penalties->floor_per_kwh;
        }
    }
    return cost;
}

static double deferrable(struct settle *at, int64_t k)
{
    const struct schedule_class *c = &at->p->classes[k];
    double queue_wh = 0.0;
    double cost = 0.0;
    for (int64_t t = 0; t < at->p->n_steps; t++) {
        double h = at->p->step_s[t] / 3600.0;
        queue_wh += h * fmax(c->demand_w[t], 0.0);
        double *w = &at->s->served_w[k][t];
        *w = clamp(*w, 0.0, fmin(fmax(c->max_w, 0.0), queue_wh / h));
        queue_wh = fmax(queue_wh - h * *w, 0.0);
        double late_wh = fmax(queue_wh - fmax(c->queue_max_wh[t], 0.0), 0.0);
        cost += h *
                (queue_wh * c->delay_per_kwh_h + late_wh * c->late_per_kwh_h) /
                1000.0;
    }
    return cost + queue_wh / 1000.0 * c->value_per_kwh;
}

static void grid_limit(struct settle *at, int64_t t, double h)
{
    const struct schedule_problem *p = at->p;
    double g = at->s->grid_w[t];
    double over = fmax(g - fmax(p->import_max_w[t], 0.0),
                       -g - fmax(p->export_max_w[t], 0.0));
    if (over > at->excess_min_w) {
        violate(at, (struct schedule_violation){SCHEDULE_IMPORT, -1, t, over});
        at->penalty_cur += h * over / 1000.0 * at->penalties->grid_per_kwh;
    }
    double before = t > 0 ? at->s->grid_w[t - 1] : p->grid_start_w;
    double steep = fabs(g - before) - p->ramp_max_w_per_s * p->step_s[t];
    if (isfinite(before) && steep > at->excess_min_w) {
        violate(at, (struct schedule_violation){SCHEDULE_RAMP, -1, t,
                                                steep / p->step_s[t]});
        at->penalty_cur += steep / 1000.0 * at->penalties->ramp_per_kw;
    }
}

static double grid(struct settle *at)
{
    const struct schedule_problem *p = at->p;
    struct schedule *s = at->s;
    double cost = 0.0;
    double peak = fmax(p->peak_w, 0.0);
    for (int64_t t = 0; t < p->n_steps; t++) {
        double h = p->step_s[t] / 3600.0;
        double g = p->load_w[t];
        for (int64_t k = 0; k < p->n_classes; k++) {
            g += s->served_w[k][t];
        }
        for (int64_t i = 0; i < p->n_batteries; i++) {
            g += s->battery_w[i][t];
        }
        s->grid_w[t] = g;
        peak = fmax(peak, g);
        cost += h * g / 1000.0 *
                (g > 0.0 ? p->import_per_kwh[t] : p->export_per_kwh[t]);
        grid_limit(at, t, h);
    }
    if (p->peak_per_kw > 0.0) {
        cost += p->peak_per_kw * (peak - fmax(p->peak_w, 0.0)) / 1000.0;
    }
    return cost;
}

double schedule_settle(const struct schedule_problem *p,
                       const struct schedule_penalties *penalties,
                       struct schedule *s)
{
    struct settle at = {.p = p,
                        .penalties = penalties,
                        .s = s,
                        .excess_min_w = excess_min_pu * largest_power(p)};
    double cost = 0.0;
    s->n_violations = 0;
    for (int64_t i = 0; i < p->n_batteries; i++) {
        cost += battery(&at, i);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        cost += p->classes[k].deferrable ? deferrable(&at, k) : firm(&at, k);
    }
    cost += grid(&at);
    s->objective_cur = cost;
    return cost + at.penalty_cur;
}
