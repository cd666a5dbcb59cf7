/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a state differs from a fresh one in nothing but what is carried. */
#include <math.h>
#include <string.h>

#include "controller/step/carry_layout.h"
#include "models/life_check.h"
#include "policies/guard_resume.h"

static bool nodes_begin(const struct step_cfg *cfg,
                        const struct step_state *state,
                        const struct step_state *fresh,
                        struct step_state *scratch)
{
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        const struct site_fleet *fleet = &cfg->site.fleets[f];
        for (int i = fleet->first_node; i < fleet->first_node + fleet->nodes;
             i++) {
            const struct node_state *n = &state->nodes[i];
            if (!life_pack_valid(&n->life, fleet->chemistry) ||
                !guard_valid(&cfg->guards[f], &n->guard) ||
                !carry_node_age_valid(&n->age)) {
                return false;
            }
            scratch->nodes[i].life = fresh->nodes[i].life;
            scratch->nodes[i].guard = fresh->nodes[i].guard;
            scratch->nodes[i].age = fresh->nodes[i].age;
        }
    }
    return true;
}

bool carry_begins(const struct step_cfg *cfg, const struct step_state *state,
                  const struct step_state *fresh, struct step_state *scratch)
{
    size_t size = step_state_size(cfg);
    memcpy(scratch, state, size);
    struct carry_site site = {state->month, state->interval_ws,
                              state->interval_s, state->interval, 0.0};
    if (!carry_site_valid(&site)) {
        return false;
    }
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        double home_pu = state->soc_home_pu[i];
        if (!life_valid(&state->life[i], cfg->site.batteries[i].chemistry) ||
            !carry_age_valid(&state->age[i]) ||
            !(isnan(home_pu) || (home_pu >= 0.0 && home_pu <= 1.0))) {
            return false;
        }
        memcpy(&scratch->life[i], &fresh->life[i], sizeof(struct life));
        scratch->age[i] = fresh->age[i];
        scratch->soc_home_pu[i] = fresh->soc_home_pu[i];
    }
    int64_t from_ms = scratch->month.from_ms; /* not carried */
    scratch->month = fresh->month;
    scratch->month.from_ms = from_ms;
    scratch->interval = fresh->interval;
    scratch->interval_ws = fresh->interval_ws;
    scratch->interval_s = fresh->interval_s;
    for (int c = 0; c < cfg->site.n_classes; c++) {
        if (!queue_valid(&state->queues[c])) {
            return false;
        }
        scratch->queues[c] = fresh->queues[c];
    }
    const struct foresee *f = foresee_in(cfg, state);
    for (int64_t i = 0; i < foresee_n_series(&cfg->site); i++) {
        if (!foresee_series_valid(cfg, f, i)) {
            return false;
        }
    }
    if (!(f->gap_s >= 0.0 && f->gap_s <= FORESEE_GAP_MAX_S)) {
        return false;
    }
    foresee_forget(&cfg->site, foresee_of(cfg, scratch),
                   foresee_in(cfg, fresh));
    return nodes_begin(cfg, state, fresh, scratch) &&
           memcmp(scratch, fresh, size) == 0;
}
