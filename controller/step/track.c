/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_state.h"

static const double RECENTRE_S = 3.0 * 3600.0; /* time constant */
static const double RECENTRE_PU = 0.1;         /* of the power at most */
static const double LOSSES_PU = 0.005;         /* of the load */

/* What the plan asks of the batteries now. */
struct wanted {
    double power_w;   /* + charge */
    double stored_wh; /* energy that should be in them */
};

/* Nothing, and the energy that they started with, without a plan. */
static struct wanted plan_now(const struct plan *plan,
                              const struct snapshot *in,
                              const struct estimate *est)
{
    int slot = in->tick >= plan->from_tick ? plan_slot(plan, in->utc_ms) : -1;
    if (slot < 0) {
        return (struct wanted){0.0, est->home_wh};
    }
    double into_s = (double)(in->utc_ms - plan->start_at_ms) / 1e3;
    for (int i = 0; i < slot; i++) {
        into_s -= plan->step_s[i];
    }
    double end_pu = plan->soc_pu[slot];
    struct wanted w = {plan->battery_w[slot], end_pu * est->usable_wh};
    if (slot > 0) {
        double begin_pu = plan->soc_pu[slot - 1];
        double part = into_s / plan->step_s[slot];
        w.stored_wh = (begin_pu + part * (end_pu - begin_pu)) * est->usable_wh;
    } else if (fabs(w.power_w) > 0.0) {
        w.stored_wh = est->stored_wh; /* the first slot starts where it is */
    }
    return w;
}

/* Charging back is no reason for a new demand peak: it takes what is free
 * below the peak already paid for, or the little that losses need. */
static double recentre_max_w(const struct step_cfg *cfg,
                             const struct step_state *state, double planned_w)
{
    if (!(cfg->site.grid.demand_charge_per_kw > 0.0)) {
        return INFINITY;
    }
    double level_w = state->level.level_w;
    double free_w = state->peak_w - level_w - planned_w;
    return fmax(free_w, LOSSES_PU * fabs(level_w));
}

/* Brings the stored energy to what is wanted, over hours. */
static double recentre_w(const struct step_cfg *cfg,
                         const struct step_state *state,
                         const struct estimate *est, struct wanted wanted)
{
    double most_w = RECENTRE_PU * fmin(est->charge_max_w, est->discharge_max_w);
    double w = (wanted.stored_wh - est->stored_wh) * 3600.0 / RECENTRE_S;
    w = fmin(w, recentre_max_w(cfg, state, wanted.power_w));
    return fmax(-most_w, fmin(w, most_w));
}

/* A plan charges below the peak that it expects; what is paid for is sure.
 * An expected peak that does not come would else be made by the charging. */
static double below_peak_w(const struct step_cfg *cfg,
                           const struct step_state *state, double planned_w)
{
    if (!(cfg->site.grid.demand_charge_per_kw > 0.0)) {
        return planned_w;
    }
    double free_w = fmax(state->peak_w - state->level.level_w, 0.0);
    return fmin(planned_w, free_w);
}

double track_plan(const struct step_cfg *cfg, const struct step_state *state,
                  struct step_scratch *scratch, const struct snapshot *in,
                  const struct plan *plan)
{
    const struct estimate *est = &scratch->est;
    struct wanted wanted = plan_now(plan, in, est);
    wanted.power_w = below_peak_w(cfg, state, wanted.power_w);
    scratch->planned_w = wanted.power_w;
    return wanted.power_w + recentre_w(cfg, state, est, wanted);
}
