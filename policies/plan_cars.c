/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policies/plan_parts.h"

static const double eff_pu = 0.9; /* of a charger, into the pack */
/* Cars that do not say when they leave are full by then. */
static const double leave_s = 12.0 * 3600.0;
/* Of what can be reached, a little less than the solver goes for: its tube of
 * charge (policies/schedule_terms.c) keeps room around an answer. */
static const double reach_pu = 0.975;

static const double quarter_s = 900.0;

static double departs_s(const struct problem_bucket *b)
{
    return isfinite(b->departs_s) ? fmax(b->departs_s, 0.0) : leave_s;
}

/* Cars of a fleet are the same from plan to plan by when they leave, to the
 * quarter of an hour. */
static void name(const struct site_fleet *fleet, const struct problem *p,
                 const struct problem_bucket *b, char *out)
{
    double at_s = (double)p->start_at_ms / 1e3 + b->departs_s;
    snprintf(out, SITE_NAME_MAX, "%.32s@%.0f", fleet->name,
             round(at_s / quarter_s));
}

/* Power until they leave, which may be within a slot, and what must be in the
 * packs at each slot's end: what could not be charged any more after it, and
 * never more than could be charged before it. */
static void pose_slots(const struct problem *p, const struct problem_bucket *b,
                       struct schedule_battery *out)
{
    double gone_s = departs_s(b);
    double pu_per_s = eff_pu * b->power_w / 3600.0 / b->need_wh;
    double at_s = 0.0;
    double reached_pu = 0.0;
    for (int64_t t = 0; t < p->n_slots; t++) {
        double there_s = fmax(fmin(gone_s - at_s, p->step_s[t]), 0.0);
        at_s += p->step_s[t];
        reached_pu += pu_per_s * there_s;
        double later_pu = pu_per_s * fmax(gone_s - at_s, 0.0);
        out->charge_max_w[t] = b->power_w * there_s / p->step_s[t];
        out->discharge_max_w[t] = 0.0;
        out->soc_floor_pu[t] =
            fmin(fmax(1.0 - later_pu, 0.0), reach_pu * reached_pu);
        out->soc_ceiling_pu[t] = 1.0;
    }
}

void plan_pose_cars(const struct site *site, const struct problem *p,
                    struct plan_stores *stores, struct schedule_problem *out)
{
    stores->n_buckets = 0;
    for (int64_t i = 0; i < p->n_buckets; i++) {
        const struct problem_bucket *b = &p->buckets[i];
        if (!(b->power_w > 0.0) || !(b->need_wh > 0.0)) {
            continue;
        }
        struct schedule_battery *to = &out->batteries[out->n_batteries++];
        memset(to->segments, 0, sizeof(to->segments));
        name(&site->fleets[b->fleet], p, b, to->name);
        to->energy_wh = b->need_wh;
        to->charge_eff_pu = eff_pu;
        to->discharge_eff_pu = eff_pu;
        to->soc_start_pu = 0.0;
        to->soc_min_pu = 0.0;
        to->soc_max_pu = 1.0;
        to->soc_end_min_pu = NAN;
        to->terminal_value_per_kwh = 0.0;
        to->n_segments = 1;
        to->segments[0].width_pu = 1.0;
        pose_slots(p, b, to);
        stores->bucket[stores->n_buckets++] = i;
    }
}

/* Until when the plan says something about a fleet: the last of its cars that
 * can wait leaves; negative where none can. */
static double planned_s(const struct plan_solver *s, const struct problem *p,
                        int64_t fleet)
{
    double until_s = -1.0;
    for (int64_t k = 0; k < s->stores.n_buckets; k++) {
        const struct problem_bucket *b = &p->buckets[s->stores.bucket[k]];
        until_s = b->fleet == fleet ? fmax(until_s, departs_s(b)) : until_s;
    }
    return until_s;
}

static double charge_w(const struct plan_solver *s, const struct problem *p,
                       int64_t fleet, int64_t t)
{
    double w = 0.0;
    for (int64_t k = 0; k < s->stores.n_buckets; k++) {
        int64_t store = s->stores.n_groups + k;
        bool his = p->buckets[s->stores.bucket[k]].fleet == fleet;
        w += his ? fmax(s->schedule.battery_w[store][t], 0.0) : 0.0;
    }
    return w;
}

void plan_read_cars(const struct plan_solver *s, const struct problem *p,
                    struct plan *out)
{
    for (int64_t f = 0; f < s->site->n_fleets; f++) {
        double until_s = planned_s(s, p, f);
        double must_s = p->must[f].lasts_s;
        double at_s = 0.0;
        for (int64_t t = 0; t < p->n_slots && at_s < until_s; t++) {
            double must = fmax(fmin((must_s - at_s) / p->step_s[t], 1.0), 0.0);
            out->fleet_charge_w[f][t] =
                charge_w(s, p, f, t) + must * p->must[f].power_w;
            at_s += p->step_s[t];
        }
    }
}
