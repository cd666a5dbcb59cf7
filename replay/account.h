/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account - the books of a replay: energy, money, batteries, shed compute.
 *
 * Wear is what operation costs: every cycle at its own depth, rate and
 * temperature, at the price of models/wear.h.  What time takes from a battery
 * that rests as well is told beside it and enters no total.
 */
#ifndef REPLAY_ACCOUNT_H
#define REPLAY_ACCOUNT_H

#include "models/compliance.h"
#include "models/forecast.h"
#include "models/life.h"
#include "models/plant.h"
#include "replay/replay.h"

enum { ACCOUNT_AHEAD = 60 }; /* steps of the forecaster, at most */

/* What the controller expected of the load in 60 s, and the load then. */
struct account_expected {
    double mean_w;
    double q10_w;
    double q90_w;
    double load_w; /* NAN: none made */
};

/* Forecasts made 60 s ago, waiting for what came. */
struct account_forecast {
    struct account_expected made[ACCOUNT_AHEAD]; /* a ring by step */
    double sum_w;                                /* of the step under way */
    int64_t n_ticks;
    int64_t step; /* the forecaster's newest */
    double sum_pu;
    double persistence_pu;
    int64_t n_inside; /* of n, between the quantiles */
    int64_t n;
};

/* One battery's life, fed once a second of simulated time. */
struct account_life {
    struct life life;
    double due_s;         /* since the last sample */
    double throughput_wh; /* at the last sample */
};

struct account {
    double soc_start_pu[SITE_BATTERIES_MAX];
    double soc_min_pu[SITE_BATTERIES_MAX];
    double soc_max_pu[SITE_BATTERIES_MAX];
    double demand_ws;
    double served_ws;
    double burn_ws; /* drawn by the pods for their floors alone */
    double burn_cur;
    double energy_cur;
    double price_sum; /* for the mean price */
    double shed_cur;
    bool any_waits; /* work of some pods can wait */
    double waits_max_s;
    double deferred_ws;
    int64_t n_ticks;
    int64_t start_utc_ms;
    struct account_bill bill;
    struct account_forecast forecast;
    struct account_life lives[SITE_BATTERIES_MAX];
};

/* Of the run of 'cfg', which must outlive it. */
void account_begin(struct account *a, const struct replay_cfg *cfg,
                   const struct plant *p);

/* One tick, at its end; 'price_per_kwh' is what the bill uses. */
void account_tick(struct account *a, const struct site *site,
                  const struct plant *p, double price_per_kwh);

/* What the forecaster knew at the end of a tick. */
struct account_seen {
    double load_w;       /* as it was told; NAN: not measured */
    int64_t step;        /* its newest */
    int64_t ahead_steps; /* 1 .. ACCOUNT_AHEAD */
    struct forecast_at ahead;
};

/* Scores the forecasts that were made after 'warmup_s'. */
void account_forecast(struct account *a, const struct account_seen *seen,
                      double warmup_s, double period_s);

/* Fill in what the books say, which are closed then. */
void account_end(struct account *a, const struct site *site,
                 const struct plant *p, struct replay_result *out);

#endif
