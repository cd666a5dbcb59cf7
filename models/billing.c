/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/billing.h"

#include "models/calendar.h"

static int64_t utc_of_day(const struct zone *zone, int64_t day)
{
    int64_t utc_ms = day * CALENDAR_DAY_MS;
    if (zone != NULL) {
        zone_local_to_utc(zone, utc_ms, false, &utc_ms);
    }
    return utc_ms;
}

struct billing_month billing_month(const struct zone *zone, int64_t utc_ms)
{
    int64_t local_ms = zone != NULL ? zone_utc_to_local(zone, utc_ms) : utc_ms;
    int64_t day = calendar_day_of(local_ms);
    struct calendar_date date = calendar_date(day);
    int64_t first = day - (date.day - 1);
    int64_t next = first + calendar_month_days(date.year, date.month);
    return (struct billing_month){utc_of_day(zone, first),
                                  utc_of_day(zone, next)};
}
