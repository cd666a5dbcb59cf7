/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * billing - the month that a demand charge is paid for: a calendar month of the
 * site's time zone.
 */
#ifndef MODELS_BILLING_H
#define MODELS_BILLING_H

#include <stdbool.h>
#include <stdint.h>

#include "models/zone.h"

/* UTC; the end belongs to the next one. */
struct billing_month {
    int64_t from_ms;
    int64_t to_ms;
};

/* The month that holds 'utc_ms'; 'zone' NULL: UTC.  A month begins at the first
 * instant that its first day has there, whatever is done to the clock. */
struct billing_month billing_month(const struct zone *zone, int64_t utc_ms);

static inline bool billing_month_holds(const struct billing_month *m,
                                       int64_t utc_ms)
{
    return utc_ms >= m->from_ms && utc_ms < m->to_ms;
}

#endif
