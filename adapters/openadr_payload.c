/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_payload.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double PRICE_MAX = 1e4; /* per kWh, either sign */
static const double CARBON_MAX = 1e5;
static const double LEVEL_MAX = 3.0;

/* Payload types of the specification that we know. */
static const struct {
    const char *type;
    enum dr_subject subject;
} types[] = {
    {"IMPORT_CAPACITY_LIMIT", DR_IMPORT_MAX},
    {"EXPORT_CAPACITY_LIMIT", DR_EXPORT_MAX},
    {"DISPATCH_SETPOINT", DR_SETPOINT},
    {"IMPORT_CAPACITY_SUBSCRIPTION", DR_IMPORT_SUBSCRIPTION},
    {"EXPORT_CAPACITY_SUBSCRIPTION", DR_EXPORT_SUBSCRIPTION},
    {"IMPORT_CAPACITY_RESERVATION", DR_IMPORT_RESERVATION},
    {"EXPORT_CAPACITY_RESERVATION", DR_EXPORT_RESERVATION},
    {"PRICE", DR_PRICE},
    {"EXPORT_PRICE", DR_EXPORT_PRICE},
    {"GHG", DR_GHG},
    {"SIMPLE", DR_SHED_LEVEL},
    {"CHARGE_STATE_SETPOINT", DR_CHARGE_STATE},
    {"ALERT_GRID_EMERGENCY", DR_EMERGENCY},
    {"ALERT_BLACK_START", DR_BLACK_START},
    {"ALERT_POSSIBLE_OUTAGE", DR_OUTAGE},
    {"ALERT_FIRE", DR_OUTAGE},
    {"ALERT_FLEX_ALERT", DR_FLEX},
    {"ALERT_FREEZING", DR_NOTICE},
    {"ALERT_WIND", DR_NOTICE},
    {"ALERT_TSUNAMI", DR_NOTICE},
    {"ALERT_AIR_QUALITY", DR_NOTICE},
    {"ALERT_OTHER", DR_NOTICE},
};

/* What a value in such a unit is in ours. */
static const struct {
    enum dr_sense sense;
    const char *unit;
    double scale;
} units[] = {
    {DR_SENSE_POWER, "KW", 1e3},      {DR_SENSE_POWER, "W", 1.0},
    {DR_SENSE_POWER, "MW", 1e6},      {DR_SENSE_PRICE, "KWH", 1.0},
    {DR_SENSE_PRICE, "MWH", 1e-3},    {DR_SENSE_CARBON, "GHG", 1.0},
    {DR_SENSE_SHARE, "PERCENT", 1.0}, {DR_SENSE_SHARE, "PERCENTAGE", 0.01},
};

enum dr_subject openadr_payload_subject(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].type, type) == 0) {
            return types[i].subject;
        }
    }
    return DR_UNKNOWN;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(m) ? m->valuestring : NULL;
}

/* The descriptor of a payload type: the event's, else the program's. */
static const cJSON *descriptor_in(const cJSON *list, const char *type)
{
    const cJSON *d = NULL;
    cJSON_ArrayForEach(d, list)
    {
        const char *of = text_of(d, "payloadType");
        of = of != NULL ? of : text_of(d, "payLoadType");
        if (of != NULL && strcmp(of, type) == 0) {
            return d;
        }
    }
    return NULL;
}

double openadr_payload_scale(const struct openadr_terms *terms,
                             const cJSON *descriptors, const char *type)
{
    enum dr_sense sense = dr_subject_sense(openadr_payload_subject(type));
    const cJSON *d = descriptor_in(descriptors, type);
    d = d != NULL ? d : descriptor_in(terms->descriptors, type);
    const char *unit = text_of(d, "units");
    const char *currency = text_of(d, "currency");
    if (sense == DR_SENSE_PRICE && currency != NULL &&
        strcmp(currency, terms->currency) != 0) {
        return 0.0;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        bool first = unit == NULL; /* kW and kWh are what is usual */
        if (units[i].sense == sense &&
            (first || strcmp(units[i].unit, unit) == 0)) {
            return units[i].scale;
        }
    }
    return sense == DR_SENSE_LEVEL ? 1.0 : 0.0;
}

const char *openadr_payload_fault(const struct openadr_terms *terms,
                                  enum dr_subject subject, double value)
{
    switch (dr_subject_sense(subject)) {
    case DR_SENSE_POWER:
        if (value < 0.0) {
            return "a power is negative";
        }
        if (value > terms->power_max_w) {
            return "a power is far above what this site can draw: kW for W?";
        }
        if (value > 0.0 && value < terms->power_least_w) {
            return "a power is far below what this site draws: MW for kW?";
        }
        return NULL;
    case DR_SENSE_PRICE:
        return fabs(value) <= PRICE_MAX ? NULL : "a price is out of range";
    case DR_SENSE_CARBON:
        return value >= 0.0 && value <= CARBON_MAX ? NULL
                                                   : "a carbon value is absurd";
    case DR_SENSE_LEVEL:
        return value >= 0.0 && value <= LEVEL_MAX && value >= floor(value) &&
                       value <= floor(value)
                   ? NULL
                   : "a shed level is not 0, 1, 2 or 3";
    case DR_SENSE_SHARE:
        return value >= 0.0 && value <= 1.0 ? NULL
                                            : "a share is not within 0 and 1";
    case DR_SENSE_ALERT:
    case DR_SENSE_COUNT:
        break;
    }
    return NULL;
}
