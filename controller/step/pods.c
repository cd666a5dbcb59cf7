/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdbool.h>

#include "controller/step/step_state.h"

void pods_find(const struct step_cfg *cfg, struct step_state *state,
               const struct snapshot *in, const struct estimate *est)
{
    bool waited = in->mono_ms - state->first_mono_ms >= STEP_LISTEN_MS;
    bool all = true;
    for (int i = 0; i < cfg->site.n_pods && !state->resumed; i++) {
        bool heard = isfinite(est->pod_w[i]);
        if (!state->found[i] && heard && cfg->policy == POLICY_BALLAST) {
            double cap_w = reading_value(&in->pods[i].cap_w, in->mono_ms,
                                         cfg->pod_max_age_s);
            shed_found(&cfg->shed, &state->shed, i, cap_w);
        }
        state->found[i] |= heard || waited;
        all = all && state->found[i];
    }
    if (all && !state->resumed) {
        state->resumed = 1;
        shed_resume(&cfg->shed, &state->shed, est->pod_w);
        state->demand_w = shed_wanted_w(&cfg->shed, &state->shed, est->pod_w);
    }
}

void pods_shed(const struct step_cfg *cfg, struct step_state *state,
               const struct step_scratch *scratch, const struct snapshot *in,
               const struct pods_ask *ask, struct tick_record *record)
{
    const struct estimate *est = &scratch->est;
    struct shed_in sin = {
        .pods_w = est->pods_w,
        .over_w = fmax(ask->discharge_w - est->discharge_max_w,
                       est->load_w - ask->load_max_w),
        .dt_s = in->dt_s,
    };
    double missing_w = shed_step(&cfg->shed, &state->shed, &sin, est->pod_w);
    bool open = state->shed.budget_w >= cfg->shed.power_max_sum_w;
    state->demand_w = fmax(state->demand_w, est->pods_w);
    if (open) {
        state->demand_w = est->pods_w;
    } else {
        /* a job that ended is not waited for */
        double wanted_w = shed_wanted_w(&cfg->shed, &state->shed, est->pod_w);
        state->demand_w = fmin(state->demand_w, fmax(wanted_w, est->pods_w));
    }
    record->demand_w = state->demand_w;
    state->held_w = fmax(state->demand_w - est->pods_w, 0.0);
    record->shed_w = state->held_w;
    if (open) {
        return;
    }
    bool falling = sin.over_w > 0.0;
    reason_add(record, &(struct reason_line){
                           .code = falling ? REASON_SHED : REASON_RETURN,
                           .value = record->shed_w,
                           .limit = record->grid_ref_w,
                           .need = fmax(missing_w, fmax(sin.over_w, 0.0)),
                       });
}
