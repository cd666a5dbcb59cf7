/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account_bill - the demand charge of a replay, month by month.
 *
 * Of each billing month (a calendar month of the site's time zone) the highest
 * mean import over a demand interval, aligned to the UTC clock like
 * models/compliance.h.  What the site's file says is paid for already counts in
 * the first month only.  An interval that the end cuts short counts where it is
 * the only one; before the start the site stood at its first value.
 */
#ifndef REPLAY_ACCOUNT_BILL_H
#define REPLAY_ACCOUNT_BILL_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "models/billing.h"
#include "models/site.h"

enum { BILL_MONTHS_MAX = 36 }; /* told of; more are charged as well */

struct bill_month {
    int64_t from_ms;
    double peak_w; /* highest mean of an interval; 0: none ended in it */
    double demand_cur;
};

struct account_bill {
    const struct site_grid *grid;
    const struct zone *zone; /* NULL: UTC */
    struct billing_month month;
    double peak_w;      /* of the month under way */
    double incumbent_w; /* paid for already in it */
    int64_t number;     /* of the interval under way */
    double interval_ws;
    double interval_s;
    int64_t n_ended;
    int64_t n_months; /* may be more than are listed */
    struct bill_month months[BILL_MONTHS_MAX];
    double demand_cur; /* of the months that are over */
};

/* 'grid' and 'zone' must outlive it. */
void account_bill_begin(struct account_bill *b, const struct site_grid *grid,
                        const struct zone *zone);

/* A tick of 'dt_s' that begins at 'utc_ms'. */
void account_bill_tick(struct account_bill *b, int64_t utc_ms, double dt_s,
                       double grid_w);

/* Closes the last month; 'demand_cur' is that of all then. */
void account_bill_end(struct account_bill *b);

/* "months" of the n that there were. */
void account_bill_add(cJSON *to, const struct bill_month *months, int64_t n);

#endif
