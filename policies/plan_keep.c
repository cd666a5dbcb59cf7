/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "policies/plan_parts.h"
#include "policies/schedule_settle.h"

/* How far ahead a battery that is turned around matters: later it may change
 * its mind for nothing. */
static const double soon_s = 1800.0;
/* A turn is one between powers of that part of the rating and more. */
static const double turn_pu = 0.02;
/* What a turn must save, of the cost of the whole horizon. */
static const double worth_pu = 1e-5;
static const double optimal_pu = 1e-6;

/* Mean power of a group by the last plan, 0 where that does not reach. */
static double last_w(const struct plan *last, int64_t g, int64_t from_ms,
                     int64_t to_ms)
{
    double sum = 0.0;
    int64_t at_ms = last->start_at_ms;
    for (int64_t t = 0; t < last->n_slots && at_ms < to_ms; t++) {
        int64_t next_ms = at_ms + llround(last->step_s[t] * 1e3);
        int64_t a_ms = at_ms > from_ms ? at_ms : from_ms;
        int64_t b_ms = next_ms < to_ms ? next_ms : to_ms;
        sum += b_ms > a_ms ? last->group_w[g][t] * (double)(b_ms - a_ms) : 0.0;
        at_ms = next_ms;
    }
    return sum / (double)(to_ms - from_ms);
}

static bool same_groups(const struct plan_solver *s)
{
    bool same = s->last.n_groups == s->stores.n_groups;
    for (int i = 0; i < s->site->n_batteries && same; i++) {
        same = s->last.group[i] == s->stores.group[i];
    }
    return same;
}

/* The last plan as an answer to the new problem; true where that turns what the
 * new one does soon. */
static bool carry_on(struct plan_solver *s, const struct problem *p)
{
    bool turns = false;
    struct schedule *t = &s->trial;
    memcpy(t->served_w, s->schedule.served_w, sizeof(t->served_w));
    for (int64_t g = 0; g < s->problem.n_batteries; g++) {
        double least_w = turn_pu * s->problem.batteries[g].charge_max_w[0];
        int64_t at_ms = p->start_at_ms;
        for (int64_t k = 0; k < p->n_slots; k++) {
            int64_t next_ms = at_ms + llround(p->step_s[k] * 1e3);
            double was_w = g < s->stores.n_groups
                               ? last_w(&s->last, g, at_ms, next_ms)
                               : s->schedule.battery_w[g][k];
            double now_w = s->schedule.battery_w[g][k];
            bool soon = (double)(at_ms - p->start_at_ms) / 1e3 < soon_s;
            turns |= soon && was_w * now_w < 0.0 && fabs(was_w) > least_w &&
                     fabs(now_w) > least_w;
            t->battery_w[g][k] = was_w;
            at_ms = next_ms;
        }
    }
    return turns;
}

bool plan_keep(struct plan_solver *s, const struct problem *p)
{
    struct schedule *now = &s->schedule;
    if (!(now->gap_pu >= 0.0) || s->last.status == PLAN_NONE ||
        plan_slot(&s->last, p->start_at_ms) < 0 || !same_groups(s) ||
        !carry_on(s, p)) {
        return false;
    }
    struct schedule_penalties penalties;
    schedule_penalties(&s->problem, &penalties);
    double cost = schedule_settle(&s->problem, &penalties, now);
    schedule_hold_windows(&s->problem, &s->trial);
    double was = schedule_settle(&s->problem, &penalties, &s->trial);
    double unit = fmax(1.0, fabs(cost));
    if (!(was - cost < worth_pu * unit)) {
        return false;
    }
    s->trial.gap_pu = fmax(was - cost, 0.0) / unit + now->gap_pu;
    s->trial.status =
        s->trial.gap_pu <= optimal_pu ? PLAN_OPTIMAL : PLAN_FEASIBLE;
    s->trial.n_iterations = now->n_iterations;
    struct schedule_verdict verdict;
    if (!schedule_check(&s->problem, &s->trial, &verdict)) {
        return false;
    }
    memcpy(s->trial.energy_value_per_kwh, now->energy_value_per_kwh,
           sizeof(now->energy_value_per_kwh));
    memcpy(s->trial.grid_value_per_kwh, now->grid_value_per_kwh,
           sizeof(now->grid_value_per_kwh));
    s->trial.peak_value_per_kw = now->peak_value_per_kw;
    *now = s->trial;
    return true;
}
