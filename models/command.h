/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command - what the step asks of the devices, and why.
 *
 * Every command is a lease: a value, how long it holds without renewal, and
 * what the worker does by itself when that time is over.  Pointer-free and
 * without padding; the nodes follow the fixed part (step_out_size()).
 */
#ifndef MODELS_COMMAND_H
#define MODELS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "models/reason.h"
#include "models/site.h"

/* Power set-point of a battery, + charge. */
struct battery_command {
    double set_w;      /* finite, within rating and state of charge */
    double fallback_w; /* what the device falls back to */
    double fallback_ramp_w_per_s; /* rate of that change, where it can */
    double expiry_s; /* of the device's own reversion timer, >= 10 */
    int64_t valid;   /* 0: write nothing (LOCAL, dead, shadow) */
};

/* Power cap of a pod, and its floor: it draws no less, whatever its jobs do,
 * and burns what they do not need. */
struct pod_command {
    double cap_w;        /* between cap_min and power_max; power_max: no cap */
    double ramp_s;       /* time the pod may take to get there */
    double floor_w;      /* 0 .. floor_max, no higher than the cap; 0: none */
    double floor_down_s; /* after the lease it goes down so slowly; > 0 where
                          * the pod has a floor at all */
    double ttl_s;        /* lease */
    int64_t reason;      /* enum reason */
    int64_t valid;
};

/* Compute budget and charge power of a parked vehicle. */
struct node_command {
    double compute_w;
    double charge_w;
    double ttl_s;
    int64_t reason; /* enum reason */
    int64_t valid;
};

/* One number set of the tick for status, historian and replay.  Powers into
 * an asset are positive; NAN never occurs. */
struct tick_record {
    uint64_t tick;
    int64_t utc_ms;
    double grid_w;       /* metered, or the sum of the assets */
    double grid_ref_w;   /* what the smoother holds the grid at */
    double grid_max_w;   /* tightest import limit in force */
    double ramp_w_per_s; /* of the mean over ramp_average, over that time */
    double load_w;       /* grid power without batteries */
    double pods_w;
    double demand_w;   /* what the pods would draw uncapped, estimated */
    double shed_w;     /* held back by caps, estimated */
    double waiting_wh; /* of work that can wait, estimated */
    double moved_w;    /* of shed_w, done by cars meanwhile */
    double floor_w;    /* no less may the pods draw */
    double burn_w;     /* drawn for that alone, a part of pods_w */
    double other_w;
    double battery_w;     /* sum, + charge */
    double battery_set_w; /* sum of the set-points */
    double fleet_w;       /* behind the POI */
    double fleet_compute_w;
    double soc_pu; /* weighted by energy */
    double price_per_kwh;
    double plan_battery_w;  /* what the plan wants of the batteries */
    double reserve_short_w; /* an edge to be covered would break the ramp by */
    int64_t degraded;       /* n of inputs replaced by their worst case */
    struct reason_line why[REASON_LINES]; /* most binding first */
    int64_t n_why;
};

/* Vehicles are decided a slice a tick, each every two seconds: a step writes
 * nodes[node_from .. node_to) and leaves the others as it finds them, so one
 * buffer, zero at first, goes with one state. */
struct step_out {
    struct battery_command batteries[SITE_BATTERIES_MAX];
    struct pod_command pods[SITE_PODS_MAX];
    struct tick_record record;
    int64_t node_from;
    int64_t node_to;
    int64_t n_nodes;
    struct node_command nodes[];
};

static inline size_t step_out_size(int n_nodes)
{
    return sizeof(struct step_out) +
           (size_t)n_nodes * sizeof(struct node_command);
}

#endif
