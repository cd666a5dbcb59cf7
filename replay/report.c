/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

#include "controller/proof_json.h"
#include "models/units.h"
#include "replay/report_fleet.h"

const char *policy_name(int policy)
{
#define POLICY_WORD(name, word, text) word,
    static const char *const words[REPLAY_POLICIES] = {
        POLICY_LIST(POLICY_WORD) "hindsight"};
#undef POLICY_WORD
    return words[policy];
}

/* JSON has no NaN: what is not known is null. */
static void put(cJSON *to, const char *key, double x)
{
    if (isfinite(x)) {
        cJSON_AddNumberToObject(to, key, x);
    } else {
        cJSON_AddNullToObject(to, key);
    }
}

static void put_count(cJSON *to, const char *key, uint64_t n)
{
    cJSON_AddNumberToObject(to, key, (double)n);
}

static void add_grid(cJSON *to, const struct report *r,
                     const struct replay_result *x)
{
    const struct compliance_result *c = &x->grid;
    cJSON *g = cJSON_AddObjectToObject(to, "grid");
    put(g, "import_wh", c->import_wh);
    put(g, "export_wh", c->export_wh);
    put(g, "peak_w", c->peak_w);
    put(g, "peak_tick_w", c->peak_tick_w);
    put(g, "ramp_limit_w_per_s", r->site->grid.ramp_max_w_per_s);
    put(g, "ramp_max_w_per_s", c->ramp_max_w_per_s);
    put(g, "ramp_max_at_s",
        (double)c->ramp_max_tick * r->site->control.period_s);
    put(g, "ramp_violations", (double)c->ramp_violations);
    put(g, "exempt", (double)c->exempt);
    cJSON *by = cJSON_AddObjectToObject(g, "exempt_by");
    for (int i = COMPLIANCE_NONE + 1; i < COMPLIANCE_CAUSE_COUNT; i++) {
        put(by, compliance_cause_name((enum compliance_cause)i),
            (double)c->exempt_by[i]);
    }
    put(g, "pp60_max_w", c->pp60_max_w);
    put(g, "swing_violations", (double)c->swing_violations);
    put(g, "band_violations", (double)c->band_violations);
    proof_json_bands(g, &x->proof);
    put(g, "edge_max_w", c->edge_max_w);
    put(g, "import_limit_violations", (double)c->import_limit_violations);
    put(g, "export_limit_violations", (double)c->export_limit_violations);
    proof_json_edges(g, &x->proof, r->site->control.period_s);
    proof_json_recovery(g, &x->proof);
    proof_json_without(g, &x->proof);
}

static void add_batteries(cJSON *to, const struct site *site,
                          const struct replay_result *x)
{
    cJSON *all = cJSON_AddArrayToObject(to, "batteries");
    for (int i = 0; i < site->n_batteries; i++) {
        const struct replay_battery *b = &x->batteries[i];
        const struct site_battery *s = &site->batteries[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", s->name);
        put(o, "throughput_wh", b->throughput_wh);
        put(o, "energy_swing_wh",
            (b->soc_max_pu - b->soc_min_pu) * s->energy_wh);
        put(o, "soc_min_pu", b->soc_min_pu);
        put(o, "soc_max_pu", b->soc_max_pu);
        put(o, "soc_end_pu", b->soc_end_pu);
        put(o, "efc", b->efc);
        put(o, "loss_calendar_pu", b->loss_calendar_pu);
        put(o, "loss_cycle_pu", b->loss_cycle_pu);
        cJSON_AddStringToObject(o, "wear_model",
                                life_model_name(b->wear_model));
        put(o, "wear_cur", b->wear_cur);
        put(o, "held_cur", b->held_cur);
        cJSON_AddStringToObject(
            o, "price_model", life_model_name(life_price_model(s->chemistry)));
        put(o, "wear_guard_cur", b->wear_guard_cur);
        put(o, "held_guard_cur", b->held_guard_cur);
        cJSON_AddStringToObject(
            o, "guard_model", life_model_name(life_guard_model(s->chemistry)));
        cJSON_AddItemToArray(all, o);
    }
}

static void add_money(cJSON *to, const struct replay_result *x)
{
    cJSON *c = cJSON_AddObjectToObject(to, "cost");
    put(c, "energy_cur", x->energy_cur);
    put(c, "demand_cur", x->demand_cur);
    put(c, "wear_cur", x->wear_cur);
    put(c, "shed_cur", x->shed_cur);
    put(c, "events_cur", x->events.shed_cur); /* part of shed_cur */
    put(c, "total_cur",
        x->energy_cur + x->demand_cur + x->wear_cur + x->shed_cur);
}

static void add_timing(cJSON *to, const struct replay_result *x)
{
    cJSON *f = cJSON_AddObjectToObject(to, "forecast");
    put(f, "horizon_s", 60.0);
    put(f, "mape_pu", x->forecast_mape_pu);
    put(f, "persistence_mape_pu", x->persistence_mape_pu);
    put(f, "coverage_p10_p90_pu", x->forecast_coverage_pu);
    cJSON *t = cJSON_AddObjectToObject(to, "timing");
    put_count(t, "steps", x->n_steps);
    put(t, "wall_s", x->wall_s);
    put(t, "step_p50_s", x->step_p50_s);
    put(t, "step_p99_s", x->step_p99_s);
    put_count(t, "plans", x->n_plans);
    put(t, "plan_p50_s", x->plan_p50_s);
    put(t, "plan_p99_s", x->plan_p99_s);
}

/* Only of hindsight. */
static void add_bound(cJSON *to, const struct replay_bound *b)
{
    cJSON *o = cJSON_AddObjectToObject(to, "bound");
    put(o, "step_s", b->step_s);
    put(o, "gap_pu", b->gap_pu);
    put(o, "shed_wh", b->shed_wh);
    put(o, "energy_swing_wh", b->energy_swing_wh);
}

/* How the plans in force came about, and how steady they were. */
static void add_plans(cJSON *to, const struct replay_result *x)
{
    cJSON *o = cJSON_AddObjectToObject(to, "plan");
    for (int i = PLAN_OPTIMAL; i < PLAN_STATUS_COUNT; i++) {
        put_count(o, plan_status_name((enum plan_status)i), x->plans.n[i]);
    }
    put_count(o, "kept", x->plans.n_kept);
    put_count(o, "violated", x->plans.n_violated);
    put_count(o, "turns", x->plans.n_turns);
    put(o, "turns_per_day", plan_tally_turns_per_day(&x->plans));
}

static cJSON *one_policy(const struct report *r, int i)
{
    const struct replay_result *x = &r->results[i];
    cJSON *p = cJSON_CreateObject();
    cJSON_AddStringToObject(p, "policy", policy_name(r->policies[i]));
    put(p, "duration_s", x->duration_s);
    put(p, "period_s", r->site->control.period_s);
    add_grid(p, r, x);
    cJSON *load = cJSON_AddObjectToObject(p, "load");
    put(load, "demand_wh", x->demand_wh);
    put(load, "served_wh", x->served_wh);
    put(load, "shed_wh", fmax(x->demand_wh - x->served_wh, 0.0));
    put(load, "moved_wh", x->moved_wh);
    add_batteries(p, r->site, x);
    account_events_json(p, r->site, &x->events);
    report_fleets(p, r->site, x);
    add_money(p, x);
    add_timing(p, x);
    if (x->bound.step_s > 0.0) {
        add_bound(p, &x->bound);
    }
    add_plans(p, x);
    put_count(p, "degraded_ticks", x->n_degraded);
    return p;
}

enum err report_json(const struct report *r, FILE *out)
{
    cJSON *all = cJSON_CreateObject();
    cJSON_AddStringToObject(all, "site", r->site->name);
    cJSON_AddStringToObject(all, "trace", r->trace->name);
    cJSON_AddBoolToObject(all, "synthetic", r->trace->synthetic);
    cJSON *policies = cJSON_AddArrayToObject(all, "policies");
    for (int i = 0; i < r->n; i++) {
        cJSON_AddItemToArray(policies, one_policy(r, i));
    }
    char *text = cJSON_Print(all);
    cJSON_Delete(all);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    int w = fprintf(out, "%s\n", text);
    free(text);
    return w > 0 && fflush(out) == 0 ? ERR_NONE : ERR_IO;
}

/* Rows of the table for people. */
enum row {
    ROW_VIOLATIONS,
    ROW_RAMP,
    ROW_SWING,
    ROW_OVER_SWING,
    ROW_EDGE,
    ROW_EDGE_LENGTH,
    ROW_RECOVERY,
    ROW_PEAK,
    ROW_IMPORT,
    ROW_SHED,
    ROW_ENERGY,
    ROW_THROUGHPUT,
    ROW_WEAR,
    ROW_WEAR_GUARD,
    ROW_COST,
    ROW_FORECAST,
    ROW_PERSISTENCE,
    ROW_COVERAGE,
    ROW_SPEED,
    ROW_COUNT,
};

static const char *const row_names[ROW_COUNT] = {
    [ROW_VIOLATIONS] = "ramp violations (ticks)",
    [ROW_RAMP] = "steepest ramp (MW/min)",
    [ROW_SWING] = "swing in 60 s",
    [ROW_OVER_SWING] = "over the swing limit",
    [ROW_EDGE] = "largest edge in a tick",
    [ROW_EDGE_LENGTH] = "longest edge",
    [ROW_RECOVERY] = "longest time outside",
    [ROW_PEAK] = "peak of the interval",
    [ROW_IMPORT] = "over the import limit",
    [ROW_SHED] = "compute held back",
    [ROW_ENERGY] = "battery energy used",
    [ROW_THROUGHPUT] = "battery throughput",
    [ROW_WEAR] = "battery wear",
    [ROW_WEAR_GUARD] = "  by the other model",
    [ROW_COST] = "total cost",
    [ROW_FORECAST] = "forecast off at 60 s",
    [ROW_PERSISTENCE] = "last value off at 60 s",
    [ROW_COVERAGE] = "inside its 80 % band",
    [ROW_SPEED] = "ticks per second",
};

/* Largest less smallest energy of all batteries, and what went through. */
static void battery_sums(const struct report *r, int i, double *swing_wh,
                         double *throughput_wh)
{
    *swing_wh = 0.0;
    *throughput_wh = 0.0;
    for (int b = 0; b < r->site->n_batteries; b++) {
        const struct replay_battery *x = &r->results[i].batteries[b];
        *swing_wh +=
            (x->soc_max_pu - x->soc_min_pu) * r->site->batteries[b].energy_wh;
        *throughput_wh += x->throughput_wh;
    }
}

/* "0.98 %", or "-" where the trace was too short to say. */
static void share(double pu, char *out, size_t size)
{
    if (isfinite(pu)) {
        snprintf(out, size, "%.2f %%", 100.0 * pu);
    } else {
        snprintf(out, size, "-");
    }
}

/* Of any rule that was broken, until it was kept again. */
static double longest_outside(const struct witness_report *p)
{
    double longest_s = 0.0;
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        longest_s = fmax(longest_s, p->recovery[i].max_s);
    }
    return longest_s;
}

/* "-" where the steps are too long to say. */
static void power(double w, char *out, size_t size)
{
    if (isfinite(w)) {
        units_power_text(w, out, size);
    } else {
        snprintf(out, size, "-");
    }
}

static void length(double s, char *out, size_t size)
{
    if (isfinite(s)) {
        units_duration_text(s, out, size);
    } else {
        snprintf(out, size, "-");
    }
}

static void cell(const struct report *r, int i, enum row row, char *out,
                 size_t size)
{
    const struct replay_result *x = &r->results[i];
    double swing_wh = 0.0;
    double through_wh = 0.0;
    battery_sums(r, i, &swing_wh, &through_wh);
    switch (row) {
    case ROW_VIOLATIONS:
        snprintf(out, size, "%lld", (long long)x->grid.ramp_violations);
        return;
    case ROW_RAMP:
        snprintf(out, size, "%.2f", x->grid.ramp_max_w_per_s * 60e-6);
        return;
    case ROW_SWING:
        power(x->grid.pp60_max_w, out, size);
        return;
    case ROW_OVER_SWING:
        snprintf(out, size, "%lld", (long long)x->grid.swing_violations);
        return;
    case ROW_EDGE:
        power(x->grid.edge_max_w, out, size);
        return;
    case ROW_EDGE_LENGTH:
        length(x->proof.edge_max_s, out, size);
        return;
    case ROW_RECOVERY:
        units_duration_text(longest_outside(&x->proof), out, size);
        return;
    case ROW_PEAK:
        units_power_text(x->grid.peak_w, out, size);
        return;
    case ROW_IMPORT:
        snprintf(out, size, "%lld", (long long)x->grid.import_limit_violations);
        return;
    case ROW_SHED:
        units_energy_text(fmax(x->demand_wh - x->served_wh, 0.0), out, size);
        return;
    case ROW_ENERGY:
        units_energy_text(swing_wh, out, size);
        return;
    case ROW_THROUGHPUT:
        units_energy_text(through_wh, out, size);
        return;
    case ROW_WEAR:
        snprintf(out, size, "%.2f %s", x->wear_cur, r->site->currency);
        return;
    case ROW_WEAR_GUARD:
        snprintf(out, size, "%.2f %s", x->wear_guard_cur, r->site->currency);
        return;
    case ROW_COST:
        snprintf(out, size, "%.2f %s",
                 x->energy_cur + x->demand_cur + x->wear_cur + x->shed_cur,
                 r->site->currency);
        return;
    case ROW_FORECAST:
        share(x->forecast_mape_pu, out, size);
        return;
    case ROW_PERSISTENCE:
        share(x->persistence_mape_pu, out, size);
        return;
    case ROW_COVERAGE:
        share(x->forecast_coverage_pu, out, size);
        return;
    case ROW_SPEED:
        snprintf(out, size, "%.0f", (double)x->n_steps / fmax(x->wall_s, 1e-9));
        return;
    case ROW_COUNT:
        break;
    }
    snprintf(out, size, "?");
}

static void tell_bound(const struct replay_bound *b, FILE *out)
{
    char step[64];
    char shed[64];
    char swing[64];
    if (b->step_s > 0.0) {
        fprintf(out,
                "\nhindsight, in steps of %s: keeping ramp and import limit "
                "takes %s of compute\nheld back and %s of battery energy, "
                "whoever steers\n",
                units_duration_text(b->step_s, step, sizeof(step)),
                units_energy_text(b->shed_wh, shed, sizeof(shed)),
                units_energy_text(b->energy_swing_wh, swing, sizeof(swing)));
    }
}

void report_text(const struct report *r, FILE *out)
{
    char text[64];
    fprintf(out, "%s over %s", r->site->name, r->trace->name);
    fprintf(out, ", %s at a period of ",
            units_duration_text(r->results[0].duration_s, text, sizeof(text)));
    fprintf(out, "%s\nramp limit %.3g MW/min of the mean over %.3g s\n\n",
            units_duration_text(r->site->control.period_s, text, sizeof(text)),
            r->site->grid.ramp_max_w_per_s * 60e-6,
            r->site->grid.ramp_average_s);
    fprintf(out, "%-25s", "");
    for (int i = 0; i < r->n; i++) {
        fprintf(out, "%16s", policy_name(r->policies[i]));
    }
    fputc('\n', out);
    for (int row = 0; row < ROW_COUNT; row++) {
        fprintf(out, "%-25s", row_names[row]);
        for (int i = 0; i < r->n; i++) {
            cell(r, i, (enum row)row, text, sizeof(text));
            fprintf(out, "%16s", text);
        }
        fputc('\n', out);
    }
    for (int i = 0; i < r->n; i++) {
        tell_bound(&r->results[i].bound, out);
    }
}
