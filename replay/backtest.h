/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backtest - what was forecast against what came, step by step.
 *
 * At each step the forecaster is told the newest value and then asked for
 * every horizon; it is never told more.  Beside it run, on the same steps:
 *
 *   persistence   the value as it is
 *   seasonal      the value one season before: of the fixed season where one
 *                 is given, else of the period that the forecaster takes for
 *                 the most telling one at that time; as long as there is none
 *                 or the season has no value, the value as it is
 *
 * with quantiles by conformal tracking (models/conformal.h) like ours, so that
 * pinball loss compares forecasts and not the lack of a band.
 *
 * A forecast made at t is scored where t is at or after the warm-up, both the
 * value at t and the one that came were measured, and the time did not go back
 * in between: for all of them or for none.
 */
#ifndef REPLAY_BACKTEST_H
#define REPLAY_BACKTEST_H

#include <stdint.h>

#include "models/err.h"
#include "models/forecast.h"
#include "replay/observed.h"

#define BACKTEST_WAY_LIST(X)      \
    X(OURS, "ours")               \
    X(PERSISTENCE, "persistence") \
    X(SEASONAL, "seasonal")       \
    X(SEASONAL_LONG, "seasonal, long")
#define BACKTEST_WAY_ENUM(name, text) BACKTEST_##name,
enum backtest_way { BACKTEST_WAY_LIST(BACKTEST_WAY_ENUM) BACKTEST_WAYS };
#undef BACKTEST_WAY_ENUM

/* A forecaster.  'state' is its own. */
struct backtest_model {
    void *state;
    void (*feed)(void *state, double y); /* NAN: not measured */
    struct forecast_at (*ask)(void *state, int horizon);
    int (*periods)(void *state, double out[FORECAST_PERIODS_MAX]);
    void (*close)(void *state);
    size_t bytes; /* of its memory */
};

struct backtest_cfg {
    const struct observed *series;
    struct backtest_model model;
    double warmup_s;                     /* >= 0 */
    int64_t lead[FORECAST_HORIZONS_MAX]; /* horizons in steps, >= 1 */
    int n_leads;                         /* >= 1 */
    double season_s;                     /* 0: learned */
    double season_long_s;                /* 0: none */
};

/* Errors of one way at one horizon; NAN where there were none to take. */
struct backtest_score {
    double mape_pu; /* NAN where the series is negative somewhere */
    double rmse_w;
    double mae_w;
    double pinball_w;    /* mean of that of the 10, 50 and 90 % quantiles */
    double in80_pu;      /* share between the 10 and 90 % quantiles */
    double in98_pu;      /* 1 and 99 %; NAN where the way has none */
    double mean_width_w; /* of the 80 % band */
};

struct backtest_result {
    int64_t n;          /* forecasts scored */
    int64_t n_unscored; /* after the warm-up, but for a gap or the like */
    struct backtest_score score[BACKTEST_WAYS];
};

struct backtest_periods {
    double s[FORECAST_PERIODS_MAX];
    int n;
};

/* What was forecast for each step at horizon 0, for a picture: arrays of the
 * series' length, NAN where nothing was.  Owned by the caller. */
struct backtest_drawn {
    double *mean, *q10, *q90;
};

/*
 * Run it.  'out' has cfg->n_leads results; 'periods' is what was learned in
 * the end; 'drawn' may be NULL.  ERR_MEMORY.
 */
CHECKED enum err backtest_run(const struct backtest_cfg *cfg,
                              struct backtest_result *out,
                              struct backtest_periods *periods,
                              struct backtest_drawn *drawn);

const char *backtest_way_name(enum backtest_way w);

/* Mean |error| of ours over that of the season, the long one where there is
 * one: below 1 is better than it. */
double backtest_mase(const struct backtest_cfg *cfg,
                     const struct backtest_result *r);

#endif
