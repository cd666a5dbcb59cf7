/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status_fleet.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/heard.h"
#include "controller/status.h"

static void number(cJSON *to, const char *name, double value)
{
    cJSON_AddNumberToObject(to, name, value);
}

static double or_0(double x)
{
    return isfinite(x) ? x : 0.0;
}

static void add_now(cJSON *o, const struct watched *w,
                    const struct site_fleet *f)
{
    int computing = 0;
    int charging = 0;
    double power_w = 0.0;
    double compute_w = 0.0;
    for (int i = f->first_node; i < f->first_node + f->nodes; i++) {
        const struct node_in *n = &w->in->nodes[i];
        bool speaks = guard_hears(n, w->mono_ms);
        bool known = speaks || guard_hears_pack(n, w->mono_ms);
        double charge_w = known ? or_0(n->charge_w) : 0.0;
        double works_w = speaks ? or_0(n->compute_w) : 0.0;
        computing += works_w > 1.0;
        charging += charge_w > 1.0;
        compute_w += works_w;
        power_w += works_w + charge_w;
    }
    struct heard heard = heard_fleet(f, w->in, w->mono_ms);
    number(o, "online", heard.n_online);
    number(o, "announced", heard.n_announced);
    number(o, "computing", computing);
    number(o, "charging", charging);
    number(o, "power_w", power_w);
    number(o, "compute_w", compute_w);
}

static void add_gave(cJSON *o, const struct guard_ledger *l)
{
    number(o, "compute_wh", l->compute_wh);
    number(o, "pack_wh", l->pack_wh);
    number(o, "awake_h", l->awake_h);
    number(o, "virtual_km", l->virtual_km);
    number(o, "owed_cur", l->owed_cur);
}

static cJSON *car_json(const struct site_fleet *f, const struct ledger_car *c)
{
    char name[SITE_NAME_MAX + 16];
    snprintf(name, sizeof(name), "%s-%04d", f->name, (int)c->index + 1);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "car", name);
    add_gave(o, &c->ledger);
    number(o, "loss_ppm", c->ledger.loss_ppm);
    cJSON_AddStringToObject(o, "reason", reason_word(c->reason));
    number(o, "held_s", c->held_s);
    return o;
}

static void add_cars(cJSON *to, const char *name, const struct site_fleet *f,
                     const struct ledger_car *cars, int n)
{
    cJSON *list = cJSON_AddArrayToObject(to, name);
    for (int i = 0; i < n; i++) {
        cJSON_AddItemToArray(list, car_json(f, &cars[i]));
    }
}

static void add_refused(cJSON *o, const struct ledger_fleet *x)
{
    number(o, "granted", (double)x->n_by_reason[REASON_NODE_OK]);
    cJSON *now = cJSON_AddObjectToObject(o, "refused");
    cJSON *ever = cJSON_AddObjectToObject(o, "refused_s");
    for (int i = 0; i < REASON_COUNT; i++) {
        const char *word = reason_word((enum reason)i);
        bool refuses = i != REASON_NONE && i != REASON_NODE_OK;
        if (refuses && x->n_by_reason[i] > 0) {
            number(now, word, (double)x->n_by_reason[i]);
        }
        if (refuses && x->refused_s[i] > 0.0) {
            number(ever, word, x->refused_s[i]);
        }
    }
}

static void add_ledger(cJSON *to, const struct watched *w, int fleet)
{
    const struct site_fleet *f = &w->site->fleets[fleet];
    struct ledger_fleet x;
    ledger_book_fleet(w->book, fleet, &x);
    cJSON *o = cJSON_AddObjectToObject(to, "ledger");
    add_gave(o, &x.sum);
    number(o, "loss_ppm_max", x.loss_ppm_max);
    number(o, "loss_ppm_mean", x.sum.loss_ppm / f->nodes);
    cJSON_AddStringToObject(o, "currency", w->site->currency);
    add_refused(to, &x);
    add_cars(to, "most_owed", f, x.most_owed, x.n_most_owed);
    add_cars(to, "most_held", f, x.most_held, x.n_most_held);
}

void status_fleets(cJSON *to, const struct watched *w)
{
    cJSON *list = cJSON_AddArrayToObject(to, "fleets");
    for (int i = 0; i < w->site->n_fleets; i++) {
        const struct site_fleet *f = &w->site->fleets[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", f->name);
        number(o, "nodes", f->nodes);
        add_now(o, w, f);
        if (w->book != NULL) {
            add_ledger(o, w, i);
        }
        cJSON_AddItemToArray(list, o);
    }
}

/* {"v":1,"error":TEXT}, TEXT from 'format' and 'name'. */
static char *error_json(const char *format, const char *name)
{
    char text[2 * SITE_NAME_MAX + 96];
    snprintf(text, sizeof(text), format, name);
    cJSON *o = cJSON_CreateObject();
    number(o, "v", 1);
    cJSON_AddStringToObject(o, "error", text);
    char *json = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return json;
}

static int fleet_named(const struct site *site, const char *name)
{
    for (int i = 0; i < site->n_fleets; i++) {
        if (strcmp(site->fleets[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static char *page_json(const struct status_cars *s, int fleet, int64_t from,
                       int64_t n)
{
    const struct site_fleet *f = &s->site->fleets[fleet];
    struct ledger_car *cars = calloc((size_t)n + 1, sizeof(*cars));
    if (cars == NULL) {
        return NULL;
    }
    ledger_book_cars(s->book, fleet, from, n, cars);
    cJSON *o = cJSON_CreateObject();
    number(o, "v", 1);
    cJSON_AddStringToObject(o, "fleet", f->name);
    number(o, "nodes", f->nodes);
    number(o, "from", (double)from + 1.0);
    cJSON_AddStringToObject(o, "currency", s->site->currency);
    add_cars(o, "cars", f, cars, (int)n);
    free(cars);
    char *json = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return json;
}

char *status_cars_answer(void *cars, const char *request)
{
    const struct status_cars *s = cars;
    char name[SITE_NAME_MAX];
    int from = 0;
    int n = 0;
    int end = 0;
    /* 47 is SITE_NAME_MAX less the NUL, 9 digits fit an int */
    if (sscanf(request, "fleet %47[A-Za-z0-9_-] %9d %9d%n", name, &from, &n,
               &end) != 3 ||
        request[end] != '\0' || from < 1 || n < 1 || n > STATUS_CARS_MAX) {
        return NULL;
    }
    int fleet = fleet_named(s->site, name);
    if (fleet < 0) {
        return error_json("the site has no fleet %s", name);
    }
    int64_t nodes = s->site->fleets[fleet].nodes;
    int64_t first = from - 1;
    int64_t left = first < nodes ? nodes - first : 0;
    return page_json(s, fleet, first < nodes ? first : nodes,
                     n < left ? n : left);
}
