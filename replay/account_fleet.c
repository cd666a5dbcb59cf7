/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/account_fleet.h"

#include <math.h>

void account_fleets(const struct site *site, const struct step_out *decided,
                    double dt_s, struct replay_result *out)
{
    out->moved_wh += decided->record.moved_w * dt_s / 3600.0;
    for (int f = 0; f < site->n_fleets; f++) {
        const struct site_fleet *fleet = &site->fleets[f];
        double *node_s = out->fleets[f].node_s;
        for (int i = 0; i < fleet->nodes; i++) {
            const struct node_command *c =
                &decided->nodes[fleet->first_node + i];
            if (c->valid) {
                node_s[c->reason] += dt_s;
            }
        }
    }
}

void account_fleets_end(const struct site *site, const struct step_state *state,
                        struct replay_result *out)
{
    for (int f = 0; f < site->n_fleets; f++) {
        const struct site_fleet *fleet = &site->fleets[f];
        struct replay_fleet *r = &out->fleets[f];
        double loss_ppm = 0.0;
        for (int i = 0; i < fleet->nodes; i++) {
            const struct guard_ledger *l =
                &state->nodes[fleet->first_node + i].guard.ledger;
            r->compute_wh += l->compute_wh;
            r->pack_wh += l->pack_wh;
            r->awake_h += l->awake_h;
            r->virtual_km += l->virtual_km;
            r->owed_cur += l->owed_cur;
            r->loss_ppm_max = fmax(r->loss_ppm_max, l->loss_ppm);
            loss_ppm += l->loss_ppm;
        }
        r->loss_ppm_mean = loss_ppm / fleet->nodes;
    }
}
