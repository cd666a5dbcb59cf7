/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fleet_fixture - a fleet with the terms that a site file gives by default. */
#ifndef TESTS_FLEET_FIXTURE_H
#define TESTS_FLEET_FIXTURE_H

#include <math.h>

#include "models/site.h"
#include "policies/guard.h"

static inline struct site_fleet fleet_usual(double compute_w)
{
    struct site_fleet f = {
        .name = "lot",
        .nodes = 1,
        .compute_w = compute_w,
        .feeder_max_w = INFINITY,
        .chemistry = CHEMISTRY_NCA,
        .pack_wh = 75e3,
        .behind_poi = true,
        .replacement_per_kwh = 130.0,
        .energy_per_kwh = NAN,
        .consumption_wh_per_km = 160.0,
        .warranty = {.loss_pu = 0.30,
                     .expected_loss_pu = 0.13,
                     .life_s = 8.0 * 365.25 * 86400.0,
                     .distance_km = 160e3,
                     .wear_share_pu = 0.10,
                     .distance_share_pu = 0.05},
    };
    f.wear_ppm_per_day = guard_budget_ppm_per_day(&f.warranty);
    return f;
}

#endif
