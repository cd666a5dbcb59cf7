/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/foresee.h"
#include "controller/step/step_state.h"

static const double AHEAD_S = 12.0; /* of edges */

/* The largest edge that smoothing keeps room for: of late, or as foretold for
 * about as long as the ramp is averaged over: a start that was announced, a
 * notch that is due.  Longer would keep room that is not needed yet. */
static double expected_edge_w(const struct step_cfg *cfg,
                              const struct step_state *state)
{
    struct forecast_swing s =
        forecast_swing(&foresee_in(cfg, state)->soon, AHEAD_S);
    double edge_w = fmax(s.edge_up_q90, s.edge_down_q90);
    return fmax(state->level.edge_w, isfinite(edge_w) ? edge_w : 0.0);
}

struct smooth_in wish_make(const struct step_cfg *cfg,
                           const struct step_state *state,
                           struct step_scratch *scratch,
                           const struct snapshot *in, const struct plan *plan)
{
    const struct estimate *est = &scratch->est;
    double target_w =
        state->level.level_w + track_plan(cfg, state, scratch, in, plan);
    if (cfg->policy == POLICY_LIMITER) {
        target_w = est->load_w;
    }
    scratch->target_w = target_w;
    return (struct smooth_in){
        .grid_w = est->grid_w,
        .target_w = target_w,
        .edge_w = expected_edge_w(cfg, state),
        .floor_w = fmin(-cfg->site.grid.export_max_w, scratch->caps.import_w),
        .cap_w = scratch->caps.import_w,
        .urgent = scratch->caps.urgent,
    };
}
