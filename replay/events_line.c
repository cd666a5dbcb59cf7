/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/events_line.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "adapters/json_in.h"
#include "models/calendar.h"
#include "replay/csv.h"

/* Where nothing is said; as on MQTT. */
enum { PRIORITY_DEFAULT = 100, PRIORITY_MAX = 1000000 };

static const double power_max_w = 1e12;
static const double price_max_per_kwh = 1e3;
static const double from_start_max_s = 1e10;

enum err events_line_fault(struct events_line *l, const char *what)
{
    snprintf(l->why, l->why_size, "%s:%ld: %s", l->cfg->path, l->line, what);
    return ERR_SYNTAX;
}

/* FILE:LINE: "KEY": expected ... */
static enum err bad(struct events_line *l, const char *key,
                    const char *expected)
{
    snprintf(l->why, l->why_size, "%s:%ld: \"%s\": expected %s", l->cfg->path,
             l->line, key, expected);
    return ERR_SYNTAX;
}

/* An instant, or "+600"; 'utc_ms' is left alone where the key is absent or
 * null. */
static enum err read_time(struct events_line *l, const cJSON *object,
                          const char *key, int64_t *utc_ms)
{
    const char *text = NULL;
    enum json_in_field got = json_in_text(object, key, &text);
    if (got == JSON_IN_ABSENT || got == JSON_IN_NULL) {
        return ERR_NONE;
    }
    double s = 0.0;
    int64_t ms = 0;
    if (got == JSON_IN_OK && text[0] == '+') {
        if (csv_number(text + 1, &s) == ERR_NONE && s >= 0.0 &&
            s <= from_start_max_s) {
            *utc_ms = l->cfg->start_utc_ms + llround(s * 1e3);
            return ERR_NONE;
        }
    } else if (got == JSON_IN_OK && calendar_parse_utc(text, &ms) == ERR_NONE) {
        *utc_ms = ms;
        return ERR_NONE;
    }
    return bad(l, key,
               "an instant (2026-11-21T00:00:00Z) or seconds from the start "
               "(\"+600\")");
}

/* "one of v, id, ts" of the keys, cut to 'size'. */
static void list_keys(const char *const *keys, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; keys[i] != NULL && n < size; i++) {
        int w = snprintf(out + n, size - n, "%s%s", i == 0 ? "one of " : ", ",
                         keys[i]);
        n += w > 0 ? (size_t)w : 0;
    }
}

/* 'keys' ends in NULL. */
static enum err check_keys(struct events_line *l, const cJSON *object,
                           const char *const *keys)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], item->string) != 0) {
            i++;
        }
        if (keys[i] == NULL) {
            char key[40];
            char list[160] = "";
            snprintf(key, sizeof(key), "%s", item->string);
            list_keys(keys, list, sizeof(list));
            return bad(l, key, list);
        }
    }
    double v = 1.0;
    if (json_in_number(object, "v", (struct json_in_range){1, 1}, &v) ==
        JSON_IN_BAD) {
        return bad(l, "v", "1");
    }
    return ERR_NONE;
}

static enum err read_id(struct events_line *l, const cJSON *object, char *out)
{
    const char *id = NULL;
    switch (json_in_text(object, "id", &id)) {
    case JSON_IN_ABSENT:
        snprintf(out, UTILITY_ID_MAX, "line-%ld", l->line);
        return ERR_NONE;
    case JSON_IN_OK:
        if (id[0] != '\0' && strlen(id) < UTILITY_ID_MAX) {
            snprintf(out, UTILITY_ID_MAX, "%s", id);
            return ERR_NONE;
        }
        break;
    case JSON_IN_NULL:
    case JSON_IN_BAD:
        break;
    }
    return bad(l, "id", "a text of 1 to 39 bytes");
}

/* The value by the name that its unit asks for; no other is to be there. */
static enum err read_number(struct events_line *l, const cJSON *object,
                            struct utility_in *in)
{
    static const char *const names[] = {"value_w", "value_per_kwh", "value_pu"};
    static const char *const expected[] = {
        "a power in W, at most 1 TW, negative only for a setpoint",
        "a price of at most 1000 per kWh", "a share from 0 to 1"};
    /* Only a set-point may ask for export. */
    double low_w = in->kind == UTILITY_SETPOINT ? -power_max_w : 0.0;
    const struct json_in_range ranges[] = {
        {low_w, power_max_w},
        {-price_max_per_kwh, price_max_per_kwh},
        {0.0, 1.0}};
    int is = in->kind == UTILITY_PRICE     ? 1
             : in->kind == UTILITY_RESERVE ? 2
                                           : 0;
    for (int i = 0; i < 3; i++) {
        if (i != is &&
            cJSON_GetObjectItemCaseSensitive(object, names[i]) != NULL) {
            return bad(l, names[i], "not to be here with this \"kind\"");
        }
    }
    return json_in_number(object, names[is], ranges[is], &in->value) ==
                   JSON_IN_OK
               ? ERR_NONE
               : bad(l, names[is], expected[is]);
}

static enum err read_value(struct events_line *l, const cJSON *object,
                           struct utility_in *in)
{
    in->kind = -1;
    for (int k = 0; k < UTILITY_COUNT; k++) {
        if (json_in_is_text(object, "kind",
                            utility_name((enum utility_kind)k))) {
            in->kind = k;
        }
    }
    if (in->kind < 0) {
        return bad(l, "kind",
                   "import_max, export_max, setpoint, emergency, price, "
                   "reserve or island");
    }
    return read_number(l, object, in);
}

static enum err read_span(struct events_line *l, const cJSON *object,
                          struct events_utility *u)
{
    u->known_ms = l->cfg->start_utc_ms;
    u->in.end_at_ms = INT64_MAX;
    enum err e = read_time(l, object, "ts", &u->known_ms);
    u->in.start_at_ms = u->known_ms;
    if (e == ERR_NONE) {
        e = read_time(l, object, "start", &u->in.start_at_ms);
    }
    if (e == ERR_NONE) {
        e = read_time(l, object, "end", &u->in.end_at_ms);
    }
    if (e == ERR_NONE && u->in.end_at_ms <= u->in.start_at_ms) {
        e = bad(l, "end", "a time after \"start\"");
    }
    return e;
}

static enum err read_utility(struct events_line *l, const cJSON *object)
{
    static const char *const keys[] = {
        "v",        "id",       "ts",      "kind",
        "start",    "end",      "value_w", "value_per_kwh",
        "value_pu", "priority", NULL};
    struct events_utility u = {.line = l->line, .replaced_ms = INT64_MAX};
    u.in.priority = PRIORITY_DEFAULT;
    enum err e = check_keys(l, object, keys);
    if (e == ERR_NONE) {
        e = read_id(l, object, u.in.id);
    }
    if (e == ERR_NONE) {
        e = read_value(l, object, &u.in);
    }
    if (e == ERR_NONE) {
        e = read_span(l, object, &u);
    }
    struct json_in_range range = {0, PRIORITY_MAX};
    if (e == ERR_NONE && json_in_integer(object, "priority", range,
                                         &u.in.priority) == JSON_IN_BAD) {
        e = bad(l, "priority", "a whole number from 0 to 1000000");
    }
    if (e == ERR_NONE) {
        l->events->utility[l->events->n_utility++] = u;
    }
    return e;
}

static enum err read_pod(struct events_line *l, const cJSON *object,
                         int64_t *pod)
{
    const struct site *site = l->cfg->site;
    const char *name = NULL;
    enum json_in_field got = json_in_text(object, "pod", &name);
    *pod = -1;
    if (got == JSON_IN_ABSENT || got == JSON_IN_NULL) {
        return ERR_NONE;
    }
    for (int i = 0; got == JSON_IN_OK && i < site->n_pods; i++) {
        if (strcmp(site->pods[i].name, name) == 0) {
            *pod = i;
            return ERR_NONE;
        }
    }
    return bad(l, "pod", "the name of a pod of the site");
}

static enum err read_marker(struct events_line *l, const cJSON *object,
                            struct job_in *in)
{
    static const char *const powers[] = {"power_from_w", "power_to_w"};
    in->event = -1;
    for (int k = 0; k < JOB_COUNT; k++) {
        if (json_in_is_text(object, "event", job_name((enum job_event)k))) {
            in->event = k;
        }
    }
    if (in->event < 0) {
        return bad(l, "event",
                   "start, stop, checkpoint_start, checkpoint_end, "
                   "eval_start, eval_end or phase");
    }
    double *into[] = {&in->power_from_w, &in->power_to_w};
    for (int i = 0; i < 2; i++) {
        struct json_in_range range = {0.0, power_max_w};
        *into[i] = NAN;
        if (json_in_number(object, powers[i], range, into[i]) == JSON_IN_BAD) {
            return bad(l, powers[i], "a power in W of 0 to 1 TW");
        }
    }
    in->period_s = NAN;
    struct json_in_range period = {1e-3, 1e7};
    return json_in_number(object, "period_s", period, &in->period_s) ==
                   JSON_IN_BAD
               ? bad(l, "period_s", "seconds from 0.001 to 1e7")
               : ERR_NONE;
}

static enum err read_job(struct events_line *l, const cJSON *object)
{
    static const char *const keys[] = {
        "v",  "ts",           "pod",        "job",      "class", "event",
        "at", "power_from_w", "power_to_w", "period_s", NULL};
    struct events_job j = {.line = l->line};
    j.in.at_ms = -1;
    j.post_ms = l->cfg->start_utc_ms;
    enum err e = check_keys(l, object, keys);
    if (e == ERR_NONE) {
        e = read_pod(l, object, &j.in.pod);
    }
    if (e == ERR_NONE) {
        e = read_marker(l, object, &j.in);
    }
    if (e == ERR_NONE) {
        e = read_time(l, object, "at", &j.in.at_ms);
    }
    if (e == ERR_NONE && j.in.at_ms < 0) {
        e = bad(l, "at", "when it happens");
    }
    if (e == ERR_NONE) {
        e = read_time(l, object, "ts", &j.post_ms);
    }
    if (e == ERR_NONE) {
        int64_t early_ms = j.in.at_ms - EVENTS_AHEAD_MS;
        j.post_ms = early_ms > j.post_ms ? early_ms : j.post_ms;
        l->events->jobs[l->events->n_jobs++] = j;
    }
    return e;
}

static enum err read_battery(struct events_line *l, const cJSON *object,
                             int64_t *battery)
{
    const struct site *site = l->cfg->site;
    const char *name = NULL;
    enum json_in_field got = json_in_text(object, "battery", &name);
    for (int i = 0; got == JSON_IN_OK && i < site->n_batteries; i++) {
        if (strcmp(site->batteries[i].name, name) == 0) {
            *battery = i;
            return ERR_NONE;
        }
    }
    return bad(l, "battery", "the name of a battery of the site");
}

static enum err read_fault(struct events_line *l, const cJSON *object)
{
    static const char *const keys[] = {"v", "battery", "trip", "at", NULL};
    struct events_fault f = {.line = l->line, .at_ms = -1};
    enum err e = check_keys(l, object, keys);
    if (e == ERR_NONE) {
        e = read_battery(l, object, &f.battery);
    }
    const cJSON *trip = cJSON_GetObjectItemCaseSensitive(object, "trip");
    if (e == ERR_NONE && !cJSON_IsBool(trip)) {
        e = bad(l, "trip", "true or false");
    }
    f.trips = cJSON_IsTrue(trip);
    if (e == ERR_NONE) {
        e = read_time(l, object, "at", &f.at_ms);
    }
    if (e == ERR_NONE && f.at_ms < 0) {
        e = bad(l, "at", "when it happens");
    }
    if (e == ERR_NONE) {
        l->events->faults[l->events->n_faults++] = f;
    }
    return e;
}

enum err events_line_read(struct events_line *l, const char *text, size_t size)
{
    const char *why = NULL;
    cJSON *object = json_in_parse(text, size, &why);
    if (object == NULL) {
        return events_line_fault(l, why);
    }
    const struct events *all = l->events;
    bool kind = cJSON_GetObjectItemCaseSensitive(object, "kind") != NULL;
    bool event = cJSON_GetObjectItemCaseSensitive(object, "event") != NULL;
    bool fault = cJSON_GetObjectItemCaseSensitive(object, "battery") != NULL;
    enum err e = ERR_SYNTAX;
    if (!cJSON_IsObject(object) || kind + event + fault != 1) {
        events_line_fault(
            l, "expected an object with either \"kind\" (an instruction of "
               "the utility), \"event\" (a job marker) or \"battery\" (one "
               "that trips)");
    } else if (all->n_utility + all->n_jobs + all->n_faults >= EVENTS_MAX) {
        events_line_fault(l, "too many events: expected at most 10000");
        e = ERR_FULL;
    } else if (fault) {
        e = read_fault(l, object);
    } else {
        e = kind ? read_utility(l, object) : read_job(l, object);
    }
    cJSON_Delete(object);
    return e;
}
