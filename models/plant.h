/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plant - the simulated site: batteries, pods, vehicles, other load, meter.
 *
 * Pure.  The replay steps it in simulated time, `ballast sim` puts the same
 * code behind sockets.  In one step of length dt:
 *
 *   battery  b <- b + (u - b) (1 - exp(-dt/response)), u as it was commanded
 *            'delay' steps ago; limits, state of charge, efficiency sqrt(rt)
 *            each way at the terminals
 *   pod      draws its demand, or its cap where that is lower; a changed cap
 *            settles in 50 ms (V100 cap steps, ../shared/traces); below its
 *            floor it burns what is missing; servers, network, distribution
 *            and cooling are fixed parts of that; what a class that can wait
 *            did not get it draws beside its demand as soon as its cap allows
 *            it, unless its deadline is over
 *   other    (pue - 1) x pods through a first-order lag, plus the batteries'
 *            auxiliary power
 *   island   cut off from the grid, the batteries that are not tripped form
 *            it: what is missing or over they take in the same step, within
 *            their power; what they cannot take stays in grid_w
 *   node     charges and computes as commanded while it is plugged in
 */
#ifndef MODELS_PLANT_H
#define MODELS_PLANT_H

#include <stdint.h>

#include "models/backlog.h"
#include "models/command.h"
#include "models/site.h"
#include "models/snapshot.h"

enum { PLANT_DELAY_MAX = 64 }; /* ticks */

struct plant_battery {
    double power_w; /* at the terminals, + charge */
    double energy_wh;
    double set_w;                    /* in force */
    double queue_w[PLANT_DELAY_MAX]; /* set-points under way */
    double throughput_wh;            /* sum of |power| at the terminals */
    double charge_max_w; /* of the units left, transformer included */
    double discharge_max_w;
    int64_t units; /* alive */
    int64_t queue_at;
    int64_t n_delay;
    int64_t tripped; /* 1: contactors open, no power */
    double eff_pu;   /* one way */
    double alpha;    /* share of the way to the set-point in alpha_dt_s */
    double alpha_dt_s;
};

struct plant_pod {
    double demand_w; /* uncapped, what waits apart */
    double power_w;
    double lost_wh;   /* waited for too long, and was not done */
    double cap_w;     /* commanded */
    double cap_now_w; /* settling */
    double floor_w;   /* commanded */
    double burn_w;    /* of power_w, for the floor alone */
    double safe_w;
    double hot_k;     /* its air inlet is so much warmer than usual */
    int64_t disobeys; /* 1: takes caps and says so, and draws what it likes */
    int64_t uncooled; /* 1: pumps and fans stand still */
    struct backlog waits; /* held back, of a class that can wait */
};

struct plant_node {
    double soc_pu;
    double energy_wh; /* capacity of the pack */
    double soc_limit_pu;
    double departs_soc_pu;
    double departs_in_s; /* until it leaves; <= 0 away */
    double away_s;       /* until it is back, while away */
    double pack_c;
    double ambient_c;
    double charge_w;
    double compute_w;
    double set_charge_w;
    double set_compute_w;
    double charge_max_w;
    double compute_max_w;
    int64_t plugged;
    int64_t consent;
    int64_t from_pack; /* 1: offers compute while parked and unplugged */
    uint64_t random;   /* its own generator */
};

struct plant {
    double t_s;
    double grid_w;
    double pods_w;
    double burn_w; /* of pods_w, for the pods' floors alone */
    double demand_w;
    double battery_w;
    int64_t island; /* 1: cut off, the batteries hold the balance */
    double fed_w;   /* others may feed into it */
    double other_w;
    double fleet_w;   /* behind the POI */
    double cooling_w; /* lagged part of other_w */
    double import_wh;
    double export_wh;
    struct plant_battery batteries[SITE_BATTERIES_MAX];
    struct plant_pod pods[SITE_PODS_MAX];
    double feeder_w[SITE_FLEETS_MAX]; /* drawn by each fleet */
    double settle; /* share of a cap change done in settle_dt_s */
    double settle_dt_s;
    int64_t slice; /* nodes are stepped a slice a call, each once a second */
    int64_t n_nodes;
    struct plant_node nodes[];
};

size_t plant_size(const struct site *site);

/* The site at rest with 'demand_w' drawn by the pods; 'seed' decides the
 * vehicles' states. */
void plant_init(struct plant *p, const struct site *site, double demand_w,
                uint64_t seed);

/* Whether the work of pod 'i' can wait. */
bool plant_waits(const struct site *site, int i);

/* Lets pod 'i', which draws 'power_w' of its demand and of what waits, live
 * through 'dt_s'. */
void plant_work(struct plant_pod *pod, const struct site *site, int i,
                double dt_s);

/* The demand of all pods together, shared over them by power_max. */
void plant_demand(struct plant *p, const struct site *site, double demand_w);

/* Take over what the commands ask for, of the nodes those that were decided;
 * takes effect in the next step. */
void plant_command(struct plant *p, const struct site *site,
                   const struct step_out *out);

/* Advance by 'dt_s' > 0. */
void plant_step(struct plant *p, const struct site *site, double dt_s);

/* What perfect telemetry would say of the plant now.  Times, prices, events
 * and jobs of 'out' are left alone. */
void plant_observe(const struct plant *p, const struct site *site,
                   int64_t mono_ms, int64_t utc_ms, struct snapshot *out);

/* The same without the vehicles (models/plant_nodes.h has those): they change
 * once a second, and a replay need not look at them in every tick. */
void plant_observe_devices(const struct plant *p, const struct site *site,
                           int64_t mono_ms, struct snapshot *out);

/* State of charge weighted by energy, 0..1. */
double plant_soc_pu(const struct plant *p, const struct site *site);

#endif
