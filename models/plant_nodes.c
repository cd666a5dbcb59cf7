/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/plant_nodes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/clamp.h"
#include "models/random.h"
#include "models/thermal.h"

static const double CHARGER_EFF_PU = 0.92;  /* AC to pack */
static const double CHARGER_MAX_W = 11.5e3; /* 48 A x 240 V */
static const double PACK_OVERHEAD = 1.15;   /* contactors, pumps, converter */

/* A car that has just been parked: how full, how long, what it needs. */
static void arrive(struct plant_node *n)
{
    n->soc_pu = random_draw(&n->random, 0.25, 0.85);
    n->soc_limit_pu = 0.8;
    n->departs_soc_pu = random_draw(&n->random, 0.4, 0.8);
    n->departs_in_s = random_draw(&n->random, 2.0, 14.0) * 3600.0;
    n->pack_c = n->ambient_c + random_draw(&n->random, 0.0, 8.0);
    n->plugged = random_draw(&n->random, 0.0, 1.0) < 0.9;
    n->consent = random_draw(&n->random, 0.0, 1.0) < 0.85;
}

void plant_nodes_init(struct plant *p, const struct site *site, uint64_t seed)
{
    for (int f = 0; f < site->n_fleets; f++) {
        const struct site_fleet *fleet = &site->fleets[f];
        for (int k = 0; k < fleet->nodes; k++) {
            struct plant_node *n = &p->nodes[fleet->first_node + k];
            uint64_t id = (uint64_t)(fleet->first_node + k);
            n->random = random_seed(seed * 1000003u + id);
            n->energy_wh = fleet->pack_wh;
            n->charge_max_w = CHARGER_MAX_W;
            n->compute_max_w = fleet->compute_w;
            n->from_pack = fleet->from_pack;
            n->ambient_c = random_draw(&n->random, 12.0, 24.0);
            arrive(n);
            n->departs_in_s *= random_draw(&n->random, 0.1, 1.0);
        }
    }
}

void plant_nodes_command(struct plant *p, const struct step_out *out)
{
    for (int64_t i = out->node_from; i < out->node_to; i++) {
        if (out->nodes[i].valid) {
            p->nodes[i].set_charge_w = out->nodes[i].charge_w;
            p->nodes[i].set_compute_w = out->nodes[i].compute_w;
        }
    }
}

static void come_and_go(struct plant_node *n, double dt_s)
{
    if (n->departs_in_s > 0.0) {
        n->departs_in_s -= dt_s;
        if (n->departs_in_s <= 0.0) {
            n->plugged = 0;
            n->away_s = random_draw(&n->random, 1.0, 9.0) * 3600.0;
        }
        return;
    }
    n->away_s -= dt_s;
    if (n->away_s <= 0.0) {
        arrive(n);
    }
}

static bool offers(const struct plant_node *n)
{
    bool parked = n->departs_in_s > 0.0;
    return n->plugged || (n->from_pack && parked && n->soc_pu > 0.0);
}

/* From the feeder. */
static double drawn_w(const struct plant_node *n)
{
    return n->plugged ? n->charge_w + n->compute_w : 0.0;
}

/* How the packs of a fleet warm within a step. */
struct warming {
    struct thermal_cfg thermal;
    struct thermal_stride stride;
};

static struct warming warming_of(const struct site_fleet *fleet, double dt_s)
{
    struct warming w = {.thermal = thermal_of_pack(fleet->pack_wh)};
    w.stride = thermal_stride(&w.thermal, dt_s);
    return w;
}

static void step_node(struct plant_node *n, const struct warming *w,
                      double dt_s)
{
    come_and_go(n, dt_s);
    n->charge_w = 0.0;
    n->compute_w =
        offers(n) ? clamp(n->set_compute_w, 0.0, n->compute_max_w) : 0.0;
    double pack_w = n->compute_w * PACK_OVERHEAD;
    if (n->plugged) {
        pack_w = 0.0;
        double room_wh =
            max_of(n->soc_limit_pu - n->soc_pu, 0.0) * n->energy_wh;
        double fill_w = room_wh * 3600.0 / (CHARGER_EFF_PU * dt_s);
        n->charge_w =
            clamp(n->set_charge_w, 0.0, min_of(n->charge_max_w, fill_w));
    }
    double into_w = n->charge_w * CHARGER_EFF_PU - pack_w;
    n->soc_pu = max_of(n->soc_pu + into_w * dt_s / 3600.0 / n->energy_wh, 0.0);
    struct thermal_in in = {
        .ambient_c = n->ambient_c,
        .coolant_heat_w = n->charge_w * (1.0 - CHARGER_EFF_PU) + n->compute_w,
        .dt_s = dt_s,
    };
    n->pack_c = thermal_step_by(&w->thermal, &w->stride, n->pack_c, &in);
}

static void add_fleet(struct plant *p, const struct site *site)
{
    p->fleet_w = 0.0;
    for (int f = 0; f < site->n_fleets; f++) {
        if (site->fleets[f].behind_poi) {
            p->fleet_w += p->feeder_w[f];
        }
    }
}

void plant_nodes_step(struct plant *p, const struct site *site, double dt_s)
{
    if (p->n_nodes == 0) {
        return;
    }
    int64_t n_slices = (int64_t)max_of(1.0, round(1.0 / dt_s));
    double node_dt_s = (double)n_slices * dt_s;
    int64_t slice = p->slice % n_slices;
    int64_t from = p->n_nodes * slice / n_slices;
    int64_t to = p->n_nodes * (slice + 1) / n_slices;
    p->slice = (slice + 1) % n_slices;
    int f = 0;
    struct warming warming = warming_of(&site->fleets[0], node_dt_s);
    for (int64_t i = from; i < to; i++) {
        while (i >= site->fleets[f].first_node + site->fleets[f].nodes) {
            f++;
            warming = warming_of(&site->fleets[f], node_dt_s);
        }
        struct plant_node *n = &p->nodes[i];
        double before_w = drawn_w(n);
        step_node(n, &warming, node_dt_s);
        p->feeder_w[f] += drawn_w(n) - before_w;
    }
    add_fleet(p, site);
}

static void observe_node(const struct plant_node *n, int64_t mono_ms,
                         int64_t utc_ms, struct node_in *out)
{
    bool parked = n->departs_in_s > 0.0;
    /* every member: to clear it first costs more than all of this */
    *out = (struct node_in){
        .pack_mono_ms = mono_ms,
        .agent_mono_ms = mono_ms,
        .soc_pu = n->soc_pu,
        .soc_limit_pu = n->soc_limit_pu,
        .energy_wh = n->soc_pu * n->energy_wh,
        .charge_w = n->charge_w,
        .compute_w = n->compute_w,
        .compute_avail_w = offers(n) ? n->compute_max_w : 0.0,
        .pack_c = n->pack_c,
        .ambient_c = n->ambient_c,
        .departs_soc_pu = n->departs_soc_pu,
        .departs_at_ms = utc_ms + (int64_t)(n->departs_in_s * 1e3),
        .until_at_ms = 0,
        .flags = NODE_ONLINE | (parked ? NODE_PARKED | NODE_HAS_DEPARTURE : 0) |
                 (n->plugged ? NODE_PLUGGED : 0) |
                 (n->consent ? NODE_CONSENT : 0),
    };
}

void plant_nodes_observe(const struct plant *p, int64_t mono_ms, int64_t utc_ms,
                         struct snapshot *out)
{
    out->n_nodes = p->n_nodes;
    for (int64_t i = 0; i < p->n_nodes; i++) {
        observe_node(&p->nodes[i], mono_ms, utc_ms, &out->nodes[i]);
    }
}
