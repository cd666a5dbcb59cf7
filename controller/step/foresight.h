/* SPDX-License-Identifier: GPL-3.0-or-later */
/* foresight - what the step expects, for people: put together in pieces, so
 * that no tick pays for all of it. */
#ifndef CONTROLLER_STEP_FORESIGHT_H
#define CONTROLLER_STEP_FORESIGHT_H

#include <stdint.h>

#include "controller/step/step.h"
#include "models/availability.h"
#include "models/forecast.h"

/* Cars of a fleet that are plugged in, NAN where not known; likewise the
 * quantiles alone, until some of what was foretold has come. */
struct foresight_cars {
    double now;
    struct availability_at in_1h;
    struct availability_at in_8h;
};

/* Of the site's load; NAN where nothing, or no quantile, is known yet. */
struct foresight {
    int64_t known;  /* 1: there is one */
    double heard_s; /* of the load, by the short forecaster, at most an hour */
    int64_t regime;
    int64_t n_periods;
    double period_s[FORECAST_PERIODS_MAX];
    struct forecast_at in_1min;
    struct forecast_at in_10min;
    double swing_w;     /* peak to peak in the next five minutes */
    int64_t peak_at_ms; /* UTC start of the highest quarter hour in 24 h */
    double peak_w;
    double peak_q90_w;
    struct foresight_cars cars[SITE_FLEETS_MAX];
};

/* Piece 'piece', 0 to begin; returns the next one, 0 where 'out' is whole. */
int64_t foresight_look(const struct step_cfg *cfg,
                       const struct step_state *state,
                       const struct snapshot *in, int64_t piece,
                       struct foresight *out);

#endif
