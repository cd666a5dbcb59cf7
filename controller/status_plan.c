/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status_plan.h"

#include <math.h>
#include <stdio.h>

#include "controller/plan_words.h"
#include "models/units.h"

static void number(cJSON *to, const char *key, double value)
{
    cJSON_AddItemToObject(to, key,
                          isfinite(value) ? cJSON_CreateNumber(value)
                                          : cJSON_CreateNull());
}

static void add_violations(cJSON *to, const struct plan *plan)
{
    cJSON *list = cJSON_AddArrayToObject(to, "violations");
    for (int64_t i = 0; i < plan->n_violations && i < PLAN_VIOLATIONS_MAX;
         i++) {
        char line[128];
        plan_violation_text(plan, i, line, sizeof(line));
        cJSON_AddItemToArray(list, cJSON_CreateString(line));
    }
}

static void add_now(cJSON *to, const struct plan *plan, int slot)
{
    number(to, "gap_pu", plan->gap_pu);
    number(to, "cost_cur", plan->cost_cur);
    number(to, "battery_w", plan->battery_w[slot]);
    number(to, "grid_w", plan->grid_w[slot]);
    number(to, "soc_pu", plan->soc_pu[slot]);
    number(to, "peak_w", plan->peak_w);
    number(to, "energy_per_kwh", plan->energy_per_kwh[slot]);
    number(to, "iterations", (double)plan->n_iterations);
    number(to, "slots", (double)plan->n_slots);
    number(to, "built_tick", (double)plan->built_tick);
    number(to, "from_tick", (double)plan->from_tick);
    char causes[64];
    plan_causes_text(plan->causes, causes, sizeof(causes));
    cJSON_AddStringToObject(to, "cause", causes);
    char why[512];
    plan_why_text(plan, why, sizeof(why));
    cJSON_AddStringToObject(to, "why", why);
    add_violations(to, plan);
}

void status_plan_add(cJSON *to, const struct watched *w)
{
    const struct plan *plan = &w->plan;
    int slot = plan_slot(plan, w->utc_ms);
    double age_s =
        (double)(w->loop.tick - plan->built_tick) * w->site->control.period_s;
    cJSON *o = cJSON_AddObjectToObject(to, "plan");
    cJSON_AddStringToObject(
        o, "status",
        plan_status_name(slot >= 0 ? (enum plan_status)plan->status
                                   : PLAN_NONE));
    number(o, "age_s", plan->status != PLAN_NONE ? age_s : NAN);
    if (slot >= 0) {
        add_now(o, plan, slot);
    }
    const struct plan_tally *t = &w->loop.plans;
    number(o, "turns", (double)t->n_turns);
    number(o, "turns_per_day", plan_tally_turns_per_day(t));
    number(o, "cut", (double)t->n_cut);
    cJSON *causes = cJSON_AddObjectToObject(o, "causes");
    for (int c = 0; c < PLAN_CAUSE_COUNT; c++) {
        number(causes, plan_cause_name((enum plan_cause)c), (double)t->n_by[c]);
    }
}

static double value(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static const char *word(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : "";
}

void status_plan_print(const cJSON *status)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(status, "plan");
    char text[32];
    printf("plan       %s", word(o, "status"));
    double age_s = value(o, "age_s");
    if (isfinite(age_s)) {
        printf(", %s old",
               units_duration_text(floor(age_s), text, sizeof(text)));
    }
    double battery_w = value(o, "battery_w");
    if (isfinite(battery_w)) {
        printf(", batteries %s",
               units_power_text(battery_w, text, sizeof(text)));
    }
    double peak_w = value(o, "peak_w");
    if (isfinite(peak_w)) {
        printf(", peak held at %s",
               units_power_text(peak_w, text, sizeof(text)));
    }
    puts("");
    if (word(o, "why")[0] != '\0') {
        printf("           %s\n", word(o, "why"));
    }
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(o, "violations"))
    {
        printf("           cannot be met: %s\n",
               cJSON_IsString(item) ? item->valuestring : "?");
    }
}
