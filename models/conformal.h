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
 *
 * Errors of a horizon of many steps come late, overlap and come in runs of one
 * sign that nobody could know of: conformal_feed_late() compares them with the
 * offsets of their own time and lowers the gain, so that it does not chase the
 * runs.  The start is the shape of a Laplace distribution: the width is right
 * after a few errors, lopsidedness after a few hundred.
 */
#ifndef MODELS_CONFORMAL_H
#define MODELS_CONFORMAL_H

#include <stdint.h>

#define CONFORMAL_LIST(X) \
    X(Q01, 0.01) X(Q10, 0.1) X(Q50, 0.5) X(Q90, 0.9) X(Q99, 0.99)
#define CONFORMAL_ENUM(name, tau) CONFORMAL_##name,
enum conformal_level { CONFORMAL_LIST(CONFORMAL_ENUM) CONFORMAL_LEVELS };
#undef CONFORMAL_ENUM

enum { CONFORMAL_PAST = 17 };

struct conformal {
    double offset[CONFORMAL_LEVELS]; /* in scales, rising */
    double scale;                    /* running mean |error| over spread */
    int64_t n;                       /* errors seen */
};

/*
 * What the offsets were, for a horizon of several steps: the error that comes
 * true now is that of a forecast made with the offsets of that time, and only
 * against these does the share below tend to tau where the errors drift
 * faster than the horizon is long.
 */
struct conformal_past {
    int64_t delay; /* errors between a forecast and its own, >= 1 */
    int64_t n;     /* steps since the first error, it included */
    double offset[CONFORMAL_PAST][CONFORMAL_LEVELS]; /* in spreads; a ring */
};

void conformal_init(struct conformal *c);

/* An error (what came - what was forecast) of a forecast one step ahead.
 * 'spread' > 0 is what the forecaster said of its own uncertainty then; 1 for
 * none. What is not finite changes nothing. */
void conformal_feed(struct conformal *c, double error, double spread);

/* The same for a horizon of 'delay' >= 1 steps, one error a step: of a step
 * without one, what is not finite. */
void conformal_past_init(struct conformal_past *p, int64_t delay);
void conformal_feed_late(struct conformal *c, struct conformal_past *p,
                         double error, double spread);

/* What to add to the point forecast for a quantile; 0 before any error,
 * always finite. */
double conformal_offset(const struct conformal *c, enum conformal_level level,
                        double spread);

/* Pinball loss of forecasting 'q' for quantile 'tau' when 'y' came. */
double conformal_pinball(double tau, double q, double y);

#endif
