/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

#include "controller/proof_json.h"
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
    account_bill_add(c, x->months, x->n_months);
    put(c, "energy_cur", x->energy_cur);
    put(c, "demand_cur", x->demand_cur);
    put(c, "wear_cur", x->wear_cur);
    put(c, "shed_cur", x->shed_cur);
    put(c, "events_cur", x->events.shed_cur); /* part of shed_cur */
    put(c, "burn_cur", x->burn_cur);          /* part of energy_cur */
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
    put(load, "shed_wh",
        fmax(x->demand_wh - x->served_wh - x->waiting_wh, 0.0));
    put(load, "deferred_wh", x->deferred_wh);
    put(load, "waiting_wh", x->waiting_wh);
    put(load, "lost_wh", x->lost_wh);
    put(load, "waits_max_s", x->waits_max_s);
    put(load, "moved_wh", x->moved_wh);
    put(load, "burn_wh", x->burn_wh);
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
