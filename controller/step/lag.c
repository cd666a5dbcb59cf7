/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How late the usable batteries together answer. */
#include <math.h>

#include "controller/step/step_parts.h"

static const double SMALL_PU = 1e-3; /* of the power: noise */

void lag_init(const struct step_cfg *cfg, struct step_state *state)
{
    double power_w = 0.0;
    double delay_ws = 0.0;
    double response_ws = 0.0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        double w = fmax(b->charge_max_w, b->discharge_max_w);
        power_w += w;
        delay_ws += w * b->sim_delay_s;
        response_ws += w * b->sim_response_s;
    }
    bool any = power_w > 0.0;
    smooth_lag_init(&state->lag, cfg->site.control.period_s,
                    any ? delay_ws / power_w : 0.0,
                    any ? response_ws / power_w : 0.0);
}

static double together_w(const struct step_cfg *cfg,
                         const struct step_state *state,
                         const struct estimate *est, bool set, int64_t *n)
{
    double w = 0.0;
    *n = 0;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        if (est->batteries[i].usable) {
            w += set ? state->set_w[i] : est->batteries[i].power_w;
            (*n)++;
        }
    }
    return w;
}

void lag_measure(const struct step_cfg *cfg, struct step_state *state,
                 const struct estimate *est, double dt_s)
{
    int64_t n = 0;
    double power_w = together_w(cfg, state, est, false, &n);
    bool late = dt_s > 1.5 * cfg->site.control.period_s;
    /* in an island they do what the balance asks for */
    if (n != state->n_usable || late || state->islanded) {
        state->n_usable = n;
        smooth_lag_rest(&state->lag, power_w);
        return;
    }
    double most_w = est->charge_max_w + est->discharge_max_w;
    smooth_lag_step(&state->lag, power_w, SMALL_PU * fmax(most_w, 1e3));
}

void lag_told(const struct step_cfg *cfg, struct step_state *state,
              const struct estimate *est)
{
    int64_t n = 0;
    smooth_lag_told(&state->lag, together_w(cfg, state, est, true, &n));
}
