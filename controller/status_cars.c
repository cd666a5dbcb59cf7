/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_cars - what the cars gave, in words: a fleet in one line, or the cars
 * one by one. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cli.h"
#include "controller/status.h"
#include "controller/status_fleet.h"
#include "models/units.h"

#define NAME_LETTERS             \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "abcdefghijklmnopqrstuvwxyz" \
    "0123456789_-"

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

/* "54 refused, 29 of them node_departure" */
static void refused_text(const cJSON *fleet, char *out, size_t size)
{
    double all = 0.0;
    const cJSON *most = NULL;
    const cJSON *n = NULL;
    cJSON_ArrayForEach(n, cJSON_GetObjectItemCaseSensitive(fleet, "refused"))
    {
        all += n->valuedouble;
        most = most == NULL || n->valuedouble > most->valuedouble ? n : most;
    }
    if (most == NULL) {
        snprintf(out, size, "none refused");
    } else {
        snprintf(out, size, "%.0f refused, %.0f of them %s", all,
                 most->valuedouble, most->string);
    }
}

void status_ledger_print(const cJSON *fleet)
{
    const cJSON *l = cJSON_GetObjectItemCaseSensitive(fleet, "ledger");
    if (!cJSON_IsObject(l)) {
        return;
    }
    char compute[32], pack[32], refused[96];
    char owed[32] = "?";
    if (isfinite(number(l, "owed_cur"))) {
        snprintf(owed, sizeof(owed), "%.2f", number(l, "owed_cur"));
    }
    refused_text(fleet, refused, sizeof(refused));
    printf("ledger     %s: %s computed, %s of it from packs, %s %s owed; %s\n",
           word(fleet, "name"),
           units_energy_text(number(l, "compute_wh"), compute, sizeof(compute)),
           units_energy_text(number(l, "pack_wh"), pack, sizeof(pack)), owed,
           word(l, "currency"), refused);
}

static void print_car(const cJSON *c)
{
    char compute[32], pack[32];
    printf("%-20s %10s %10s %8.1f %9.2f %9.3f %10.4f  %s\n", word(c, "car"),
           units_energy_text(number(c, "compute_wh"), compute, sizeof(compute)),
           units_energy_text(number(c, "pack_wh"), pack, sizeof(pack)),
           number(c, "awake_h"), number(c, "virtual_km"), number(c, "loss_ppm"),
           number(c, "owed_cur"), word(c, "reason"));
}

/* False where 'json' is not such an answer. */
static bool print_cars(const char *json, const struct status_page *page)
{
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    const cJSON *cars = cJSON_GetObjectItemCaseSensitive(o, "cars");
    bool ok = cJSON_IsArray(cars);
    if (ok && cJSON_GetArraySize(cars) == 0) {
        cli_error("status", "--from %ld: %s has %.0f cars", page->from,
                  page->fleet, number(o, "nodes"));
        ok = false;
    } else if (ok) {
        char owed[24];
        snprintf(owed, sizeof(owed), "owed %.3s", word(o, "currency"));
        printf("%-20s %10s %10s %8s %9s %9s %10s  %s\n", "car", "compute",
               "from pack", "awake h", "virt. km", "loss ppm", owed,
               "last answer");
        const cJSON *car = NULL;
        cJSON_ArrayForEach(car, cars)
        {
            print_car(car);
        }
        long next = page->from + cJSON_GetArraySize(cars);
        if ((double)next <= number(o, "nodes")) {
            printf("%.0f more: --from %ld\n",
                   number(o, "nodes") - (double)next + 1.0, next);
        }
    } else {
        cli_error("status", "%s",
                  cJSON_GetObjectItemCaseSensitive(o, "error") != NULL
                      ? word(o, "error")
                      : json);
    }
    cJSON_Delete(o);
    return ok;
}

int status_cars_tell(const char *path, const struct status_page *page,
                     bool as_json)
{
    char request[STATUS_REQUEST_MAX];
    snprintf(request, sizeof(request), "fleet %.47s %ld %ld", page->fleet,
             page->from, page->n);
    if (page->fleet[strspn(page->fleet, NAME_LETTERS)] != '\0' ||
        strlen(page->fleet) >= SITE_NAME_MAX) {
        cli_error("status",
                  "--fleet '%s': not a name of a fleet; 'ballast "
                  "status' lists them",
                  page->fleet);
        return EXIT_USAGE;
    }
    if (page->n > STATUS_CARS_MAX) {
        cli_error("status", "--cars %ld: at most %d at a time", page->n,
                  STATUS_CARS_MAX);
        return EXIT_USAGE;
    }
    char *json = NULL;
    enum err e = status_request(path, request, 3.0, &json);
    if (e != ERR_NONE) {
        return status_nobody(path, e);
    }
    bool ok = true;
    if (as_json) {
        puts(json);
    } else {
        ok = print_cars(json, page);
    }
    free(json);
    return ok ? EXIT_DONE : EXIT_NO;
}
