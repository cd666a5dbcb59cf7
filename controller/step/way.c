/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the grid comes down to a limit on its import. */
#include <math.h>

#include "controller/step/step_parts.h"

/* Of the ramp: slower is too slow, with the edges of the load still covered. */
static const double PACE_PU = 0.5;
/* Of what the mean forgives: further behind it is no edge that passes. */
static const double BEHIND_PU = 0.5;
/* Of the edge that would leak all that the mean forgives. */
static const double QUIET_PU = 0.02;

double way_rise_max_w(const struct step_cfg *cfg, struct step_state *state,
                      const struct caps *caps, double mean_w)
{
    const struct site_grid *grid = &cfg->site.grid;
    if (mean_w <= caps->must_w || caps->urgent) {
        state->way_w = NAN;
        state->behind = 0;
        return INFINITY;
    }
    double period_s = cfg->site.control.period_s;
    double forgiven_w = grid->ramp_max_w_per_s * grid->ramp_average_s;
    double step_w = PACE_PU * caps_pace_w_per_s(grid) * period_s;
    state->way_w = isnan(state->way_w)
                       ? mean_w
                       : fmax(state->way_w - step_w, caps->must_w - forgiven_w);
    if (mean_w > state->way_w + BEHIND_PU * forgiven_w) {
        state->behind = 1;
    }
    double late_s = smooth_lag_ticks(&state->lag) * period_s;
    double edge_w = forgiven_w * grid->ramp_average_s / late_s;
    return state->behind ? QUIET_PU * edge_w : INFINITY;
}
