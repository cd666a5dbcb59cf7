/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the grid meter may be believed, and what stands in where not. */
#include <math.h>

#include "controller/step/step_parts.h"

/* The same value, to the last bit, for longer than pods may be late with what
 * it has seen. */
static const double FROZEN_S = 2.0;
static const double MOVED_PU = 0.02; /* of the import limit, meanwhile */
static const double TURNED_S = 6.0;  /* longer than a pod's report lags */
static const double TURNED_PU = 0.2; /* of the pods that it does not see */
static const double TRUST_S = 10.0;  /* without contradiction, to return */
static const double ALIVE_S = 2.0;   /* with a new value, to learn from it */
static const double REST_S = 5.0;    /* time constant of the rest */

/* Everything that the meter should see is told by somebody. */
static bool all_known(const struct step_cfg *cfg, const struct estimate *est)
{
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        if (!est->batteries[i].known) {
            return false;
        }
    }
    for (int i = 0; i < cfg->site.n_pods; i++) {
        if (!isfinite(est->pod_w[i])) {
            return false;
        }
    }
    return cfg->site.n_pods > 0;
}

/* It stands still while what it measures moves. */
static bool is_frozen(const struct step_cfg *cfg, struct meter_state *m,
                      double metered_w, double told_w, double dt_s)
{
    if (metered_w != m->value_w) {
        m->value_w = metered_w;
        m->told_w = told_w;
        m->same_s = 0.0;
        return false;
    }
    m->same_s += dt_s;
    if (m->same_s < cfg->pod_max_age_s) {
        m->told_w = told_w;
    }
    double period_s = cfg->site.control.period_s;
    double frozen_s = cfg->pod_max_age_s + fmax(FROZEN_S, period_s);
    bool moved =
        fabs(told_w - m->told_w) > MOVED_PU * cfg->site.grid.import_max_w;
    return m->same_s >= frozen_s && (moved || m->doubted);
}

/* It sees far less than the pods say they draw: turned, or another's. */
static bool is_turned(const struct step_cfg *cfg, const struct estimate *est,
                      double metered_w)
{
    /* without the cars: what one drew last stands after it has left */
    double missing_w = est->pods_w + est->battery_w - metered_w;
    return missing_w >
           TURNED_PU * est->pods_w + MOVED_PU * cfg->site.grid.import_max_w;
}

bool meter_believed(const struct step_cfg *cfg, struct step_state *state,
                    const struct estimate *est, double metered_w, double dt_s)
{
    struct meter_state *m = &state->meter;
    if (!isfinite(metered_w)) {
        return false;
    }
    if (state->islanded) { /* what it measures stands still */
        m->same_s = m->turned_s = 0.0;
        return !m->doubted;
    }
    if (!all_known(cfg, est)) {
        return !m->doubted;
    }
    double told_w = est->pods_w + est->battery_w + est->fleet_w;
    bool frozen = is_frozen(cfg, m, metered_w, told_w, dt_s);
    bool turned = is_turned(cfg, est, metered_w);
    m->turned_s = turned ? m->turned_s + dt_s : 0.0;
    m->well_s = frozen || turned ? 0.0 : m->well_s + dt_s;
    /* before anything was done by it, one contradiction is enough */
    bool wrong =
        frozen || m->turned_s >= TURNED_S || (turned && !state->started);
    m->doubted = wrong || (m->doubted && m->well_s < TRUST_S);
    return !m->doubted;
}

void meter_learn(const struct step_cfg *cfg, struct step_state *state,
                 const struct estimate *est, double modelled_w, double dt_s)
{
    struct meter_state *m = &state->meter;
    bool alive = m->same_s < ALIVE_S && m->turned_s <= 0.0;
    if (!est->metered || !alive || !all_known(cfg, est)) {
        return;
    }
    double rest_w = est->load_w - modelled_w;
    if (!m->learnt) {
        m->rest_w = rest_w;
        m->learnt = 1;
    }
    m->rest_w += fmin(dt_s / REST_S, 1.0) * (rest_w - m->rest_w);
}
