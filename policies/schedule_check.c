/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_check.h"

#include <assert.h>
#include <math.h>

static const double power_tolerance_pu = 1e-5;
static const double charge_tolerance_pu = 1e-5;
static const double cost_tolerance_pu = 1e-6;

struct check {
    const struct schedule_problem *p;
    const struct schedule *s;
    struct schedule_verdict *out;
    double tolerance_w;
};

static void fault(struct check *c, enum schedule_fault what, int64_t asset,
                  int64_t step, double by)
{
    if (c->out->n_faults++ == 0) {
        c->out->fault = what;
        c->out->asset = asset;
        c->out->step = step;
        c->out->by = by;
    }
}

static bool declared(const struct schedule *s, enum schedule_tier tier,
                     int64_t asset, int64_t step)
{
    /* A full list leaves out the later ones: their number has to do. */
    if (s->n_violations > SCHEDULE_VIOLATIONS_MAX) {
        return true;
    }
    for (int64_t i = 0; i < s->n_violations; i++) {
        const struct schedule_violation *v = &s->violations[i];
        if (v->tier == (int64_t)tier && v->asset == asset && v->step == step) {
            return true;
        }
    }
    return false;
}

/* 'by' beyond a limit that may give way. */
static void give_way(struct check *c, struct schedule_violation v)
{
    enum schedule_tier tier = (enum schedule_tier)v.tier;
    c->out->worst[tier] = fmax(c->out->worst[tier], v.by);
    if (!declared(c->s, tier, v.asset, v.step)) {
        fault(c, SCHEDULE_FAULT_UNDECLARED, v.asset, v.step, v.by);
    }
}

/* The largest power that anything can come to. */
static double scale_w(const struct schedule_problem *p)
{
    double most = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double sum = fabs(p->load_w[t]);
        for (int64_t i = 0; i < p->n_batteries; i++) {
            const struct schedule_battery *b = &p->batteries[i];
            sum += fabs(b->charge_max_w[t]) + fabs(b->discharge_max_w[t]);
        }
        for (int64_t k = 0; k < p->n_classes; k++) {
            const struct schedule_class *q = &p->classes[k];
            sum += q->deferrable ? q->max_w : fabs(q->demand_w[t]);
        }
        most = sum > most ? sum : most;
    }
    return most;
}

static bool all_finite(struct check *c)
{
    const struct schedule *s = c->s;
    for (int64_t t = 0; t < c->p->n_steps; t++) {
        bool ok = isfinite(s->grid_w[t]);
        for (int64_t i = 0; i < c->p->n_batteries; i++) {
            ok =
                ok && isfinite(s->battery_w[i][t]) && isfinite(s->soc_pu[i][t]);
        }
        for (int64_t k = 0; k < c->p->n_classes; k++) {
            ok = ok && isfinite(s->served_w[k][t]);
        }
        if (!ok) {
            fault(c, SCHEDULE_FAULT_FINITE, -1, t, NAN);
            return false;
        }
    }
    if (!isfinite(s->objective_cur)) {
        fault(c, SCHEDULE_FAULT_FINITE, -1, -1, NAN);
    }
    return isfinite(s->objective_cur);
}

/* Energy per segment, as the problem lists them. */
struct pots {
    double wh[SCHEDULE_SEGMENTS_MAX];
};

/* What is taken from a battery below soc_min is of the first segment. */
static double drain(const struct schedule_battery *b, struct pots *pots,
                    double wh)
{
    double cost = 0.0;
    for (int64_t i = 0; i < b->n_segments && wh > 0.0; i++) {
        double held = pots->wh[i] > 0.0 ? pots->wh[i] : 0.0;
        double take = wh < held ? wh : held;
        pots->wh[i] -= take;
        wh -= take;
        cost += take * b->discharge_eff_pu * b->segments[i].per_kwh / 1000.0;
    }
    if (wh > 0.0 && b->n_segments > 0) {
        pots->wh[0] -= wh;
        cost += wh * b->discharge_eff_pu * b->segments[0].per_kwh / 1000.0;
    }
    return cost;
}

static void pour(const struct schedule_battery *b, struct pots *pots, double wh)
{
    for (int64_t i = 0; i < b->n_segments && wh > 0.0; i++) {
        bool last = i == b->n_segments - 1;
        double room = b->segments[i].width_pu * b->energy_wh - pots->wh[i];
        room = room > 0.0 ? room : 0.0;
        double put = last || wh < room ? wh : room;
        pots->wh[i] += put;
        wh -= put;
    }
}

static void check_charge(struct check *c, int64_t i, int64_t t, double soc)
{
    const struct schedule_battery *b = &c->p->batteries[i];
    double low = fmin(b->soc_min_pu, b->soc_start_pu);
    double high = fmax(b->soc_max_pu, b->soc_start_pu);
    double off = fabs(soc - c->s->soc_pu[i][t]);
    double outside = fmax(low - soc, soc - high);
    if (off > charge_tolerance_pu) {
        fault(c, SCHEDULE_FAULT_SOC, i, t, off);
    }
    if (outside > charge_tolerance_pu) {
        fault(c, SCHEDULE_FAULT_WINDOW, i, t, outside);
    }
    double floor = fmax(b->soc_floor_pu[t], b->soc_min_pu);
    double ceiling = fmin(b->soc_ceiling_pu[t], b->soc_max_pu);
    if (t == c->p->n_steps - 1 && isfinite(b->soc_end_min_pu)) {
        floor = fmax(floor, b->soc_end_min_pu);
    }
    double by = fmax(floor - soc, soc - fmax(ceiling, b->soc_min_pu));
    if (by > charge_tolerance_pu) {
        give_way(c, (struct schedule_violation){SCHEDULE_SOC_END, i, t, by});
    }
}

static double check_battery(struct check *c, int64_t i)
{
    const struct schedule_battery *b = &c->p->batteries[i];
    struct pots pots = {{0}};
    for (int64_t n = 0; n < b->n_segments; n++) {
        pots.wh[n] = b->segments[n].start_pu * b->energy_wh;
    }
    double held_wh = b->soc_start_pu * b->energy_wh;
    double cost = 0.0;
    for (int64_t t = 0; t < c->p->n_steps; t++) {
        double w = c->s->battery_w[i][t];
        double wh = w * c->p->step_s[t] / 3600.0;
        double beyond =
            w > 0.0 ? w - b->charge_max_w[t] : -w - b->discharge_max_w[t];
        if (beyond > c->tolerance_w) {
            fault(c, SCHEDULE_FAULT_POWER, i, t, beyond);
        }
        if (w > 0.0) {
            held_wh += wh * b->charge_eff_pu;
            pour(b, &pots, wh * b->charge_eff_pu);
        } else {
            held_wh += wh / b->discharge_eff_pu;
            cost += drain(b, &pots, -wh / b->discharge_eff_pu);
        }
        check_charge(c, i, t, held_wh / b->energy_wh);
    }
    double left_wh = held_wh - b->soc_min_pu * b->energy_wh;
    return cost - left_wh / 1000.0 * b->terminal_value_per_kwh;
}

static double check_class(struct check *c, int64_t k)
{
    const struct schedule_class *q = &c->p->classes[k];
    double queue_wh = 0.0;
    double cost = 0.0;
    for (int64_t t = 0; t < c->p->n_steps; t++) {
        double hours = c->p->step_s[t] / 3600.0;
        double demand_w = fmax(q->demand_w[t], 0.0);
        double w = c->s->served_w[k][t];
        double most_w = q->deferrable ? q->max_w : demand_w;
        double beyond = fmax(-w, w - most_w);
        if (beyond > c->tolerance_w) {
            fault(c, SCHEDULE_FAULT_SERVED, k, t, beyond);
        }
        if (!q->deferrable) {
            double below = q->min_pu * demand_w - w;
            if (below > c->tolerance_w) {
                give_way(c, (struct schedule_violation){SCHEDULE_FLOOR, k, t,
                                                        below});
            }
            cost += (demand_w - w) * hours / 1000.0 * q->value_per_kwh;
            continue;
        }
        queue_wh += (demand_w - w) * hours;
        if (queue_wh < -c->tolerance_w * hours) {
            fault(c, SCHEDULE_FAULT_QUEUE, k, t, -queue_wh / hours);
        }
        cost += queue_wh / 1000.0 * hours * q->delay_per_kwh_h;
        double late_wh = queue_wh - fmax(q->queue_max_wh[t], 0.0);
        cost += fmax(late_wh, 0.0) / 1000.0 * hours * q->late_per_kwh_h;
    }
    return cost + (q->deferrable ? queue_wh / 1000.0 * q->value_per_kwh : 0.0);
}

static void check_grid_limits(struct check *c, int64_t t)
{
    const struct schedule_problem *p = c->p;
    double g = c->s->grid_w[t];
    double over = fmax(g - fmax(p->import_max_w[t], 0.0),
                       -g - fmax(p->export_max_w[t], 0.0));
    if (over > c->tolerance_w) {
        give_way(c, (struct schedule_violation){SCHEDULE_IMPORT, -1, t, over});
    }
    double before = t == 0 ? p->grid_start_w : c->s->grid_w[t - 1];
    double steep = fabs(g - before) - p->ramp_max_w_per_s * p->step_s[t];
    if (isfinite(before) && steep > c->tolerance_w) {
        give_way(c, (struct schedule_violation){SCHEDULE_RAMP, -1, t,
                                                steep / p->step_s[t]});
    }
}

static double check_grid(struct check *c)
{
    const struct schedule_problem *p = c->p;
    double cost = 0.0;
    double incumbent_w = fmax(p->peak_w, 0.0);
    double peak_w = incumbent_w;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double g = c->s->grid_w[t];
        double sum = p->load_w[t];
        for (int64_t i = 0; i < p->n_batteries; i++) {
            sum += c->s->battery_w[i][t];
        }
        for (int64_t k = 0; k < p->n_classes; k++) {
            sum += c->s->served_w[k][t];
        }
        if (fabs(sum - g) > c->tolerance_w) {
            fault(c, SCHEDULE_FAULT_BALANCE, -1, t, fabs(sum - g));
        }
        check_grid_limits(c, t);
        double kwh = g * p->step_s[t] / 3.6e6;
        cost +=
            kwh > 0.0 ? kwh * p->import_per_kwh[t] : kwh * p->export_per_kwh[t];
        peak_w = g > peak_w ? g : peak_w;
    }
    double rise_w = peak_w - incumbent_w;
    return cost + (rise_w > 0.0 ? rise_w / 1000.0 * p->peak_per_kw : 0.0);
}

bool schedule_check(const struct schedule_problem *p, const struct schedule *s,
                    struct schedule_verdict *out)
{
    *out = (struct schedule_verdict){.asset = -1, .step = -1};
    struct check c = {.p = p, .s = s, .out = out};
    c.tolerance_w = fmax(power_tolerance_pu * scale_w(p), 1e-3);
    if (!all_finite(&c)) {
        return false;
    }
    double cost = check_grid(&c);
    for (int64_t i = 0; i < p->n_batteries; i++) {
        cost += check_battery(&c, i);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        cost += check_class(&c, k);
    }
    out->cost_cur = cost;
    double off = fabs(cost - s->objective_cur);
    if (!(off <= cost_tolerance_pu * fmax(1.0, fabs(cost)))) {
        fault(&c, SCHEDULE_FAULT_COST, -1, -1, off);
    }
    return out->n_faults == 0;
}

const char *schedule_fault_text(enum schedule_fault id)
{
#define SCHEDULE_FAULT_TEXT(name, text) [SCHEDULE_FAULT_##name] = text,
    static const char *const texts[SCHEDULE_FAULTS] = {
        SCHEDULE_FAULT_LIST(SCHEDULE_FAULT_TEXT)};
#undef SCHEDULE_FAULT_TEXT
    assert((unsigned)id < SCHEDULE_FAULTS);
    return texts[id];
}
