/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A meter of the connection of a large site. */
#ifndef TESTS_MODELS_COMPLIANCE_FIXTURE_H
#define TESTS_MODELS_COMPLIANCE_FIXTURE_H

#include <math.h>
#include <stdbool.h>

#include "models/compliance.h"

static const double ramp_w_per_s = 10e6 / 60.0;

static inline struct site_grid grid(void)
{
    return (struct site_grid){
        .import_max_w = 160e6,
        .import_average_s = 60.0,
        .import_trip_w = 176e6,
        .ramp_max_w_per_s = ramp_w_per_s,
        .ramp_average_s = 10.0,
        .swing_max_w = 12e6,
        .swing_average_s = 2.0,
        .demand_interval_s = 900.0,
    };
}

static struct compliance meter;

static inline void start(const struct site_grid *g, double period_s)
{
    compliance_init(&meter, g, period_s, 0);
}

static inline void push(double grid_w)
{
    compliance_push(&meter,
                    (struct compliance_in){grid_w, NAN, COMPLIANCE_NONE});
}

static inline bool near(double a, double b)
{
    return fabs(a - b) <= 1e-5 * (1.0 + fabs(a) + fabs(b));
}

#endif
