/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forecast - a load from the next second to the next ten minutes.
 *
 * A cluster repeats itself: an iteration every few seconds, an evaluation
 * every few minutes.  The forecaster learns period and phase from the load
 * alone, online, and blends several ways of looking ahead by how well each
 * has done of late at that horizon, so that where nothing repeats it is no
 * worse than the last value or the level:
 *
 *   persistence        the value as it is
 *   mean, level        slow, and since the last jump, large or small
 *   slope              Kalman filter
 *   cycles             the cycle before; copies of several, in phase; these
 *                      corrected by a linear law, learned online
 *   pattern            what followed the most similar stretches
 *
 * shifted by what the scheduler has announced, and around it quantiles by
 * online conformal tracking (models/conformal.h).
 *
 * What repeats is distrusted, and the rest stands in, once the load leaves it
 * further than it ever has and come back: a job that starts or stops is
 * followed within a few steps.
 *
 * An element: feed samples, ask for horizons.  Samples of less than half a grid
 * step are averaged onto a grid of 'grid_s', others end a step each; learning
 * happens once a step, in bounded work that the samples within it share.
 * Pointer-free; a copy is a checkpoint.  At most 256 kB.
 */
#ifndef MODELS_FORECAST_H
#define MODELS_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "models/snapshot.h"

enum { FORECAST_HORIZONS_MAX = 12, FORECAST_PERIODS_MAX = 4 };

#define FORECAST_REGIME_LIST(X) \
    X(UNKNOWN, "unknown")       \
    X(IDLE, "idle")             \
    X(START, "start")           \
    X(TRAINING, "training")     \
    X(EVALUATION, "evaluation") \
    X(CHECKPOINT, "checkpoint") \
    X(STEADY, "steady")         \
    X(STOP, "stop")
#define FORECAST_REGIME_ENUM(name, text) FORECAST_##name,
enum forecast_regime {
    FORECAST_REGIME_LIST(FORECAST_REGIME_ENUM) FORECAST_REGIME_COUNT
};
#undef FORECAST_REGIME_ENUM

struct forecast_cfg {
    double grid_s;                           /* > 0 */
    double horizon_s[FORECAST_HORIZONS_MAX]; /* > 0, rising */
    int64_t n_horizons;
};

/* At t + horizon, in the unit of what was fed.  Quantiles never cross. */
struct forecast_at {
    double mean;
    double q01, q10, q50, q90, q99;
};

/* The coming 'window': mean, and how far it swings. */
struct forecast_swing {
    double mean;         /* expected mean over the window */
    double peak_to_peak; /* expected */
    double peak_to_peak_q90;
    double edge_up_q90; /* largest rise within one grid step, >= 0 */
    double edge_down_q90;
};

struct forecast; /* models/forecast_state.h; pointer-free */
size_t forecast_size(void);

void forecast_init(struct forecast *f, const struct forecast_cfg *cfg);

/*
 * One sample, 'dt_s' > 0 after the one before.  What is not finite, impossible,
 * stuck or a lone spike is recognised and does not enter (models/clean.h); what
 * a dt_s over a grid step leaves out is a gap.  Never yields a non-finite
 * forecast.
 */
void forecast_step(struct forecast *f, double value, double dt_s);

/* A marker of the scheduler 'in_s' from now (may be < 0: it has happened). */
void forecast_marker(struct forecast *f, const struct job_in *job, double in_s);

/* For horizon_s[i] of the configuration after the newest sample, be it within a
 * step.  NAN before the first. */
struct forecast_at forecast_at(const struct forecast *f, int64_t i);

/* Of the coming 'window_s', at most the longest horizon; O(window). */
struct forecast_swing forecast_swing(const struct forecast *f, double window_s);

/* The load has left for another level: how far it swung around what was
 * foretold is learnt anew. */
void forecast_swing_anew(struct forecast *f);

/* The learned periods, the outermost first, in s; returns how many.  O(lags):
 * not for every tick. */
int forecast_periods(const struct forecast *f,
                     double out[FORECAST_PERIODS_MAX]);
enum forecast_regime forecast_regime(const struct forecast *f);
const char *forecast_regime_name(enum forecast_regime r);

#endif
