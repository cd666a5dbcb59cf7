/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/account_events.h"

#include <math.h>
#include <stdbool.h>

static const double MARGIN_PU = 0.01; /* of the step below every limit */
static const double HELD_PU = 1e-3;   /* of the demand: nothing is held back */
static const double MINUTE_S = 60.0;

/* What each class does not get; returns its value. */
static double book_classes(struct account_events *a,
                           const struct account_events_tick *t)
{
    const struct site *site = t->site;
    double dt_s = site->control.period_s;
    double cur = 0.0;
    for (int i = 0; i < site->n_pods && site->n_classes > 0; i++) {
        const struct plant_pod *p = &t->plant->pods[i];
        if (plant_waits(site, i)) {
            continue; /* it is done later */
        }
        int c = site->pods[i].class_id;
        double ws = fmax(p->demand_w - p->power_w, 0.0) * dt_s;
        double value = ws / 3.6e6 * site->classes[c].value_per_kwh;
        a->class_shed_ws[c] += ws;
        a->class_shed_cur[c] += value;
        cur += value;
    }
    return cur;
}

static void book_force(struct account_events *a, double grid_w, double less_w,
                       double dt_s)
{
    a->in_force_s += dt_s;
    a->less_ws += less_w * dt_s;
    a->minute_ws += grid_w * dt_s;
    a->minute_s += dt_s;
    if (a->minute_s >= MINUTE_S - 0.5 * dt_s) {
        a->peak_w = fmax(a->peak_w, a->minute_ws / a->minute_s);
        a->minute_ws = a->minute_s = 0.0;
    }
}

/* Of work that can wait: put off (+), done by now (-). */
static double put_off_w(const struct account_events_tick *t)
{
    double w = 0.0;
    for (int i = 0; i < t->site->n_pods; i++) {
        const struct plant_pod *p = &t->plant->pods[i];
        w += plant_waits(t->site, i) ? p->demand_w - p->power_w + p->burn_w
                                     : 0.0;
    }
    return w;
}

void account_events_tick(struct account_events *a,
                         const struct account_events_tick *t)
{
    const struct plant *p = t->plant;
    double dt_s = t->site->control.period_s;
    double site_w = t->site->grid.import_max_w;
    double later_w = put_off_w(t);
    double shed_w = fmax(p->demand_w - p->pods_w + p->burn_w - later_w, 0.0);
    bool holds = shed_w > HELD_PU * p->demand_w;
    bool began = a->under_way_s > 0.0;
    bool asked = t->cap_w < (1.0 - MARGIN_PU) * site_w;
    bool in_force = t->import_max_w < site_w;
    double cur = shed_w > 0.0 ? book_classes(a, t) : 0.0;
    double less_w = shed_w + later_w - p->battery_w;
    if (in_force) {
        book_force(a, p->grid_w, less_w, dt_s);
    } else {
        a->minute_ws = a->minute_s = 0.0;
    }
    if (asked || in_force || (began && holds)) {
        a->under_way_s += dt_s;
        a->shed_ws += shed_w * dt_s;
        a->shed_cur += cur;
        a->saved_cur += less_w * dt_s / 3.6e6 * t->price_per_kwh;
    }
}

void account_events_json(cJSON *policy, const struct site *site,
                         const struct account_events *a)
{
    cJSON *o = cJSON_AddObjectToObject(policy, "events");
    cJSON_AddNumberToObject(o, "in_force_s", a->in_force_s);
    cJSON_AddNumberToObject(o, "under_way_s", a->under_way_s);
    cJSON_AddNumberToObject(o, "peak_w", a->peak_w);
    cJSON_AddNumberToObject(o, "less_wh", a->less_ws / 3600.0);
    cJSON_AddNumberToObject(o, "shed_wh", a->shed_ws / 3600.0);
    cJSON_AddNumberToObject(o, "shed_cur", a->shed_cur);
    cJSON_AddNumberToObject(o, "saved_cur", a->saved_cur);
    cJSON *load = cJSON_GetObjectItemCaseSensitive(policy, "load");
    cJSON *list = cJSON_AddArrayToObject(load, "classes");
    for (int c = 0; c < site->n_classes; c++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(list, one);
        cJSON_AddStringToObject(one, "name", site->classes[c].name);
        cJSON_AddNumberToObject(one, "shed_wh", a->class_shed_ws[c] / 3600.0);
        cJSON_AddNumberToObject(one, "shed_cur", a->class_shed_cur[c]);
    }
}
