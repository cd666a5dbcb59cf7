/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/dr_duration.h"

#include <stddef.h>

#include "models/calendar.h"

enum { DIGITS_MAX = 9, FOREVER_MONTHS = 12000 };

static const int64_t SECOND_MS = 1000;

/* A designator and what one of it is; in the order in which they come. */
struct unit {
    char letter;
    int64_t months;
    int64_t ms;
};

static const struct unit date_units[] = {
    {'Y', 12, 0},
    {'M', 1, 0},
    {'W', 0, 7 * CALENDAR_DAY_MS},
    {'D', 0, CALENDAR_DAY_MS},
    {'\0', 0, 0},
};
static const struct unit time_units[] = {
    {'H', 0, 3600000},
    {'M', 0, 60000},
    {'S', 0, 1000},
    {'\0', 0, 0},
};

/* A number with its fraction in thousandths; fewer digits are read than fit. */
struct number {
    int64_t whole;
    int64_t thousandths;
    bool fraction;
};

static enum err take_number(const char **text, struct number *out)
{
    int n = 0;
    *out = (struct number){.whole = 0};
    for (; **text >= '0' && **text <= '9'; (*text)++, n++) {
        if (n == DIGITS_MAX) {
            return ERR_RANGE;
        }
        out->whole = 10 * out->whole + (**text - '0');
    }
    if (n == 0) {
        return ERR_SYNTAX;
    }
    if (**text == '.' || **text == ',') {
        (*text)++;
        out->fraction = true;
        int64_t scale = 100;
        const char *from = *text;
        for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10) {
            out->thousandths += scale * (**text - '0');
        }
        if (*text == from) {
            return ERR_SYNTAX;
        }
    }
    return ERR_NONE;
}

/* Numbers with the letters of 'units', each at most once and in their order,
 * up to 'end' or the end of the text; at least one. */
static enum err take_part(const char **text, const struct unit *units, char end,
                          struct dr_duration *out)
{
    bool any = false;
    while (**text != '\0' && **text != end) {
        struct number x;
        enum err e = take_number(text, &x);
        if (e != ERR_NONE) {
            return e;
        }
        while (units->letter != '\0' && units->letter != **text) {
            units++;
        }
        bool second = units->ms == SECOND_MS;
        if (units->letter == '\0' || (x.fraction && !second)) {
            return ERR_SYNTAX;
        }
        out->months += x.whole * units->months;
        out->ms += x.whole * units->ms + (second ? x.thousandths : 0);
        units++;
        (*text)++;
        any = true;
    }
    return any ? ERR_NONE : ERR_SYNTAX;
}

static enum err take_parts(const char *text, struct dr_duration *out)
{
    enum err e = ERR_NONE;
    if (*text != 'T') {
        e = take_part(&text, date_units, 'T', out);
    }
    if (e == ERR_NONE && *text == 'T') {
        text++;
        e = take_part(&text, time_units, '\0', out);
    }
    return e;
}

enum err dr_duration_parse(const char *text, struct dr_duration *out)
{
    bool negative = *text == '-';
    text += negative ? 1 : 0;
    if (*text != 'P' || text[1] == '\0') {
        return ERR_SYNTAX;
    }
    struct dr_duration d = {.months = 0};
    enum err e = take_parts(text + 1, &d);
    if (e != ERR_NONE) {
        return e;
    }
    d.forever = d.months >= FOREVER_MONTHS || d.ms >= CALENDAR_END_MS;
    if (d.forever && negative) {
        return ERR_RANGE;
    }
    if (negative) {
        d.months = -d.months;
        d.ms = -d.ms;
    }
    *out = d;
    return ERR_NONE;
}

bool dr_duration_none(const struct dr_duration *d)
{
    return !d->forever && d->months == 0 && d->ms == 0;
}

/* By the calendar; the time of day stays. */
static int64_t after_months(int64_t at_ms, int64_t months)
{
    int64_t day = calendar_day_of(at_ms);
    int64_t into_ms = at_ms - day * CALENDAR_DAY_MS;
    struct calendar_date date = calendar_date(day);
    int64_t count = (int64_t)date.year * 12 + (date.month - 1) + months;
    date.year = (int)(count / 12);
    date.month = (int)(count % 12) + 1;
    int last = calendar_month_days(date.year, date.month);
    date.day = date.day < last ? date.day : last;
    return calendar_days(date) * CALENDAR_DAY_MS + into_ms;
}

int64_t dr_duration_after(int64_t at_ms, const struct dr_duration *d)
{
    if (d->forever || at_ms >= CALENDAR_END_MS) {
        return DR_FOREVER_MS;
    }
    int64_t ms = at_ms;
    if (d->months != 0) {
        ms = after_months(ms, d->months);
    }
    ms += d->ms;
    if (ms >= CALENDAR_END_MS) {
        return DR_FOREVER_MS;
    }
    return ms > 0 ? ms : 0;
}
