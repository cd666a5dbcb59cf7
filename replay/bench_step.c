/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_step - the time of one step on a site of the size of the promise, and
 * of one with ten times as many pods. */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/site_file.h"
#include "controller/step/step.h"
#include "models/plan.h"
#include "models/plant.h"
#include "models/random.h"
#include "replay/bench.h"

enum {
    BATTERIES = 20,
    PODS = 100,
    PODS_FEW = 128,
    PODS_MANY = 1024,
    WARM_UP = 300, /* ticks not counted: caches, first estimates */
    COUNTED = 4000,
    SEED = 1,
};
static const int64_t START_UTC_MS = 1735689600000; /* 2025-01-01 */
static const double DEMAND_MAX_W = 140e6;
static const double CAP_MIN_PU = 0.36; /* of a pod's rating */

static const char HEAD[] =
    "site: {name: bench, time_zone: UTC, currency: USD}\n"
    "grid: {import_max: 160 MW, export_max: 0 MW, ramp_max: 10 MW/min}\n"
    "pods:\n"
    "  - {name: hall, count: %d, profile: generic, power_max: %.9f MW,\n"
    "     cap_min: %.9f MW, class: training}\n"
    "fleets:\n"
    "  - {name: lot, nodes: 200, profile: hw4, chemistry: nca,\n"
    "     pack: 75 kWh, class: inference, behind_poi: true}\n"
    "classes:\n"
    "  - {name: training, value: 4 USD/kWh, firm: true}\n"
    "  - {name: inference, value: 3 USD/kWh, firm: true}\n"
    "prices: [{market: day_ahead, topic: p, fallback: 45 USD/MWh}]\n"
    "batteries:\n";
static const char BATTERY[] =
    "  - {name: b%d, kind: megablock, units: 4, energy: 20 MWh,\n"
    "     charge_max: 10 MW, discharge_max: 10 MW, efficiency: 91 %%,\n"
    "     soc_min: 10 %%, soc_max: 90 %%, chemistry: lfp}\n";

/* A site, its plant and a controller around it; all owned. */
struct rig {
    struct site *site;
    struct plant *plant;
    struct step_cfg *cfg;
    struct step_state *state;
    struct step_scratch *scratch;
    struct snapshot *in;
    struct plan *plan;
    struct step_out *out;
    double demand_w;
    uint64_t random;
};

static void keep_fault(void *user, const char *message)
{
    snprintf(user, BENCH_WHY_MAX, "%s", message);
}

static enum err make_site(struct site *site, int n_pods, char *why)
{
    char text[sizeof(HEAD) + 64 + BATTERIES * (sizeof(BATTERY) + 8)];
    double pod_mw = DEMAND_MAX_W / 1e6 / n_pods;
    size_t n = (size_t)snprintf(text, sizeof(text), HEAD, n_pods, pod_mw,
                                CAP_MIN_PU * pod_mw);
    for (int i = 1; i <= BATTERIES; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, BATTERY, i);
    }
    return site_file_parse("bench.yaml", text, n, site, keep_fault, why);
}

static void rig_clear(struct rig *r)
{
    free(r->site);
    free(r->plant);
    free(r->cfg);
    free(r->state);
    free(r->scratch);
    free(r->in);
    free(r->plan);
    free(r->out);
}

static enum err rig_fill(struct rig *r)
{
    r->plant = calloc(1, plant_size(r->site));
    r->state = calloc(1, step_state_size(r->cfg));
    r->scratch = calloc(1, step_scratch_size(r->cfg));
    r->in = calloc(1, snapshot_size(r->site->n_nodes));
    r->plan = calloc(1, sizeof(*r->plan));
    r->out = calloc(1, step_out_size(r->site->n_nodes));
    if (r->plant == NULL || r->state == NULL || r->scratch == NULL ||
        r->in == NULL || r->plan == NULL || r->out == NULL) {
        return ERR_MEMORY;
    }
    r->demand_w = DEMAND_MAX_W / 2.0;
    r->random = random_seed(SEED);
    plant_init(r->plant, r->site, r->demand_w, SEED);
    step_state_init(r->cfg, r->state);
    snapshot_clear(r->in, r->site->n_nodes);
    r->out->n_nodes = r->site->n_nodes;
    return ERR_NONE;
}

static enum err rig_init(struct rig *r, int n_pods, char *why)
{
    *r = (struct rig){.site = calloc(1, sizeof(*r->site)),
                      .cfg = calloc(1, step_cfg_size())};
    if (r->site == NULL || r->cfg == NULL) {
        return ERR_MEMORY;
    }
    enum err e = make_site(r->site, n_pods, why);
    if (e == ERR_NONE) {
        e = step_cfg_init(r->cfg, r->site, POLICY_BALLAST);
    }
    return e == ERR_NONE ? rig_fill(r) : e;
}

/* What the controller sees at 'tick': the load wanders by up to a percent. */
static void rig_observe(struct rig *r, uint64_t tick)
{
    double dt_s = r->site->control.period_s;
    double walk = random_draw(&r->random, -0.01, 0.01) * DEMAND_MAX_W;
    r->demand_w =
        fmin(fmax(r->demand_w + walk, 0.3 * DEMAND_MAX_W), DEMAND_MAX_W);
    plant_demand(r->plant, r->site, r->demand_w);
    plant_step(r->plant, r->site, dt_s);
    int64_t ms = (int64_t)((double)tick * dt_s * 1000.0) + 1;
    r->in->tick = tick;
    r->in->mono_ms = ms;
    r->in->utc_ms = START_UTC_MS + ms;
    r->in->dt_s = dt_s;
    plant_observe(r->plant, r->site, ms, r->in->utc_ms, r->in);
}

static void rig_run(struct rig *r, double *times_ns)
{
    for (int i = 0; i < WARM_UP + COUNTED; i++) {
        rig_observe(r, (uint64_t)i);
        int64_t from_ns = bench_now_ns();
        step(r->cfg, r->state, r->scratch, r->in, r->plan, r->out);
        int64_t took_ns = bench_now_ns() - from_ns;
        if (i >= WARM_UP) {
            times_ns[i - WARM_UP] = (double)took_ns;
        }
        plant_command(r->plant, r->site, r->out);
    }
}

/* The times of the steps of such a site, and what they allocated. */
static enum err measure(int n_pods, double times_ns[COUNTED],
                        double *allocated_bytes, char *why)
{
    struct rig rig;
    enum err e = rig_init(&rig, n_pods, why);
    if (e == ERR_NONE) {
        struct mallinfo2 before = mallinfo2();
        rig_run(&rig, times_ns);
        struct mallinfo2 after = mallinfo2();
        *allocated_bytes = (double)after.uordblks + (double)after.hblkhd -
                           (double)before.uordblks - (double)before.hblkhd;
    } else if (why[0] == '\0') {
        snprintf(why, BENCH_WHY_MAX, "%s", err_text(e));
    }
    rig_clear(&rig);
    return e;
}

enum err bench_step(struct bench_run *run)
{
    static double times_ns[COUNTED];
    double allocated = 0.0;
    enum err e = measure(PODS, times_ns, &allocated, run->why);
    if (e == ERR_NONE) {
        bench_add(run, "p50_ns", bench_quantile(times_ns, COUNTED, 0.5));
        bench_add(run, "p99_ns", bench_quantile(times_ns, COUNTED, 0.99));
        bench_add(run, "max_ns", times_ns[COUNTED - 1]);
        bench_add(run, "allocated_bytes", allocated);
    }
    return e;
}

/* How the cost grows: 1 is in proportion to the pods, less is better. */
enum err bench_pods(struct bench_run *run)
{
    static double few_ns[COUNTED];
    static double many_ns[COUNTED];
    double allocated = 0.0;
    enum err e = measure(PODS_FEW, few_ns, &allocated, run->why);
    if (e == ERR_NONE) {
        e = measure(PODS_MANY, many_ns, &allocated, run->why);
    }
    if (e == ERR_NONE) {
        double few = bench_quantile(few_ns, COUNTED, 0.5);
        double many = bench_quantile(many_ns, COUNTED, 0.5);
        bench_add(run, "p50_ns", many);
        bench_add(run, "p99_ns", bench_quantile(many_ns, COUNTED, 0.99));
        bench_add(run, "128_pods_p50_ns", few);
        bench_add(run, "growth", many / few * PODS_FEW / PODS_MANY);
        bench_add(run, "allocated_bytes", allocated);
    }
    return e;
}
