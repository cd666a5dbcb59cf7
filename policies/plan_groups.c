/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "policies/plan_parts.h"

/* Batteries of one kind whose charge differs by more are planned apart. */
static const double apart_pu = 0.2;
/* At either end of the window their power fades (controller/step/estimate.c)
 * and a gauge may err: the plan stays away from it.  At the low end that is
 * also what carries a load that starts, and what a battery gave that trips,
 * until the grid has followed; at the high end what was put off and is done
 * later, all of which may end at once. */
static const double low_pu = 0.05;
static const double high_pu = 0.03;
static const double waits_pu = 0.05;
/* Of the power, at least, however much smoothing wants. */
static const double power_least_pu = 0.25;
/* Where the charge is outside of what the plan may use, it is brought back
 * over that time, not at full power. */
static const double back_s = 8.0 * 3600.0;

/* The members of a store added up. */
struct sum {
    double energy_wh;
    double lo_wh; /* window, widened to where the charge is */
    double hi_wh;
    double below_wh; /* how far it is outside */
    double above_wh;
    double floor_wh; /* what the plan may use of it */
    double ceiling_wh;
    double stored_wh;
    double charge_w;
    double discharge_w;
    double eff_wh; /* one way, times the energy */
    int64_t n_segments;
    double width_wh[WEAR_SEGMENTS_MAX];
    double start_wh[WEAR_SEGMENTS_MAX];
    double cost[WEAR_SEGMENTS_MAX]; /* price times the width */
};

static bool dispatchable(const struct problem *p, int i)
{
    return p->available[i] > 0.0;
}

/* By chemistry; one that finds no place is put to the last ones. */
static int64_t place(const struct site *site, const struct plan_stores *s,
                     const int *leader, int i)
{
    for (int64_t g = 0; g < s->n_groups; g++) {
        if (site->batteries[leader[g]].chemistry ==
            site->batteries[i].chemistry) {
            return g;
        }
    }
    return s->n_groups < PLAN_GROUPS_MAX ? s->n_groups : PLAN_GROUPS_MAX - 1;
}

struct spread {
    double lo_pu;
    double hi_pu;
};

static struct spread spread_of(const struct site *site, const struct problem *p,
                               const struct plan_stores *s, int64_t g)
{
    struct spread r = {INFINITY, -INFINITY};
    for (int i = 0; i < site->n_batteries; i++) {
        if (s->group[i] == g) {
            r.lo_pu = fmin(r.lo_pu, p->soc_pu[i]);
            r.hi_pu = fmax(r.hi_pu, p->soc_pu[i]);
        }
    }
    return r;
}

/* Halves the group whose charges differ most; false where none do. */
static bool split(const struct site *site, const struct problem *p,
                  struct plan_stores *s)
{
    int64_t widest = -1;
    double middle_pu = 0.0;
    double width_pu = apart_pu;
    for (int64_t g = 0; g < s->n_groups; g++) {
        struct spread r = spread_of(site, p, s, g);
        if (r.hi_pu - r.lo_pu > width_pu) {
            widest = g;
            width_pu = r.hi_pu - r.lo_pu;
            middle_pu = 0.5 * (r.hi_pu + r.lo_pu);
        }
    }
    if (widest < 0 || s->n_groups == PLAN_GROUPS_MAX) {
        return false;
    }
    for (int i = 0; i < site->n_batteries; i++) {
        if (s->group[i] == widest && p->soc_pu[i] > middle_pu) {
            s->group[i] = s->n_groups;
        }
    }
    s->n_groups++;
    return true;
}

void plan_group(const struct site *site, const struct problem *p,
                struct plan_stores *out)
{
    int leader[PLAN_GROUPS_MAX] = {0};
    out->n_groups = 0;
    out->energy_wh = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        out->group[i] = -1;
        if (!dispatchable(p, i)) {
            continue;
        }
        int64_t g = place(site, out, leader, i);
        if (g == out->n_groups) {
            leader[out->n_groups++] = i;
        }
        out->group[i] = g;
        out->energy_wh += site->batteries[i].energy_wh;
    }
    while (split(site, p, out)) {
    }
}

static void add_segments(struct sum *s, const struct problem *p, int i,
                         double energy_wh)
{
    const struct wear_segments *w = &p->wear[i];
    s->n_segments = w->n > s->n_segments ? w->n : s->n_segments;
    for (int64_t k = 0; k < w->n; k++) {
        double width_wh = w->at[k].width_pu * energy_wh;
        s->width_wh[k] += width_wh;
        s->start_wh[k] += w->at[k].start_pu * energy_wh;
        s->cost[k] += w->at[k].per_kwh * width_wh;
    }
}

static void add(struct sum *s, const struct problem *p,
                const struct site_battery *b, int i)
{
    double soc_pu = p->soc_pu[i];
    double told_wh = p->reserve_wh[i];
    double energy_wh = b->energy_wh;
    double stored_wh = soc_pu * energy_wh;
    double lo_wh = b->soc_min_pu * energy_wh;
    double hi_wh = b->soc_max_pu * energy_wh;
    double low_wh = lo_wh + low_pu * energy_wh;
    double high_wh = hi_wh - (p->waits ? waits_pu : high_pu) * energy_wh;
    s->energy_wh += energy_wh;
    s->stored_wh += stored_wh;
    s->below_wh += fmax(lo_wh - stored_wh, 0.0);
    s->above_wh += fmax(stored_wh - hi_wh, 0.0);
    s->lo_wh += fmin(lo_wh, stored_wh);
    s->hi_wh += fmax(hi_wh, stored_wh);
    s->ceiling_wh += high_wh;
    s->floor_wh += fmin(low_wh + fmax(b->reserve_wh, told_wh), high_wh);
    s->charge_w += fmin(b->charge_max_w, b->transformer_va);
    s->discharge_w += fmin(b->discharge_max_w, b->transformer_va);
    s->eff_wh += sqrt(b->efficiency_pu) * energy_wh;
}

/* As many segments as the solver is quick with; prices still never fall. */
static void write_segments(const struct sum *s, struct schedule_battery *out)
{
    int64_t n =
        s->n_segments < PLAN_SEGMENTS_MAX ? s->n_segments : PLAN_SEGMENTS_MAX;
    double cost[PLAN_SEGMENTS_MAX] = {0.0};
    out->n_segments = n;
    for (int64_t k = 0; k < s->n_segments; k++) {
        struct schedule_segment *to = &out->segments[k * n / s->n_segments];
        to->width_pu += s->width_wh[k] / s->energy_wh;
        to->start_pu += s->start_wh[k] / s->energy_wh;
        cost[k * n / s->n_segments] += s->cost[k] / s->energy_wh;
    }
    for (int64_t k = 0; k < n; k++) {
        double width_pu = out->segments[k].width_pu;
        out->segments[k].per_kwh = width_pu > 0.0 ? cost[k] / width_pu : 0.0;
    }
    if (n > 0) {
        out->segments[0].width_pu += s->above_wh / s->energy_wh;
        out->segments[0].start_pu += s->above_wh / s->energy_wh;
        out->segments[n - 1].width_pu += s->below_wh / s->energy_wh;
    }
}

static void write_limits(const struct sum *s, const struct problem *p,
                         double share, struct schedule_battery *out)
{
    double charge_w = s->charge_w - share * p->kept_charge_w;
    double discharge_w = s->discharge_w - share * p->kept_discharge_w;
    double free_wh = share * p->smooth_wh;
    double middle_wh = 0.5 * (s->floor_wh + s->ceiling_wh);
    double lo_pu = fmin(s->floor_wh + free_wh, middle_wh) / s->energy_wh;
    double hi_pu = fmax(s->ceiling_wh - free_wh, middle_wh) / s->energy_wh;
    double short_pu = fmax(lo_pu - out->soc_start_pu, 0.0);
    double excess_pu = fmax(out->soc_start_pu - hi_pu, 0.0);
    double after_s = 0.0;
    for (int64_t t = 0; t < p->n_slots; t++) {
        after_s += p->step_s[t];
        double yet = fmax(1.0 - after_s / back_s, 0.0);
        out->soc_floor_pu[t] = lo_pu - yet * short_pu;
        out->soc_ceiling_pu[t] = hi_pu + yet * excess_pu;
        out->charge_max_w[t] = fmax(charge_w, power_least_pu * s->charge_w);
        out->discharge_max_w[t] =
            fmax(discharge_w, power_least_pu * s->discharge_w);
    }
}

void plan_store(const struct site *site, const struct problem *p,
                const struct plan_stores *stores, int64_t group,
                struct schedule_battery *out)
{
    struct sum s = {0};
    const char *name = NULL;
    for (int i = 0; i < site->n_batteries; i++) {
        if (stores->group[i] == group) {
            name = name == NULL ? site->batteries[i].name : name;
            add(&s, p, &site->batteries[i], i);
            add_segments(&s, p, i, site->batteries[i].energy_wh);
        }
    }
    assert(name != NULL); /* no group is empty */
    memset(out->segments, 0, sizeof(out->segments));
    memcpy(out->name, name, SITE_NAME_MAX);
    out->energy_wh = s.energy_wh;
    out->charge_eff_pu = s.eff_wh / s.energy_wh;
    out->discharge_eff_pu = out->charge_eff_pu;
    out->soc_start_pu = s.stored_wh / s.energy_wh;
    out->soc_min_pu = s.lo_wh / s.energy_wh;
    out->soc_max_pu = s.hi_wh / s.energy_wh;
    out->soc_end_min_pu = NAN;
    write_segments(&s, out);
    write_limits(&s, p, s.energy_wh / stores->energy_wh, out);
}
