/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear - what a battery's ageing costs, in a form that a planner can use.
 *
 * Physics gives the loss, as a fraction of the capacity (models/life_model.h);
 * a separate scalar prices it:
 *
 *   lambda = replacement_per_kwh x energy / WEAR_BUDGET_PU    currency per unit
 *
 * With y = k n^p and p < 1 the slope of a new battery is infinite, so nothing
 * here is ever a raw slope.  A price of cycling is the chord
 *
 *   (Y - y) / (N(Y) - N(y)),  N(y) = (y/k)^(1/p)
 *
 * from what cycling has lost to Y = WEAR_CYCLE_PU; for a new battery that is
 * the secant Y / N(Y), and one past Y pays its tangent.  A price of holding is
 * the mean over the next ten years, likewise from what time has lost.
 *
 * What cycling gives back is never paid: a law that falls with temperature (LFP
 * 250 Ah, an artefact of its fit) is taken at its dearest between 20 and
 * 30 degrees C, and at the true temperature where it is colder.  The knee
 * of Kokam's model has no slope while it is far, so an EFC costs at least its
 * share of those after which the knee has taken the budget.
 *
 * ../shared/reference/degradation.md section 6 has sources and figures.
 * Temperature, rate and depth are clamped to what the models' sources measured
 * as in models/life.h; all results are finite and >= 0.
 */
#ifndef MODELS_WEAR_H
#define MODELS_WEAR_H

#include <stdint.h>

#include "models/life.h"
#include "models/site.h"

/* 1 - q at the end of life, 70 % of the nominal capacity. */
#define WEAR_BUDGET_PU 0.30
/* What of it is left to cycling; the other half is the calendar's. */
#define WEAR_CYCLE_PU 0.15
#define WEAR_HOLD_DAYS 3650.0

enum {
    WEAR_SEGMENTS = 8, /* unless asked otherwise */
    WEAR_SEGMENTS_MAX = 16,
    WEAR_SLOPES_MAX = 64,
    WEAR_HOLD_POINTS = 11,
};

/* Under which conditions a price is asked, and of how old a battery. */
struct wear_terms {
    enum life_model_id model;
    double temp_c;
    double rate_per_h; /* power over energy */
    double mean_pu;    /* state of charge about which it cycles */
    double lost_n_pu;  /* by cycling so far, >= 0 */
    double lost_t_pu;  /* by time so far, >= 0 */
    double scale;      /* multiplier of the model; 1 unless measured */
};

/*
 * Part of the energy between soc_min and soc_max.  Discharging empties and
 * charging fills the cheapest first; so the optimum counts cycles as rainflow
 * does (Xu et al. 2018, "Factoring the cycle aging cost").
 */
struct wear_segment {
    double width_pu; /* of the battery's energy */
    double start_pu; /* in it now, 0..width_pu */
    double per_kwh;  /* discharged at the terminals */
};

struct wear_segments {
    int64_t n;
    struct wear_segment at[WEAR_SEGMENTS_MAX]; /* per_kwh never falls */
};

/* Currency per hour at 'x' W either way: linear |x| + square x^2.  All of the
 * cost of cycling at one depth, with the charge that belongs to it: instead of
 * the segments' prices, not on top of them. */
struct wear_rate {
    double linear_cur_per_wh;
    double square_cur_per_w2h;
};

/* Lower convex hull over the window, soc_pu rising. */
struct wear_hold {
    double soc_pu[WEAR_HOLD_POINTS];
    double cur_per_h[WEAR_HOLD_POINTS];
    double per_kwh_h[WEAR_HOLD_POINTS - 1]; /* slope between two points, per
                                             * kWh held; never falls */
};

/* Site currency for losing all of the capacity; times a loss, its price. */
static inline double wear_lambda_cur(const struct site_battery *b)
{
    return b->replacement_per_kwh * b->energy_wh / 1e3 / WEAR_BUDGET_PU;
}

/* Equivalent full cycles of 'throughput_wh', charge and discharge together. */
static inline double wear_efc(const struct site_battery *b,
                              double throughput_wh)
{
    return throughput_wh / (2.0 * b->energy_wh);
}

/* A new battery at half of its rating and 25 degrees C, about the middle of its
 * window, by the model of 'role' for its chemistry. */
struct wear_terms wear_terms_new(const struct site_battery *b,
                                 enum life_role role);

/* The same of a battery with a life: its losses, multiplier and last
 * temperature.  NULL or a life without a sample: new. */
struct wear_terms wear_terms_of(const struct site_battery *b,
                                enum life_role role, const struct life *life);

/* Capacity that one EFC at 'depth_pu' (0..1) takes. */
double wear_cycle_pu(const struct wear_terms *t, double depth_pu);

/*
 * With Phi(d) = d wear_cycle_pu(d), the loss of one full cycle: slopes of the
 * lower convex envelope of Phi at n+1 equidistant depths from 0 to 'depth_pu',
 * never falling.  Where Phi is convex the slopes are its own; where it is not
 * (Naumann's LFP, Schmalstieg's NMC) the envelope lies below it between the
 * depths that it touches.  1 <= n <= WEAR_SLOPES_MAX.
 */
void wear_slopes(const struct wear_terms *t, double depth_pu, int n,
                 double *slope_pu);

/* What a loss of 1 per EFC costs per kWh discharged at the terminals. */
double wear_cur_per_kwh(const struct site_battery *b);

/* n segments of one width over the battery's window, empty;
 * 1 <= n <= WEAR_SEGMENTS_MAX. */
void wear_segments(const struct site_battery *b, const struct wear_terms *t,
                   int n, struct wear_segments *out);

/*
 * How full they are, by the turning points that are still open in 'life' (NULL
 * for none: the cheapest are full) and then 'soc_pu'.  Together they hold
 * soc_pu - soc_min_pu, within the window.
 */
void wear_segments_fill(struct wear_segments *s, const struct site_battery *b,
                        const struct life *life, double soc_pu);

/* Mean price of what the segments hold down to 'depth_pu' when full, the
 * cheapest first; 0 without segments. */
double wear_segments_mean(const struct wear_segments *s, double depth_pu);

/* Tangent in the rate at t->rate_per_h, cycling at 'depth_pu'. */
struct wear_rate wear_rate(const struct site_battery *b,
                           const struct wear_terms *t, double depth_pu);

/* What a day at 'soc_pu' takes, the mean of the next ten years there. */
double wear_day_pu(const struct wear_terms *t, double soc_pu);

/* The same as a price, for the LP. */
double wear_hold_cur_per_h(const struct site_battery *b,
                           const struct wear_terms *t, double soc_pu);
void wear_hold(const struct site_battery *b, const struct wear_terms *t,
               struct wear_hold *out);

/* What went through a battery, and in which time. */
struct wear_use {
    double efc; /* at the terminals, both ways */
    double days;
};

/*
 * What a life lived so far cost, by the model of 'role': every rainflow cycle,
 * the open ones as if they ended now, at the secant of a new battery under
 * that cycle's own depth, rate and temperature.  What of 'use' is no cycle,
 * the ripple below the counter's deadband, pays as a cycle of no depth at the
 * mean rate.
 */
double wear_life_cur(const struct site_battery *b, const struct life *life,
                     enum life_role role, const struct wear_use *use);

/* The price of the time that it took, at the mean over ten years of what was
 * lived. */
double wear_life_held_cur(const struct site_battery *b, const struct life *life,
                          enum life_role role, const struct wear_use *use);

#endif
