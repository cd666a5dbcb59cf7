/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the linear programme and the dynamic programme share: the merged
 * segments, the prices of what gives way and the reachable windows. */
#include "policies/schedule_lp.h"

#include <math.h>

/* Part of the power that bringing a store back into its window may take: all
 * of it would leave the programme no interior. */
static const double tube_pu = 0.98;

/* With losses and several stores, a kWh less of one tier may take several of
 * another: where it is only asked whether anything is violated, less will do.
 */
static const double give_above = 10.0;
static const double held_above = 2.0;

static void merge(const struct schedule_battery *b, struct schedule_store *s)
{
    s->n_segments = 0;
    s->whole_wh = 0.0;
    for (int64_t i = 0; i < b->n_segments; i++) {
        double width_wh = b->segments[i].width_pu * b->energy_wh;
        double start_wh = b->segments[i].start_pu * b->energy_wh;
        double per_kwh = b->segments[i].per_kwh;
        int last = s->n_segments - 1;
        s->whole_wh += width_wh;
        if (last >= 0 && ((width_wh <= 0.0 && start_wh == 0.0) ||
                          s->per_kwh[last] == per_kwh)) {
            s->width_wh[last] += width_wh;
            s->start_wh[last] += start_wh;
            continue;
        }
        s->width_wh[s->n_segments] = width_wh;
        s->start_wh[s->n_segments] = start_wh;
        s->per_kwh[s->n_segments] = per_kwh;
        s->n_segments++;
    }
}

void schedule_store(const struct schedule_battery *b,
                    struct schedule_store *out)
{
    merge(b, out);
    if (out->n_segments == 0) {
        double width_wh = (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
        out->n_segments = 1;
        out->width_wh[0] = fmax(width_wh, 0.0);
        out->start_wh[0] = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
        out->per_kwh[0] = 0.0;
        out->whole_wh = out->width_wh[0];
    }
    double left_wh = 0.0;
    for (int s = 0; s < out->n_segments; s++) {
        double in = fmax(0.0, fmin(out->start_wh[s], out->width_wh[s]));
        left_wh += out->start_wh[s] - in;
        out->start_wh[s] = in;
    }
    for (int s = 0; s < out->n_segments && left_wh != 0.0; s++) {
        double add = left_wh > 0.0
                         ? fmin(left_wh, out->width_wh[s] - out->start_wh[s])
                         : fmax(left_wh, -out->start_wh[s]);
        out->start_wh[s] += add;
        left_wh -= add;
    }
    out->start_wh[left_wh < 0.0 ? 0 : out->n_segments - 1] += left_wh;
}

static double largest(const double *a, int64_t n)
{
    double most = 0.0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs(a[i]));
    }
    return most;
}

struct extent {
    double hours;
    double shortest_h;
    double longest_h;
    double span_w; /* of the power that the site can turn */
};

static struct extent extent(const struct schedule_problem *p)
{
    struct extent e = {.shortest_h = INFINITY};
    double load_w = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double h = p->step_s[t] / 3600.0;
        e.hours += h;
        e.shortest_h = fmin(e.shortest_h, h);
        e.longest_h = fmax(e.longest_h, h);
    }
    load_w = largest(p->load_w, p->n_steps);
    e.span_w = load_w;
    for (int64_t b = 0; b < p->n_batteries; b++) {
        e.span_w += largest(p->batteries[b].charge_max_w, p->n_steps) +
                    largest(p->batteries[b].discharge_max_w, p->n_steps);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        const struct schedule_class *c = &p->classes[k];
        e.span_w += c->deferrable ? c->max_w : largest(c->demand_w, p->n_steps);
    }
    return e;
}

/* The largest rate that anything but a penalty can be worth, per kWh, and the
 * least efficiency of a way through a battery. */
static double economic_rate(const struct schedule_problem *p,
                            const struct extent *e, double *eff_pu)
{
    double rate = largest(p->import_per_kwh, p->n_steps) +
                  largest(p->export_per_kwh, p->n_steps);
    double battery = 0.0;
    *eff_pu = 1.0;
    for (int64_t i = 0; i < p->n_batteries; i++) {
        const struct schedule_battery *b = &p->batteries[i];
        double wear = 0.0;
        for (int64_t s = 0; s < b->n_segments; s++) {
            wear = fmax(wear, b->segments[s].per_kwh);
        }
        battery = fmax(battery, wear + fabs(b->terminal_value_per_kwh));
        *eff_pu = fmin(*eff_pu, b->charge_eff_pu * b->discharge_eff_pu);
    }
    *eff_pu = fmax(*eff_pu, 0.1);
    double value = 0.0;
    for (int64_t k = 0; k < p->n_classes; k++) {
        const struct schedule_class *c = &p->classes[k];
        double delay =
            c->delay_per_kwh_h * e->hours + c->late_per_kwh_h * e->longest_h;
        value = fmax(value, c->value_per_kwh + (c->deferrable ? delay : 0.0));
    }
    return rate + battery + value + p->peak_per_kw / e->shortest_h;
}

/* What the prices of the tiers go by. */
struct tiers {
    double n_short; /* steps at which a kWh too little can be short */
    double above;   /* a price is so many times what it has to outweigh */
};

static void penalties(const struct schedule_problem *p,
                      const struct tiers *tiers, struct schedule_penalties *out)
{
    struct extent e = extent(p);
    double above = tiers->above;
    double eff_pu;
    double rate = economic_rate(p, &e, &eff_pu);
    rate = fmax(rate, 1e-3);
    out->soc_end_per_kwh = above * rate / eff_pu;
    double stored = tiers->n_short * out->soc_end_per_kwh;
    out->floor_per_kwh = above * (rate + stored) / eff_pu;
    /* A binding ramp adds up the rates of the steps in which it binds on end:
     * at most those that the whole span takes. */
    double run_h = e.hours;
    if (p->ramp_max_w_per_s > 0.0) {
        run_h = fmin(run_h, e.span_w / p->ramp_max_w_per_s / 3600.0);
    }
    out->ramp_per_kw = above * out->floor_per_kwh * (run_h + e.longest_h);
    double ramp = isfinite(p->ramp_max_w_per_s)
                      ? 2.0 * out->ramp_per_kw / e.shortest_h
                      : 0.0;
    out->grid_per_kwh = above * (rate + out->floor_per_kwh + ramp);
}

static bool begins_outside(const struct schedule_battery *b)
{
    return b->soc_start_pu < b->soc_min_pu || b->soc_start_pu > b->soc_max_pu;
}

void schedule_penalties(const struct schedule_problem *p,
                        struct schedule_penalties *out)
{
    double most = 1.0;
    for (int64_t i = 0; i < p->n_batteries; i++) {
        const struct schedule_battery *b = &p->batteries[i];
        double n = 1.0;
        for (int64_t t = 0; t < p->n_steps; t++) {
            bool narrow = b->soc_floor_pu[t] > b->soc_min_pu ||
                          b->soc_ceiling_pu[t] < b->soc_max_pu;
            n += narrow || begins_outside(b) ? 1.0 : 0.0;
        }
        most = fmax(most, n);
    }
    penalties(p, &(struct tiers){most, give_above}, out);
}

void schedule_penalties_held(const struct schedule_problem *p,
                             struct schedule_penalties *out)
{
    penalties(p, &(struct tiers){1.0, held_above}, out);
}

struct schedule_window schedule_window_hard(const struct schedule_battery *b)
{
    double start_wh = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    double whole_wh = (b->soc_max_pu - b->soc_min_pu) * b->energy_wh;
    return (struct schedule_window){fmin(start_wh, 0.0),
                                    fmax(start_wh, fmax(whole_wh, 0.0))};
}

struct schedule_window schedule_window_wish(const struct schedule_battery *b,
                                            int64_t t, bool end)
{
    double ceiling_pu = fmin(b->soc_ceiling_pu[t], b->soc_max_pu);
    ceiling_pu = fmax(ceiling_pu, b->soc_min_pu);
    double floor_pu = fmax(b->soc_floor_pu[t], b->soc_min_pu);
    if (end && isfinite(b->soc_end_min_pu)) {
        floor_pu = fmax(floor_pu, b->soc_end_min_pu);
    }
    floor_pu = fmin(floor_pu, ceiling_pu);
    return (struct schedule_window){(floor_pu - b->soc_min_pu) * b->energy_wh,
                                    (ceiling_pu - b->soc_min_pu) *
                                        b->energy_wh};
}

struct schedule_tube schedule_tube(const struct schedule_battery *b)
{
    double start_wh = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    return (struct schedule_tube){.low_wh = start_wh, .high_wh = start_wh};
}

void schedule_tube_step(struct schedule_tube *tube,
                        const struct schedule_battery *b, int64_t t, double h)
{
    struct schedule_window wish = schedule_window_wish(b, t, false);
    double low = tube->low_wh;
    double high = tube->high_wh;
    low -= tube_pu * h * fmax(b->discharge_max_w[t], 0.0) / b->discharge_eff_pu;
    high += tube_pu * h * fmax(b->charge_max_w[t], 0.0) * b->charge_eff_pu;
    tube->lo_wh = fmin(wish.lo_wh, high);
    tube->hi_wh = fmax(wish.hi_wh, low);
    tube->low_wh = fmax(low, tube->lo_wh);
    tube->high_wh = fmin(high, tube->hi_wh);
}

bool schedule_out_of_reach(const struct schedule_problem *p)
{
    for (int64_t i = 0; i < p->n_batteries; i++) {
        const struct schedule_battery *b = &p->batteries[i];
        struct schedule_tube tube = schedule_tube(b);
        double dust_wh = 1e-9 * b->energy_wh;
        for (int64_t t = 0; t < p->n_steps; t++) {
            bool end = t == p->n_steps - 1;
            struct schedule_window wish = schedule_window_wish(b, t, end);
            schedule_tube_step(&tube, b, t, p->step_s[t] / 3600.0);
            if (wish.lo_wh > tube.high_wh + dust_wh ||
                wish.hi_wh < tube.low_wh - dust_wh) {
                return true;
            }
        }
    }
    return false;
}
