/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_guard - a million guarded packs, one minute on; in processor time, for
 * it waits for nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/random.h"
#include "policies/guard.h"
#include "replay/bench.h"

enum { PACKS = 1000000, WARM_UP_MIN = 3, COUNTED_MIN = 5, SEED = 1 };
static const int64_t MINUTE_MS = 60000;
static const double COMPUTE_W = 160.0;

/* Parked, plugged in and willing, each a little different. */
static void park(struct node_in *nodes)
{
    uint64_t random = random_seed(SEED);
    for (size_t i = 0; i < PACKS; i++) {
        double ambient_c = random_draw(&random, 5.0, 30.0);
        nodes[i] = (struct node_in){
            .soc_pu = random_draw(&random, 0.3, 0.9),
            .soc_limit_pu = 0.8,
            .energy_wh = 40e3,
            .compute_w = COMPUTE_W,
            .compute_avail_w = COMPUTE_W,
            .pack_c = ambient_c + random_draw(&random, 0.0, 8.0),
            .ambient_c = ambient_c,
            .departs_soc_pu = random_draw(&random, 0.2, 0.6),
            .flags = NODE_ONLINE | NODE_PLUGGED | NODE_CONSENT | NODE_PARKED |
                     NODE_HAS_DEPARTURE,
        };
    }
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every pack is heard and booked. */
static void advance(const struct guard_cfg *cfg, struct guard_state *states,
                    struct node_in *nodes, int64_t mono_ms)
{
    for (size_t i = 0; i < PACKS; i++) {
        nodes[i].agent_mono_ms = nodes[i].pack_mono_ms = mono_ms;
        struct guard_now now = {&nodes[i], mono_ms, 0.05, NULL};
        guard_step(cfg, &states[i], &now);
    }
}

/* Every pack is asked and answered; returns how many were granted. */
static int64_t ask(const struct guard_cfg *cfg, struct guard_state *states,
                   struct node_in *nodes, int64_t mono_ms)
{
    int64_t n_granted = 0;
    for (size_t i = 0; i < PACKS; i++) {
        struct guard_now now = {&nodes[i], mono_ms, 0.05, NULL};
        bool may =
            guard_ask(cfg, &states[i], &now, COMPUTE_W) == REASON_NODE_OK;
        guard_grant(&states[i], &now, may ? COMPUTE_W : 0.0);
        nodes[i].compute_w = may ? COMPUTE_W : 0.0;
        n_granted += may;
    }
    return n_granted;
}

static void count(struct bench_run *run, struct guard_state *states,
                  struct node_in *nodes)
{
    const struct guard_terms terms = {
        .pack_wh = 75e3,
        .compute_w = COMPUTE_W,
        .chemistry = CHEMISTRY_NCA,
        .behind_poi = true,
        .budget_ppm_per_day = 5.8,
        .end_loss_pu = 0.3,
        .replacement_per_kwh = 130.0,
        .energy_per_kwh = NAN,
        .consumption_wh_per_km = 160.0,
        .virtual_km_per_year = 1e3,
    };
    struct guard_cfg cfg;
    guard_init(&cfg, &terms);
    park(nodes);
    double advance_s[COUNTED_MIN];
    double ask_s[COUNTED_MIN];
    int64_t n_granted = 0;
    for (int i = -WARM_UP_MIN; i < COUNTED_MIN; i++) {
        int64_t mono_ms = MINUTE_MS * (WARM_UP_MIN + i + 1);
        int k = i < 0 ? 0 : i;
        double from_s = cpu_s();
        advance(&cfg, states, nodes, mono_ms);
        double then_s = cpu_s();
        n_granted = ask(&cfg, states, nodes, mono_ms);
        advance_s[k] = then_s - from_s;
        ask_s[k] = cpu_s() - then_s;
    }
    bench_add(run, "advance_cpu_s",
              bench_quantile(advance_s, COUNTED_MIN, 0.5));
    bench_add(run, "ask_cpu_s", bench_quantile(ask_s, COUNTED_MIN, 0.5));
    bench_add(run, "state_bytes", sizeof(struct guard_state));
    bench_add(run, "states_mb", sizeof(struct guard_state) * PACKS / 1e6);
    bench_add(run, "granted_pu", (double)n_granted / PACKS);
}

enum err bench_guard(struct bench_run *run)
{
    struct guard_state *states = calloc(PACKS, sizeof(*states));
    struct node_in *nodes = calloc(PACKS, sizeof(*nodes));
    enum err e = states == NULL || nodes == NULL ? ERR_MEMORY : ERR_NONE;
    if (e == ERR_NONE) {
        count(run, states, nodes);
    } else {
        snprintf(run->why, sizeof(run->why), "%s", err_text(e));
    }
    free(states);
    free(nodes);
    return e;
}
