/* SPDX-License-Identifier: GPL-3.0-or-later */
/* generator_parse(): "mixed,seed=7,days=2,power=150 MW". */
#include "replay/generator.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/units.h"
#include "replay/csv.h"

static const char *const kinds[GENERATOR_COUNT] = {
#define GENERATOR_TEXT(name, text) [GENERATOR_##name] = text,
    GENERATOR_LIST(GENERATOR_TEXT)
#undef GENERATOR_TEXT
};

typedef enum err option_fn(const char *value, struct generator_cfg *cfg);

static enum err take_seed(const char *value, struct generator_cfg *cfg)
{
    size_t n = strlen(value);
    if (n == 0 || n > 18 || strspn(value, "0123456789") != n) {
        return ERR_SYNTAX;
    }
    cfg->seed = strtoull(value, NULL, 10);
    return ERR_NONE;
}

static enum err take_days(const char *value, struct generator_cfg *cfg)
{
    double days = 0.0;
    enum err e = csv_number(value, &days);
    if (e != ERR_NONE) {
        return e;
    }
    if (!(days >= 1e-4 && days <= 3660.0)) {
        return ERR_RANGE;
    }
    cfg->duration_s = days * 86400.0;
    return ERR_NONE;
}

static enum err take_power(const char *value, struct generator_cfg *cfg)
{
    double power_w = 0.0;
    enum err e = units_parse(UNIT_POWER, value, NULL, &power_w);
    if (e != ERR_NONE) {
        return e;
    }
    if (!(power_w >= 1.0 && power_w <= 1e12)) {
        return ERR_RANGE;
    }
    cfg->peak_w = power_w;
    return ERR_NONE;
}

static const struct {
    const char *name;
    option_fn *take;
    const char *expected;
} options[] = {
    {"seed", take_seed, "a whole number"},
    {"days", take_days, "a number of days from 0.0001 to 3660"},
    {"power", take_power, "a power of 1 W to 1 TW, such as 150 MW"},
};

static enum err take_option(char *text, struct generator_cfg *cfg, char *why,
                            size_t why_size)
{
    char *value = strchr(text, '=');
    size_t length = value == NULL ? strlen(text) : (size_t)(value - text);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strlen(options[i].name) != length ||
            strncmp(options[i].name, text, length) != 0) {
            continue;
        }
        enum err e =
            value == NULL ? ERR_SYNTAX : options[i].take(value + 1, cfg);
        if (e != ERR_NONE) {
            snprintf(why, why_size, "gen: %s: expected %s=%s", text,
                     options[i].name, options[i].expected);
        }
        return e;
    }
    snprintf(why, why_size,
             "gen: \"%s\": expected seed=N, days=D or power=POWER", text);
    return ERR_UNKNOWN;
}

static enum err take_kind(const char *text, struct generator_cfg *cfg,
                          char *why, size_t why_size)
{
    for (int i = 0; i < GENERATOR_COUNT; i++) {
        if (strcmp(kinds[i], text) == 0) {
            cfg->kind = (enum generator_kind)i;
            cfg->duration_s =
                cfg->kind == GENERATOR_TRAINING ? 3600.0 : 86400.0;
            return ERR_NONE;
        }
    }
    snprintf(why, why_size,
             "gen: \"%s\": expected training, inference or mixed", text);
    return ERR_UNKNOWN;
}

enum err generator_parse(const char *text, double peak_w,
                         struct generator_cfg *cfg, char *why, size_t why_size)
{
    assert(peak_w > 0.0 && isfinite(peak_w));
    char copy[256];
    if (strlen(text) >= sizeof(copy)) {
        snprintf(why, why_size, "gen: too long: expected at most 255 bytes");
        return ERR_RANGE;
    }
    memcpy(copy, text, strlen(text) + 1);
    struct generator_cfg out = {.seed = 1, .peak_w = peak_w};
    char *rest = strchr(copy, ',');
    if (rest != NULL) {
        *rest++ = '\0';
    }
    enum err e = take_kind(copy, &out, why, why_size);
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
