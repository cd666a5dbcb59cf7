/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A voltage that is not there: everything stands as it is. */
#include <math.h>

#include "controller/step/step_parts.h"

/* Of nominal: inside, equipment has to run on (IEEE 1547, PRC-024). */
static const double LOW_PU = 0.9;
static const double HIGH_PU = 1.1;

/* Longer is no dip: control goes on with what there is. */
static const double LONGEST_S = 60.0;

bool freeze_now(const struct step_cfg *cfg, struct step_state *state,
                const struct snapshot *in)
{
    double pu = reading_value(&in->meter.voltage_pu, in->mono_ms,
                              cfg->device_max_age_s);
    if (!isfinite(pu)) {
        return false;
    }
    if (state->islanded) {
        /* behind an open breaker there is none, and that is no dip */
        state->frozen_s = 0.0;
        return false;
    }
    if (pu >= LOW_PU && pu <= HIGH_PU) {
        state->nominal = 1;
        state->frozen_s = 0.0;
        return false;
    }
    /* a meter that never was inside has another idea of nominal */
    state->frozen_s += in->dt_s;
    return state->nominal && state->frozen_s <= LONGEST_S;
}

void freeze_hold(const struct step_cfg *cfg, struct step_state *state,
                 struct step_scratch *scratch, const struct snapshot *in,
                 struct step_out *out)
{
    struct estimate *est = &scratch->est;
    double set_w = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_estimate *e = &est->batteries[i];
        scratch->share[i].set_w = e->usable ? state->set_w[i] : 0.0;
        set_w += e->usable ? state->set_w[i] : e->beside_w;
    }
    int64_t n = (int64_t)lround(in->dt_s / cfg->site.control.period_s);
    smooth_freeze(&cfg->smooth, &state->smooth, n > 1 ? n : 1);
    if (!isnan(state->smooth.ref_w)) {
        /* the gate is to judge the set-points by the load before the dip */
        est->load_w = state->smooth.out_w - set_w;
    }
    level_range_part(&state->range);
    commands_batteries(cfg, state, scratch, in, out);
    lag_told(cfg, state, est);
    pods_command(cfg, state, out);
    out->node_from = out->node_to = 0;
    out->n_nodes = cfg->site.n_nodes;
    reason_add(&out->record, &(struct reason_line){
                                 .code = REASON_FREEZE,
                                 .asset = ASSET_METER,
                                 .value = in->meter.voltage_pu.value,
                                 .limit = LOW_PU,
                             });
}
