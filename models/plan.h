/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan - the problem that the planner gets and the plan that it returns.
 *
 * The problem is built in the control thread from snapshot and state (cheap,
 * bounded), solved elsewhere, and the plan comes back like a measurement: it
 * takes effect at tick 'from_tick', live and in replay alike.  Both are
 * pointer-free; the plan is recorded.
 *
 * The grid of slots is tiered: 5 min to 2 h, 15 min to 12 h, 60 min to the
 * horizon.  Slots end at quarter and at full hours of the clock, and where an
 * instruction of the utility begins or ends.
 *
 * Powers into an asset are positive.
 */
#ifndef MODELS_PLAN_H
#define MODELS_PLAN_H

#include <stdint.h>

#include "models/site.h"
#include "models/wear.h"

enum {
    PLAN_SLOTS_MAX = 192,
    PLAN_GROUPS_MAX = 4,  /* of batteries that are planned as one */
    PLAN_BUCKETS_MAX = 8, /* of cars */
    PLAN_TRIES_MAX = 8,
    PLAN_VIOLATIONS_MAX = 8, /* listed; there may be more */
};

#define PLAN_STATUS_LIST(X)   \
    X(NONE, "NONE")           \
    X(OPTIMAL, "OPTIMAL")     \
    X(FEASIBLE, "FEASIBLE")   \
    X(HEURISTIC, "HEURISTIC") \
    X(SHIFTED, "SHIFTED")     \
    X(RULE, "RULE")
#define PLAN_STATUS_ENUM(name, text) PLAN_##name,
enum plan_status { PLAN_STATUS_LIST(PLAN_STATUS_ENUM) PLAN_STATUS_COUNT };
#undef PLAN_STATUS_ENUM

/* Why a plan is made; a problem and its plan hold a bit of each. */
#define PLAN_CAUSE_LIST(X)                                     \
    X(START, "start")             /* there was none */         \
    X(TIME, "time")               /* plan_every */             \
    X(PRICE, "price")             /* told, or in force */      \
    X(INSTRUCTION, "instruction") /* of the utility */         \
    X(MONTH, "month")             /* of the bill, a new one */ \
    X(JOB, "job")                 /* starts or stops */        \
    X(BATTERY, "battery")         /* lost or back */
#define PLAN_CAUSE_ENUM(name, text) PLAN_BY_##name,
enum plan_cause { PLAN_CAUSE_LIST(PLAN_CAUSE_ENUM) PLAN_CAUSE_COUNT };
#undef PLAN_CAUSE_ENUM

/* Plugged cars of a fleet that leave at about the same time. */
struct problem_bucket {
    int64_t fleet;
    double power_w;   /* at most, of all of them */
    double need_wh;   /* at their packs, by the time they leave */
    double departs_s; /* after the start; INFINITY: not known */
};

/* Cars of a fleet that charge now, whatever the plan says. */
struct problem_must {
    double power_w;
    double lasts_s;
};

/* Compute of a class that can wait, above the floors of its pods.  'load_w' has
 * the floors and all of the others. */
struct problem_class {
    int64_t planned; /* 1: the plan decides about it */
    double least_w;  /* floors, of the pods */
    double max_w;    /* of the pods, above that */
    double per_w;    /* W of load per W of the pods: their cooling */
    double deadline_s;
    double demand_w[PLAN_SLOTS_MAX]; /* of the pods, above their floors; what
                                      * waits already is in the first slot's */
    double queue_max_wh[PLAN_SLOTS_MAX]; /* not late at a slot's end */
};

struct problem {
    uint64_t tick;       /* at which it was built */
    uint64_t causes;     /* bits by enum plan_cause */
    int64_t start_at_ms; /* UTC of slot 0 */
    int64_t n_slots;
    double step_s[PLAN_SLOTS_MAX];
    double import_per_kwh[PLAN_SLOTS_MAX]; /* finite: gaps are filled */
    double export_per_kwh[PLAN_SLOTS_MAX];
    int64_t guessed[PLAN_SLOTS_MAX]; /* 1: a forecast, no market said it */
    double load_w[PLAN_SLOTS_MAX];   /* forecast of all that is no battery */
    double total_w;                  /* of the last quarter hour, with all cars
                                      * that charge */
    double import_max_w[PLAN_SLOTS_MAX];
    double export_max_w[PLAN_SLOTS_MAX];
    double ramp_max_w_per_s;
    double grid_start_w;
    double peak_w;      /* paid for already in this billing period; INFINITY
                         * where peaks cost nothing */
    double peak_per_kw; /* demand charge; 0 for none */
    double billed_s;    /* from the start to the billing period's end */
    double interval_ws; /* what the demand interval under way has drawn */
    double interval_s;  /* for which time */
    double interval_left_s;
    double kept_charge_w;    /* of the power, for smoothing and in case a */
    double kept_discharge_w; /* battery trips */
    double smooth_wh;        /* energy kept for smoothing, at either end */
    int64_t waits;           /* 1 where work may be put off: it ends at once */
    double reserve_wh[SITE_BATTERIES_MAX];   /* kept because the utility says
                                              * that an outage may come */
    double soc_pu[SITE_BATTERIES_MAX];       /* now */
    double soc_start_pu[SITE_BATTERIES_MAX]; /* to come back to */
    double available[SITE_BATTERIES_MAX];    /* 1 dispatchable, 0 not */
    /* What cycling costs; none (n = 0) where not dispatchable. */
    struct wear_segments wear[SITE_BATTERIES_MAX];
    struct problem_class classes[SITE_CLASSES_MAX];
    struct problem_must must[SITE_FLEETS_MAX]; /* part of 'load_w' */
    int64_t n_buckets;
    struct problem_bucket buckets[PLAN_BUCKETS_MAX];
};

/* A rung of the planner's ladder that was tried: enum ladder_verdict, and the
 * enum schedule_fault of what the check refused. */
struct plan_try {
    int64_t rung; /* enum plan_status */
    int64_t verdict;
    int64_t fault;
};

/* What could not be met. */
struct plan_violation {
    int64_t tier;  /* enum schedule_tier */
    int64_t asset; /* group of batteries or class, -1: the grid */
    int64_t slot;
    double by; /* W, W/s or fraction of charge */
};

struct plan {
    int64_t status;      /* enum plan_status; NONE: no plan */
    uint64_t from_tick;  /* enters then */
    uint64_t built_tick; /* of its problem */
    uint64_t causes;     /* likewise */
    int64_t start_at_ms; /* UTC of slot 0 */
    int64_t expires_at_ms;
    int64_t n_slots;
    int64_t n_batteries;
    double cheap_per_kwh; /* at or below it charging ahead pays; NAN: never */

    double gap_pu;        /* certified; NAN: none */
    double cost_cur;      /* as planned, NAN: not known */
    int64_t n_iterations; /* of the solver */
    int64_t cut;          /* 1: the wall clock stopped it */
    int64_t n_turns;      /* changes of the batteries' direction in it */
    int64_t n_turned;     /* slots turned against the plan before */
    int64_t kept;         /* 1: that one pays as well, and is continued */
    int64_t n_violations;
    struct plan_violation violations[PLAN_VIOLATIONS_MAX];
    int64_t n_tries;
    struct plan_try tries[PLAN_TRIES_MAX];

    double peak_w;      /* mean of a demand interval that it counts with: not
                         * to be passed; INFINITY where peaks cost nothing */
    double peak_per_kw; /* what a higher one would save, marginally */

    int64_t n_sure; /* slots from the first on whose price a market has said */
    double step_s[PLAN_SLOTS_MAX];
    double import_per_kwh[PLAN_SLOTS_MAX];
    double battery_w[PLAN_SLOTS_MAX];  /* sum over the batteries */
    double grid_max_w[PLAN_SLOTS_MAX]; /* cap of the slot */
    double soc_pu[PLAN_SLOTS_MAX];     /* wanted at the slot's end, by energy */
    double grid_w[PLAN_SLOTS_MAX];     /* planned */
    /* Marginal values: of energy in the batteries at the slot's end, of a kWh
     * of load less in it. */
    double energy_per_kwh[PLAN_SLOTS_MAX];
    double grid_per_kwh[PLAN_SLOTS_MAX];
    /* Compute budget of a class: INFINITY where it is not limited. */
    double class_w[SITE_CLASSES_MAX][PLAN_SLOTS_MAX];
    /* Charging of a fleet's cars: INFINITY where the plan says nothing. */
    double fleet_charge_w[SITE_FLEETS_MAX][PLAN_SLOTS_MAX];

    int64_t n_groups;
    int64_t group[SITE_BATTERIES_MAX]; /* of a battery, -1: of none */
    double group_w[PLAN_GROUPS_MAX][PLAN_SLOTS_MAX];
    double group_soc_pu[PLAN_GROUPS_MAX][PLAN_SLOTS_MAX];
};

/* Slot of 'plan' at 'utc_ms', or -1 outside it, expired or without one. */
int plan_slot(const struct plan *plan, int64_t utc_ms);

/* UTC at which slot 'slot' begins; of n_slots: at which the last one ends. */
int64_t plan_slot_ms(const struct plan *plan, int64_t slot);

const char *plan_status_name(enum plan_status s);
const char *plan_cause_name(enum plan_cause c);

#endif
