/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * calendar - dates, instants and their texts.
 *
 * Pure.  An instant is milliseconds of UTC since 1970 (int64_t), a day the
 * number of days since 1970-01-01, proleptic Gregorian.  Local time is
 * models/zone.
 */
#ifndef MODELS_CALENDAR_H
#define MODELS_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "models/err.h"

#define CALENDAR_DAY_MS INT64_C(86400000)

/* Instants are taken from 1970-01-01 up to, not including, 2201-01-01. */
#define CALENDAR_END_MS (INT64_C(84371) * CALENDAR_DAY_MS)

enum { CALENDAR_TEXT_MAX = 32 };

struct calendar_date {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

/* Days since 1970-01-01; the date must exist (asserted by month and day). */
int64_t calendar_days(struct calendar_date date);

/* The date of a day; |days| at most 10^8. */
struct calendar_date calendar_date(int64_t days);

/* 0 Sunday .. 6 Saturday. */
int calendar_weekday(int64_t days);

/* 28..31; 'month' 1..12. */
int calendar_month_days(int year, int month);

/* The day that holds an instant (or a local time in the same unit), rounded
 * toward the past. */
int64_t calendar_day_of(int64_t ms);

/*
 * Parse RFC 3339: "2026-11-21T00:00:00Z", "2026-11-21 01:00:00.25+01:00".
 *
 * The whole string, seconds and zone included; digits beyond milliseconds
 * are cut off; second 60 is taken where a leap second can be and counts as
 * the second after it.  Returns ERR_SYNTAX where the form is another,
 * ERR_RANGE where a field or the instant is out of range; 'utc_ms' is
 * untouched then.
 */
CHECKED enum err calendar_parse_utc(const char *text, int64_t *utc_ms);

/*
 * Parse a local time without a zone: "2024-06-01T00:15", "2024-06-01
 * 00:15:30.5", "2024-06-01".  'local_ms' counts like UTC would, from
 * 1970-01-01 00:00 local.  Errors as above.
 */
CHECKED enum err calendar_parse_local(const char *text, int64_t *local_ms);

/* "2026-11-21T00:00:00.250Z", without the fraction where it is 0.  Returns
 * 'out'.  The instant must be in the range above, else the text is "?". */
const char *calendar_format_utc(int64_t utc_ms, char out[CALENDAR_TEXT_MAX]);

#endif
