/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conformal - honest quantiles around a point forecast, learned online.
 *
 * Each quantile has an offset from the forecast in units of a running scale
 * of the errors; every error that comes true moves it by
 *
 *     offset += gain (tau - [error <= offset])
 *
 * (adaptive conformal inference: Gibbs and Candes 2021; quantile tracking:
 * Angelopoulos, Candes, Tibshirani 2023), so that the share of errors below
 * it tends to tau whatever their distribution and however it drifts.
 * Quantiles never cross.  Plain struct.
 */
#ifndef MODELS_CONFORMAL_H
#define MODELS_CONFORMAL_H

#include <stdint.h>

#define CONFORMAL_LIST(X) \
    X(Q01, 0.01) X(Q10, 0.1) X(Q50, 0.5) X(Q90, 0.9) X(Q99, 0.99)
#define CONFORMAL_ENUM(name, tau) CONFORMAL_##name,
enum conformal_level { CONFORMAL_LIST(CONFORMAL_ENUM) CONFORMAL_LEVELS };
#undef CONFORMAL_ENUM

struct conformal {
    double offset[CONFORMAL_LEVELS]; /* in scales */
    double scale;                    /* running mean |error| over spread */
    int64_t n;                       /* errors seen */
};

void conformal_init(struct conformal *c);

/* An error (what came - what was forecast) that has become known.  'spread'
 * > 0 is what the forecaster said of its own uncertainty then; 1 for none.
 * What is not finite changes nothing. */
void conformal_feed(struct conformal *c, double error, double spread);

/* What to add to the point forecast for a quantile; 0 before any error. */
double conformal_offset(const struct conformal *c, enum conformal_level level,
                        double spread);

double conformal_tau(enum conformal_level level);

/* Pinball loss of forecasting 'q' for quantile 'tau' when 'y' came. */
double conformal_pinball(double tau, double q, double y);

#endif
