/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loss of one of several batteries, for the step and for the plan alike. */
#include <math.h>

#include "controller/step/step_parts.h"

struct reserve_cfg trip_terms(const struct step_cfg *cfg,
                              const struct step_state *state)
{
    const struct site_grid *grid = &cfg->site.grid;
    return (struct reserve_cfg){
        .ramp_max_w_per_s = grid->ramp_max_w_per_s,
        .ramp_average_s = grid->ramp_average_s,
        .latency_s = smooth_lag_ticks(&state->lag) * cfg->site.control.period_s,
    };
}

double trip_pods_w(const struct step_cfg *cfg, const struct step_state *state,
                   const double *pod_w, double edge_w)
{
    if (!state->resumed || cfg->policy != POLICY_BALLAST) {
        return 0.0;
    }
    struct shed_gives pods = shed_gives(&cfg->shed, &state->shed, pod_w);
    struct reserve_cfg rc = trip_terms(cfg, state);
    return reserve_pods_w(&rc, edge_w, pods.power_w, pods.response_s);
}

struct trip_kept trip_kept(const struct step_cfg *cfg,
                           const struct step_state *state,
                           const struct snapshot *in)
{
    double lost_w = 0.0;
    double sum_w = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        double most_w =
            fmin(fmax(b->charge_max_w, b->discharge_max_w), b->transformer_va);
        bool trips = cfg->may_trip[i] && cfg->site.n_batteries > 1;
        lost_w = trips ? fmax(lost_w, most_w) : lost_w;
        sum_w += most_w;
    }
    double pod_w[SITE_PODS_MAX];
    for (int i = 0; i < cfg->site.n_pods; i++) {
        pod_w[i] = estimate_pod_w(cfg, in, i);
    }
    double edge_w = (sum_w - lost_w) * lost_w / fmax(sum_w, 1.0);
    return (struct trip_kept){
        .charge_w = lost_w,
        .discharge_w = lost_w - trip_pods_w(cfg, state, pod_w, edge_w),
    };
}
