/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule - the planner's problem and its answer, in memory.
 *
 * What the site takes from the grid, what each battery stores and how much
 * compute of each class runs, over steps of any length.  The formulation, the
 * signs and the objective are those of ../shared/CONTRACT.md ("plan problem and
 * answer") and of ../shared/reference/planner.md section 2; powers are constant
 * over a step and positive into an asset.
 *
 * Plain and pointer-free; big (some MB): allocated once, at the start.
 */
#ifndef MODELS_SCHEDULE_H
#define MODELS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/plan.h"
#include "models/site.h"

enum {
    SCHEDULE_STEPS_MAX = 2880,
    SCHEDULE_BATTERIES_MAX = 16, /* vehicle buckets included */
    SCHEDULE_SEGMENTS_MAX = 8,
    SCHEDULE_CLASSES_MAX = SITE_CLASSES_MAX,
    SCHEDULE_VIOLATIONS_MAX = 4096,
};

/* Energy above soc_min in segments, the first discharged first: its price is
 * the lowest. */
struct schedule_segment {
    double width_pu;
    double start_pu;
    double per_kwh; /* of discharge at the terminals, >= 0, non-decreasing */
};

struct schedule_battery {
    char name[SITE_NAME_MAX];
    double energy_wh;
    double charge_max_w[SCHEDULE_STEPS_MAX];
    double discharge_max_w[SCHEDULE_STEPS_MAX];
    double soc_floor_pu[SCHEDULE_STEPS_MAX];   /* at the step's end */
    double soc_ceiling_pu[SCHEDULE_STEPS_MAX]; /* likewise */
    double charge_eff_pu;
    double discharge_eff_pu;
    double soc_start_pu;
    double soc_min_pu;
    double soc_max_pu;
    double soc_end_min_pu; /* NAN: none */
    double terminal_value_per_kwh;
    int64_t n_segments;
    struct schedule_segment segments[SCHEDULE_SEGMENTS_MAX];
};

struct schedule_class {
    char name[SITE_NAME_MAX];
    double demand_w[SCHEDULE_STEPS_MAX];
    /* What may wait at the end of each step without being late; of a deferrable
     * one, where 'late_per_kwh_h' is not 0. */
    double queue_max_wh[SCHEDULE_STEPS_MAX];
    double value_per_kwh;
    bool deferrable;
    double min_pu;          /* of a firm one */
    double max_w;           /* of a deferrable one */
    double delay_per_kwh_h; /* likewise */
    double late_per_kwh_h;  /* likewise, of what is late, on top; 0: nothing */
};

struct schedule_problem {
    int64_t n_steps;
    double step_s[SCHEDULE_STEPS_MAX];
    double load_w[SCHEDULE_STEPS_MAX]; /* firm */
    double import_per_kwh[SCHEDULE_STEPS_MAX];
    double export_per_kwh[SCHEDULE_STEPS_MAX];
    double import_max_w[SCHEDULE_STEPS_MAX];
    double export_max_w[SCHEDULE_STEPS_MAX];
    double ramp_max_w_per_s; /* INFINITY: none */
    double grid_start_w;     /* NAN: none */
    double peak_per_kw;      /* demand charge; 0: none */
    double peak_w;           /* incumbent */
    int64_t n_batteries;
    struct schedule_battery batteries[SCHEDULE_BATTERIES_MAX];
    int64_t n_classes;
    struct schedule_class classes[SCHEDULE_CLASSES_MAX];
};

/* In the order in which they give way, the last first. */
#define SCHEDULE_TIER_LIST(X)                              \
    X(IMPORT, "import") /* the grid's limits */            \
    X(RAMP, "ramp")                                        \
    X(FLOOR, "floor") /* a class below what it must get */ \
    X(SOC_END, "soc_end")
#define SCHEDULE_TIER_ENUM(name, text) SCHEDULE_##name,
enum schedule_tier { SCHEDULE_TIER_LIST(SCHEDULE_TIER_ENUM) SCHEDULE_TIERS };
#undef SCHEDULE_TIER_ENUM

struct schedule_violation {
    int64_t tier;  /* enum schedule_tier */
    int64_t asset; /* battery or class, -1: the grid */
    int64_t step;
    double by; /* W, W/s or fraction of charge */
};

struct schedule {
    int64_t status; /* enum plan_status */
    double gap_pu;  /* certified: of max(1, |cost|); NAN where there is none */
    /* The same of the linear programme alone, in which a battery may charge and
     * discharge at once: what gap_pu has above it is the price of one at a
     * time.  NAN where none was solved. */
    double relaxed_gap_pu;
    double objective_cur;
    int64_t n_iterations;
    int64_t n_violations; /* may be more than are listed */
    struct schedule_violation violations[SCHEDULE_VIOLATIONS_MAX];
    double grid_w[SCHEDULE_STEPS_MAX];
    double battery_w[SCHEDULE_BATTERIES_MAX][SCHEDULE_STEPS_MAX];
    double soc_pu[SCHEDULE_BATTERIES_MAX][SCHEDULE_STEPS_MAX]; /* at the end */
    double served_w[SCHEDULE_CLASSES_MAX][SCHEDULE_STEPS_MAX];
    /* marginal values, site currency */
    double energy_value_per_kwh[SCHEDULE_BATTERIES_MAX][SCHEDULE_STEPS_MAX];
    double grid_value_per_kwh[SCHEDULE_STEPS_MAX]; /* of a kWh of load */
    double cap_value_per_kwh[SCHEDULE_STEPS_MAX];  /* of more import_max */
    double peak_value_per_kw;                      /* of a higher incumbent */
};

#endif
