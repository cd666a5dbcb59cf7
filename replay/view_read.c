/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view_read - from the controller's JSON to what the view shows. */
#include <stdio.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "models/units.h"
#include "replay/view.h"

static double number(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble)
               ? item->valuedouble
               : NAN;
}

/* Bytes of the printable character at 'p': 1 to 4 of UTF-8, 0 where it is a
 * control character (C1 included) or no UTF-8. */
static size_t printable(const unsigned char *p)
{
    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != 0x7F;
    }
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || (p[0] == 0xC2 && p[1] < 0xA0)) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return n;
}

/* Copies what is printable; nothing in a status may steer the terminal. */
static void copy(const cJSON *item, char *out, size_t size)
{
    const char *from = cJSON_IsString(item) ? item->valuestring : "";
    size_t n = 0;
    while (*from != '\0') {
        size_t k = printable((const unsigned char *)from);
        if (n + (k > 0 ? k : 1) >= size) {
            break;
        }
        if (k == 0) {
            out[n++] = ' ';
            from++;
        }
        for (; k > 0; k--) {
            out[n++] = *from++;
        }
    }
    out[n] = '\0';
}

static void text(const cJSON *json, const char *key, char *out, size_t size)
{
    copy(cJSON_GetObjectItemCaseSensitive(json, key), out, size);
}

#define TEXT(json, key, field) text(json, key, field, sizeof(field))

static void read_grid(const cJSON *root, struct view_status *s)
{
    const cJSON *grid = cJSON_GetObjectItemCaseSensitive(root, "grid");
    s->grid_w = number(grid, "power_w");
    s->reference_w = number(grid, "reference_w");
    s->import_max_w = number(grid, "import_max_w");
    s->ramp_w_per_s = number(grid, "ramp_w_per_s");
    s->ramp_max_w_per_s = number(grid, "ramp_max_w_per_s");
    s->pp60_w = number(grid, "pp60_w");
    TEXT(grid, "meter", s->meter);
    static const char *const unknown[] = {"missing", "bad", "stale"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        s->assumed = s->assumed || strcmp(s->meter, unknown[i]) == 0;
    }
    const cJSON *load = cJSON_GetObjectItemCaseSensitive(root, "load");
    s->demand_w = number(load, "demand_w");
    s->served_w = number(load, "served_w");
    s->shed_w = number(load, "shed_w");
}

static void read_batteries(const cJSON *root, struct view_status *s)
{
    const cJSON *item = NULL;
    s->battery_w = 0.0;
    cJSON_ArrayForEach(item,
                       cJSON_GetObjectItemCaseSensitive(root, "batteries"))
    {
        double power_w = number(item, "power_w");
        s->battery_w += isfinite(power_w) ? power_w : 0.0;
        if (s->n_batteries == VIEW_BATTERIES_MAX) {
            continue;
        }
        struct view_battery *b = &s->batteries[s->n_batteries++];
        b->power_w = power_w;
        b->soc_pu = number(item, "soc_pu");
        TEXT(item, "name", b->name);
        TEXT(item, "state", b->state);
    }
    s->load_w = s->grid_w - s->battery_w;
}

static void read_pods(const cJSON *root, struct view_status *s)
{
    const cJSON *pods = cJSON_GetObjectItemCaseSensitive(root, "pods");
    s->pods = number(pods, "n");
    s->pods_online = number(pods, "online");
    s->pods_capped = number(pods, "capped");
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "fleets"))
    {
        if (s->n_fleets == VIEW_FLEETS_MAX) {
            break;
        }
        struct view_fleet *f = &s->fleets[s->n_fleets++];
        TEXT(item, "name", f->name);
        f->nodes = number(item, "nodes");
        f->online = number(item, "online");
        f->computing = number(item, "computing");
        f->charging = number(item, "charging");
        f->power_w = number(item, "power_w");
    }
}

static void read_plan(const cJSON *root, struct view_status *s)
{
    const cJSON *price = cJSON_GetObjectItemCaseSensitive(root, "price");
    TEXT(price, "market", s->market);
    TEXT(price, "currency", s->currency);
    TEXT(price, "source", s->price_source);
    s->price_per_kwh = number(price, "per_kwh");
    s->price_age_s = number(price, "age_s");
    const cJSON *plan = cJSON_GetObjectItemCaseSensitive(root, "plan");
    TEXT(plan, "status", s->plan);
    s->plan_age_s = number(plan, "age_s");
}

/* What the utility asks for, the first of it, before all else. */
static void read_utility(const cJSON *root, struct view_status *s)
{
    const cJSON *u = cJSON_GetArrayItem(
        cJSON_GetObjectItemCaseSensitive(root, "utility"), 0);
    char kind[VIEW_WORD_MAX] = "";
    char start[VIEW_NAME_MAX] = "";
    char end[VIEW_NAME_MAX] = "";
    char power[24];
    TEXT(u, "kind", kind);
    TEXT(u, "start", start);
    TEXT(u, "end", end);
    double w = number(u, "value_w");
    if (kind[0] == '\0' || !isfinite(w)) {
        return;
    }
    bool now = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(u, "now"));
    snprintf(s->why[s->n_why++], VIEW_TEXT_MAX,
             "the utility's %s of %s holds %s%.8s%suntil %.8s UTC", kind,
             units_power_text(w, power, sizeof(power)), now ? "" : "from ",
             now                  ? ""
             : strlen(start) > 19 ? start + 11
                                  : start,
             now ? "" : " ", strlen(end) > 19 ? end + 11 : "further notice");
}

static void read_words(const cJSON *root, struct view_status *s)
{
    const cJSON *item = NULL;
    read_utility(root, s);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "why"))
    {
        if (s->n_why < VIEW_WHY_MAX && cJSON_IsString(item)) {
            copy(item, s->why[s->n_why], VIEW_TEXT_MAX);
            s->n_why++;
        }
    }
    const cJSON *alarms = cJSON_GetObjectItemCaseSensitive(root, "alarms");
    cJSON_ArrayForEach(item, alarms)
    {
        if (s->n_alarms == VIEW_ALARMS_MAX) {
            break;
        }
        struct view_alarm *a = &s->alarms[s->n_alarms++];
        TEXT(item, "severity", a->severity);
        TEXT(item, "text", a->text);
    }
    s->alarms_all = cJSON_GetArraySize(alarms);
}

bool view_read(const char *json, struct view_status *out)
{
    *out = (struct view_status){0};
    cJSON *root = cJSON_Parse(json);
    bool ok = cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "grid"));
    TEXT(root, "site", out->site);
    TEXT(root, "mode", out->mode);
    TEXT(root, "at", out->at);
    out->uptime_s = number(root, "uptime_s");
    read_grid(root, out);
    read_batteries(root, out);
    read_pods(root, out);
    read_plan(root, out);
    read_words(root, out);
    cJSON_Delete(root);
    return ok;
}
