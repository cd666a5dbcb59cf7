/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * units - quantities with their unit, as people write them.
 *
 * "160 MW", "10 MW/min", "60 %", "45 USD/MWh": a number, optional space, a
 * unit of the kind that is expected.  The result is in the base unit of
 * STYLE.md (W, Wh, W/s, s, pu, Hz, VA, site currency per kWh or per kW, km,
 * Wh/km, ppm of capacity a day, degrees Celsius).  A year has 365.25 days.
 * A number without a unit, a unit of another kind, nan, inf, hexadecimal and
 * trailing text are refused.
 */
#ifndef MODELS_UNITS_H
#define MODELS_UNITS_H

#include <stddef.h>

#include "models/err.h"

/* name, what an error message says was expected */
#define UNIT_LIST(X)                                    \
    X(POWER, "a power (W, kW, MW, GW)")                 \
    X(APPARENT, "an apparent power (VA, kVA, MVA)")     \
    X(ENERGY, "an energy (Wh, kWh, MWh)")               \
    X(RAMP, "a ramp (W/s, kW/s, MW/s, kW/min, MW/min)") \
    X(BYTES, "a size (kB, MB, GB, TB)")                 \
    X(DURATION, "a duration (ms, s, min, h, d)")        \
    X(FRACTION, "a fraction (%, pu)")                   \
    X(FREQUENCY, "a frequency (mHz, Hz)")               \
    X(PER_ENERGY, "a price (CUR/kWh, CUR/MWh)")         \
    X(PER_POWER, "a price (CUR/kW, CUR/MW)")            \
    X(LIFETIME, "a lifetime (d, y)")                    \
    X(DISTANCE, "a distance (km, mi)")                  \
    X(CONSUMPTION, "a consumption (Wh/km, Wh/mi)")      \
    X(WEAR, "a wear (ppm/d, %/y)")                      \
    X(CYCLING, "a cycling (EFC/y, EFC/d)")              \
    X(TEMPERATURE, "a temperature (degC)")

#define UNIT_ENUM(name, text) UNIT_##name,
enum unit_kind { UNIT_LIST(UNIT_ENUM) UNIT_COUNT };
#undef UNIT_ENUM

/* What was expected, e.g. "an energy (Wh, kWh, MWh)"; static storage. */
const char *unit_expected(enum unit_kind kind);

/*
 * Parse 'text' as a quantity of 'kind' into 'value'.
 *
 * 'currency' is the code that prices must carry ("USD"); NULL takes any three
 * capital letters.  Returns ERR_SYNTAX where 'text' is not a finite number and
 * a unit of that kind; 'value' is untouched then.
 */
CHECKED enum err units_parse(enum unit_kind kind, const char *text,
                             const char *currency, double *value);

/* A power for people: "-12.3 MW", "850 kW", "0 W", at most 'size' bytes with
 * the NUL; returns 'out'. */
const char *units_power_text(double power_w, char *out, size_t size);

/* An energy for people, likewise: "2.31 MWh".  These and those below say
 * "unknown" of what is not finite. */
const char *units_energy_text(double energy_wh, char *out, size_t size);

/* A fraction for people: "54.8 %". */
const char *units_percent_text(double pu, char *out, size_t size);

/* A ramp for people, in the unit of the contracts: "2 MW/min"; 0 of what is
 * below 100 W/min. */
const char *units_ramp_text(double w_per_s, char *out, size_t size);

/* A duration for people: "80 ms", "12.5 s", "5 min", "36 h". */
const char *units_duration_text(double duration_s, char *out, size_t size);

#endif
