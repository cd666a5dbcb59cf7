/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_lp - the planner's problem as a linear programme in stages.
 *
 * Per step: import, export and what exceeds their limits; a running peak
 * p[t] = p[t-1] + rise[t] >= import[t] instead of one dense column; the change
 * of the grid power between neighbours; what a class does not get, or what it
 * queues; per battery and segment of one price: charge, discharge and energy
 * above soc_min.  Units are scaled: powers near 1, prices near 1.
 *
 * What gives way has a price above everything it can save (exact penalties, in
 * the order of SCHEDULE_TIER_LIST).  Floors and ceilings of charge are kept as
 * far as 98 % of the power can, whatever else has to give way for them; or,
 * with 'give' (schedule_ways), they give way before the rest, and what every
 * step's end is short of is the least.  Both have a solution for every problem;
 * where nothing is violated the first is as good, and smaller.
 *
 * An export price above the import price would pay for a circle: it is taken
 * as the import price, and the bound from below as what that may miss.
 */
#ifndef POLICIES_SCHEDULE_LP_H
#define POLICIES_SCHEDULE_LP_H

#include <stdbool.h>

#include "models/schedule.h"
#include "policies/ipm.h"

/* Prices of what gives way, site currency. */
struct schedule_penalties {
    double soc_end_per_kwh;
    double floor_per_kwh;
    double ramp_per_kw;
    double grid_per_kwh;
};

/* The segments of one price merged, the start inside them where it can be;
 * energies in Wh above soc_min. */
struct schedule_store {
    int n_segments;
    double width_wh[SCHEDULE_SEGMENTS_MAX];
    double start_wh[SCHEDULE_SEGMENTS_MAX];
    double per_kwh[SCHEDULE_SEGMENTS_MAX];
    double whole_wh; /* sum of the widths */
};

/* A row by which a store that begins a step at one end of its window has no way
 * but from there, and none of both at once. */
struct schedule_lp_side {
    int row;
    int room;
    double *in; /* coefficients of charge and discharge */
    double *out;
    double *limit;
    double *on; /* of what is stored; 0 where the row is not there */
    double *range;
};

/* Columns and rows of a battery, -1: not there. */
struct schedule_lp_battery {
    struct schedule_store store;
    int charge[SCHEDULE_SEGMENTS_MAX];
    int discharge[SCHEDULE_SEGMENTS_MAX];
    int energy[SCHEDULE_SEGMENTS_MAX];
    int soc_row[SCHEDULE_SEGMENTS_MAX];
    int charge_room;
    int charge_row;
    int discharge_room;
    int discharge_row;
    int sum;
    int sum_row;
    int missing; /* at the end */
    int below;   /* of the window, where that gives way */
    int above;
    double *lo; /* of the sum, scaled, per step; it cannot leave them */
    double *hi;
    double *floor; /* its window: the same unless that gives way */
    double *ceiling;
    double *low; /* what of it can be reached */
    double *high;
    double *in_max; /* powers that keep inside what can be reached, scaled */
    double *out_max;
    const double *sum_on;
    const double *rooms_on; /* NULL: nowhere */
    int one_row;            /* charge or discharge, not both */
    int one_room;
    double *in_share; /* of the full power; 0 where the row is not there */
    double *out_share;
    struct schedule_lp_side bottom; /* of the store, with 'rooms' */
    struct schedule_lp_side top;
    /* The same of each of several segments. */
    struct schedule_lp_side bottoms[SCHEDULE_SEGMENTS_MAX];
    struct schedule_lp_side tops[SCHEDULE_SEGMENTS_MAX];
};

struct schedule_lp {
    struct ipm ipm;
    struct schedule_penalties penalties;
    int n;
    int n_batteries;
    int n_classes;
    bool kept[SCHEDULE_TIERS];
    bool give;   /* schedule_ways */
    bool within; /* likewise */
    double unit_w;
    double unit_cur;   /* of a cost of 1 */
    double offset;     /* cost of the lower bounds, scaled */
    double missed_cur; /* what the export price's limit may miss */
    const double *h;
    const double *last;    /* 1 at the last step */
    const double *ramp_on; /* 0 where the power before is not known */
    const double *grid_lo; /* what the site can reach, scaled */
    const double *grid_hi;
    double *lo; /* of the columns */
    int import;
    int import_over;
    int export;
    int export_over;
    int peak_room;
    int peak_rise;
    int ramp;
    int ramp_over;
    int ramp_under;
    int unserved[SCHEDULE_CLASSES_MAX];
    int shed[SCHEDULE_CLASSES_MAX];
    int served[SCHEDULE_CLASSES_MAX];
    int queue[SCHEDULE_CLASSES_MAX];
    int late[SCHEDULE_CLASSES_MAX]; /* waits beyond what is in time */
    int queue_row[SCHEDULE_CLASSES_MAX];
    int balance_row;
    int peak_row;
    int ramp_row;
    struct schedule_lp_battery batteries[SCHEDULE_BATTERIES_MAX];
};

/* What a battery may do in a step.  SHARED: its charge and its discharge, as
 * parts of the full powers, are together 1 at most: true of every schedule
 * that does one at a time, and a row more. */
enum schedule_way {
    SCHEDULE_WAY_OUT = -1,
    SCHEDULE_WAY_ANY = 0,
    SCHEDULE_WAY_IN = 1,
    SCHEDULE_WAY_SHARED = 2,
};

/* What a solve may take as given; NULL: nothing. */
struct schedule_ways {
    /* Some schedule keeps the tier and all above it, so the best one does: what
     * would let it give way is left out. */
    bool kept[SCHEDULE_TIERS];
    /* Windows of the state of charge give way, before everything else. */
    bool give;
    /* Where a step is SHARED, its store's window counts as well, and those of
     * its segments: nearly the hull of what one direction at a time can do in a
     * step, from anywhere in the window before it.  Two rows more, and two for
     * each of several segments. */
    bool rooms;
    /* Some schedule keeps the grid's limits, so the best one does, and no
     * battery's power goes beyond what they leave it. */
    bool within;
    /* [battery][step] */
    int8_t at[SCHEDULE_BATTERIES_MAX][SCHEDULE_STEPS_MAX];
};

void schedule_store(const struct schedule_battery *b,
                    struct schedule_store *out);

/* Of a problem whose windows give way: what is short counts at every step. */
void schedule_penalties(const struct schedule_problem *p,
                        struct schedule_penalties *out);

/* Energy of a store, Wh above soc_min. */
struct schedule_window {
    double lo_wh;
    double hi_wh;
};

/* What it cannot leave: the battery's own, and where it begins. */
struct schedule_window schedule_window_hard(const struct schedule_battery *b);

/* What is asked for at the end of step 't', the last being 'end'. */
struct schedule_window schedule_window_wish(const struct schedule_battery *b,
                                            int64_t t, bool end);

/* The window of a store at the end of each step, Wh above soc_min: its floor
 * and ceiling as far as they can be reached. */
struct schedule_tube {
    double lo_wh;
    double hi_wh;
    double low_wh; /* what can be reached inside the windows so far */
    double high_wh;
};

struct schedule_tube schedule_tube(const struct schedule_battery *b);

/* To the end of step 't' of 'h' hours. */
void schedule_tube_step(struct schedule_tube *tube,
                        const struct schedule_battery *b, int64_t t, double h);

/* Where windows are out of reach, or only just within it. */
bool schedule_out_of_reach(const struct schedule_problem *p);

/* Of a problem whose windows are kept as far as they can be. */
void schedule_penalties_held(const struct schedule_problem *p,
                             struct schedule_penalties *out);

/* False when the memory is exhausted. */
bool schedule_lp_open(struct schedule_lp *lp, const struct schedule_problem *p,
                      const struct schedule_ways *ways, struct ipm_memory *m);

/* Powers of the iterate, net, into battery_w and served_w. */
void schedule_lp_powers(const struct schedule_lp *lp,
                        const struct schedule_problem *p, struct schedule *out);

/* Marginal values of the iterate. */
void schedule_lp_values(const struct schedule_lp *lp, struct schedule *out);

/* Bound from below on the cost with penalties, site currency. */
double schedule_lp_bound(const struct schedule_lp *lp);

#endif
