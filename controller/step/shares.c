/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_parts.h"

/* Where the plan wants battery 'i' to be now, by its group; NAN: nothing. */
static double target_pu(const struct plan *plan, int slot, int64_t utc_ms,
                        int i)
{
    if (slot < 0 || i >= plan->n_batteries || plan->n_groups == 0 ||
        plan->group[i] < 0) {
        return NAN;
    }
    const double *soc_pu = plan->group_soc_pu[plan->group[i]];
    if (slot == 0) {
        return soc_pu[0];
    }
    int64_t from_ms = plan_slot_ms(plan, slot);
    double part = (double)(utc_ms - from_ms) / 1e3 / plan->step_s[slot];
    return soc_pu[slot - 1] + part * (soc_pu[slot] - soc_pu[slot - 1]);
}

double shares_make(const struct step_cfg *cfg, struct step_state *state,
                   struct step_scratch *scratch, const struct shares_ask *ask)
{
    const struct estimate *est = &scratch->est;
    const struct plan *plan = ask->plan;
    const struct snapshot *in = ask->in;
    int slot = in->tick >= plan->from_tick ? plan_slot(plan, in->utc_ms) : -1;
    double soc_pu[SITE_BATTERIES_MAX];
    double want_pu[SITE_BATTERIES_MAX];
    double total_w = ask->total_w;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_estimate *e = &est->batteries[i];
        soc_pu[i] = e->usable ? e->soc_pu : NAN;
        want_pu[i] = target_pu(plan, slot, in->utc_ms, i);
        scratch->share[i].charge_max_w = e->charge_max_w;
        scratch->share[i].discharge_max_w = e->discharge_max_w;
        total_w -= e->usable ? 0.0 : e->beside_w;
    }
    struct share_now now = {.soc_pu = soc_pu,
                            .target_pu = want_pu,
                            .life = state->life,
                            .per_kwh = est->price_per_kwh,
                            .dt_s = in->dt_s};
    share_price(&cfg->site, &state->share, &now, scratch->share);
    return share_step(scratch->share, cfg->site.n_batteries, total_w);
}
