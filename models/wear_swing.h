/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear_swing - how far a battery should swing to follow a signal.
 *
 * With a convex cost Phi(u) of a cycle of depth u, the state of charge is kept
 * within a band of the width u at which one more kWh of depth costs what it is
 * worth: Phi'(u) = value.  The policy needs no forecast and falls behind the
 * best in hindsight by an amount that does not grow with time (Shi, Xu, Zhang
 * 2018, arXiv 1709.05715).  Phi = a u^m has u = (value / (m a))^(1/(m-1)).
 *
 * It follows money alone: where the grid's limits need the battery, they stand
 * above it.
 */
#ifndef MODELS_WEAR_SWING_H
#define MODELS_WEAR_SWING_H

#include <stdbool.h>

#include "models/wear.h"

/* Marginal cost by depth: slope[i] in the middle of step i, never falling. */
struct wear_curve {
    int n; /* 1 .. WEAR_SLOPES_MAX */
    double step_pu;
    double slope[WEAR_SLOPES_MAX];
};

/* The farthest that the state of charge has been, both ways. */
struct wear_swing {
    bool begun;
    double min_pu;
    double max_pu;
};

struct wear_swing_in {
    double soc_pu;
    double depth_pu; /* width of the band, >= 0 */
    double power_w;  /* wanted at the terminals */
    double dt_s;     /* for which it is held, > 0 */
};

/* Per kWh discharged at the terminals, over the battery's window. */
void wear_curve_init(struct wear_curve *c, const struct site_battery *b,
                     const struct wear_terms *t);

/* The depth u with Phi'(u) = value, linear between the middles of steps; 0
 * where even the shallowest cycle costs more, all of the curve's depth where
 * the deepest costs less.  'value' in the unit of the slopes: what a kWh
 * discharged, and its charge before or after, is worth. */
double wear_curve_depth(const struct wear_curve *c, double value);

/*
 * What of in->power_w may pass: after in->dt_s the state of charge is within
 * soc_min..soc_max, and as far from its extremes as in->depth_pu at most.
 * Where the band has become narrower than what was already swung, the extremes
 * move in on the state of charge in proportion.  Remembers in->soc_pu.
 */
double wear_swing_limit_w(struct wear_swing *s, const struct site_battery *b,
                          const struct wear_swing_in *in);

#endif
