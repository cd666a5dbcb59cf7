/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/zone.h"

#include <assert.h>

#include "models/calendar.h"

static const int64_t day_s = 86400;

void zone_utc(struct zone *z)
{
    *z = (struct zone){0};
}

static int64_t floor_s(int64_t ms)
{
    return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

/* Day of the change in 'year', since 1970. */
static int64_t change_day(const struct zone_change *c, int year)
{
    int64_t new_year = calendar_days((struct calendar_date){year, 1, 1});
    switch ((enum zone_day)c->kind) {
    case ZONE_DAY_JULIAN: {
        bool leap = calendar_month_days(year, 2) == 29;
        return new_year + c->day - 1 + (leap && c->day >= 60 ? 1 : 0);
    }
    case ZONE_DAY_ZERO:
        return new_year + c->day;
    case ZONE_DAY_MONTH:
        break;
    }
    int month = (int)c->month;
    int64_t first = calendar_days((struct calendar_date){year, month, 1});
    int64_t day = (c->day - calendar_weekday(first) + 7) % 7;
    day += 7 * (c->week - 1);
    if (day >= calendar_month_days(year, month)) {
        day -= 7;
    }
    return first + day;
}

static int64_t rule_offset_s(const struct zone_rule *r, int64_t utc_s)
{
    if (!r->has_summer) {
        return r->standard_s;
    }
    int64_t day = calendar_day_of((utc_s + r->standard_s) * 1000);
    int year = calendar_date(day).year;
    int64_t summer_s = change_day(&r->to_summer, year) * day_s +
                       r->to_summer.time_s - r->standard_s;
    int64_t standard_s = change_day(&r->to_standard, year) * day_s +
                         r->to_standard.time_s - r->summer_s;
    bool summer = summer_s < standard_s
                      ? utc_s >= summer_s && utc_s < standard_s
                      : utc_s >= summer_s || utc_s < standard_s;
    return summer ? r->summer_s : r->standard_s;
}

int64_t zone_utc_offset_s(const struct zone *z, int64_t utc_ms)
{
    int64_t utc_s = floor_s(utc_ms);
    if (z->n == 0 || utc_s >= z->at_s[z->n - 1]) {
        return rule_offset_s(&z->rule, utc_s);
    }
    if (utc_s < z->at_s[0]) {
        return z->first_s;
    }
    int64_t lo = 0;
    int64_t hi = z->n;
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (z->at_s[mid] <= utc_s) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return z->offset_s[lo];
}

int64_t zone_utc_to_local(const struct zone *z, int64_t utc_ms)
{
    return utc_ms + 1000 * zone_utc_offset_s(z, utc_ms);
}

enum zone_fit zone_local_to_utc(const struct zone *z, int64_t local_ms,
                                bool second, int64_t *utc_ms)
{
    /* Whatever holds at that local time holds within a day of it, read as if
     * it were UTC (offsets are less than a day). */
    int64_t before_s = zone_utc_offset_s(z, local_ms - CALENDAR_DAY_MS);
    int64_t after_s = zone_utc_offset_s(z, local_ms + CALENDAR_DAY_MS);
    int64_t early_ms = local_ms - 1000 * before_s;
    int64_t late_ms = local_ms - 1000 * after_s;
    bool early = zone_utc_offset_s(z, early_ms) == before_s;
    bool late = zone_utc_offset_s(z, late_ms) == after_s;
    if (early && late && early_ms != late_ms) {
        *utc_ms = second ? late_ms : early_ms;
        return ZONE_TWICE;
    }
    if (!early && late) {
        *utc_ms = late_ms;
        return ZONE_ONCE;
    }
    *utc_ms = early_ms;
    return early ? ZONE_ONCE : ZONE_NEVER;
}
