/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the site file says of a fleet, as the guard's terms. */
#include <math.h>

#include "policies/guard.h"

static const double DAY_S = 86400.0;
static const double YEAR_DAYS = 365.25;
static const double BUDGET_MAX_PPM = 20.0; /* whatever the warranty leaves */

double guard_budget_ppm_per_day(const struct site_warranty *w)
{
    double left_pu = w->loss_pu - w->expected_loss_pu;
    double ppm = w->wear_share_pu * left_pu / (w->life_s / DAY_S) * 1e6;
    return ppm > 0.0 ? fmin(ppm, BUDGET_MAX_PPM) : 0.0;
}

struct guard_terms guard_terms_of(const struct site_fleet *fleet)
{
    const struct site_warranty *w = &fleet->warranty;
    double years = w->life_s / (DAY_S * YEAR_DAYS);
    return (struct guard_terms){
        .pack_wh = fleet->pack_wh,
        .compute_w = fleet->compute_w,
        .chemistry = fleet->chemistry,
        .from_pack = fleet->from_pack,
        .behind_poi = fleet->behind_poi,
        .budget_ppm_per_day = fleet->wear_ppm_per_day,
        .end_loss_pu = w->loss_pu,
        .replacement_per_kwh = fleet->replacement_per_kwh,
        .energy_per_kwh = fleet->energy_per_kwh,
        .consumption_wh_per_km = fleet->consumption_wh_per_km,
        .virtual_km_per_year = w->distance_share_pu * w->distance_km / years,
    };
}
