/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status_life.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>

#include "models/units.h"

static void add_word(cJSON *to, const struct life_word *w)
{
    cJSON_AddStringToObject(to, "model", life_model_name(w->model));
    cJSON_AddNumberToObject(to, "capacity_pu", w->loss.capacity_pu);
    cJSON_AddNumberToObject(to, "loss_calendar_pu", w->loss.calendar_pu);
    cJSON_AddNumberToObject(to, "loss_cycle_pu", w->loss.cycle_pu);
}

/* Each with the model that was measured only within it. */
static void add_flags(cJSON *list, const struct life_word *w)
{
    for (int f = 0; f < LIFE_FLAG_COUNT; f++) {
        char what[64];
        char text[128];
        if (w->flags & 1u << f) {
            life_flag_text(w->model, (enum life_flag)f, what, sizeof(what));
            snprintf(text, sizeof(text), "%s: %s", life_model_name(w->model),
                     what);
            cJSON_AddItemToArray(list, cJSON_CreateString(text));
        }
    }
}

void status_life_add(struct cJSON *battery, const struct battery_life *life)
{
    if (!life->known) {
        cJSON_AddNullToObject(battery, "life");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(battery, "life");
    add_word(o, &life->worse);
    cJSON_AddNumberToObject(o, "resistance_pu", life->worse.loss.resistance_pu);
    add_word(cJSON_AddObjectToObject(o, "other"), &life->other);
    cJSON_AddNumberToObject(o, "efc", life->efc);
    cJSON *list = cJSON_AddArrayToObject(o, "out_of_range");
    add_flags(list, &life->worse);
    if (life->other.model != life->worse.model) {
        add_flags(list, &life->other);
    }
    if (isfinite(life->soh_pu)) {
        cJSON *m = cJSON_AddObjectToObject(o, "measured");
        cJSON_AddNumberToObject(m, "soh_pu", life->soh_pu);
        cJSON_AddNumberToObject(m, "scale", life->scale);
    } else {
        cJSON_AddNullToObject(o, "measured");
    }
    cJSON_AddBoolToObject(o, "temperature_assumed", life->is_assumed);
    cJSON_AddNumberToObject(o, "gauge_jumps", (double)life->n_jumps);
    cJSON_AddNumberToObject(o, "gauge_jumped_pu", life->jumped_pu);
}

static double number(const cJSON *o, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

static const char *word(const cJSON *o, const char *name)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsString(s) ? s->valuestring : "?";
}

/* A young battery has 99.9989 %, and has lost 0.001 %. */
static const char *percent(double pu, char out[32])
{
    if (isfinite(pu)) {
        snprintf(out, 32, pu < 0.5 ? "%.3g %%" : "%.6g %%", pu * 100.0);
    } else {
        snprintf(out, 32, "?");
    }
    return out;
}

static void print_measured(const cJSON *life)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(life, "measured");
    char soh[32];
    if (cJSON_IsObject(m)) {
        printf("           corrected by its own measurement: state of health "
               "%s, losses by %.3g\n",
               percent(number(m, "soh_pu"), soh), number(m, "scale"));
    }
    double jumps = number(life, "gauge_jumps");
    if (jumps > 0.0) {
        printf("           its gauge corrected itself %.0f time%s, by %s in "
               "all: no cycle%s\n",
               jumps, jumps > 1.0 ? "s" : "",
               percent(number(life, "gauge_jumped_pu"), soh),
               jumps > 1.0 ? "s" : "");
    }
    if (cJSON_IsTrue(
            cJSON_GetObjectItemCaseSensitive(life, "temperature_assumed"))) {
        puts("           its temperature is not known: 25 C is assumed");
    }
}

void status_life_print(const struct cJSON *battery)
{
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(battery, "life");
    if (!cJSON_IsObject(life)) {
        return;
    }
    const cJSON *other = cJSON_GetObjectItemCaseSensitive(life, "other");
    char left[32], time[32], cycles[32], said[32];
    printf("  life     %s of its capacity left: %s lost with time, %s with "
           "%.3g full cycles, by %s; %s says %s\n",
           percent(number(life, "capacity_pu"), left),
           percent(number(life, "loss_calendar_pu"), time),
           percent(number(life, "loss_cycle_pu"), cycles), number(life, "efc"),
           word(life, "model"), word(other, "model"),
           percent(number(other, "capacity_pu"), said));
    print_measured(life);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item,
                       cJSON_GetObjectItemCaseSensitive(life, "out_of_range"))
    {
        printf("           outside of what was measured for %s\n",
               cJSON_IsString(item) ? item->valuestring : "?");
    }
}
