/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site file in which every value occurs once, and what its reader says. */
#ifndef TESTS_CONTROLLER_SITE_FILE_FIXTURE_H
#define TESTS_CONTROLLER_SITE_FILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/site_file.h"

enum { FAULTS_MAX = 64, TEXT_MAX = 8192 };

/* Every value occurs once, so that a change hits one place. */
static const char good[] =
    "site: {name: plant, time_zone: Europe/Berlin, currency: EUR}\n"
    "grid:\n"
    "  import_max: 160 MW\n"
    "  export_max: 0 MW\n"
    "  ramp_max: 10 MW/min\n"
    "  ramp_average: 11 s\n"
    "  swing_average: 3 s\n"
    "  bands: [[0.05 Hz, 0.25 Hz, 1 MW], [0.26 Hz, 0.8 Hz, 2 MW]]\n"
    "  contingencies: [{name: hall trip, drop: 60 MW}, {name: job, rise: "
    "40 MW}]\n"
    "  demand_charge: 12 EUR/kW\n"
    "  meter: {modbus: {host: meter.lan, port: 1601, unit: 1, map: "
    "sunspec-meter}}\n"
    "batteries:\n"
    "  - name: bess1\n"
    "    kind: megablock\n"
    "    units: 4\n"
    "    energy: 20 MWh\n"
    "    charge_max: 10 MW\n"
    "    discharge_max: 9 MW\n"
    "    efficiency: 91 %\n"
    "    soc_min: 15 %\n"
    "    soc_max: 85 %\n"
    "    chemistry: nmc\n"
    "    reserve: 2 MWh\n"
    "    modbus: {host: bess.lan, port: 1602, unit: 7, map: sunspec}\n"
    "    sim: {response: 150 ms, delay: 200 ms}\n"
    "classes:\n"
    "  - {name: training, value: 4 EUR/kWh, firm: true}\n"
    "  - {name: batch, value: 1 EUR/kWh, firm: false, deadline: 8 h}\n"
    "pods:\n"
    "  - {name: pod1, profile: gb200_nvl72, racks: 8, power_max: 1.2 MW, "
    "cap_min: 0.4 MW, priority: 2, class: training}\n"
    "  - {name: hall1, profile: generic, count: 3, power_max: 1.5 MW, "
    "cap_min: 0.5 MW, class: batch}\n"
    "fleets:\n"
    "  - {name: lot1, nodes: 200, profile: ai5, chemistry: nca, pack: 75 kWh, "
    "class: training}\n"
    "  - {name: lot2, nodes: 30, profile: hw4, compute: 170 W, chemistry: "
    "lfp, pack: 60 kWh, class: batch, behind_poi: false,"
    "     from_pack: true, replacement_cost: 90 EUR/kWh, energy_paid: "
    "0.31 EUR/kWh, consumption: 200 Wh/km, wear_budget: 2.5 ppm/d,"
    "     warranty: {loss: 20 %, life: 10 y, distance: 240000 km, "
    "expected_loss: 7 %, wear_share: 9 %, distance_share: 6 %}}\n"
    "other_load: {pue: 1.15, lag: 5 min}\n"
    "prices: [{market: day_ahead, fallback: 45 EUR/MWh}]\n"
    "utility: {openadr: {base: \"http://vtn.lan/openadr3\", client: ven1, "
    "secret_file: secrets/openadr, program: dc}, subscribed_import: 150 MW, "
    "baseline: {high: 4, of: 5, adjust: add, cap: 30 %, "
    "holidays: \"2026-11-26,2026-12-25\"}}\n"
    "mqtt: {host: broker.lan, port: 1883}\n"
    "control: {period: 100 ms, plan_every: 5 min, horizon: 36 h}\n"
    "http: {listen: \"127.0.0.1:8080\"}\n";

struct faults {
    int n;
    char text[FAULTS_MAX][700];
};

static inline void collect(void *user, const char *message)
{
    struct faults *f = user;
    if (f->n < FAULTS_MAX) {
        snprintf(f->text[f->n], sizeof(f->text[0]), "%s", message);
    }
    f->n++;
}

static struct site site;
static struct faults faults;

static inline enum err parse(const char *path, const char *text, size_t size)
{
    memset(&site, 0xa5, sizeof(site));
    faults.n = 0;
    return site_file_parse(path, text, size, &site, collect, &faults);
}

#endif
