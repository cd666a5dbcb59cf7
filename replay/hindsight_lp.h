/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hindsight_lp - the linear programme of a site whose future is known, for the
 * planner's interior point (policies/ipm.h).
 *
 * Per step, with powers constant over it:
 *
 *   grid     import - export = load - what is held back + batteries, within
 *            the ramp from step to step; what a pod does not draw saves its
 *            share of the cooling, too, as it lags behind
 *   demand   the mean of each of the tariff's intervals, which may be longer
 *            than a step, and the highest of them in each billing month, in the
 *            first one above the incumbent; an interval that does not end
 *            counts only where no other does
 *   import   the mean over each import_average by the clock
 *   queue    what a class that can wait was held back from is done later, up
 *            to what its pods can draw: the oldest first, so that there waits
 *            no more than came within its deadline; else it is lost
 *   store    batteries of one kind as one: energy by segments of one wear price
 *            within their window, backup reserve left alone
 *
 * It relaxes what replay demands tick by tick (averages at every instant, the
 * swing limit, contingencies, delays), so it bounds from below.  The ramp and
 * the import limit give way at a price above all others where they cannot be
 * met.
 */
#ifndef REPLAY_HINDSIGHT_LP_H
#define REPLAY_HINDSIGHT_LP_H

#include <stdbool.h>
#include <stddef.h>

#include "models/wear.h"
#include "policies/ipm.h"
#include "replay/hindsight_truth.h"

enum { HINDSIGHT_STORES_MAX = 12 };

/* What is made as small as can be. */
enum hindsight_aim {
    HINDSIGHT_COST, /* of energy, demand, wear and compute held back */
    HINDSIGHT_NEED, /* compute held back, then the energy that batteries move */
};

/* Like batteries; energies above the lowest that they may hold. */
struct hindsight_store {
    int n; /* batteries */
    int first;
    double lo_wh;
    double start_wh;
    double charge_w;
    double discharge_w;
    double eff_pu; /* one way */
    int n_segments;
    double width_wh[WEAR_SEGMENTS_MAX];
    double fill_wh[WEAR_SEGMENTS_MAX];
    double per_kwh[WEAR_SEGMENTS_MAX]; /* discharged, never falls */
};

struct hindsight_stores {
    int n;
    int of[SITE_BATTERIES_MAX]; /* the store of each battery */
    struct hindsight_store at[HINDSIGHT_STORES_MAX];
};

/* False where there are more kinds than HINDSIGHT_STORES_MAX. */
bool hindsight_stores(const struct site *site, enum hindsight_aim aim,
                      struct hindsight_stores *out);

/* Columns and rows, -1: not there. */
struct hindsight_lp_store {
    int charge[WEAR_SEGMENTS_MAX];
    int discharge[WEAR_SEGMENTS_MAX];
    int energy[WEAR_SEGMENTS_MAX];
    int room;
    int top_room;
    int top_rise;
    int bottom_room;
    int bottom_fall;
    int energy_row[WEAR_SEGMENTS_MAX];
    int power_row;
    int top_row;
    int bottom_row;
};

/* Values per step of a sum over the steps of an interval. */
struct hindsight_interval {
    double *weight; /* of a step in its interval's mean */
    double *keep;   /* 1: the next step belongs to the same */
    double *end;    /* 1: it ends here, and counts */
};

struct hindsight_lp {
    struct ipm ipm;
    const struct hindsight_truth *truth;
    const struct hindsight_stores *stores;
    enum hindsight_aim aim;
    int n;
    double unit_w;
    double unit_cur;
    double rate_per_kwh; /* the largest that anything but a penalty is worth */
    double reach_w;      /* of the grid, either way */
    double *lo;          /* of the columns */
    double *h;           /* hours of a step */
    double *shed;        /* of the balance, per power held back */
    double *cool_pu;     /* of the balance, per lagged saving */
    double *cool_keep;   /* of the saving, by the next step */
    double *cool_gain;   /* of the saving, per power held back */
    struct hindsight_interval demand;
    double *month_keep; /* 1: the next step is of the same billing month */
    double *month_end;  /* likewise, where a demand interval ends as well */
    int n_months;
    struct hindsight_interval block;
    int import;
    int import_more; /* above the limit on its mean */
    int export;
    int ramp;
    int ramp_over;
    int ramp_under;
    int mean;
    int peak_room;
    int peak_rise;
    int blocked;
    int over;
    int held[SITE_CLASSES_MAX];
    int more[SITE_CLASSES_MAX];  /* done later, where a class can wait */
    int queue[SITE_CLASSES_MAX]; /* what waits at the end of a step */
    int lost[SITE_CLASSES_MAX];  /* of that, in a step */
    int queue_row[SITE_CLASSES_MAX];
    int saving;
    int ramp_row;
    int mean_row;
    int peak_row;
    int block_row;
    int saving_row;
    int balance_row;
    struct hindsight_lp_store at[HINDSIGHT_STORES_MAX];
};

/* Of a store in a step: +1 only charges, -1 only discharges, 0 either. */
struct hindsight_ways {
    signed char at[HINDSIGHT_STORES_MAX][HINDSIGHT_STEPS_MAX];
};

/* Doubles that it needs. */
size_t hindsight_lp_memory(const struct hindsight_truth *truth,
                           const struct hindsight_stores *stores);

/* False when the memory is exhausted.  'truth' and 'stores' stay the
 * caller's and are referred to. */
bool hindsight_lp_open(struct hindsight_lp *lp, enum hindsight_aim aim,
                       const struct hindsight_truth *truth,
                       const struct hindsight_stores *stores,
                       struct ipm_memory *m);

/* The numbers, replay/hindsight_fill.c. */
bool hindsight_shapes(struct hindsight_lp *lp, struct ipm_memory *m);
void hindsight_fill(struct hindsight_lp *lp, const struct hindsight_ways *ways);

/* The value of a column at a step, in W or Wh; 0 where it is not there. */
double hindsight_lp_value(const struct hindsight_lp *lp, int col, int t);

#endif
