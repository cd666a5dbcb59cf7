/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forecast_state - what a forecast of models/forecast.h is made of.
 *
 * For its parts, forecast_*.c, and for whoever holds one by value.  A step is
 * a step of the grid; 'ago' 0 is the newest.  All of it is pointer-free.
 */
#ifndef MODELS_FORECAST_STATE_H
#define MODELS_FORECAST_STATE_H

#include "models/clean.h"
#include "models/conformal.h"
#include "models/forecast.h"

enum {
    FORECAST_HISTORY = 4096, /* steps remembered */
    FORECAST_LAGS = 2048,    /* lags compared with the present */
    FORECAST_BLOCK = 16,     /* lags that share a minimum */
    FORECAST_BLOCKS = FORECAST_LAGS / FORECAST_BLOCK,
    FORECAST_COPIES = 3,  /* cycles before, in phase */
    FORECAST_REACH = 2,   /* steps around a copy that the law may use */
    FORECAST_RECENT = 3,  /* newest steps that the law may use */
    FORECAST_NEAREST = 4, /* similar stretches */
    FORECAST_POOL = 1280, /* forecasts that wait for what comes */
    FORECAST_MARKS = 16,
    FORECAST_WINDOWS = 4, /* whose swing is foretold at a time */
    FORECAST_FEATURES =
        FORECAST_COPIES * (2 * FORECAST_REACH + 1) + FORECAST_RECENT,
};

/* Ways of looking ahead.  Those of a pattern are distrusted at a break. */
#define FORECAST_EXPERT_LIST(X) \
    X(PERSISTENCE, false)       \
    X(MEAN, false)              \
    X(LEVEL, false)             \
    X(TREND, false)             \
    X(CYCLE, true)              \
    X(CYCLES, true)             \
    X(LAW, true)                \
    X(PATTERN, true)
#define FORECAST_EXPERT_ENUM(name, of_pattern) FORECAST_BY_##name,
enum forecast_expert {
    FORECAST_EXPERT_LIST(FORECAST_EXPERT_ENUM) FORECAST_EXPERTS
};
#undef FORECAST_EXPERT_ENUM

/* A linear law by recursive normal equations with a ridge. */
struct forecast_law {
    double a[FORECAST_FEATURES][FORECAST_FEATURES];
    double b[FORECAST_FEATURES];
    double theta[FORECAST_FEATURES];
    double scale;  /* usual |error| */
    double energy; /* usual square of a feature */
    int64_t n;
};

/* What was forecast, until it has come. */
struct forecast_due {
    int64_t made; /* index of the step, -1 for none */
    float expert[FORECAST_EXPERTS];
    float mean;
    float spread;
    float q10, q90;
};

struct forecast_lag {
    int64_t lag; /* 0 for none */
    double distance;
};

/* Whether the cycles of a horizon still tell the present. */
struct forecast_trust {
    double nowcast;          /* by its copies, of the coming step */
    double usual;            /* largest miss that came back soon */
    double excursion;        /* largest of the one under way */
    int64_t outside, inside; /* steps */
    int64_t broke_at;        /* where the last break began */
    int64_t holds;           /* 1: it does */
    double relied;           /* weight of what repeats when it last held */
};

/* Of a window ahead or gone by. */
struct forecast_range {
    double mean;
    double peak_to_peak;
    double up, down; /* largest change within a step, >= 0 */
};

/* What was foretold of windows as long as the horizon, and how it missed. */
struct forecast_swings {
    int64_t made[FORECAST_WINDOWS]; /* index of the step, 0 for none */
    struct forecast_range said[FORECAST_WINDOWS];
    struct conformal peak_to_peak, up, down;
};

struct forecast_horizon {
    int64_t steps;
    int64_t ahead;  /* of what is said now: within a step, one more */
    int64_t stride; /* a forecast is kept every 'stride' steps */
    int64_t pool_at, pool_n;
    struct forecast_lag far[FORECAST_COPIES];
    struct forecast_lag near[FORECAST_NEAREST];
    struct forecast_trust trust, trust_before; /* the newest step */
    struct forecast_law law;
    struct conformal around;
    double widen[2]; /* below and above, the logarithm of a factor */
    double unrest;   /* usual disagreement of the copies */
    double spread;   /* of the coming one, in usual ones */
    struct conformal_past past;
    double loss[FORECAST_EXPERTS]; /* usual |error| */
    double weight[FORECAST_EXPERTS];
    int64_t n_scored;
    struct forecast_swings swings;
    double point[FORECAST_EXPERTS];
    struct forecast_at at;
};

/* Where the load stands, apart from what repeats. */
struct forecast_level {
    double mean; /* slow; starts anew at large jumps only */
    double mean_n;
    double deviation;        /* usual, from the mean */
    double before, before_n; /* the mean before the last jump */
    int64_t jumped_at;
    double level; /* constant between jumps large and small */
    double level_n;
    double fast;  /* mean of the last few steps */
    double noise; /* usual change from step to step */
    double last;
    double trend, slope;  /* Kalman filter, and its covariance in */
    double p00, p01, p11; /* units of the measurement noise */
    double trend_miss;    /* usual */
    int64_t n;
};

struct forecast_mark {
    int64_t at; /* index of the step */
    int64_t event;
    double rise; /* of the load there, 0 where not known */
};

struct forecast {
    struct forecast_cfg cfg;
    struct clean_state clean;
    double cell_sum; /* of value times s in the step being filled */
    double cell_known_s;
    double cell_s;
    double newest;    /* value, as it came */
    int64_t suspect;  /* 1: the newest step may have been a lone spike */
    int64_t n_slices; /* of the newest step's work, done */
    int64_t ticks;    /* of less than a step, since */

    int64_t now; /* index of the newest step, -1 at first */
    int64_t n;   /* steps in the history, at most its size */
    int64_t head;
    double ring[2 * FORECAST_HISTORY]; /* written twice: always contiguous */
    double far[FORECAST_LAGS];  /* mean |difference| at a lag, long memory */
    double near[FORECAST_LAGS]; /* short memory */
    double far_least[FORECAST_BLOCKS], near_least[FORECAST_BLOCKS];
    double hint; /* period that the scheduler has told, in steps; 0 none */

    struct forecast_level level, level_before;
    struct forecast_mark marks[FORECAST_MARKS];
    int64_t n_marks;          /* ever */
    double effect[JOB_COUNT]; /* learned rise of the load at an event */
    int64_t n_effect[JOB_COUNT];

    struct forecast_horizon h[FORECAST_HORIZONS_MAX];
    struct forecast_due pool[FORECAST_POOL];
};

/* The history, newest first; [ago] with 0 <= ago < FORECAST_HISTORY. */
static inline const double *forecast_past(const struct forecast *f)
{
    return &f->ring[f->head];
}

#endif
