/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/units.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multiplied, then divided, so that 60 % is 0.6 and 10 MW/min is 1e7/60 to
 * the last bit. */
struct unit {
    enum unit_kind kind;
    const char *text; /* for prices the part behind the currency */
    double times;     /* to the base unit */
    double over;
};

static const struct unit units[] = {
    {UNIT_POWER, "W", 1.0, 1.0},
    {UNIT_POWER, "kW", 1e3, 1.0},
    {UNIT_POWER, "MW", 1e6, 1.0},
    {UNIT_POWER, "GW", 1e9, 1.0},
    {UNIT_APPARENT, "VA", 1.0, 1.0},
    {UNIT_APPARENT, "kVA", 1e3, 1.0},
    {UNIT_APPARENT, "MVA", 1e6, 1.0},
    {UNIT_ENERGY, "Wh", 1.0, 1.0},
    {UNIT_ENERGY, "kWh", 1e3, 1.0},
    {UNIT_ENERGY, "MWh", 1e6, 1.0},
    {UNIT_ENERGY, "GWh", 1e9, 1.0},
    {UNIT_RAMP, "W/s", 1.0, 1.0},
    {UNIT_RAMP, "kW/s", 1e3, 1.0},
    {UNIT_RAMP, "MW/s", 1e6, 1.0},
    {UNIT_RAMP, "W/min", 1.0, 60.0},
    {UNIT_RAMP, "kW/min", 1e3, 60.0},
    {UNIT_RAMP, "MW/min", 1e6, 60.0},
    {UNIT_BYTES, "kB", 1e3, 1.0},
    {UNIT_BYTES, "MB", 1e6, 1.0},
    {UNIT_BYTES, "GB", 1e9, 1.0},
    {UNIT_BYTES, "TB", 1e12, 1.0},
    {UNIT_DURATION, "ms", 1.0, 1e3},
    {UNIT_DURATION, "s", 1.0, 1.0},
    {UNIT_DURATION, "min", 60.0, 1.0},
    {UNIT_DURATION, "h", 3600.0, 1.0},
    {UNIT_DURATION, "d", 86400.0, 1.0},
    {UNIT_FRACTION, "%", 1.0, 100.0},
    {UNIT_FRACTION, "pu", 1.0, 1.0},
    {UNIT_FREQUENCY, "mHz", 1.0, 1e3},
    {UNIT_FREQUENCY, "Hz", 1.0, 1.0},
    {UNIT_PER_ENERGY, "/kWh", 1.0, 1.0},
    {UNIT_PER_ENERGY, "/MWh", 1.0, 1e3},
    {UNIT_PER_POWER, "/kW", 1.0, 1.0},
    {UNIT_PER_POWER, "/MW", 1.0, 1e3},
    {UNIT_LIFETIME, "d", 86400.0, 1.0},
    {UNIT_LIFETIME, "y", 31557600.0, 1.0},
    {UNIT_DISTANCE, "km", 1.0, 1.0},
    {UNIT_DISTANCE, "mi", 1.609344, 1.0},
    {UNIT_CONSUMPTION, "Wh/km", 1.0, 1.0},
    {UNIT_CONSUMPTION, "Wh/mi", 1.0, 1.609344},
    {UNIT_WEAR, "ppm/d", 1.0, 1.0},
    {UNIT_WEAR, "%/y", 1e4, 365.25},
    {UNIT_CYCLING, "EFC/y", 1.0, 1.0},
    {UNIT_CYCLING, "EFC/d", 365.25, 1.0},
    {UNIT_TEMPERATURE, "degC", 1.0, 1.0},
};

/* Below 100 W a minute there is rounding, and no ramp of a site. */
static const double RAMP_NIL_MW_PER_MIN = 1e-4;

const char *unit_expected(enum unit_kind kind)
{
#define UNIT_TEXT(name, text) text,
    static const char *const texts[UNIT_COUNT] = {UNIT_LIST(UNIT_TEXT)};
#undef UNIT_TEXT
    assert((unsigned)kind < UNIT_COUNT);
    return texts[kind];
}

/* Skips the currency in front of a price's unit; NULL where it is missing or
 * another one. */
static const char *skip_currency(const char *text, const char *currency)
{
    for (int i = 0; i < 3; i++) {
        if (!isupper((unsigned char)text[i])) {
            return NULL;
        }
    }
    if (currency != NULL && strncmp(text, currency, 3) != 0) {
        return NULL;
    }
    return text + 3;
}

/* A plain decimal number at the start of 'text'; NULL where there is none.
 * strtod() alone would take nan, inf and hexadecimal too. */
static const char *read_number(const char *text, double *value)
{
    static const char allowed[] = "0123456789+-.eE";
    size_t n = strspn(text, allowed);
    if (n == 0 || n > 40) {
        return NULL;
    }
    char digits[48];
    memcpy(digits, text, n);
    digits[n] = '\0';
    char *end = NULL;
    double x = strtod(digits, &end);
    if (end == digits || !isfinite(x)) {
        return NULL;
    }
    *value = x;
    return text + (end - digits);
}

enum err units_parse(enum unit_kind kind, const char *text,
                     const char *currency, double *value)
{
    double number = 0.0;
    const char *rest = read_number(text, &number);
    if (rest == NULL) {
        return ERR_SYNTAX;
    }
    rest += strspn(rest, " ");
    if (kind == UNIT_PER_ENERGY || kind == UNIT_PER_POWER) {
        rest = skip_currency(rest, currency);
        if (rest == NULL) {
            return ERR_SYNTAX;
        }
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].kind == kind && strcmp(units[i].text, rest) == 0) {
            double x = number * units[i].times / units[i].over;
            if (!isfinite(x)) {
                return ERR_SYNTAX;
            }
            *value = x;
            return ERR_NONE;
        }
    }
    return ERR_SYNTAX;
}

static const char *scaled(double x, const char *unit, char *out, size_t size)
{
    static const struct {
        double from;
        const char *prefix;
        double factor;
        int digits;
    } rows[] = {
        {100e6, "M", 1e-6, 1}, {1e6, "M", 1e-6, 2}, {10e3, "k", 1e-3, 0},
        {1e3, "k", 1e-3, 1},   {0.0, "", 1.0, 0},
    };
    if (!isfinite(x)) {
        snprintf(out, size, "unknown");
        return out;
    }
    size_t i = 0;
    while (fabs(x) < rows[i].from) {
        i++;
    }
    double y = x * rows[i].factor;
    if (fabs(y) < 0.5 && rows[i].digits == 0) {
        y = 0.0; /* never "-0 W" */
    }
    snprintf(out, size, "%.*f %s%s", rows[i].digits, y, rows[i].prefix, unit);
    return out;
}

const char *units_power_text(double power_w, char *out, size_t size)
{
    return scaled(power_w, "W", out, size);
}

const char *units_energy_text(double energy_wh, char *out, size_t size)
{
    return scaled(energy_wh, "Wh", out, size);
}

const char *units_percent_text(double pu, char *out, size_t size)
{
    if (isfinite(pu)) {
        snprintf(out, size, "%.1f %%", pu * 100.0);
    } else {
        snprintf(out, size, "unknown");
    }
    return out;
}

const char *units_ramp_text(double w_per_s, char *out, size_t size)
{
    double y = w_per_s * 60e-6;
    if (isfinite(y)) {
        y = fabs(y) < RAMP_NIL_MW_PER_MIN ? 0.0 : y;
        snprintf(out, size, "%.3g MW/min", y);
    } else {
        snprintf(out, size, "unknown");
    }
    return out;
}

const char *units_duration_text(double duration_s, char *out, size_t size)
{
    double s = fabs(duration_s);
    if (!isfinite(duration_s)) {
        snprintf(out, size, "unknown");
    } else if (s < 1.0) {
        snprintf(out, size, "%.0f ms", duration_s * 1e3);
    } else if (s < 120.0) {
        snprintf(out, size, "%.3g s", duration_s);
    } else if (s < 7200.0) {
        snprintf(out, size, "%.3g min", duration_s / 60.0);
    } else {
        snprintf(out, size, "%.3g h", duration_s / 3600.0);
    }
    return out;
}
