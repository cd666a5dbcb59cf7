/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/account_bill.h"

#include <math.h>
#include <string.h>

#include "models/calendar.h"

/* A tick that begins on a boundary must not fall before it. */
static const double BOUNDARY_S = 1e-6;

void account_bill_begin(struct account_bill *b, const struct site_grid *grid,
                        const struct zone *zone)
{
    memset(b, 0, sizeof(*b));
    b->grid = grid;
    b->zone = zone;
    b->incumbent_w = grid->billing_peak_w;
}

static void end_interval(struct account_bill *b)
{
    b->peak_w = fmax(b->peak_w, b->interval_ws / b->interval_s);
    b->interval_ws = 0.0;
    b->interval_s = 0.0;
    b->n_ended++;
}

static void end_month(struct account_bill *b)
{
    double over_kw = fmax(b->peak_w - b->incumbent_w, 0.0) / 1e3;
    double cur = over_kw * b->grid->demand_charge_per_kw;
    if (b->n_months < BILL_MONTHS_MAX) {
        b->months[b->n_months] =
            (struct bill_month){b->month.from_ms, b->peak_w, cur};
    }
    b->n_months++;
    b->demand_cur += cur;
    b->peak_w = 0.0;
    b->incumbent_w = 0.0;
}

void account_bill_tick(struct account_bill *b, int64_t utc_ms, double dt_s,
                       double grid_w)
{
    double whole_s = b->grid->demand_interval_s;
    double at = ((double)utc_ms / 1e3 + BOUNDARY_S) / whole_s;
    int64_t number = (int64_t)floor(at);
    bool first = b->month.to_ms == 0;
    if (first) {
        b->interval_s = fmax((at - floor(at)) * whole_s - BOUNDARY_S, 0.0);
        b->interval_ws = b->interval_s * grid_w;
    } else if (number != b->number) {
        end_interval(b);
    }
    b->number = number;
    if (!billing_month_holds(&b->month, utc_ms)) {
        if (!first) {
            end_month(b);
        }
        b->month = billing_month(b->zone, utc_ms);
    }
    b->interval_ws += grid_w * dt_s;
    b->interval_s += dt_s;
}

void account_bill_end(struct account_bill *b)
{
    bool whole = b->interval_s > b->grid->demand_interval_s - BOUNDARY_S;
    if (b->interval_s > 0.0 && (whole || b->n_ended == 0)) {
        end_interval(b);
    }
    if (b->month.to_ms != 0) {
        end_month(b);
    }
}

void account_bill_add(cJSON *to, const struct bill_month *months, int64_t n)
{
    cJSON *all = cJSON_AddArrayToObject(to, "months");
    for (int64_t i = 0; i < n && i < BILL_MONTHS_MAX; i++) {
        char from[CALENDAR_TEXT_MAX];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "from",
                                calendar_format_utc(months[i].from_ms, from));
        cJSON_AddNumberToObject(o, "peak_w", months[i].peak_w);
        cJSON_AddNumberToObject(o, "demand_cur", months[i].demand_cur);
        cJSON_AddItemToArray(all, o);
    }
}
