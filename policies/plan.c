/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/plan.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double POWER_PU = 0.4;    /* of the rating; the rest smooths */
static const double RESERVE_PU = 0.15; /* of the energy, at either end */
static const int64_t PLAN_MAX_AGE_MS = 2 * 3600 * 1000;

/* The dispatchable batteries as one. */
struct whole {
    double energy_wh;
    double lo_wh;
    double hi_wh;
    double start_wh;
    double home_wh; /* to come back to where nothing is planned */
    double charge_w;
    double discharge_w;
    double eff_pu; /* one way */
    double wear_per_kwh;
};

static struct whole add_up(const struct site *site, const struct problem *p)
{
    struct whole w = {.eff_pu = 1.0};
    for (int i = 0; i < site->n_batteries; i++) {
        const struct site_battery *b = &site->batteries[i];
        if (p->available[i] < 1.0) {
            continue;
        }
        double margin = RESERVE_PU * (b->soc_max_pu - b->soc_min_pu);
        w.energy_wh += b->energy_wh;
        w.lo_wh += fmin((b->soc_min_pu + margin) * b->energy_wh + b->reserve_wh,
                        (b->soc_max_pu - margin) * b->energy_wh);
        w.hi_wh += (b->soc_max_pu - margin) * b->energy_wh;
        w.start_wh += p->soc_pu[i] * b->energy_wh;
        w.home_wh += p->soc_start_pu[i] * b->energy_wh;
        w.charge_w += POWER_PU * fmin(b->charge_max_w, b->transformer_va);
        w.discharge_w += POWER_PU * fmin(b->discharge_max_w, b->transformer_va);
        w.eff_pu = fmin(w.eff_pu, sqrt(b->efficiency_pu));
        /* As deep as the plan goes: the cheapest segments first. */
        double depth_pu = b->soc_max_pu - b->soc_min_pu - 2.0 * margin;
        w.wear_per_kwh =
            fmax(w.wear_per_kwh, wear_segments_mean(&p->wear[i], depth_pu));
    }
    return w;
}

/* Price below (or above) which a quarter of the slots lies: the k-th smallest
 * by counting, bounded and without a copy. */
static double quantile(const struct problem *p, double pu)
{
    int64_t k = (int64_t)(pu * (double)(p->n_slots - 1));
    for (int64_t i = 0; i < p->n_slots; i++) {
        int64_t below = 0;
        int64_t same = 0;
        for (int64_t j = 0; j < p->n_slots; j++) {
            below += p->import_per_kwh[j] < p->import_per_kwh[i];
            same += p->import_per_kwh[j] == p->import_per_kwh[i];
        }
        if (below <= k && k < below + same) {
            return p->import_per_kwh[i];
        }
    }
    return p->import_per_kwh[0];
}

/* Power of a slot from what its price asks for, energy and grid allowing. */
static double slot_w(const struct whole *w, const struct problem *p, int64_t i,
                     double wish, double stored_wh)
{
    double h = p->step_s[i] / 3600.0;
    if (wish > 0.0) {
        double room_w = (w->hi_wh - stored_wh) / (w->eff_pu * h);
        /* No new peak: a month's demand charge outweighs a day's spread. */
        double grid_w = fmin(p->import_max_w[i], p->peak_w) - p->load_w[i];
        return fmax(0.0, fmin(w->charge_w, fmin(room_w, grid_w)));
    }
    if (wish < 0.0) {
        double have_w = (stored_wh - w->lo_wh) * w->eff_pu / h;
        double load_w = fmax(p->load_w[i], 0.0); /* no export */
        return -fmax(0.0, fmin(w->discharge_w, fmin(have_w, load_w)));
    }
    return 0.0;
}

/* What a rule has no word on: classes and cars go on as they would. */
static void say_nothing(const struct site *site, const struct problem *p,
                        struct plan *plan)
{
    plan->gap_pu = NAN;
    plan->cost_cur = NAN;
    plan->peak_w = p->peak_w;
    for (int64_t t = 0; t < p->n_slots; t++) {
        plan->energy_per_kwh[t] = NAN;
        plan->grid_per_kwh[t] = NAN;
        for (int k = 0; k < site->n_classes; k++) {
            plan->class_w[k][t] = INFINITY;
        }
        for (int f = 0; f < site->n_fleets; f++) {
            plan->fleet_charge_w[f][t] = INFINITY;
        }
    }
    for (int i = 0; i < site->n_batteries; i++) {
        plan->group[i] = -1;
    }
}

void plan_solve(const struct site *site, const struct problem *p,
                struct plan *plan)
{
    assert(p->n_slots > 0 && p->n_slots <= PLAN_SLOTS_MAX);
    memset(plan, 0, sizeof(*plan));
    plan->status = PLAN_RULE;
    plan->built_tick = p->tick;
    plan->from_tick = p->tick + PLAN_DELAY_TICKS;
    plan->start_at_ms = p->start_at_ms;
    plan->expires_at_ms = p->start_at_ms + PLAN_MAX_AGE_MS;
    plan->n_slots = p->n_slots;
    plan->n_batteries = site->n_batteries;

    say_nothing(site, p, plan);
    struct whole w = add_up(site, p);
    double cheap = quantile(p, 0.25);
    double dear = quantile(p, 0.75);
    double cost = cheap / (w.eff_pu * w.eff_pu) + w.wear_per_kwh;
    double stored_wh = w.start_wh;
    bool pays = dear > cost && w.energy_wh > 0.0;
    plan->cheap_per_kwh = dear > cheap ? cheap : NAN;
    if (!pays) {
        stored_wh = w.home_wh;
    }
    for (int64_t i = 0; i < p->n_slots; i++) {
        double price = p->import_per_kwh[i];
        double wish = 0.0;
        if (pays) {
            wish = price <= cheap ? 1.0 : price >= dear ? -1.0 : 0.0;
        }
        double x_w = slot_w(&w, p, i, wish, stored_wh);
        double wh = x_w * p->step_s[i] / 3600.0;
        stored_wh += x_w > 0.0 ? wh * w.eff_pu : wh / w.eff_pu;
        plan->step_s[i] = p->step_s[i];
        plan->import_per_kwh[i] = price;
        plan->grid_max_w[i] = p->import_max_w[i];
        plan->battery_w[i] = x_w;
        plan->grid_w[i] = p->load_w[i] + x_w;
        plan->soc_pu[i] = w.energy_wh > 0.0 ? stored_wh / w.energy_wh : 0.0;
    }
}
