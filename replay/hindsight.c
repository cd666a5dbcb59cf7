/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/hindsight.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/clamp.h"
#include "replay/account.h"
#include "replay/hindsight_solve.h"
#include "replay/hindsight_truth.h"
#include "replay/series.h"
#include "replay/timing.h"

/* All but the truth is used by the run alone. */
struct hindsight {
    const struct replay_cfg *cfg;
    struct hindsight_truth truth;
    struct hindsight_stores stores;
    struct hindsight_answer best;
    struct hindsight_answer need;
    struct plant *plant;
    struct witness witness;
    struct account account;
    struct series series;
    struct tick_record record; /* of the series: nobody decided anything */
};

void hindsight_watch(void *context, const struct replay_told *told)
{
    struct hindsight *p = context;
    hindsight_truth_add(&p->truth, told);
}

/* What came, with the cars as they are where nobody steers. */
static enum err look_back(struct hindsight *p, struct replay_result *out,
                          char *why, size_t why_size)
{
    struct replay_cfg none = *p->cfg;
    none.policy = POLICY_NONE;
    none.series = NULL;
    none.recorder = NULL;
    none.watch = hindsight_watch;
    none.watch_context = p;
    return replay_run(&none, out, why, why_size);
}

static enum err solve(struct hindsight *p, char *why, size_t why_size)
{
    bool progress = p->cfg->progress;
    enum err e = hindsight_solve(&p->truth, HINDSIGHT_COST, progress, &p->best);
    if (e == ERR_NONE) {
        e = hindsight_solve(&p->truth, HINDSIGHT_NEED, progress, &p->need);
    }
    if (e == ERR_FULL) {
        snprintf(why, why_size,
                 "--policy hindsight: more than %d kinds of batteries; give "
                 "those that are alike the same values",
                 HINDSIGHT_STORES_MAX);
    } else if (e != ERR_NONE) {
        snprintf(why, why_size, "--policy hindsight over %s: %s",
                 p->cfg->trace->name,
                 e == ERR_MEMORY ? err_text(e) : "no solution came out");
    }
    return e;
}

/* A pod draws its share of what its class is left. */
static void set_pods(struct hindsight *p, int64_t step)
{
    const struct site *site = p->cfg->site;
    double demand_w[SITE_CLASSES_MAX] = {0.0};
    double most_w[SITE_CLASSES_MAX] = {0.0};
    plant_demand(p->plant, site, p->truth.steps[step].demand_w);
    for (int i = 0; i < site->n_pods; i++) {
        int k = site->pods[i].class_id;
        double now_w = p->plant->pods[i].demand_w;
        demand_w[k] += now_w;
        most_w[k] += fmax(site->pods[i].power_max_w - now_w, 0.0);
    }
    p->plant->pods_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        int k = site->pods[i].class_id;
        struct plant_pod *pod = &p->plant->pods[i];
        double held_pu = p->best.held_w[k][step] / fmax(demand_w[k], 1.0);
        pod->power_w = pod->demand_w * (1.0 - fmin(held_pu, 1.0));
        if (held_pu < 0.0) {
            double more_w = site->pods[i].power_max_w - pod->demand_w;
            more_w = fmax(more_w, 0.0) / fmax(most_w[k], 1.0);
            pod->power_w = pod->demand_w - p->best.held_w[k][step] * more_w;
        }
        p->plant->pods_w += pod->power_w;
    }
}

static void set_step(struct hindsight *p, int64_t step)
{
    const struct site *site = p->cfg->site;
    const struct hindsight_step *s = &p->truth.steps[step];
    set_pods(p, step);
    p->plant->fleet_w = s->fleet_w;
    p->plant->other_w = s->other_w - p->best.saved_w[step];
    p->plant->battery_w = 0.0;
    for (int i = 0; i < site->n_batteries; i++) {
        int store = p->stores.of[i];
        double w = p->best.store_w[store][step] / p->stores.at[store].n;
        p->plant->batteries[i].power_w = w;
        p->plant->battery_w += w;
    }
    p->plant->grid_w = p->plant->pods_w + p->plant->other_w +
                       p->plant->fleet_w + p->plant->battery_w;
}

static void move_energy(struct hindsight *p)
{
    const struct site *site = p->cfg->site;
    double h = site->control.period_s / 3600.0;
    for (int i = 0; i < site->n_batteries; i++) {
        struct plant_battery *b = &p->plant->batteries[i];
        double wh = b->power_w * h;
        b->energy_wh += wh > 0.0 ? wh * b->eff_pu : wh / b->eff_pu;
        b->energy_wh = clamp(b->energy_wh, 0.0, site->batteries[i].energy_wh);
        b->throughput_wh += fabs(wh);
    }
    for (int i = 0; i < site->n_pods; i++) {
        struct plant_pod *pod = &p->plant->pods[i];
        if (plant_waits(site, i)) {
            plant_work(pod, site, i, site->control.period_s);
        }
    }
    p->plant->t_s += site->control.period_s;
}

static void witness(struct hindsight *p, int64_t k)
{
    double t_s = (double)k * p->cfg->site->control.period_s;
    struct witness_event event;
    struct witness_in in = {
        .at_ms = p->cfg->start_utc_ms + (int64_t)llround(t_s * 1e3),
        .grid_w = p->plant->grid_w,
        .load_w = p->plant->grid_w - p->plant->battery_w,
        .import_max_w = p->record.grid_max_w,
        .shed_w = fmax(p->plant->demand_w - p->plant->pods_w, 0.0),
        .metered = 1,
    };
    witness_push(&p->witness, &in);
    while (witness_take(&p->witness, &event)) {
        /* it keeps no evidence */
    }
}

/* Tick by tick, with the same books and the same meter as the others. */
static enum err keep_books(struct hindsight *p)
{
    const struct site *site = p->cfg->site;
    double period_s = site->control.period_s;
    int64_t n = (int64_t)llround(p->cfg->trace->duration_s / period_s);
    int64_t step = -1;
    enum err e = ERR_NONE;
    for (int64_t k = 0; e == ERR_NONE && k < n; k++) {
        int64_t at = hindsight_step_at(&p->truth, (double)k * period_s);
        const struct hindsight_step *s = &p->truth.steps[at];
        if (at != step) {
            step = at;
            set_step(p, step);
            p->record.price_per_kwh = s->price_per_kwh;
            p->record.grid_max_w = s->limit_w;
        }
        move_energy(p);
        witness(p, k);
        account_tick(&p->account, site, p->plant, s->price_per_kwh);
        e = series_row(&p->series, k, site, p->plant, &p->record);
    }
    return e;
}

static double steepest_w_per_s(const struct hindsight *p)
{
    double most = 0.0;
    double last_w = p->truth.start_w;
    for (int64_t i = 0; i < p->truth.n; i++) {
        const struct hindsight_step *s = &p->truth.steps[i];
        double grid_w = s->demand_w + s->other_w + s->fleet_w;
        grid_w -= p->best.saved_w[i];
        for (int k = 0; k < SITE_CLASSES_MAX; k++) {
            grid_w -= p->best.held_w[k][i];
        }
        for (int j = 0; j < p->stores.n; j++) {
            grid_w += p->best.store_w[j][i];
        }
        most = fmax(most, fabs(grid_w - last_w) / s->s);
        last_w = grid_w;
    }
    return most;
}

/* What happens within steps of a quarter of an hour nobody decided. */
static void judge_steps(const struct hindsight *p,
                        struct compliance_result *grid)
{
    grid->ramp_max_w_per_s = steepest_w_per_s(p);
    grid->ramp_max_tick = 0;
    grid->ramp_violations = p->best.n_ramps;
    grid->exempt = 0;
    grid->swing_violations = 0;
    grid->pp60_max_w = NAN;
    grid->edge_max_w = NAN;
    grid->band_violations = 0;
}

static void forget_ticks(struct witness_report *proof)
{
    for (int64_t i = 0; i < proof->with.n_bands; i++) {
        proof->with.bands[i].rms_w = NAN;
        proof->with.bands[i].recent_max_w = NAN;
        proof->without.bands[i].rms_w = NAN;
    }
    proof->without.ramp_max_w_per_s = NAN;
    proof->without.ramp_violations = 0;
    proof->without.pp60_max_w = NAN;
    proof->without.edge_max_w = NAN;
    proof->n_edges = 0;
    proof->n_top = 0;
    proof->edge_max_s = NAN;
    proof->edge_mean_s = NAN;
    memset(proof->histogram, 0, sizeof(proof->histogram));
    memset(proof->recovery, 0, sizeof(proof->recovery));
}

/* 'out' holds the result of `none`, whose cars stay. */
static void conclude(struct hindsight *p, struct replay_result *out)
{
    const struct site *site = p->cfg->site;
    witness_finish(&p->witness);
    witness_report(&p->witness, &out->proof);
    out->grid = out->proof.with;
    out->grid.import_limit_violations = p->best.n_limits;
    out->grid.trip_violations = 0;
    if (p->truth.step_ms > HINDSIGHT_FINE_MS) {
        judge_steps(p, &out->grid);
        forget_ticks(&out->proof);
    }
    account_end(&p->account, site, p->plant, out);
    out->bound = (struct replay_bound){
        .step_s = (double)p->truth.step_ms / 1e3,
        .gap_pu = p->best.gap_pu,
        .shed_wh = p->need.held_wh,
        .energy_swing_wh = p->need.swing_wh,
    };
    out->n_plans = 1;
    out->step_p50_s = NAN;
    out->step_p99_s = NAN;
}

static enum err begin_books(struct hindsight *p)
{
    const struct replay_cfg *cfg = p->cfg;
    double period_s = cfg->site->control.period_s;
    bool few = hindsight_stores(cfg->site, HINDSIGHT_COST, &p->stores);
    assert(few);
    (void)few;
    plant_init(p->plant, cfg->site, 0.0, cfg->seed);
    witness_init(&p->witness, &cfg->site->grid, period_s);
    account_begin(&p->account, cfg, p->plant);
    return series_begin(&p->series, cfg->series, cfg->site,
                        cfg->series_every_s);
}

enum err hindsight_run(struct hindsight *p, const struct replay_result *none,
                       struct replay_result *out, char *why, size_t why_size)
{
    double begin_s = timing_now_s();
    enum err e = ERR_NONE;
    if (none != NULL) {
        *out = *none;
    } else {
        e = look_back(p, out, why, why_size);
    }
    if (e != ERR_NONE) {
        return e;
    }
    hindsight_truth_end(&p->truth);
    double solve_s = timing_now_s();
    e = solve(p, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    out->plan_p50_s = out->plan_p99_s = timing_now_s() - solve_s;
    e = begin_books(p);
    if (e == ERR_NONE) {
        e = keep_books(p);
    }
    if (e != ERR_NONE) {
        snprintf(why, why_size, "replay of %s: %s", p->cfg->trace->name,
                 err_text(e));
        return e;
    }
    conclude(p, out);
    out->wall_s = timing_now_s() - begin_s;
    return ERR_NONE;
}

struct hindsight *hindsight_open(const struct replay_cfg *cfg, char *why,
                                 size_t why_size)
{
    int64_t step_ms =
        hindsight_step_ms(cfg->trace->duration_s, cfg->start_utc_ms);
    if (step_ms == 0) {
        snprintf(why, why_size,
                 "--policy hindsight: %s takes more than %d steps of an hour; "
                 "replay a part of it",
                 cfg->trace->name, HINDSIGHT_STEPS_MAX);
        return NULL;
    }
    struct hindsight *p = calloc(1, sizeof(*p));
    if (p != NULL) {
        p->cfg = cfg;
        p->truth.site = cfg->site;
        p->truth.start_utc_ms = cfg->start_utc_ms;
        p->truth.zone = cfg->zone;
        p->truth.step_ms = step_ms;
        p->plant = calloc(1, plant_size(cfg->site));
    }
    if (p == NULL || p->plant == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        hindsight_close(p);
        return NULL;
    }
    return p;
}

void hindsight_close(struct hindsight *p)
{
    if (p != NULL) {
        free(p->plant);
        free(p);
    }
}
