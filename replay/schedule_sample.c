/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/schedule_sample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/random.h"

static const double pi = 3.14159265358979323846;

/* Of the catalogue's sizes. */
static const struct {
    const char *name;
    double energy_wh, power_w, start_pu;
} kinds[] = {
    {"megablock1", 80e6, 20e6, 0.45},
    {"megablock2", 20e6, 10e6, 0.6},
    {"megablock3", 30e6, 15e6, 0.3},
    {"megablock4", 40e6, 5e6, 0.55},
};

static void cut(const struct schedule_sample *cfg, struct schedule_problem *p)
{
    static const struct {
        int n;
        double step_s;
    } tiers[][4] = {
        [SCHEDULE_SAMPLE_EVEN] = {{576, 300.0}},
        [SCHEDULE_SAMPLE_TIERED] = {{24, 300.0}, {40, 900.0}, {36, 3600.0}},
        [SCHEDULE_SAMPLE_QUARTERS] = {{96, 900.0}},
    };
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < tiers[cfg->grid][i].n; k++) {
            p->step_s[p->n_steps++] = tiers[cfg->grid][i].step_s;
        }
    }
}

/* Jobs that come and go, and the weather in the cooling. */
static void draw_load(struct schedule_problem *p, uint64_t *random)
{
    double at_s = 0.0;
    double job_w = 10e6;
    double until_s = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        if (at_s >= until_s) {
            job_w = random_draw(random, 0.0, 20e6);
            until_s = at_s + random_draw(random, 7200.0, 36000.0);
        }
        double day = 2.0 * pi * at_s / 86400.0;
        double noise_w = random_draw(random, -0.5e6, 0.5e6);
        p->load_w[t] = 42e6 + job_w - 3e6 * cos(day) + noise_w;
        at_s += p->step_s[t];
    }
}

static void draw_prices(struct schedule_problem *p, uint64_t *random)
{
    double at_s = 0.0;
    double noise = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double hour = fmod(at_s / 3600.0, 24.0);
        double base = hour < 6.0 ? 0.024 : hour < 16.0 ? 0.038 : 0.055;
        double evening = hour >= 17.0 && hour < 20.0 ? 0.06 : 0.0;
        noise = 0.8 * noise + random_draw(random, -0.006, 0.006);
        p->import_per_kwh[t] = base + evening + noise;
        p->export_per_kwh[t] = fmin(0.6 * base, p->import_per_kwh[t]);
        bool response = hour >= 17.0 && hour < 19.0;
        p->import_max_w[t] = response ? 76e6 : 90e6;
        p->export_max_w[t] = 5e6;
        at_s += p->step_s[t];
    }
}

static void strike(const struct schedule_sample *cfg,
                   struct schedule_problem *p)
{
    double at_s = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        if (cfg->shock == SCHEDULE_SAMPLE_JOB && at_s < 14400.0) {
            p->load_w[t] += 12e6;
        }
        if (cfg->shock == SCHEDULE_SAMPLE_CAP && at_s < 7200.0) {
            p->import_max_w[t] = 60e6;
        }
        if (cfg->shock == SCHEDULE_SAMPLE_PRICE && at_s < 3600.0) {
            p->import_per_kwh[t] += 0.25;
        }
        at_s += p->step_s[t];
    }
}

static void add_battery(const struct schedule_sample *cfg, int i,
                        struct schedule_problem *p)
{
    struct schedule_battery *b = &p->batteries[i];
    snprintf(b->name, sizeof(b->name), "%s", kinds[i].name);
    b->energy_wh = kinds[i].energy_wh;
    b->charge_eff_pu = 0.955;
    b->discharge_eff_pu = 0.955;
    b->soc_min_pu = 0.1;
    b->soc_max_pu = 0.9;
    b->soc_start_pu = kinds[i].start_pu;
    b->soc_end_min_pu = fmin(0.5, kinds[i].start_pu);
    b->terminal_value_per_kwh = 0.03;
    for (int64_t t = 0; t < p->n_steps; t++) {
        b->charge_max_w[t] = kinds[i].power_w;
        b->discharge_max_w[t] = kinds[i].power_w;
        b->soc_floor_pu[t] = 0.0;
        b->soc_ceiling_pu[t] = 1.0;
    }
    b->n_segments = cfg->n_segments;
    double left_pu = b->soc_start_pu - b->soc_min_pu;
    for (int s = 0; s < cfg->n_segments; s++) {
        double width_pu = 0.8 / cfg->n_segments;
        double start_pu = fmin(left_pu, width_pu);
        b->segments[s] = (struct schedule_segment){
            .width_pu = width_pu,
            .start_pu = start_pu,
            .per_kwh = 0.004 * pow(s + 1.0, 1.5),
        };
        left_pu -= start_pu;
    }
}

static void add_classes(struct schedule_problem *p, uint64_t *random)
{
    p->n_classes = 2;
    p->classes[0] = (struct schedule_class){
        .name = "inference", .value_per_kwh = 3.0, .min_pu = 0.2};
    p->classes[1] = (struct schedule_class){.name = "batch",
                                            .value_per_kwh = 1.0,
                                            .deferrable = true,
                                            .max_w = 12e6,
                                            .delay_per_kwh_h = 0.002};
    for (int64_t t = 0; t < p->n_steps; t++) {
        p->classes[0].demand_w[t] = 10e6 + random_draw(random, -0.8e6, 0.8e6);
        p->classes[1].demand_w[t] = 5e6;
    }
}

void schedule_sample(const struct schedule_sample *cfg,
                     struct schedule_problem *out)
{
    assert(cfg->n_batteries >= 0 && cfg->n_batteries <= 4);
    assert(cfg->n_segments >= 1 && cfg->n_segments <= SCHEDULE_SEGMENTS_MAX);
    uint64_t random = random_seed(cfg->seed);
    memset(out, 0, sizeof(*out));
    cut(cfg, out);
    draw_load(out, &random);
    draw_prices(out, &random);
    out->ramp_max_w_per_s = 10e6 / 60.0;
    out->peak_per_kw = 0.45;
    out->peak_w = 72e6;
    out->n_batteries = cfg->n_batteries;
    for (int i = 0; i < cfg->n_batteries; i++) {
        add_battery(cfg, i, out);
    }
    add_classes(out, &random);
    out->grid_start_w = out->load_w[0] + out->classes[0].demand_w[0] +
                        out->classes[1].demand_w[0];
    strike(cfg, out);
}

static void series(FILE *out, const char *key, const double *values, int64_t n)
{
    bool same = true;
    for (int64_t t = 1; t < n; t++) {
        same = same && values[t] == values[0];
    }
    fprintf(out, "\"%s\": %s", key, same ? "" : "[");
    for (int64_t t = 0; t < (same ? 1 : n); t++) {
        fprintf(out, "%s%.12g", t > 0 ? ", " : "", values[t]);
    }
    fprintf(out, "%s,\n", same ? "" : "]");
}

static void maybe(FILE *out, const char *key, double value)
{
    if (isfinite(value)) {
        fprintf(out, "\"%s\": %.12g,\n", key, value);
    } else {
        fprintf(out, "\"%s\": null,\n", key);
    }
}

static void write_battery(FILE *out, const struct schedule_battery *b,
                          int64_t n)
{
    fprintf(out, " {\"name\": \"%s\", \"energy_wh\": %.12g,\n", b->name,
            b->energy_wh);
    series(out, "charge_max_w", b->charge_max_w, n);
    series(out, "discharge_max_w", b->discharge_max_w, n);
    series(out, "soc_floor_pu", b->soc_floor_pu, n);
    series(out, "soc_ceiling_pu", b->soc_ceiling_pu, n);
    maybe(out, "charge_eff_pu", b->charge_eff_pu);
    maybe(out, "discharge_eff_pu", b->discharge_eff_pu);
    maybe(out, "soc_start_pu", b->soc_start_pu);
    maybe(out, "soc_min_pu", b->soc_min_pu);
    maybe(out, "soc_max_pu", b->soc_max_pu);
    maybe(out, "soc_end_min_pu", b->soc_end_min_pu);
    maybe(out, "terminal_value_per_kwh", b->terminal_value_per_kwh);
    fprintf(out, "\"wear\": [");
    for (int64_t s = 0; s < b->n_segments; s++) {
        const struct schedule_segment *g = &b->segments[s];
        fprintf(out,
                "%s{\"width_pu\": %.12g, \"start_pu\": %.12g, "
                "\"per_kwh\": %.12g}",
                s > 0 ? ", " : "", g->width_pu, g->start_pu, g->per_kwh);
    }
    fprintf(out, "]}");
}

static void write_class(FILE *out, const struct schedule_class *c, int64_t n)
{
    fprintf(out, " {\"name\": \"%s\",\n", c->name);
    series(out, "demand_w", c->demand_w, n);
    maybe(out, "value_per_kwh", c->value_per_kwh);
    if (c->deferrable) {
        fprintf(out,
                "\"deferrable\": true, \"max_w\": %.12g, "
                "\"delay_per_kwh_h\": %.12g}",
                c->max_w, c->delay_per_kwh_h);
    } else {
        fprintf(out, "\"deferrable\": false, \"min_pu\": %.12g}", c->min_pu);
    }
}

void schedule_sample_write(FILE *out, const struct schedule_problem *p,
                           const char *about)
{
    int64_t n = p->n_steps;
    fprintf(out, "{\"about\": \"%s\",\n", about);
    series(out, "step_s", p->step_s, n);
    series(out, "price_import_per_kwh", p->import_per_kwh, n);
    series(out, "price_export_per_kwh", p->export_per_kwh, n);
    series(out, "import_max_w", p->import_max_w, n);
    series(out, "export_max_w", p->export_max_w, n);
    maybe(out, "ramp_max_w_per_s", p->ramp_max_w_per_s);
    maybe(out, "grid_start_w", p->grid_start_w);
    fprintf(out,
            "\"demand_charge\": {\"rate_per_kw\": %.12g, "
            "\"incumbent_w\": %.12g},\n\"batteries\": [\n",
            p->peak_per_kw, p->peak_w);
    for (int64_t b = 0; b < p->n_batteries; b++) {
        write_battery(out, &p->batteries[b], n);
        fprintf(out, b + 1 < p->n_batteries ? ",\n" : "\n");
    }
    fprintf(out, "],\n\"classes\": [\n");
    for (int64_t k = 0; k < p->n_classes; k++) {
        write_class(out, &p->classes[k], n);
        fprintf(out, k + 1 < p->n_classes ? ",\n" : "\n");
    }
    fprintf(out, "],\n\"load_w\": [");
    for (int64_t t = 0; t < n; t++) {
        fprintf(out, "%s%.12g", t > 0 ? ", " : "", p->load_w[t]);
    }
    fprintf(out, "]}\n");
}
