/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step in closed loop with the plant, tick by tick, for tests. */
#ifndef TESTS_LOOP_FIXTURE_H
#define TESTS_LOOP_FIXTURE_H

#include <assert.h>

#include "controller/step/step_parts.h"
#include "models/plant.h"
#include "tests/site_fixture.h"

struct loop_fixture {
    struct site *site;
    struct step_cfg *cfg;
    struct step_state *state;
    struct step_scratch *scratch;
    struct snapshot *in;
    struct step_out *out;
    struct plan *plan;
    struct plant *plant;
    int64_t k;
};

static const int64_t LOOP_MONO_MS = 1000000;
static const int64_t LOOP_UTC_MS = 1763683200000; /* 2025-11-21 */

/* Takes over 'site'. */
static inline struct loop_fixture loop_open(struct site *site,
                                            enum policy policy, double demand_w)
{
    struct loop_fixture f = {.site = site};
    f.cfg = calloc(1, step_cfg_size());
    enum err e = step_cfg_init(f.cfg, site, policy);
    assert(e == ERR_NONE);
    (void)e;
    f.state = calloc(1, step_state_size(f.cfg));
    step_state_init(f.cfg, f.state);
    f.scratch = calloc(1, step_scratch_size(f.cfg));
    f.in = calloc(1, snapshot_size(site->n_nodes));
    snapshot_clear(f.in, site->n_nodes);
    f.out = calloc(1, step_out_size(site->n_nodes));
    f.plan = calloc(1, sizeof(*f.plan));
    f.plant = calloc(1, plant_size(site));
    plant_init(f.plant, site, demand_w, 1);
    return f;
}

static inline void loop_close(struct loop_fixture *f)
{
    free(f->site);
    free(f->cfg);
    free(f->state);
    free(f->scratch);
    free(f->in);
    free(f->out);
    free(f->plan);
    free(f->plant);
}

/* What the controller sees before tick k. */
static inline void loop_observe(struct loop_fixture *f)
{
    double dt_s = f->site->control.period_s;
    int64_t ms = (int64_t)((double)f->k * dt_s * 1e3 + 0.5);
    f->in->tick = (uint64_t)f->k;
    f->in->mono_ms = LOOP_MONO_MS + ms;
    f->in->utc_ms = LOOP_UTC_MS + ms;
    f->in->dt_s = dt_s;
    plant_observe(f->plant, f->site, f->in->mono_ms, f->in->utc_ms, f->in);
}

/* Decide, then let the plant live through tick k with 'demand_w'. */
static inline void loop_act(struct loop_fixture *f, double demand_w)
{
    step(f->cfg, f->state, f->scratch, f->in, f->plan, f->out);
    plant_command(f->plant, f->site, f->out);
    plant_demand(f->plant, f->site, demand_w);
    plant_step(f->plant, f->site, f->site->control.period_s);
    f->k++;
}

static inline void loop_tick(struct loop_fixture *f, double demand_w)
{
    loop_observe(f);
    loop_act(f, demand_w);
}

#endif
