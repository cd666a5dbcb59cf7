/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/calendar.h"

/* Of an interval: less is an estimate, and next to nothing is no reading. */
static const double KNOWN_PU = 0.95;
static const double KNOWN_LEAST_PU = 0.01;

static double in_its_unit(enum dr_report_kind kind, double value)
{
    const char *unit = dr_report_unit(kind);
    double x = unit[0] == 'K' ? value / 1e3 : value;
    /* usage and demand have a minimum of 0 in the enumerations */
    bool is_use = kind == DR_REPORT_USAGE || kind == DR_REPORT_DEMAND;
    return is_use ? fmax(x, 0.0) : x;
}

static const char *unit_of(const struct dr_report *what)
{
    return what->energy ? "KWH"
                        : dr_report_unit((enum dr_report_kind)what->kind);
}

static const char *reading_type(const struct dr_report *what)
{
    return !what->historical                  ? "FORECAST"
           : what->kind == DR_REPORT_BASELINE ? "ESTIMATED"
           : what->kind != DR_REPORT_DEMAND   ? "DIRECT_READ"
           : what->peak                       ? "PEAK"
                                              : "MEAN";
}

cJSON *openadr_report_begin(const struct openadr_report_head *head)
{
    enum dr_report_kind kind = (enum dr_report_kind)head->what->kind;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "eventID", head->event);
    cJSON_AddStringToObject(o, "clientName", head->client);
    cJSON_AddStringToObject(o, "reportName", head->name);
    cJSON *list = cJSON_AddArrayToObject(o, "payloadDescriptors");
    cJSON *d = cJSON_CreateObject();
    cJSON_AddItemToArray(list, d);
    cJSON_AddStringToObject(d, "objectType", "REPORT_PAYLOAD_DESCRIPTOR");
    cJSON_AddStringToObject(d, "payloadType", dr_report_type(kind));
    cJSON_AddStringToObject(d, "readingType", reading_type(head->what));
    const char *unit = unit_of(head->what);
    if (unit[0] != '\0') {
        cJSON_AddStringToObject(d, "units", unit);
    }
    if (cJSON_AddArrayToObject(o, "resources") == NULL) {
        cJSON_Delete(o);
        return NULL;
    }
    return o;
}

static cJSON *add_payload(cJSON *list, const char *type)
{
    cJSON *p = cJSON_CreateObject();
    cJSON_AddItemToArray(list, p);
    cJSON_AddStringToObject(p, "type", type);
    return cJSON_AddArrayToObject(p, "values");
}

static void add_reading(cJSON *intervals, const struct dr_report *what,
                        const struct openadr_reading *r)
{
    char at[CALENDAR_TEXT_MAX];
    char duration[32];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddItemToArray(intervals, o);
    cJSON_AddNumberToObject(o, "id", (double)r->id);
    cJSON *period = cJSON_AddObjectToObject(o, "intervalPeriod");
    cJSON_AddStringToObject(period, "start",
                            calendar_format_utc(r->from_ms, at));
    snprintf(duration, sizeof(duration), "PT%.12gS",
             (double)(r->to_ms - r->from_ms) / 1e3);
    cJSON_AddStringToObject(period, "duration", duration);
    cJSON *payloads = cJSON_AddArrayToObject(o, "payloads");
    enum dr_report_kind kind = (enum dr_report_kind)what->kind;
    cJSON *values = add_payload(payloads, dr_report_type(kind));
    cJSON_AddItemToArray(values,
                         r->text != NULL
                             ? cJSON_CreateString(r->text)
                             : cJSON_CreateNumber(in_its_unit(kind, r->value)));
    if (r->known_pu < KNOWN_PU || r->guessed) {
        cJSON_AddItemToArray(add_payload(payloads, "DATA_QUALITY"),
                             cJSON_CreateString("ESTIMATED"));
    }
}

int64_t openadr_report_add(cJSON *report, const struct openadr_resource *r,
                           const struct dr_report *what)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "resourceName", r->name);
    cJSON *intervals = cJSON_AddArrayToObject(o, "intervals");
    int64_t told = 0;
    for (int64_t i = 0; i < r->n; i++) {
        bool good = r->list[i].known_pu >= KNOWN_LEAST_PU &&
                    (r->list[i].text != NULL || isfinite(r->list[i].value));
        if (good) {
            add_reading(intervals, what, &r->list[i]);
            told++;
        }
    }
    if (told > 0) {
        cJSON_AddItemToArray(
            cJSON_GetObjectItemCaseSensitive(report, "resources"), o);
    } else {
        cJSON_Delete(o);
    }
    return told;
}
