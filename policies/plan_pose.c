/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "policies/plan_parts.h"

/* A grid that can follow all of the batteries' power within that time is not
 * held back by its ramp: within a slot that is smoothing's affair. */
static const double ramp_s = 900.0;
/* Of a demand charge a plan of two days counts its part of the month, for a
 * higher peak helps in the rest of it as well, but half of it at least: what is
 * forced up on a few dear days is paid for all of them. */
static const double peak_least_pu = 0.5;

/* A month's peak is at least the mean of its heaviest day, for a battery gives
 * back what it takes: room up to that costs nothing.  Some more pays: at 12 per
 * kW and month and 25 per MWh between dear and cheap hours, a kW that charges
 * for 16 hours of a day.  So no more than what fills the batteries in that
 * time, and no more than that part of the load; on two price series of June
 * 2024 and the demo's load, the best peak of a month known beforehand lies 5
 * and 6 % above that mean, and the cost is flat up to 9 %. */
static const double heavier_pu = 0.075;
static const double fill_s = 16.0 * 3600.0;

/* Energy left at the end is worth what it costs in the cheapest quarter of the
 * time: it need not be bought then.  Neither buying for nothing but that nor
 * selling out pays. */
static const double left_pu = 0.25;

/* Less by that part of what wear costs: where energy costs nothing either, none
 * is moved. */
static const double rest_pu = 0.05;

static double horizon_s(const struct problem *p)
{
    double s = 0.0;
    for (int64_t t = 0; t < p->n_slots; t++) {
        s += p->step_s[t];
    }
    return s;
}

/* The import price below which it is for that part of the time: by counting,
 * bounded and without a copy. */
static double price_of(const struct problem *p, double pu)
{
    double part_s = pu * horizon_s(p);
    for (int64_t i = 0; i < p->n_slots; i++) {
        double below_s = 0.0;
        double same_s = 0.0;
        for (int64_t j = 0; j < p->n_slots; j++) {
            double price = p->import_per_kwh[j];
            below_s += price < p->import_per_kwh[i] ? p->step_s[j] : 0.0;
            same_s += price == p->import_per_kwh[i] ? p->step_s[j] : 0.0;
        }
        if (below_s <= part_s && part_s < below_s + same_s) {
            return p->import_per_kwh[i];
        }
    }
    return p->import_per_kwh[0];
}

/* What the demand interval under way comes to at least. */
static double least_peak_w(const struct problem *p, double discharge_w)
{
    double whole_s = p->interval_s + p->interval_left_s;
    if (!(whole_s > 0.0)) {
        return 0.0;
    }
    double rest_w = fmax(p->load_w[0] - discharge_w, 0.0);
    return (p->interval_ws + p->interval_left_s * rest_w) / whole_s;
}

/* Above the heaviest day. */
static double room_w(const struct plan_past *past,
                     const struct schedule_problem *posed)
{
    double usable_wh = 0.0;
    for (int64_t g = 0; g < posed->n_batteries; g++) {
        const struct schedule_battery *b = &posed->batteries[g];
        int64_t last = posed->n_steps - 1;
        usable_wh +=
            (b->soc_ceiling_pu[last] - b->soc_floor_pu[last]) * b->energy_wh;
    }
    return fmin(heavier_pu * past->heaviest_w, usable_wh * 3600.0 / fill_s);
}

static void pose_peak(const struct plan_past *past, const struct problem *p,
                      double discharge_w, struct schedule_problem *out)
{
    out->peak_per_kw = 0.0;
    out->peak_w = 0.0;
    if (p->peak_per_kw > 0.0) {
        double part = horizon_s(p) / fmax(p->billed_s, horizon_s(p));
        out->peak_per_kw = p->peak_per_kw * fmax(part, peak_least_pu);
        double sure_w = past->heaviest_w + room_w(past, out);
        out->peak_w =
            fmax(fmax(p->peak_w, sure_w), least_peak_w(p, discharge_w));
    }
}

static void pose_slots(const struct problem *p, struct schedule_problem *out)
{
    out->n_steps = p->n_slots;
    for (int64_t t = 0; t < p->n_slots; t++) {
        out->step_s[t] = p->step_s[t];
        out->load_w[t] = p->load_w[t];
        out->import_per_kwh[t] = p->import_per_kwh[t];
        out->export_per_kwh[t] = p->export_per_kwh[t];
        out->import_max_w[t] = p->import_max_w[t];
        out->export_max_w[t] = p->export_max_w[t];
    }
}

void plan_pose(struct plan_solver *s, const struct problem *p)
{
    struct plan_stores *stores = &s->stores;
    struct schedule_problem *out = &s->problem;
    plan_group(s->site, p, stores);
    pose_slots(p, out);
    out->n_batteries = stores->n_groups;
    double charge_w = 0.0;
    double discharge_w = 0.0;
    for (int64_t g = 0; g < stores->n_groups; g++) {
        struct schedule_battery *b = &out->batteries[g];
        plan_store(s->site, p, stores, g, b);
        double wear_per_kwh = b->n_segments > 0 ? b->segments[0].per_kwh : 0.0;
        b->terminal_value_per_kwh =
            price_of(p, left_pu) - rest_pu * wear_per_kwh;
        charge_w += b->charge_max_w[0];
        discharge_w += b->discharge_max_w[0];
    }
    pose_peak(&s->past, p, discharge_w, out);
    plan_pose_cars(s->site, p, stores, out);
    bool slow = p->ramp_max_w_per_s * ramp_s < fmax(charge_w, discharge_w);
    out->ramp_max_w_per_s = slow ? p->ramp_max_w_per_s : INFINITY;
    out->grid_start_w = p->grid_start_w;
    plan_pose_classes(s->site, p, stores, out);
}
