/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pods' floors. */
#include <math.h>

#include "controller/step/step_parts.h"

/* Kept free of what the batteries can take, and the grid's way up until a pod
 * has heard of a higher floor. */
static const double FREE_PU = 0.02;
static const double LATE_S = 5.0;
static const double SAID_PU = 1e-3; /* of what the pods draw */

void hold_look(const struct step_cfg *cfg, struct step_state *state,
               struct step_scratch *scratch, const struct snapshot *in)
{
    if (cfg->floors.n_able == 0 || cfg->policy != POLICY_BALLAST) {
        return;
    }
    for (int i = 0; i < cfg->site.n_pods; i++) {
        const struct pod_in *pod = &in->pods[i];
        scratch->seen[i] = (struct floors_seen){
            .power_w = scratch->est.pod_w[i],
            .burn_w =
                reading_value(&pod->burn_w, in->mono_ms, cfg->pod_max_age_s),
            .cap_w = state->shed.cap_w[i],
        };
    }
    floors_see(&cfg->floors, &state->floors, scratch->seen, in->dt_s);
}

static void explain(const struct step_state *state,
                    const struct step_scratch *scratch,
                    struct tick_record *record)
{
    if (record->burn_w > SAID_PU * scratch->est.pods_w) {
        reason_add(record, &(struct reason_line){
                               .code = REASON_FLOOR,
                               .value = record->burn_w,
                               .limit = fmax(scratch->reserve.takes_w, 0.0),
                               .need = state->floors.sum_w,
                           });
    }
}

void hold_floors(const struct step_cfg *cfg, struct step_state *state,
                 struct step_scratch *scratch, double dt_s,
                 struct tick_record *record)
{
    if (cfg->floors.n_able == 0) {
        return;
    }
    const struct reserve_now *e = &scratch->reserve;
    double takes_w = (1.0 - FREE_PU) * e->takes_w + e->beside_w;
    double late_w = LATE_S * cfg->site.grid.ramp_max_w_per_s;
    bool cut_off = scratch->caps.island;
    /* not where the grid is wanted to be for a moment, to give back what has
     * leaked: that is the batteries' to do */
    double ref_w = state->smooth.ref_w;
    struct floors_in in = {
        /* the meter knows of a stop a second before the pods say it */
        .load_w = state->beside_w + scratch->est.pods_w,
        .keep_w = cut_off ? -INFINITY : ref_w + late_w - takes_w,
        .stop_w = e->stop_w,
        .leaks_w = cut_off ? INFINITY : e->leaks_w,
        .dt_s = dt_s,
    };
    for (int i = 0; i < cfg->site.n_pods; i++) {
        scratch->seen[i].cap_w = state->shed.cap_w[i];
    }
    floors_step(&cfg->floors, &state->floors, &in, scratch->seen);
    record->floor_w = state->floors.sum_w;
    record->burn_w = state->floors.burn_w;
    explain(state, scratch, record);
}

double hold_falls_pu(const struct step_cfg *cfg, const struct step_state *state,
                     const struct estimate *est)
{
    if (cfg->floors.n_able == 0 || !(est->pods_w > 0.0)) {
        return 1.0;
    }
    double falls_w = 0.0;
    for (int i = 0; i < cfg->site.n_pods; i++) {
        double w = isfinite(est->pod_w[i]) ? est->pod_w[i] : 0.0;
        falls_w += fmax(w - state->floors.floor_w[i], 0.0);
    }
    return fmin(falls_w / est->pods_w, 1.0);
}
