/* SPDX-License-Identifier: GPL-3.0-or-later */
/* step_state - what is inside the step's constants and state. */
#ifndef CONTROLLER_STEP_STEP_STATE_H
#define CONTROLLER_STEP_STEP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/step/month.h"
#include "controller/step/queue.h"
#include "controller/step/step.h"
#include "models/level.h"
#include "models/level_range.h"
#include "models/life.h"
#include "models/life_pack.h"
#include "models/wear_warranty.h"
#include "policies/bucket.h"
#include "policies/floors.h"
#include "policies/guard.h"
#include "policies/share.h"
#include "policies/share_terms.h"
#include "policies/shed.h"
#include "policies/smooth.h"

/* A power of that many times the rating is a broken value. */
#define STEP_IMPOSSIBLE 10.0

/* For the meter and the pods, before acting. */
#define STEP_LISTEN_MS INT64_C(5000)

struct step_cfg {
    struct site site;
    enum policy policy;
    struct smooth_cfg smooth;
    struct shed_cfg shed;
    struct floors_cfg floors;
    struct guard_cfg guards[SITE_FLEETS_MAX]; /* of the fleets' packs */
    /* of them, from turn to turn */
    struct thermal_stride strides[SITE_FLEETS_MAX];
    double device_max_age_s; /* of meter and batteries */
    double pod_max_age_s;
    double pause_max_s;  /* between two ticks; after more it starts anew */
    double energy_wh;    /* of all batteries */
    double grid_most_w;  /* beyond, a value of the meter is broken */
    double load_per_pod; /* W of load per W of the pods: their cooling */
    bool any_waits;      /* work of some pods can wait */
    bool waits[SITE_CLASSES_MAX];          /* that of a class which has pods */
    double class_min_w[SITE_CLASSES_MAX];  /* floors of its pods */
    double pod_most_w;                     /* load of the largest pod ... */
    int64_t pod_most;                      /* ... which is this one */
    double one_way_pu[SITE_BATTERIES_MAX]; /* efficiencies */
    bool may_trip[SITE_BATTERIES_MAX];     /* among the contingencies */
    int64_t n_looks;  /* pods are looked at a slice a tick, every LOOK_S */
    int64_t n_slices; /* nodes are decided a slice a tick, every NODES_S */
    int64_t n_turns;  /* ticks in which every battery ages once */
    int64_t n_rounds; /* of all slices in which every node ages once */
};

/* What is remembered of a battery between two samples of its life. */
struct age_battery {
    double gap_s;       /* not lived yet by 'mono_ms': a controller was off */
    double moved_wh;    /* through the terminals since 'mono_ms', either way */
    double known_s;     /* of that time, with a known power */
    double credit_pu;   /* movement that needs no power: noise and steps */
    double jumped_pu;   /* taken for corrections of the gauge, absolute */
    int64_t n_jumps;    /* how many */
    double soh_pu;      /* last one that corrected the life; NAN: none */
    int64_t mono_ms;    /* of the last sample; 0: none in this run */
    int64_t is_assumed; /* 1: nothing fresh is known of its temperature */
    struct wear_warranty warranty;
};

/* The same of a node's pack. */
struct age_node {
    double gap_s;
    int64_t mono_ms;
};

/* Whether a car was plugged in when it was counted last. */
enum node_seen { NODE_NOT_SEEN, NODE_SEEN_AWAY, NODE_SEEN_PLUGGED };

/* What is remembered of a node between its turns. */
struct node_state {
    struct node_command command;
    struct guard_state guard;
    struct life_pack life;
    struct age_node age;
    double drawn_w;   /* charge and compute, as last seen */
    double compute_w; /* as last seen */
    int64_t plugged;  /* enum node_seen */
};

/* What is remembered of the grid meter. */
struct meter_state {
    double value_w;  /* last */
    double told_w;   /* what the assets said soon after */
    double same_s;   /* since then */
    double turned_s; /* of unbroken contradiction */
    double well_s;   /* of none */
    int64_t doubted; /* 1: not believed */
    double rest_w;   /* load that it sees and no model knows */
    int64_t learnt;  /* 1: rest_w is valid */
};

/* Pointer-free; a copy is a checkpoint.  The nodes follow, behind them what is
 * foreseen (controller/step/foresee.h), and what the fast passes over all cars
 * read (policies/bucket.h). */
struct step_state {
    struct level level;
    struct level_range range; /* of what is drawn, caps and all */
    struct smooth_lag lag;    /* of the usable batteries together */
    int64_t n_usable;         /* of them, in the tick before */
    struct smooth_state smooth;
    struct shed_state shed;
    struct floors_state floors;
    struct share_state share;
    struct meter_state meter;
    int64_t nominal;        /* 1: the voltage was inside its range before */
    double frozen_s;        /* it is outside */
    double pace_up_w_per_s; /* of the grid on a long way, of late; > 0 */
    double pace_down_w_per_s;
    double way_w;     /* where the grid should be on its way down to a limit */
    int64_t behind;   /* 1: it is not, and the load may not rise */
    int64_t islanded; /* 1: cut off from the grid, in the tick before */
    double back_s;    /* left of a return at once */
    double soc_home_pu[SITE_BATTERIES_MAX];  /* NAN until first seen */
    double soc_track_pu[SITE_BATTERIES_MAX]; /* without its jumps; or NAN */
    double set_w[SITE_BATTERIES_MAX];        /* commanded last */
    int64_t found[SITE_PODS_MAX]; /* 1: its cap was taken over, or given up */
    int64_t resumed;              /* 1: all of them are found */
    double demand_w;    /* of the pods, before anything was held back */
    double held_w;      /* of that, held back and wanting to come back */
    double waiting_w;   /* of that, for the plan or for its pod's own sake */
    double beside_w;    /* load beside the pods, for their values' age */
    double pods_age_s;  /* of the oldest power of a pod, of late */
    int64_t seen_slice; /* pods are looked at a slice a tick */
    int64_t marked_seq; /* of the last marker that was heard */
    int64_t marked_ms;  /* UTC; markers up to then were taken */
    int64_t interval;   /* number of the demand interval under way */
    double interval_ws; /* what it has drawn */
    double interval_s;
    struct month month; /* the peak, of finished ones */
    int64_t started;    /* 1: enough was heard to act on */
    int64_t first_mono_ms;
    double feeder_w[SITE_FLEETS_MAX]; /* granted */
    double drawn_w[SITE_FLEETS_MAX];  /* as last seen */
    struct queue queues[SITE_CLASSES_MAX];
    double compute_w[SITE_FLEETS_MAX]; /* as last seen */
    int64_t slice;
    int64_t round; /* of slices */
    int64_t turn;  /* of batteries to age */
    struct life life[SITE_BATTERIES_MAX];
    struct age_battery age[SITE_BATTERIES_MAX];
    int64_t n_nodes;
    struct node_state nodes[];
};

#endif
