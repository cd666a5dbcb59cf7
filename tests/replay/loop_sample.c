/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/replay/loop_sample.h"

#include <assert.h>
#include <stdlib.h>

#include "tests/controller/history_sample.h"

void loop_sample_open(struct loop_sample *l, const struct site *site,
                      enum policy policy, int64_t start_ms)
{
    *l = (struct loop_sample){.site = site, .seed = 31, .start_ms = start_ms};
    l->cfg = malloc(step_cfg_size());
    enum err e = step_cfg_init(l->cfg, site, policy);
    assert(e == ERR_NONE);
    (void)e;
    l->state = malloc(step_state_size(l->cfg));
    l->scratch = calloc(1, step_scratch_size(l->cfg));
    l->plant = malloc(plant_size(site));
    l->in = malloc(snapshot_size(site->n_nodes));
    l->out = calloc(1, step_out_size(site->n_nodes));
    l->out->n_nodes = site->n_nodes;
    step_state_init(l->cfg, l->state);
    plant_init(l->plant, site, 8e6, 1);
    snapshot_clear(l->in, site->n_nodes);
}

static void bring_plan(struct loop_sample *l)
{
    l->plan = (struct plan){
        .status = PLAN_RULE,
        .from_tick = l->in->tick + 20,
        .start_at_ms = l->in->utc_ms,
        .expires_at_ms = l->in->utc_ms + 3600000,
        .n_slots = 1,
        .n_batteries = l->site->n_batteries,
    };
    l->plan.step_s[0] = 3600.0;
    l->plan.battery_w[0] = 1e6;
    l->plan.grid_max_w[0] = 16e6;
    l->plan.soc_pu[0] = 0.6;
}

void loop_sample_next(struct loop_sample *l)
{
    struct snapshot *in = l->in;
    in->tick++;
    in->mono_ms += 100;
    in->utc_ms = l->start_ms + 100 * (int64_t)in->tick;
    in->dt_s = 0.1;
    if (in->tick % 40 == 0) {
        plant_demand(l->plant, l->site, 4e6 + sample_unit(&l->seed) * 8e6);
    }
    if (in->tick == 600) {
        bring_plan(l);
    }
    plant_observe(l->plant, l->site, in->mono_ms, in->utc_ms, in);
    step(l->cfg, l->state, l->scratch, in, &l->plan, l->out);
    plant_command(l->plant, l->site, l->out);
    plant_step(l->plant, l->site, 0.1);
}

void loop_sample_close(struct loop_sample *l)
{
    free(l->cfg);
    free(l->state);
    free(l->scratch);
    free(l->plant);
    free(l->in);
    free(l->out);
}
