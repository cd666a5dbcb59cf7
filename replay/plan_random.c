/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/plan_random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/random.h"

static bool chance(uint64_t *s, double pu)
{
    return random_draw(s, 0.0, 1.0) < pu;
}

static int64_t whole(uint64_t *s, int64_t lo, int64_t hi)
{
    return lo + (int64_t)random_draw(s, 0.0, (double)(hi - lo + 1));
}

static void steps(uint64_t *s, struct schedule_problem *p)
{
    static const double lengths_s[] = {60.0, 300.0, 900.0, 3600.0};
    double all_s = lengths_s[whole(s, 0, 3)];
    bool tiered = chance(s, 0.4);
    for (int64_t t = 0; t < p->n_steps; t++) {
        double done = (double)t / (double)p->n_steps;
        p->step_s[t] = !tiered       ? all_s
                       : done < 0.25 ? 300.0
                       : done < 0.65 ? 900.0
                                     : 3600.0;
    }
}

static void prices(uint64_t *s, const struct plan_random *may,
                   struct schedule_problem *p)
{
    double base = chance(s, 0.05) ? 0.0 : random_draw(s, 0.01, 0.3);
    double noise = chance(s, 0.25) ? 0.0 : random_draw(s, 0.0, 0.3);
    double spread = chance(s, 0.2) ? 0.0 : random_draw(s, 0.0, 0.1);
    double shift = chance(s, 0.25) ? random_draw(s, -0.4, 0.0) : 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double spike = chance(s, 0.02) ? random_draw(s, 0.0, 3.0) : 0.0;
        double wave = noise * sin(0.26 * (double)t);
        double price =
            base + wave + shift + spike + noise * random_draw(s, -0.5, 0.5);
        p->import_per_kwh[t] = may->exclusive ? fmax(price, 0.001) : price;
        p->export_per_kwh[t] = p->import_per_kwh[t] - spread;
        if (may->exclusive) {
            p->export_per_kwh[t] = fmax(p->export_per_kwh[t], 0.0);
        }
    }
}

static void connection(uint64_t *s, double site_w, struct schedule_problem *p)
{
    double load = random_draw(s, 0.2, 1.0) * site_w;
    bool open = chance(s, 0.2);
    bool impossible = chance(s, 0.2);
    bool solar = chance(s, 0.2);
    double cap = random_draw(s, 1.0, 1.6) * load;
    double out = chance(s, 0.3) ? 0.0 : random_draw(s, 0.0, 0.5) * site_w;
    for (int64_t t = 0; t < p->n_steps; t++) {
        p->load_w[t] = load * (1.0 + 0.3 * sin(0.2 * (double)t)) *
                       random_draw(s, 0.8, 1.2);
        p->load_w[t] -= solar ? site_w * fmax(0.0, sin(0.13 * (double)t)) : 0.0;
        bool event = impossible && t % 24 > 16;
        p->import_max_w[t] = open ? INFINITY : event ? 0.3 * load : cap;
        p->export_max_w[t] = open && !solar ? INFINITY : out;
    }
    p->ramp_max_w_per_s = INFINITY;
    p->grid_start_w = NAN;
    if (chance(s, 0.4)) {
        p->ramp_max_w_per_s =
            site_w * (chance(s, 0.3) ? random_draw(s, 0.0, 2e-4)
                                     : random_draw(s, 2e-4, 3e-3));
        p->grid_start_w =
            chance(s, 0.7) ? random_draw(s, 0.0, 1.5) * load : (double)NAN;
    }
    if (chance(s, 0.5)) {
        p->peak_per_kw = random_draw(s, 0.0, 15.0);
        p->peak_w = chance(s, 0.3) ? 0.0 : random_draw(s, 0.5, 1.5) * load;
    }
}

static void segments(uint64_t *s, struct schedule_battery *b)
{
    double window = b->soc_max_pu - b->soc_min_pu;
    double start = random_draw(s, 0.0, 1.0) * window;
    start = chance(s, 0.15) ? 0.0 : chance(s, 0.15) ? window : start;
    if (chance(s, 0.1)) { /* outside of its window */
        start = chance(s, 0.5) ? window + random_draw(s, 0.0, 0.1)
                               : -random_draw(s, 0.0, b->soc_min_pu);
    }
    b->n_segments = whole(s, 1, 4);
    double price = chance(s, 0.2) ? 0.0 : random_draw(s, 0.0, 0.02);
    double left = start;
    for (int64_t i = 0; i < b->n_segments; i++) {
        double width = window / (double)b->n_segments;
        bool last = i == b->n_segments - 1;
        double here = last || left < 0.0 ? left : fmin(left, width);
        b->segments[i] = (struct schedule_segment){width, here, price};
        left -= here;
        price += chance(s, 0.3) ? 0.0 : random_draw(s, 0.0, 0.02);
    }
    b->soc_start_pu = b->soc_min_pu + start;
}

static void battery(uint64_t *s, const struct schedule_problem *p,
                    double site_w, struct schedule_battery *b)
{
    b->energy_wh = random_draw(s, 0.05, 1.0) * site_w;
    b->charge_eff_pu = chance(s, 0.2) ? 1.0 : random_draw(s, 0.85, 1.0);
    b->discharge_eff_pu = chance(s, 0.2) ? 1.0 : random_draw(s, 0.85, 1.0);
    b->soc_min_pu = chance(s, 0.3) ? 0.0 : random_draw(s, 0.0, 0.3);
    b->soc_max_pu = chance(s, 0.05) ? b->soc_min_pu : random_draw(s, 0.6, 1.0);
    segments(s, b);
    double in = chance(s, 0.1) ? 0.0 : random_draw(s, 0.05, 0.6) * site_w;
    double out = chance(s, 0.15) ? 0.0 : random_draw(s, 0.05, 0.6) * site_w;
    bool reserve = chance(s, 0.3);
    bool lost = chance(s, 0.1);
    double window = b->soc_max_pu - b->soc_min_pu;
    for (int64_t t = 0; t < p->n_steps; t++) {
        bool gone = lost && t % 16 > 11;
        double late = (double)t / (double)p->n_steps;
        b->charge_max_w[t] = gone ? 0.0 : in;
        b->discharge_max_w[t] = gone ? 0.0 : out;
        b->soc_floor_pu[t] =
            b->soc_min_pu + (reserve ? 0.3 * window * late : 0.0);
        b->soc_ceiling_pu[t] =
            b->soc_max_pu - (reserve && t % 8 == 3 ? 0.1 * window : 0.0);
    }
    b->soc_end_min_pu = chance(s, 0.5)
                            ? b->soc_min_pu + random_draw(s, 0.0, 0.9) * window
                            : (double)NAN;
    b->terminal_value_per_kwh = chance(s, 0.3) ? 0.0 : random_draw(s, 0.0, 0.2);
}

static void class_of(uint64_t *s, const struct schedule_problem *p,
                     double site_w, struct schedule_class *c)
{
    c->deferrable = chance(s, 0.5);
    c->value_per_kwh = random_draw(s, 0.05, 3.0);
    c->min_pu = chance(s, 0.3) ? 0.0 : random_draw(s, 0.0, 1.0);
    double demand = chance(s, 0.1) ? 0.0 : random_draw(s, 0.0, 0.2) * site_w;
    c->max_w = random_draw(s, 0.0, 3.0) * demand;
    c->delay_per_kwh_h = chance(s, 0.3) ? 0.0 : random_draw(s, 0.0, 0.01);
    for (int64_t t = 0; t < p->n_steps; t++) {
        c->demand_w[t] = demand * random_draw(s, 0.5, 1.0);
    }
}

void plan_random(uint64_t seed, const struct plan_random *may,
                 struct schedule_problem *out)
{
    uint64_t s = random_seed(seed);
    memset(out, 0, sizeof(*out));
    out->n_steps = whole(&s, 1, may->n_steps_max);
    out->n_batteries = whole(&s, 1, may->n_batteries_max);
    out->n_classes = whole(&s, 0, 3);
    double site_w = pow(10.0, random_draw(&s, 4.0, 8.5));
    steps(&s, out);
    prices(&s, may, out);
    connection(&s, site_w, out);
    for (int64_t i = 0; i < out->n_batteries; i++) {
        snprintf(out->batteries[i].name, SITE_NAME_MAX, "b%d", (int)i);
        battery(&s, out, site_w, &out->batteries[i]);
    }
    for (int64_t k = 0; k < out->n_classes; k++) {
        snprintf(out->classes[k].name, SITE_NAME_MAX, "c%d", (int)k);
        class_of(&s, out, site_w, &out->classes[k]);
    }
}
