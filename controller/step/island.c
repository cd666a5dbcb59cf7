/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The site cut off from the grid, and its way back. */
#include <math.h>

#include "controller/step/step_parts.h"

static const double BACK_S = 10.0;   /* for the grid to take the load over */
static const double LEAST_S = 600.0; /* the batteries last so much longer */
static const double USED_PU = 0.9;   /* of their power: edges go on */
static const double SOC_ERROR_PU = 0.02;

/* The grid was elsewhere for a while: it goes on from where it is. */
static void begin_anew(struct step_state *state)
{
    smooth_reset(&state->smooth);
    level_range_part(&state->range);
}

void island_begin(const struct step_cfg *cfg, struct step_state *state,
                  const struct snapshot *in)
{
    bool island = utility_island(in, in->utc_ms) != NULL;
    bool came_back = state->islanded && !island;
    bool taken_over =
        state->back_s > 0.0 && !island && state->back_s <= in->dt_s;
    state->back_s = island ? 0.0 : fmax(state->back_s - in->dt_s, 0.0);
    if (came_back || taken_over) {
        begin_anew(state);
    }
    if (came_back && cfg->site.grid.return_by == GRID_RETURN_FAST) {
        state->back_s = BACK_S;
    }
    state->islanded = island;
}

void island_hold(struct step_state *state, struct step_scratch *scratch,
                 const struct snapshot *in)
{
    struct caps *caps = &scratch->caps;
    const struct utility_in *e =
        state->islanded ? utility_island(in, in->utc_ms) : NULL;
    if (e != NULL) {
        caps->island = true;
        caps->urgent = true;
        caps->import_w = isfinite(e->value) ? fmax(e->value, 0.0) : 0.0;
        caps->floor_w = caps->import_w;
        caps->why = caps->below = REASON_ISLAND;
    } else if (state->back_s > 0.0 && !caps->urgent) {
        caps->back = true;
        caps->urgent = true;
        caps->import_w = fmin(caps->import_w, fmax(scratch->est.load_w, 0.0));
        caps->floor_w = caps->import_w;
        caps->why = caps->below = REASON_ISLAND_BACK;
    }
}

/* What the usable batteries hold above their windows' ends, at the terminals;
 * what is kept for backup is for this. */
static double held_wh(const struct step_cfg *cfg, const struct estimate *est)
{
    double wh = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        const struct battery_estimate *e = &est->batteries[i];
        if (e->usable) {
            double over_pu = e->soc_pu - SOC_ERROR_PU - b->soc_min_pu;
            wh += fmax(over_pu, 0.0) * b->energy_wh * cfg->one_way_pu[i];
        }
    }
    return wh;
}

double island_load_w(const struct step_cfg *cfg,
                     const struct step_scratch *scratch,
                     const struct snapshot *in)
{
    const struct utility_in *e =
        scratch->caps.island ? utility_island(in, in->utc_ms) : NULL;
    if (e == NULL) {
        return INFINITY;
    }
    const struct estimate *est = &scratch->est;
    double gone_s = fmax((double)(in->utc_ms - e->start_at_ms) / 1e3, 0.0);
    double left_s = fmax(cfg->site.grid.island_s - gone_s, LEAST_S);
    double lasting_w = held_wh(cfg, est) * 3600.0 / left_s;
    double given_w = fmin(USED_PU * est->discharge_max_w, lasting_w);
    return fmin(cfg->site.grid.island_load_w, given_w + scratch->caps.import_w);
}
