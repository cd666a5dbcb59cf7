/* SPDX-License-Identifier: GPL-3.0-or-later */
/* commuter_parse(): "commuter,draw=1.15 kW,target=60 %". */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "models/units.h"
#include "replay/commuter.h"
#include "replay/csv.h"

enum kind { POWER, ENERGY, FRACTION, CELSIUS, KELVIN, SWITCH };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;
    double min;
    double max;
    const char *expected;
};

#define AT(field) offsetof(struct commuter_cfg, field)

static const struct option options[] = {
    {"pack", ENERGY, AT(pack_wh), 1e3, 1e6, "1 kWh to 1 MWh, as 75 kWh"},
    {"drive", ENERGY, AT(drive_wh), 0.0, 1e6, "0 to 1 MWh a weekday"},
    {"charge", POWER, AT(charge_w), 0.0, 1e6, "0 to 1 MW, as 7 kW"},
    {"target", FRACTION, AT(target_pu), 0.0, 1.0, "0 to 100 %, as 80 %"},
    {"ambient", CELSIUS, AT(ambient_c), -40.0, 60.0, "-40 to 60 C, as 20 C"},
    {"draw", POWER, AT(draw_w), 0.0, 1e6, "0 to 1 MW, as 1.15 kW"},
    {"rise", KELVIN, AT(rise_k), 0.0, 100.0, "0 to 100 K, as 10 K"},
    {"heat", POWER, AT(heat_w), 0.0, 1e6, "0 to 1 MW, as 1 kW"},
    {"radiator", SWITCH, AT(no_radiator), 0.0, 1.0, "on or off"},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* "20 C", "20C": a number and the letter. */
static enum err read_degrees(const char *text, char unit, double *value)
{
    size_t n = strlen(text);
    char number[32];
    if (n < 2 || n >= sizeof(number) || text[n - 1] != unit) {
        return ERR_SYNTAX;
    }
    memcpy(number, text, n);
    n--;
    while (n > 0 && number[n - 1] == ' ') {
        n--;
    }
    number[n] = '\0';
    return csv_number(number, value);
}

static enum err read_switch(const char *text, double *off)
{
    *off = strcmp(text, "off") == 0 ? 1.0 : 0.0;
    return *off > 0.0 || strcmp(text, "on") == 0 ? ERR_NONE : ERR_SYNTAX;
}

static enum err read_value(const struct option *o, const char *text,
                           double *value)
{
    switch (o->kind) {
    case POWER:
        return units_parse(UNIT_POWER, text, NULL, value);
    case ENERGY:
        return units_parse(UNIT_ENERGY, text, NULL, value);
    case FRACTION:
        return units_parse(UNIT_FRACTION, text, NULL, value);
    case CELSIUS:
        return read_degrees(text, 'C', value);
    case KELVIN:
        return read_degrees(text, 'K', value);
    case SWITCH:
        return read_switch(text, value);
    }
    return ERR_SYNTAX;
}

static enum err take_value(const struct option *o, const char *text,
                           struct commuter_cfg *cfg)
{
    double value = 0.0;
    enum err e = read_value(o, text, &value);
    if (e != ERR_NONE) {
        return e;
    }
    if (!(value >= o->min && value <= o->max)) {
        return ERR_RANGE;
    }
    char *at = (char *)cfg + o->offset;
    if (o->kind == SWITCH) {
        *(bool *)at = value > 0.0;
    } else {
        memcpy(at, &value, sizeof(value));
    }
    return ERR_NONE;
}

static enum err take_option(const char *text, struct commuter_cfg *cfg,
                            char *why, size_t why_size)
{
    const char *value = strchr(text, '=');
    size_t length = value == NULL ? strlen(text) : (size_t)(value - text);
    for (int i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        if (strlen(o->name) != length || strncmp(o->name, text, length) != 0) {
            continue;
        }
        enum err e = value == NULL ? ERR_SYNTAX : take_value(o, value + 1, cfg);
        if (e != ERR_NONE) {
            snprintf(why, why_size, "gen: \"%s\": expected %s=%s", text,
                     o->name, o->expected);
        }
        return e;
    }
    size_t n = (size_t)snprintf(why, why_size, "gen: \"%s\": expected", text);
    for (int i = 0; i < OPTIONS && n < why_size; i++) {
        n += (size_t)snprintf(why + n, why_size - n, "%s %s=", i > 0 ? "," : "",
                              options[i].name);
    }
    return ERR_UNKNOWN;
}

enum err commuter_parse(const char *text, struct commuter_cfg *cfg, char *why,
                        size_t why_size)
{
    char copy[256];
    if (strlen(text) >= sizeof(copy)) {
        snprintf(why, why_size, "gen: too long: expected at most 255 bytes");
        return ERR_RANGE;
    }
    memcpy(copy, text, strlen(text) + 1);
    struct commuter_cfg out = {.pack_wh = 75e3,
                               .drive_wh = 12e3,
                               .charge_w = 7e3,
                               .target_pu = 0.8,
                               .ambient_c = 20.0};
    char *rest = strchr(copy, ',');
    if (rest != NULL) {
        *rest++ = '\0';
    }
    if (strcmp(copy, "commuter") != 0) {
        snprintf(why, why_size, "gen: \"%s\": expected commuter", copy);
        return ERR_UNKNOWN;
    }
    enum err e = ERR_NONE;
    while (e == ERR_NONE && rest != NULL) {
        char *option = rest;
        rest = strchr(option, ',');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        e = take_option(option, &out, why, why_size);
    }
    if (e == ERR_NONE) {
        *cfg = out;
    }
    return e;
}
