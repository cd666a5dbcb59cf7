/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast the grid gets where it should be: the room kept for edges of the
 * load, and those that pass before a battery answers, leave less than the ramp
 * limit, the less the longer a tick. */
#include <math.h>

#include "controller/step/step_parts.h"
#include "models/clamp.h"

static const double FIRST_PU = 0.5; /* of the ramp limit, before it is known */
static const double LEAST_PU = 0.1;
/* Further from its target than what the ramp makes in that time, it is on its
 * way. */
static const double FAR_S = 30.0;
static const double LEARN_S = 300.0; /* on the way */
/* What it was once on a bad day is forgotten in that time. */
static const double FORGET_S = 86400.0;

static double first_of(const struct step_cfg *cfg)
{
    return FIRST_PU * caps_pace_w_per_s(&cfg->site.grid);
}

void pace_init(const struct step_cfg *cfg, struct step_state *state)
{
    double first = first_of(cfg);
    state->pace_up_w_per_s = first;
    state->pace_down_w_per_s = first;
}

static void forget(const struct step_cfg *cfg, double *pace, double dt_s)
{
    if (isfinite(*pace)) {
        *pace += fmin(dt_s / FORGET_S, 1.0) * (first_of(cfg) - *pace);
    }
}

bool pace_valid(const struct step_cfg *cfg, double pace)
{
    double most = caps_pace_w_per_s(&cfg->site.grid);
    return pace >= LEAST_PU * most && pace <= most;
}

void pace_learn(const struct step_cfg *cfg, struct step_state *state,
                const struct smooth_in *asked, const struct smooth_out *out,
                double dt_s)
{
    double most = caps_pace_w_per_s(&cfg->site.grid);
    double target_w = clamp(asked->target_w, asked->floor_w, asked->cap_w);
    double way_w = target_w - out->grid_w;
    bool far = fabs(way_w) > most * FAR_S;
    /* batteries that cannot follow say nothing of the grid */
    bool follows = fabs(out->grid_w - out->mean_w) <= most * FAR_S;
    if (!far || !follows || asked->urgent) {
        forget(cfg, &state->pace_up_w_per_s, dt_s);
        forget(cfg, &state->pace_down_w_per_s, dt_s);
        return;
    }
    bool up = way_w > 0.0;
    double *pace = up ? &state->pace_up_w_per_s : &state->pace_down_w_per_s;
    double seen = up ? out->ramp_w_per_s : -out->ramp_w_per_s;
    double part = fmin(dt_s / LEARN_S, 1.0);
    *pace = clamp(*pace + part * (seen - *pace), LEAST_PU * most, most);
}
