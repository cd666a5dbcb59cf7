/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/schedule_report.h"

#include <math.h>

static const char *const tiers[SCHEDULE_TIERS] = {
#define TIER_TEXT(name, text) [SCHEDULE_##name] = (text),
    SCHEDULE_TIER_LIST(TIER_TEXT)
#undef TIER_TEXT
};

static void number(FILE *out, double value, int digits)
{
    if (isfinite(value)) {
        fprintf(out, "%.*g", digits, value);
    } else {
        fprintf(out, "null");
    }
}

/* Twelve digits: the cost comes out again to a millionth of a millionth. */
static void series(FILE *out, const double *values, int64_t n)
{
    putc('[', out);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) {
            fprintf(out, ", ");
        }
        number(out, values[i], 12);
    }
    putc(']', out);
}

static void key(FILE *out, const char *name, const double *values, int64_t n)
{
    fprintf(out, "\"%s\": ", name);
    series(out, values, n);
}

static const char *asset(const struct schedule_report *r,
                         const struct schedule_violation *v)
{
    if (v->asset < 0) {
        return "grid";
    }
    return v->tier == SCHEDULE_FLOOR ? r->problem->classes[v->asset].name
                                     : r->problem->batteries[v->asset].name;
}

static int64_t listed(const struct schedule *s)
{
    return s->n_violations < SCHEDULE_VIOLATIONS_MAX ? s->n_violations
                                                     : SCHEDULE_VIOLATIONS_MAX;
}

static void violations_json(FILE *out, const struct schedule_report *r)
{
    fprintf(out, "\"violations\": [");
    for (int64_t i = 0; i < listed(r->answer); i++) {
        const struct schedule_violation *v = &r->answer->violations[i];
        fprintf(out, "%s{\"tier\": \"%s\", \"what\": \"%s\", \"step\": %lld, ",
                i > 0 ? ", " : "", tiers[v->tier], asset(r, v),
                (long long)v->step);
        fprintf(out, "\"by\": ");
        number(out, v->by, 12);
        putc('}', out);
    }
    fprintf(out, "], \"n_violations\": %lld,\n",
            (long long)r->answer->n_violations);
}

static void batteries_json(FILE *out, const struct schedule_report *r)
{
    const struct schedule_problem *p = r->problem;
    fprintf(out, " \"batteries\": [");
    for (int64_t b = 0; b < p->n_batteries; b++) {
        fprintf(out, "%s\n  {\"name\": \"%s\", ", b > 0 ? "," : "",
                p->batteries[b].name);
        key(out, "power_w", r->answer->battery_w[b], p->n_steps);
        fprintf(out, ",\n   ");
        key(out, "soc_pu", r->answer->soc_pu[b], p->n_steps);
        putc('}', out);
    }
    fprintf(out, "],\n \"classes\": [");
    for (int64_t k = 0; k < p->n_classes; k++) {
        fprintf(out, "%s\n  {\"name\": \"%s\", ", k > 0 ? "," : "",
                p->classes[k].name);
        key(out, "served_w", r->answer->served_w[k], p->n_steps);
        putc('}', out);
    }
    fprintf(out, "],\n");
}

void schedule_report_json(FILE *out, const struct schedule_report *r)
{
    const struct schedule_problem *p = r->problem;
    const struct schedule *s = r->answer;
    fprintf(out, "{\"status\": \"%s\", \"gap_pu\": ",
            plan_status_name((enum plan_status)s->status));
    number(out, s->gap_pu, 6);
    fprintf(out, ", \"objective_cur\": ");
    number(out, s->objective_cur, 15);
    fprintf(out, ",\n ");
    key(out, "grid_w", s->grid_w, p->n_steps);
    fprintf(out, ",\n");
    batteries_json(out, r);
    fprintf(out, " \"energy_value_per_kwh\": [");
    for (int64_t b = 0; b < p->n_batteries; b++) {
        fprintf(out, b > 0 ? ",\n  " : "");
        series(out, s->energy_value_per_kwh[b], p->n_steps);
    }
    fprintf(out, "],\n ");
    key(out, "grid_value_per_kwh", s->grid_value_per_kwh, p->n_steps);
    fprintf(out, ",\n \"peak_value_per_kw\": ");
    number(out, s->peak_value_per_kw, 12);
    fprintf(out, ",\n ");
    violations_json(out, r);
    fprintf(out, " \"n_iterations\": %lld, \"solve_s\": ",
            (long long)s->n_iterations);
    number(out, r->solve_s, 6);
    fprintf(out, "}\n");
}

struct flow {
    double in_wh;
    double out_wh;
    double most_w;
    double least_w;
};

static struct flow flow_of(const double *power_w,
                           const struct schedule_problem *p)
{
    struct flow f = {.most_w = -INFINITY, .least_w = INFINITY};
    for (int64_t t = 0; t < p->n_steps; t++) {
        double wh = power_w[t] * p->step_s[t] / 3600.0;
        f.in_wh += fmax(wh, 0.0);
        f.out_wh += fmax(-wh, 0.0);
        f.most_w = fmax(f.most_w, power_w[t]);
        f.least_w = fmin(f.least_w, power_w[t]);
    }
    return f;
}

static void assets_text(FILE *out, const struct schedule_report *r)
{
    const struct schedule_problem *p = r->problem;
    struct flow grid = flow_of(r->answer->grid_w, p);
    fprintf(out, "  %-20s %9.3f MWh in, %9.3f MWh out, %8.3f to %.3f MW\n",
            "grid", grid.in_wh / 1e6, grid.out_wh / 1e6, grid.least_w / 1e6,
            grid.most_w / 1e6);
    for (int64_t b = 0; b < p->n_batteries; b++) {
        struct flow f = flow_of(r->answer->battery_w[b], p);
        fprintf(out,
                "  %-20s %9.3f MWh in, %9.3f MWh out, %5.1f %% to %.1f %%\n",
                p->batteries[b].name, f.in_wh / 1e6, f.out_wh / 1e6,
                100.0 * p->batteries[b].soc_start_pu,
                100.0 * r->answer->soc_pu[b][p->n_steps - 1]);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        struct flow asked = flow_of(p->classes[k].demand_w, p);
        struct flow got = flow_of(r->answer->served_w[k], p);
        fprintf(out, "  %-20s %9.3f MWh served of %.3f MWh\n",
                p->classes[k].name, got.in_wh / 1e6, asked.in_wh / 1e6);
    }
}

/* 'by' in the unit of its tier. */
static void violation_text(FILE *out, const struct schedule_report *r,
                           const struct schedule_violation *v)
{
    fprintf(out, "  violated: %s of %s at step %lld by ", tiers[v->tier],
            asset(r, v), (long long)v->step);
    switch ((enum schedule_tier)v->tier) {
    case SCHEDULE_IMPORT:
    case SCHEDULE_FLOOR:
        fprintf(out, "%.3f MW\n", v->by / 1e6);
        break;
    case SCHEDULE_RAMP:
        fprintf(out, "%.3f MW/min\n", v->by * 60.0 / 1e6);
        break;
    case SCHEDULE_SOC_END:
        fprintf(out, "%.2f %%\n", 100.0 * v->by);
        break;
    case SCHEDULE_TIERS:
        break;
    }
}

void schedule_report_text(FILE *out, const struct schedule_report *r)
{
    enum { SHOWN = 8 };
    const struct schedule_problem *p = r->problem;
    const struct schedule *s = r->answer;
    double hours = 0.0;
    for (int64_t t = 0; t < p->n_steps; t++) {
        hours += p->step_s[t] / 3600.0;
    }
    fprintf(out, "%s: cost %.2f", plan_status_name((enum plan_status)s->status),
            s->objective_cur);
    if (isfinite(s->gap_pu)) {
        fprintf(out, ", at most %.1g of it above the optimum", s->gap_pu);
    }
    fprintf(out, "\n  %lld steps over %.1f h, %lld iterations, %.1f ms\n",
            (long long)p->n_steps, hours, (long long)s->n_iterations,
            1e3 * r->solve_s);
    assets_text(out, r);
    for (int64_t i = 0; i < listed(s) && i < SHOWN; i++) {
        violation_text(out, r, &s->violations[i]);
    }
    if (s->n_violations > SHOWN) {
        fprintf(out, "  and %lld more\n", (long long)(s->n_violations - SHOWN));
    }
}
