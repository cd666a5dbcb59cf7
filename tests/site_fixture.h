/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site to test against: ten Megablocks behind 160 MW and 10 MW/min, a hall
 * of 'n_pods' pods, 'n_nodes' vehicles. */
#ifndef TESTS_SITE_FIXTURE_H
#define TESTS_SITE_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/site.h"
#include "tests/fleet_fixture.h"

static inline void fixture_battery(struct site_battery *b, int i)
{
    *b = (struct site_battery){
        .units = 4,
        .transformer_va = INFINITY,
        .energy_wh = 20e6,
        .charge_max_w = 10e6,
        .discharge_max_w = 10e6,
        .efficiency_pu = 0.91,
        .soc_min_pu = 0.1,
        .soc_max_pu = 0.9,
        .replacement_per_kwh = 150.0,
        .warranty_efc_per_y = INFINITY,
        .sim_soc_start_pu = 0.6,
        .sim_response_s = 0.1,
    };
    snprintf(b->name, sizeof(b->name), "block%d", i + 1);
}

/* Owned by the caller: free() it. */
static inline struct site *fixture_site(int n_batteries, int n_pods,
                                        int n_nodes)
{
    struct site *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        abort();
    }
    strcpy(s->name, "fixture");
    strcpy(s->currency, "USD");
    strcpy(s->time_zone, "America/Chicago");
    s->grid = (struct site_grid){
        .import_max_w = 160e6,
        .import_average_s = 60.0,
        .import_trip_w = 176e6,
        .ramp_max_w_per_s = 10e6 / 60.0,
        .ramp_average_s = 10.0,
        .swing_max_w = INFINITY,
        .swing_average_s = 2.0,
        .demand_interval_s = 900.0,
        .island_load_w = INFINITY,
        .island_s = 3600.0,
    };
    s->control.period_s = 0.1;
    s->control.plan_every_s = 300.0;
    s->control.horizon_s = 48.0 * 3600.0;
    s->n_batteries = n_batteries;
    for (int i = 0; i < n_batteries; i++) {
        fixture_battery(&s->batteries[i], i);
    }
    s->n_classes = 1;
    s->classes[0] = (struct site_class){.value_per_kwh = 4.0, .firm = true};
    strcpy(s->classes[0].name, "training");
    s->n_pods = n_pods;
    for (int i = 0; i < n_pods; i++) {
        s->pods[i] = (struct site_pod){
            .power_max_w = 150e6 / n_pods,
            .cap_min_w = 50e6 / n_pods,
            .priority = 1,
        };
        snprintf(s->pods[i].name, SITE_NAME_MAX, "pod%d", i + 1);
    }
    if (n_nodes > 0) {
        s->n_fleets = 1;
        s->n_nodes = n_nodes;
        s->fleets[0] = fleet_usual(160.0);
        s->fleets[0].nodes = n_nodes;
        s->fleets[0].feeder_max_w = 4e3 * n_nodes;
    }
    return s;
}

#endif
