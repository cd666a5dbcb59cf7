/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/status_utility.h"

#include <stdio.h>
#include <string.h>

#include "models/calendar.h"
#include "models/dr_event.h"
#include "models/units.h"

static void add_instant(cJSON *to, const char *name, int64_t ms)
{
    char text[CALENDAR_TEXT_MAX];
    if (ms <= 0 || ms == DR_FOREVER_MS) {
        cJSON_AddNullToObject(to, name);
    } else {
        cJSON_AddStringToObject(to, name, calendar_format_utc(ms, text));
    }
}

/* By the name that its unit asks for. */
static void add_value(cJSON *to, const struct openadr_shown *s)
{
    static const char *const names[DR_SENSE_COUNT] = {
        [DR_SENSE_POWER] = "value_w",    [DR_SENSE_PRICE] = "value_per_kwh",
        [DR_SENSE_CARBON] = "g_per_kwh", [DR_SENSE_LEVEL] = "level",
        [DR_SENSE_ALERT] = NULL,         [DR_SENSE_SHARE] = "value_pu",
    };
    const char *name = names[dr_subject_sense((enum dr_subject)s->subject)];
    if (name != NULL) {
        cJSON_AddNumberToObject(to, name, s->value);
    }
}

static void add_row(cJSON *list, const struct watched *w,
                    const struct openadr_shown *s)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToArray(list, o);
    cJSON_AddStringToObject(o, "event", s->event);
    cJSON_AddStringToObject(o, "name", s->name);
    cJSON_AddStringToObject(o, "what",
                            dr_subject_text((enum dr_subject)s->subject));
    add_instant(o, "start", s->start_ms);
    add_instant(o, "end", s->end_ms);
    add_value(o, s);
    if (s->notice[0] != '\0') {
        cJSON_AddStringToObject(o, "notice", s->notice);
    }
    cJSON_AddBoolToObject(o, "now", s->start_ms <= w->utc_ms);
    cJSON_AddBoolToObject(o, "opted_out", s->opted_out);
    cJSON_AddBoolToObject(o, "stays", s->opted_out && s->binds);
}

/* What the step obeys, whoever said it. */
static void add_instructions(cJSON *to, const struct watched *w)
{
    cJSON *list = cJSON_AddArrayToObject(to, "utility");
    for (int i = 0; i < UTILITY_EVENTS_MAX; i++) {
        const struct utility_in *u = &w->in->utility[i];
        if (u->id[0] == '\0' || u->end_at_ms <= w->utc_ms) {
            continue;
        }
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "id", u->id);
        cJSON_AddStringToObject(o, "kind",
                                utility_name((enum utility_kind)u->kind));
        add_instant(o, "start", u->start_at_ms);
        add_instant(o, "end", u->end_at_ms);
        const char *name = u->kind == UTILITY_PRICE     ? "value_per_kwh"
                           : u->kind == UTILITY_RESERVE ? "value_pu"
                                                        : "value_w";
        cJSON_AddNumberToObject(o, name, u->value);
        cJSON_AddBoolToObject(o, "now", u->start_at_ms <= w->utc_ms);
        cJSON_AddStringToObject(o, "by",
                                i < UTILITY_MQTT       ? "mqtt"
                                : i < UTILITY_LOCAL_AT ? "openadr"
                                                       : "operator");
    }
}

static void add_server(cJSON *to, const struct watched *w)
{
    const struct openadr_report_view *r = &w->openadr;
    cJSON *o = cJSON_AddObjectToObject(to, "openadr");
    cJSON_AddBoolToObject(o, "up", r->link.up);
    add_instant(o, "listed", r->listed_utc_ms);
    cJSON_AddNumberToObject(o, "events", (double)r->n_events);
    cJSON_AddNumberToObject(o, "not_acted_on", (double)r->n_faults);
    cJSON_AddStringToObject(o, "fault", r->fault);
    cJSON_AddStringToObject(o, "doubt", r->doubt);
    cJSON_AddStringToObject(o, "last_error", r->link.last_error);
    cJSON_AddStringToObject(o, "push", r->push);
    cJSON_AddStringToObject(o, "push_trouble", r->push_trouble);
    cJSON *list = cJSON_AddArrayToObject(o, "asks");
    for (int64_t i = 0; i < r->n_rows; i++) {
        if (r->rows[i].end_ms > w->utc_ms) {
            add_row(list, w, &r->rows[i]);
        }
    }
}

void status_utility_add(cJSON *to, const struct watched *w)
{
    overrides_list(cJSON_AddArrayToObject(to, "overrides"), &w->overrides);
    add_instructions(to, w);
    if (w->site->utility.openadr) {
        add_server(to, w);
    }
}

static const char *word(const cJSON *o, const char *name)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(o, name);
    return cJSON_IsString(s) ? s->valuestring : NULL;
}

static void print_instruction(const cJSON *u)
{
    char power[32] = "?";
    const cJSON *w = cJSON_GetObjectItemCaseSensitive(u, "value_w");
    const cJSON *pu = cJSON_GetObjectItemCaseSensitive(u, "value_pu");
    const cJSON *price = cJSON_GetObjectItemCaseSensitive(u, "value_per_kwh");
    if (cJSON_IsNumber(w)) {
        units_power_text(w->valuedouble, power, sizeof(power));
    } else if (cJSON_IsNumber(pu)) {
        units_percent_text(pu->valuedouble, power, sizeof(power));
    } else if (cJSON_IsNumber(price)) {
        snprintf(power, sizeof(power), "%g per kWh", price->valuedouble);
    }
    bool now = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(u, "now"));
    const char *kind = word(u, "kind");
    const char *id = word(u, "id");
    const char *start = word(u, "start");
    const char *end = word(u, "end");
    printf("utility    %s %s, %s%s until %s (%s)\n", kind != NULL ? kind : "?",
           power, now ? "now" : "from ",
           now             ? ","
           : start != NULL ? start
                           : "?",
           end != NULL ? end : "further notice", id != NULL ? id : "?");
}

void status_utility_print(const cJSON *status)
{
    const cJSON *u = NULL;
    cJSON_ArrayForEach(u, cJSON_GetObjectItemCaseSensitive(status, "utility"))
    {
        const char *by = word(u, "by");
        if (by == NULL || strcmp(by, "operator") != 0) {
            print_instruction(u);
        }
    }
    overrides_print(cJSON_GetObjectItemCaseSensitive(status, "overrides"));
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(status, "openadr");
    if (o == NULL) {
        return;
    }
    const char *error = word(o, "last_error");
    const char *fault = word(o, "fault");
    bool up = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "up"));
    printf("openadr    %s%s%s\n", up ? "connected" : "NOT CONNECTED",
           error != NULL && error[0] != '\0' ? ": " : "",
           error != NULL ? error : "");
    const char *push = word(o, "push");
    const char *trouble = word(o, "push_trouble");
    if (push != NULL && push[0] != '\0') {
        printf("           told of events by %s\n", push);
    }
    if (trouble != NULL && trouble[0] != '\0') {
        printf("           %s; the poll goes on\n", trouble);
    }
    const char *doubt = word(o, "doubt");
    if (doubt != NULL && doubt[0] != '\0') {
        printf("           %s\n", doubt);
    }
    if (fault != NULL && fault[0] != '\0') {
        printf("           not acted on: %s\n", fault);
    }
}
