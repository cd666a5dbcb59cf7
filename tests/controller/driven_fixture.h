/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A control loop driven tick by tick through its mailboxes, with the simulated
 * plant behind them in the workers' place. */
#ifndef TESTS_CONTROLLER_DRIVEN_FIXTURE_H
#define TESTS_CONTROLLER_DRIVEN_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/loop.h"
#include "controller/watch.h"
#include "models/plant.h"
#include "tests/site_fixture.h"

static const int64_t START_NS = 5000 * INT64_C(1000000000);
static const int64_t START_UTC_MS = 1763683200000; /* 2025-11-21 */
static const int64_t PERIOD_NS = 100000000;

struct driven {
    struct site *site; /* ours */
    struct ports *ports;
    struct loop *loop;
    struct plant *plant;
    struct snapshot *seen; /* what perfect devices would say */
    struct step_out *done; /* what they were told */
    struct watch *watch;
    int64_t mono_ns;
    int64_t utc_ms;
    int silent; /* battery that says nothing, or -1 */
    int liar;   /* battery whose power is not finite, or -1 */
    uint64_t lease_seq[SITE_BATTERIES_MAX];
};

static inline struct ports *driven_ports(const struct site *site)
{
    struct ports *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    assert_int_equal(ports_init(p, site), ERR_NONE);
    return p;
}

/* Takes 'site', all of whose devices are there from now on. */
static inline void driven_open(struct driven *d, struct site *site, bool shadow)
{
    *d = (struct driven){.site = site, .silent = -1, .liar = -1};
    site->grid.meter.present = true;
    site->mqtt.present = true;
    for (int64_t i = 0; i < site->n_batteries; i++) {
        site->batteries[i].modbus.present = true;
    }
    d->ports = driven_ports(site);
    struct loop_cfg cfg = {
        .site = site,
        .policy = POLICY_BALLAST,
        .shadow = shadow,
        .ports = d->ports,
    };
    assert_int_equal(loop_open(&cfg, &d->loop), ERR_NONE);
    struct watch_cfg watch = {.site = site, .ports = d->ports};
    assert_int_equal(watch_open(&watch, &d->watch), ERR_NONE);
    d->plant = calloc(1, plant_size(site));
    plant_init(d->plant, site, 100e6, 1);
    d->seen = parts_snapshot(&d->ports->parts);
    d->done = parts_out(&d->ports->parts);
    snapshot_clear(d->seen, site->n_nodes);
    d->done->n_nodes = site->n_nodes;
    d->mono_ns = START_NS;
    d->utc_ms = START_UTC_MS;
}

static inline void driven_close(struct driven *d)
{
    watch_close(d->watch);
    loop_close(d->loop);
    ports_clear(d->ports);
    free(d->ports);
    free(d->site);
    free(d->plant);
    free(d->seen);
    free(d->done);
}

/* The workers' part before a tick. */
static inline void driven_speak(struct driven *d)
{
    plant_observe(d->plant, d->site, d->mono_ns / 1000000, d->utc_ms, d->seen);
    for (int i = 0; i < d->site->n_batteries; i++) {
        if (i == d->silent) {
            continue;
        }
        struct device_values v = {.battery = d->seen->batteries[i]};
        v.battery.power_w.value = i == d->liar ? NAN : v.battery.power_w.value;
        mailbox_send(&d->ports->batteries[i].values, &v);
    }
    struct device_values v = {.meter = d->seen->meter};
    mailbox_send(&d->ports->meter.values, &v);
    struct mqtt_inputs *m = mailbox_slot(&d->ports->mqtt.inputs);
    memcpy(m->pods, d->seen->pods, sizeof(m->pods));
    memcpy(m->prices, d->seen->prices, sizeof(m->prices));
    memcpy(m->utility, d->seen->utility, sizeof(m->utility));
    memcpy(m->jobs, d->seen->jobs, sizeof(m->jobs));
    m->n_nodes = d->site->n_nodes;
    memcpy(m->nodes, d->seen->nodes, (size_t)m->n_nodes * sizeof(m->nodes[0]));
    mailbox_post(&d->ports->mqtt.inputs);
}

/* The workers' part after it, then the plant lives on for a period. */
static inline void driven_obey(struct driven *d)
{
    for (int i = 0; i < d->site->n_batteries; i++) {
        const struct device_lease *l =
            mailbox_fetch(&d->ports->batteries[i].lease);
        if (l != NULL) {
            d->done->batteries[i] = l->command;
            d->lease_seq[i] = l->seq;
        }
    }
    const struct step_out *out = mailbox_fetch(&d->ports->mqtt.commands);
    if (out != NULL) {
        size_t n_nodes = (size_t)d->site->n_nodes;
        memcpy(d->done->pods, out->pods, sizeof(out->pods));
        memcpy(d->done->nodes, out->nodes, n_nodes * sizeof(out->nodes[0]));
        d->done->node_to = d->site->n_nodes;
        plant_command(d->plant, d->site, d->done);
    }
    plant_step(d->plant, d->site, 0.1);
}

static inline const struct watched *driven_look(struct driven *d)
{
    return watch_look(d->watch, d->mono_ns / 1000000, d->utc_ms);
}

#endif
