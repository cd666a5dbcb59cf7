/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dr_duration - ISO 8601 durations as OpenADR 3 uses them.
 *
 * "PT5M", "P1DT12H", "P1W", "PT0.5S", "-PT30S", "P9999Y0M0DT0H0M0S".  Years and
 * months go by the calendar, all else is time.  A thousand years or more is for
 * ever: OpenADR writes P9999Y for it (User Guide 7.3).
 *
 * Pure.
 */
#ifndef MODELS_DR_DURATION_H
#define MODELS_DR_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "models/err.h"

/* The instant that never comes. */
#define DR_FOREVER_MS INT64_MAX

struct dr_duration {
    int64_t months; /* years are twelve of them; < 0 where the whole is */
    int64_t ms;     /* weeks, days and time; likewise */
    bool forever;
};

/*
 * The whole text.  ERR_SYNTAX where the form is another, ERR_RANGE where a
 * number has more than nine digits or what is negative lasts for ever; 'out' is
 * untouched then.
 */
CHECKED enum err dr_duration_parse(const char *text, struct dr_duration *out);

/* 'at_ms' moved by it, a day that the month lacks being its last; at least 0,
 * and DR_FOREVER_MS from the calendar's end on. */
int64_t dr_duration_after(int64_t at_ms, const struct dr_duration *d);

/* True for what takes no time. */
bool dr_duration_none(const struct dr_duration *d);

#endif
