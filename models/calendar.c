/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/calendar.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

enum {
    MINUTE_MS = 60000,
    HOUR_MS = 3600000,
    ERA_DAYS = 146097, /* of 400 years, after which the calendar repeats */
    ERA_YEARS = 400,
    EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Years are counted from March, so that the leap day comes last and the days
 * before a month follow from its number alone. */
int64_t calendar_days(struct calendar_date date)
{
    assert(date.month >= 1 && date.month <= 12);
    assert(date.day >= 1 && date.day <= 31);
    int64_t year = date.month > 2 ? date.year : date.year - 1;
    int64_t era = floor_div(year, ERA_YEARS);
    int64_t of_era = year - era * ERA_YEARS;
    int64_t month = (date.month + 9) % 12;
    int64_t of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t leaps = of_era / 4 - of_era / 100;
    return era * ERA_DAYS + of_era * 365 + leaps + of_year - EPOCH_DAYS;
}

struct calendar_date calendar_date(int64_t days)
{
    int64_t from_march = days + EPOCH_DAYS;
    int64_t era = floor_div(from_march, ERA_DAYS);
    int64_t of_era = from_march - era * ERA_DAYS; /* 0..146096 */
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    return (struct calendar_date){
        .year = (int)(year + era * ERA_YEARS + (month >= 10 ? 1 : 0)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
    };
}

int calendar_weekday(int64_t days)
{
    return (int)(days + 4 - 7 * floor_div(days + 4, 7));
}

int64_t calendar_day_of(int64_t ms)
{
    return floor_div(ms, CALENDAR_DAY_MS);
}

/* Exactly 'n' digits at *text; -1 and no advance where they are not there. */
static int take_digits(const char **text, int n)
{
    int x = 0;
    for (int i = 0; i < n; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return -1;
        }
        x = 10 * x + (c - '0');
    }
    *text += n;
    return x;
}

static bool take(const char **text, char c)
{
    if (**text != c) {
        return false;
    }
    (*text)++;
    return true;
}

/* "YYYY-MM-DD" to days. */
static enum err take_date(const char **text, int64_t *days)
{
    struct calendar_date d = {.year = take_digits(text, 4)};
    if (d.year < 0 || !take(text, '-')) {
        return ERR_SYNTAX;
    }
    d.month = take_digits(text, 2);
    if (d.month < 0 || !take(text, '-')) {
        return ERR_SYNTAX;
    }
    d.day = take_digits(text, 2);
    if (d.day < 0) {
        return ERR_SYNTAX;
    }
    if (d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > calendar_month_days(d.year, d.month)) {
        return ERR_RANGE;
    }
    *days = calendar_days(d);
    return ERR_NONE;
}

/* ".25" to 250, cut after milliseconds; nothing there is 0, -1 is a fault. */
static int take_fraction(const char **text)
{
    if (!take(text, '.')) {
        return 0;
    }
    int ms = 0;
    int n = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++, n++) {
        ms += n < 3 ? (**text - '0') * (n == 0 ? 100 : n == 1 ? 10 : 1) : 0;
    }
    return n == 0 ? -1 : ms;
}

struct clock_time {
    int64_t ms;
    bool leap; /* second 60 */
};

/* "HH:MM[:SS[.fff]]"; the seconds may only be missing where 'short_ok'. */
static enum err take_time(const char **text, bool short_ok,
                          struct clock_time *out)
{
    int hour = take_digits(text, 2);
    if (hour < 0 || !take(text, ':')) {
        return ERR_SYNTAX;
    }
    int minute = take_digits(text, 2);
    if (minute < 0) {
        return ERR_SYNTAX;
    }
    int second = 0;
    int fraction_ms = 0;
    if (take(text, ':')) {
        second = take_digits(text, 2);
        fraction_ms = second < 0 ? -1 : take_fraction(text);
        if (fraction_ms < 0) {
            return ERR_SYNTAX;
        }
    } else if (!short_ok) {
        return ERR_SYNTAX;
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return ERR_RANGE;
    }
    out->leap = second == 60;
    out->ms = (int64_t)hour * HOUR_MS + (int64_t)minute * MINUTE_MS +
              (int64_t)second * 1000 + fraction_ms;
    return ERR_NONE;
}

/* "Z" or "+01:00" to what UTC is behind. */
static enum err take_offset(const char **text, int64_t *offset_ms)
{
    if (take(text, 'Z') || take(text, 'z')) {
        *offset_ms = 0;
        return ERR_NONE;
    }
    int64_t sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
    int hour = sign == 0 ? -1 : take_digits(text, 2);
    if (hour < 0 || !take(text, ':')) {
        return ERR_SYNTAX;
    }
    int minute = take_digits(text, 2);
    if (minute < 0) {
        return ERR_SYNTAX;
    }
    if (hour > 23 || minute > 59) {
        return ERR_RANGE;
    }
    *offset_ms = sign * ((int64_t)hour * HOUR_MS + (int64_t)minute * MINUTE_MS);
    return ERR_NONE;
}

/* A leap second is the last second of a UTC day and nothing else. */
static bool leap_fits(const struct clock_time *t, int64_t utc_ms)
{
    int64_t of_day = utc_ms - calendar_day_of(utc_ms) * CALENDAR_DAY_MS;
    return !t->leap || of_day < 1000;
}

static bool take_separator(const char **text)
{
    return take(text, 'T') || take(text, 't') || take(text, ' ');
}

enum err calendar_parse_utc(const char *text, int64_t *utc_ms)
{
    int64_t days = 0;
    enum err e = take_date(&text, &days);
    if (e != ERR_NONE) {
        return e;
    }
    struct clock_time clock = {0};
    e = take_separator(&text) ? take_time(&text, false, &clock) : ERR_SYNTAX;
    if (e != ERR_NONE) {
        return e;
    }
    int64_t offset_ms = 0;
    e = take_offset(&text, &offset_ms);
    if (e != ERR_NONE) {
        return e;
    }
    if (*text != '\0') {
        return ERR_SYNTAX;
    }
    int64_t ms = days * CALENDAR_DAY_MS + clock.ms - offset_ms;
    if (ms < 0 || ms >= CALENDAR_END_MS || !leap_fits(&clock, ms)) {
        return ERR_RANGE;
    }
    *utc_ms = ms;
    return ERR_NONE;
}

enum err calendar_parse_local(const char *text, int64_t *local_ms)
{
    int64_t days = 0;
    enum err e = take_date(&text, &days);
    if (e != ERR_NONE) {
        return e;
    }
    struct clock_time clock = {0};
    if (*text != '\0') {
        e = take_separator(&text) ? take_time(&text, true, &clock) : ERR_SYNTAX;
        if (e != ERR_NONE) {
            return e;
        }
    }
    if (*text != '\0') {
        return ERR_SYNTAX;
    }
    int64_t ms = days * CALENDAR_DAY_MS + clock.ms;
    if (ms < 0 || ms >= CALENDAR_END_MS || clock.leap) {
        return ERR_RANGE;
    }
    *local_ms = ms;
    return ERR_NONE;
}

const char *calendar_format_utc(int64_t utc_ms, char out[CALENDAR_TEXT_MAX])
{
    if (utc_ms < 0 || utc_ms >= CALENDAR_END_MS) {
        snprintf(out, CALENDAR_TEXT_MAX, "?");
        return out;
    }
    int64_t day = calendar_day_of(utc_ms);
    struct calendar_date d = calendar_date(day);
    int of_day = (int)(utc_ms - day * CALENDAR_DAY_MS);
    int ms = of_day % 1000;
    int n =
        snprintf(out, CALENDAR_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d",
                 d.year % 10000, d.month % 100, d.day % 100, of_day / HOUR_MS,
                 of_day / MINUTE_MS % 60, of_day / 1000 % 60);
    if (ms != 0) {
        snprintf(out + n, (size_t)(CALENDAR_TEXT_MAX - n), ".%03dZ", ms);
    } else {
        snprintf(out + n, (size_t)(CALENDAR_TEXT_MAX - n), "Z");
    }
    return out;
}
