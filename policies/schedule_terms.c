/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the linear programme and the dynamic programme share: the merged
 * segments, the prices of what gives way and the reachable windows. */
#include "policies/schedule_lp.h"

#include <math.h>

/* Part of the power that bringing a store back into its window may take: all
 * of it would leave the programme no interior. */
static const double tube_pu = 0.98;

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
        double delay = c->deferrable ? c->delay_per_kwh_h * e->hours : 0.0;
        value = fmax(value, c->value_per_kwh + delay);
    }
    return rate + battery + value + p->peak_per_kw / e->shortest_h;
}

void schedule_penalties(const struct schedule_problem *p,
                        struct schedule_penalties *out)
{
    struct extent e = extent(p);
    double eff_pu;
    double rate = economic_rate(p, &e, &eff_pu);
    rate = fmax(rate, 1e-3);
    out->soc_end_per_kwh = 2.0 * rate / eff_pu;
    out->floor_per_kwh = 2.0 * (rate + out->soc_end_per_kwh) / eff_pu;
    /* A binding ramp adds up the rates of the steps in which it binds on end:
     * at most those that the whole span takes. */
    double run_h = e.hours;
    if (p->ramp_max_w_per_s > 0.0) {
        run_h = fmin(run_h, e.span_w / p->ramp_max_w_per_s / 3600.0);
    }
    out->ramp_per_kw = 2.0 * out->floor_per_kwh * (run_h + e.longest_h);
    double ramp = isfinite(p->ramp_max_w_per_s)
                      ? 2.0 * out->ramp_per_kw / e.shortest_h
                      : 0.0;
    out->grid_per_kwh = 2.0 * (rate + out->floor_per_kwh + ramp);
}

struct schedule_tube schedule_tube(const struct schedule_battery *b)
{
    double start_wh = (b->soc_start_pu - b->soc_min_pu) * b->energy_wh;
    return (struct schedule_tube){.low_wh = start_wh, .high_wh = start_wh};
}

void schedule_tube_step(struct schedule_tube *tube,
                        const struct schedule_battery *b, int64_t t, double h)
{
    double ceiling_pu = fmin(b->soc_ceiling_pu[t], b->soc_max_pu);
    ceiling_pu = fmax(ceiling_pu, b->soc_min_pu);
    double floor_pu = fmax(b->soc_floor_pu[t], b->soc_min_pu);
    floor_pu = fmin(floor_pu, ceiling_pu);
    double low = tube->low_wh;
    double high = tube->high_wh;
    low -= tube_pu * h * fmax(b->discharge_max_w[t], 0.0) / b->discharge_eff_pu;
    high += tube_pu * h * fmax(b->charge_max_w[t], 0.0) * b->charge_eff_pu;
    tube->lo_wh = fmin((floor_pu - b->soc_min_pu) * b->energy_wh, high);
    tube->hi_wh = fmax((ceiling_pu - b->soc_min_pu) * b->energy_wh, low);
    tube->low_wh = fmax(low, tube->lo_wh);
    tube->high_wh = fmin(high, tube->hi_wh);
}
