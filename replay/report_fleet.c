/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/report_fleet.h"

#include <cjson/cJSON.h>

#include "models/reason.h"

static void add_refused(cJSON *to, const struct replay_fleet *x)
{
    cJSON *o = cJSON_AddObjectToObject(to, "refused");
    for (int i = 0; i < REASON_COUNT; i++) {
        if (i != REASON_NODE_OK && x->node_s[i] > 0.0) {
            cJSON_AddNumberToObject(o, reason_word((enum reason)i),
                                    x->node_s[i]);
        }
    }
}

void report_fleets(struct cJSON *to, const struct site *site,
                   const struct replay_result *x)
{
    cJSON *all = cJSON_AddArrayToObject(to, "fleets");
    for (int f = 0; f < site->n_fleets; f++) {
        const struct replay_fleet *r = &x->fleets[f];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", site->fleets[f].name);
        cJSON_AddNumberToObject(o, "nodes", site->fleets[f].nodes);
        cJSON_AddNumberToObject(o, "compute_wh", r->compute_wh);
        cJSON_AddNumberToObject(o, "pack_wh", r->pack_wh);
        cJSON_AddNumberToObject(o, "awake_h", r->awake_h);
        cJSON_AddNumberToObject(o, "virtual_km", r->virtual_km);
        cJSON_AddNumberToObject(o, "loss_ppm_max", r->loss_ppm_max);
        cJSON_AddNumberToObject(o, "loss_ppm_mean", r->loss_ppm_mean);
        cJSON_AddNumberToObject(o, "owed_cur", r->owed_cur);
        cJSON_AddNumberToObject(o, "granted_node_s", r->node_s[REASON_NODE_OK]);
        add_refused(o, r);
        cJSON_AddItemToArray(all, o);
    }
}
