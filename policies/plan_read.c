/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "policies/plan_parts.h"

static const int64_t expires_ms = LADDER_AGE_MAX_S * INT64_C(1000);
/* Below that part of its power a battery is at rest. */
static const double rest_pu = 0.01;

/* More than its owner asked for is charged to a car where energy costs nothing:
 * the site pays for it, and below a peak each kW is one that the batteries
 * would use. */
static const double cheap_per_kwh = 0.0;

static void read_groups(const struct plan_solver *s, struct plan *out)
{
    const struct plan_stores *stores = &s->stores;
    out->n_groups = stores->n_groups;
    for (int i = 0; i < s->site->n_batteries; i++) {
        out->group[i] = stores->group[i];
    }
    for (int64_t g = 0; g < stores->n_groups; g++) {
        double share = s->problem.batteries[g].energy_wh / stores->energy_wh;
        for (int64_t t = 0; t < out->n_slots; t++) {
            double w = s->schedule.battery_w[g][t];
            double soc_pu = s->schedule.soc_pu[g][t];
            out->group_w[g][t] = w;
            out->group_soc_pu[g][t] = soc_pu;
            out->battery_w[t] += w;
            out->soc_pu[t] += share * soc_pu;
            out->energy_per_kwh[t] +=
                share * s->schedule.energy_value_per_kwh[g][t];
        }
    }
}

static void read_slots(const struct plan_solver *s, const struct problem *p,
                       struct plan *out)
{
    while (out->n_sure < p->n_slots && p->guessed[out->n_sure] == 0) {
        out->n_sure++;
    }
    for (int64_t t = 0; t < p->n_slots; t++) {
        out->step_s[t] = p->step_s[t];
        out->import_per_kwh[t] = p->import_per_kwh[t];
        out->grid_max_w[t] = p->import_max_w[t];
        out->grid_w[t] = s->schedule.grid_w[t];
        out->grid_per_kwh[t] = s->schedule.grid_value_per_kwh[t];
        for (int k = 0; k < s->site->n_classes; k++) {
            out->class_w[k][t] = INFINITY;
        }
        for (int f = 0; f < s->site->n_fleets; f++) {
            out->fleet_charge_w[f][t] = INFINITY;
        }
    }
}

/* A peak is paid for the whole month: a higher one must have been planned for
 * a while, it may be a whim of the forecast. */
static void read_peak(struct plan_solver *s, const struct problem *p,
                      struct plan *out)
{
    out->peak_w = INFINITY;
    if (p->peak_per_kw > 0.0) {
        out->peak_w = s->problem.peak_w;
        for (int64_t t = 0; t < out->n_slots; t++) {
            out->peak_w = fmax(out->peak_w, out->grid_w[t]);
        }
        double longer_w = plan_peak_w(&s->peaks, p->start_at_ms, out->peak_w);
        out->peak_w = fmax(longer_w, s->problem.peak_w);
        out->peak_per_kw = s->schedule.peak_value_per_kw;
    }
}

static void read_tries(const struct plan_solver *s, struct plan *out)
{
    out->n_tries = s->ladder.n_tries;
    for (int64_t i = 0; i < out->n_tries && i < PLAN_TRIES_MAX; i++) {
        const struct ladder_try *t = &s->ladder.tries[i];
        out->tries[i] = (struct plan_try){.rung = t->rung,
                                          .verdict = t->verdict,
                                          .fault = t->verdict == LADDER_REFUSED
                                                       ? (int64_t)t->check.fault
                                                       : SCHEDULE_FAULT_NONE};
    }
    const struct schedule *answer = &s->schedule;
    out->n_violations = answer->n_violations;
    for (int64_t i = 0; i < out->n_violations && i < PLAN_VIOLATIONS_MAX; i++) {
        const struct schedule_violation *v = &answer->violations[i];
        out->violations[i] =
            (struct plan_violation){v->tier, v->asset, v->step, v->by};
    }
}

/* A plan in which nothing pays leaves the batteries to smoothing, which has
 * most room where they came from. */
static void go_home(const struct plan_solver *s, const struct problem *p,
                    struct plan *out)
{
    double home_wh = 0.0;
    for (int i = 0; i < s->site->n_batteries; i++) {
        if (out->group[i] >= 0) {
            home_wh += p->soc_start_pu[i] * s->site->batteries[i].energy_wh;
        }
    }
    for (int64_t t = 0; t < out->n_slots && s->stores.energy_wh > 0.0; t++) {
        out->battery_w[t] = 0.0;
        out->soc_pu[t] = home_wh / s->stores.energy_wh;
    }
}

static int direction(double w, double rest_w)
{
    return w > rest_w ? 1 : w < -rest_w ? -1 : 0;
}

/* Direction that 'plan' has at 'utc_ms'. */
static int direction_then(const struct plan *plan, int64_t utc_ms,
                          double rest_w)
{
    int slot = plan_slot(plan, utc_ms);
    return slot >= 0 ? direction(plan->battery_w[slot], rest_w) : 0;
}

/* How often it turns around; false where it does nothing at all. */
static bool count_turns(const struct plan_solver *s, struct plan *out)
{
    double power_w = 0.0;
    for (int64_t g = 0; g < s->stores.n_groups; g++) {
        power_w += s->problem.batteries[g].charge_max_w[0];
    }
    double rest_w = rest_pu * power_w;
    int before = 0;
    bool any = false;
    int64_t at_ms = out->start_at_ms;
    for (int64_t t = 0; t < out->n_slots; t++) {
        int now = direction(out->battery_w[t], rest_w);
        int was = direction_then(&s->last, at_ms, rest_w);
        out->n_turned += now * was < 0;
        out->n_turns += now * before < 0;
        any = any || now != 0;
        before = now != 0 ? now : before;
        at_ms += llround(out->step_s[t] * 1e3);
    }
    return any;
}

void plan_read(struct plan_solver *s, const struct problem *p, struct plan *out)
{
    out->status = s->schedule.status;
    out->built_tick = p->tick;
    out->causes = p->causes;
    out->from_tick = p->tick + PLAN_DELAY_TICKS;
    out->start_at_ms = p->start_at_ms;
    out->expires_at_ms = p->start_at_ms + expires_ms;
    out->n_slots = p->n_slots;
    out->n_batteries = s->site->n_batteries;
    out->cheap_per_kwh = cheap_per_kwh;
    out->gap_pu = s->schedule.gap_pu;
    out->cost_cur = s->schedule.objective_cur;
    out->n_iterations = s->schedule.n_iterations;
    read_slots(s, p, out);
    read_groups(s, out);
    plan_read_cars(s, p, out);
    plan_read_classes(s, p, out);
    read_peak(s, p, out);
    read_tries(s, out);
    if (!count_turns(s, out)) {
        go_home(s, p, out);
    }
}
