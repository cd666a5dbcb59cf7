/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/evidence_text.h"
#include "controller/judge.h"
#include "controller/step/foresee.h"
#include "controller/step/step_state.h"
#include "models/plant_nodes.h"
#include "policies/plan.h"
#include "replay/account.h"
#include "replay/account_fleet.h"
#include "replay/series.h"
#include "replay/timing.h"

/* The monotonic clock of a replay begins here: 0 means never. */
static const int64_t MONO_START_MS = 1000000;
static const double PROGRESS_S = 0.5;
/* Until a forecast is scored: as `ballast forecast` does. */
static const double WARMUP_S = 600.0;
static const double WARMUP_MAX_PU = 0.25; /* of the trace */

/* Everything that one run holds, allocated before its first tick. */
struct run {
    const struct replay_cfg *cfg;
    struct step_cfg *step_cfg;
    struct step_state *state;
    struct step_scratch *scratch;
    struct snapshot *in;
    struct step_out *out;
    struct plan plan; /* in force */
    struct plan next; /* on its way */
    struct problem problem;
    struct plan_solver *solver;
    struct replan replan;
    struct plan_tally tally;
    struct plant *plant;
    struct witness witness;
    struct account account;
    struct series series;
    struct events_cursor events;
    struct timing step_timing;
    struct timing plan_timing;
    size_t cursor;
    int64_t n_ticks;
    int64_t n_second;  /* ticks a second, at least one */
    int64_t price_min; /* minute since 1970 in which prices were fed; or -1 */
    uint64_t n_plans;
    uint64_t n_degraded;
    double told_s; /* when progress was last told */
};

static int64_t tick_ms(const struct run *r, int64_t k)
{
    double t_s = (double)k * r->cfg->site->control.period_s;
    return (int64_t)llround(t_s * 1e3);
}

static double load_at(struct run *r, int64_t k)
{
    double t_s = (double)k * r->cfg->site->control.period_s;
    return trace_at(r->cfg->trace, t_s, &r->cursor);
}

static void close_run(struct run *r)
{
    if (r != NULL) {
        free(r->step_cfg);
        free(r->state);
        free(r->scratch);
        free(r->in);
        free(r->out);
        free(r->plant);
        free(r->solver);
        free(r);
    }
}

static struct run *open_run(const struct replay_cfg *cfg)
{
    struct run *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return NULL;
    }
    const struct site *site = cfg->site;
    r->cfg = cfg;
    r->step_cfg = calloc(1, step_cfg_size());
    r->in = calloc(1, snapshot_size(site->n_nodes));
    r->out = calloc(1, step_out_size(site->n_nodes));
    r->plant = calloc(1, plant_size(site));
    r->solver = malloc(plan_solver_size(site));
    if (r->solver == NULL || r->step_cfg == NULL || r->in == NULL ||
        r->out == NULL || r->plant == NULL) {
        close_run(r);
        return NULL;
    }
    return r;
}

static enum err prepare(struct run *r)
{
    const struct site *site = r->cfg->site;
    enum err e = step_cfg_init(r->step_cfg, site, r->cfg->policy);
    if (e != ERR_NONE) {
        return e;
    }
    r->state = calloc(1, step_state_size(r->step_cfg));
    r->scratch = calloc(1, step_scratch_size(r->step_cfg));
    if (r->state == NULL || r->scratch == NULL) {
        return ERR_MEMORY;
    }
    double period_s = site->control.period_s;
    plan_solver_init(r->solver, site);
    replan_init(&r->replan);
    step_state_init(r->step_cfg, r->state);
    snapshot_clear(r->in, site->n_nodes);
    plant_init(r->plant, site, load_at(r, 0), r->cfg->seed);
    witness_init(&r->witness, &site->grid, period_s);
    account_begin(&r->account, r->cfg, r->plant);
    timing_reset(&r->step_timing);
    timing_reset(&r->plan_timing);
    r->n_ticks = (int64_t)llround(r->cfg->trace->duration_s / period_s);
    r->n_second = (int64_t)fmax(1.0, round(1.0 / period_s));
    r->price_min = -1;
    return series_begin(&r->series, r->cfg->series, site,
                        r->cfg->series_every_s);
}

/* The markers that the generator's scheduler sends in the second ahead.  The
 * load of a tick is the one at its begin: what changes in a tick is there with
 * the next, and so its marker says. */
static void post_markers(struct run *r, int64_t k)
{
    if (k % r->n_second != 0) {
        return;
    }
    double period_s = r->cfg->site->control.period_s;
    double from_s = (double)k * period_s;
    double to_s = (double)(k + r->n_second) * period_s;
    struct job_in jobs[16];
    int n = trace_markers(r->cfg->trace, from_s, to_s, jobs, 16);
    for (int i = 0; i < n; i++) {
        double at_ticks = (double)jobs[i].at_ms / (period_s * 1e3);
        jobs[i].at_ms =
            r->cfg->start_utc_ms + tick_ms(r, (int64_t)ceil(at_ticks));
        events_post_job(r->in, &jobs[i]);
    }
}

/* Prices become known on the minute, whatever the period. */
static void feed_prices(struct run *r)
{
    int64_t minute = r->in->utc_ms / 60000;
    if (r->cfg->prices != NULL && minute != r->price_min) {
        r->price_min = minute;
        prices_fill(r->cfg->prices, r->in->utc_ms, r->in->mono_ms,
                    &r->in->prices[0]);
        if (r->cfg->prices->ahead_per_kwh != NULL) {
            prices_fill_ahead(r->cfg->prices, r->in->utc_ms, r->in->mono_ms,
                              &r->in->prices[1]);
        }
    }
}

/* As the control thread does. */
static void tell_month(struct run *r)
{
    struct snapshot *in = r->in;
    struct billing_month m = {in->month_from_ms, in->month_to_ms};
    if (!billing_month_holds(&m, in->utc_ms)) {
        m = billing_month(r->cfg->zone, in->utc_ms);
        in->month_from_ms = m.from_ms;
        in->month_to_ms = m.to_ms;
    }
}

/* What the controller is told before tick 'k': the plant as it was left. */
static void observe(struct run *r, int64_t k)
{
    const struct site *site = r->cfg->site;
    int64_t ms = tick_ms(r, k);
    r->in->tick = (uint64_t)k;
    r->in->mono_ms = MONO_START_MS + ms;
    r->in->utc_ms = r->cfg->start_utc_ms + ms;
    r->in->dt_s = site->control.period_s;
    tell_month(r);
    plant_observe_devices(r->plant, site, r->in->mono_ms, r->in);
    if (k % r->n_second == 0) {
        plant_nodes_observe(r->plant, r->in->mono_ms, r->in->utc_ms, r->in);
    }
    feed_prices(r);
    post_markers(r, k);
    if (r->cfg->events != NULL) {
        events_apply(r->cfg->events, &r->events, r->in->utc_ms, r->in);
    }
}

/* What the bill is made with in this tick. */
static double bill_price(const struct run *r)
{
    double price = r->out->record.price_per_kwh;
    if (r->cfg->prices != NULL) {
        double settled = prices_settle_per_kwh(r->cfg->prices, r->in->utc_ms);
        price = isfinite(settled) ? settled
                                  : r->cfg->site->prices[0].fallback_per_kwh;
    }
    return price;
}

static void decide(struct run *r)
{
    if (r->next.status != PLAN_NONE && r->in->tick >= r->next.from_tick) {
        r->plan = r->next;
        r->next.status = PLAN_NONE;
        plan_tally_enter(&r->tally, &r->plan);
    }
    bool timed = timing_wanted(&r->step_timing);
    double begin_s = timed ? timing_now_s() : 0.0;
    step(r->step_cfg, r->state, r->scratch, r->in, &r->plan, r->out);
    if (timed) {
        timing_add(&r->step_timing, timing_now_s() - begin_s);
    }
    plan_tally_tick(&r->tally, r->cfg->site, r->out->record.plan_battery_w,
                    r->in->dt_s);
    r->n_degraded += r->out->record.degraded > 0;
}

/* The same problem, at the same events, and planner as live; the plan enters as
 * many ticks later as it does there.  No clock: its budget are iterations. */
static void plan_when_due(struct run *r)
{
    struct plan_request request = {.problem = &r->problem};
    if (r->cfg->policy != POLICY_BALLAST ||
        !replan_due(&r->replan, r->cfg->site, r->in,
                    r->next.status != PLAN_NONE)) {
        return;
    }
    step_problem(r->step_cfg, r->state, r->in, &r->problem);
    r->problem.causes = r->replan.causes;
    double begin_s = timing_now_s();
    plan_solve(r->solver, &request, &r->next);
    timing_add(&r->plan_timing, timing_now_s() - begin_s);
    r->n_plans++;
}

/* What breaks, or is mended, in this tick. */
static void play_faults(struct run *r)
{
    const struct events_fault *f = NULL;
    while (r->cfg->events != NULL &&
           (f = events_fault(r->cfg->events, &r->events, r->in->utc_ms)) !=
               NULL) {
        r->plant->batteries[f->battery].tripped = f->trips;
    }
}

/* The plant lives through tick 'k' under the trace's load. */
static void act(struct run *r, int64_t k)
{
    const struct site *site = r->cfg->site;
    plant_command(r->plant, site, r->out);
    play_faults(r);
    plant_demand(r->plant, site, load_at(r, k));
    const struct utility_in *island = utility_island(r->in, r->in->utc_ms);
    r->plant->island = island != NULL;
    r->plant->fed_w = island != NULL ? island->value : 0.0;
    plant_step(r->plant, site, site->control.period_s);
}

static void book_forecast(struct run *r)
{
    double period_s = r->cfg->site->control.period_s;
    double warmup_s =
        fmin(WARMUP_S, (double)r->n_ticks * period_s * WARMUP_MAX_PU);
    const struct foresee *f = foresee_in(r->step_cfg, r->state);
    struct account_seen seen = {
        .load_w = f->load_w,
        .step = f->soon.now,
        .ahead_steps = f->soon.h[FORESEE_60S].steps,
        .ahead = forecast_at(&f->soon, FORESEE_60S),
    };
    account_forecast(&r->account, &seen, warmup_s, period_s);
}

static enum err keep_evidence(struct run *r)
{
    struct witness_event event;
    enum err e = ERR_NONE;
    while (witness_take(&r->witness, &event)) {
        if (e == ERR_NONE && r->cfg->evidence != NULL) {
            e = evidence_write(r->cfg->evidence, r->cfg->site, &event);
        }
    }
    return e;
}

static enum err keep_books(struct run *r, int64_t k, struct replay_result *out)
{
    const struct site *site = r->cfg->site;
    struct judged judged = {
        .site = site,
        .policy = r->cfg->policy,
        .scratch = r->scratch,
        .in = r->in,
        .record = &r->out->record,
    };
    struct witness_in seen = judge_tick(&judged);
    seen.grid_w = r->plant->grid_w;
    seen.load_w = r->plant->grid_w - r->plant->battery_w;
    witness_push(&r->witness, &seen);
    book_forecast(r);
    struct replay_told told = {k, r->plant, bill_price(r), seen.import_max_w};
    account_tick(&r->account, site, r->plant, told.price_per_kwh);
    const struct account_events_tick tick = {
        .site = site,
        .plant = r->plant,
        .price_per_kwh = told.price_per_kwh,
        .import_max_w = seen.import_max_w,
        .cap_w = r->out->record.grid_max_w,
    };
    account_events_tick(&out->events, &tick);
    if (r->cfg->watch != NULL) {
        r->cfg->watch(r->cfg->watch_context, &told);
    }
    if (r->cfg->settle != NULL) {
        settlement_out_tick(r->cfg->settle, site->control.period_s,
                            r->plant->grid_w, r->out->record.ramp_w_per_s);
    }
    if (k % r->n_second == 0) {
        double second_s = (double)r->n_second * site->control.period_s;
        account_fleets(site, r->out, second_s, out);
    }
    enum err e = series_row(&r->series, k, site, r->plant, &r->out->record);
    if (e == ERR_NONE) {
        e = keep_evidence(r);
    }
    if (e == ERR_NONE && r->cfg->recorder != NULL) {
        e = recorder_tick(r->cfg->recorder, r->in, &r->plan, r->out);
    }
    return e;
}

static void tell_progress(struct run *r, int64_t k)
{
    double now_s = timing_now_s();
    if (now_s - r->told_s >= PROGRESS_S) {
        r->told_s = now_s;
        fprintf(stderr, "\r%5.1f %%", 100.0 * (double)k / (double)r->n_ticks);
    }
}

static enum err go(struct run *r, struct replay_result *out)
{
    for (int64_t k = 0; k < r->n_ticks; k++) {
        observe(r, k);
        decide(r);
        act(r, k);
        enum err e = keep_books(r, k, out);
        if (e != ERR_NONE) {
            return e;
        }
        plan_when_due(r);
        if (r->cfg->progress && k % 65536 == 0) {
            tell_progress(r, k);
        }
    }
    if (r->cfg->progress) {
        fprintf(stderr, "\r         \r");
    }
    return ERR_NONE;
}

static enum err conclude(struct run *r, struct replay_result *out)
{
    witness_finish(&r->witness);
    enum err e = keep_evidence(r);
    out->duration_s = (double)r->n_ticks * r->cfg->site->control.period_s;
    witness_report(&r->witness, &out->proof);
    out->grid = out->proof.with;
    account_end(&r->account, r->cfg->site, r->plant, out);
    account_fleets_end(r->cfg->site, r->state, out);
    out->n_steps = (uint64_t)r->n_ticks;
    out->step_p50_s = timing_quantile(&r->step_timing, 0.5);
    out->step_p99_s = timing_quantile(&r->step_timing, 0.99);
    out->n_plans = r->n_plans;
    out->plans = r->tally;
    out->plan_p50_s = timing_quantile(&r->plan_timing, 0.5);
    out->plan_p99_s = timing_quantile(&r->plan_timing, 0.99);
    out->n_degraded = r->n_degraded;
    return e;
}

enum err replay_run(const struct replay_cfg *cfg, struct replay_result *out,
                    char *why, size_t why_size)
{
    memset(out, 0, sizeof(*out));
    struct run *r = open_run(cfg);
    enum err e = r != NULL ? prepare(r) : ERR_MEMORY;
    if (e == ERR_NONE) {
        double begin_s = timing_now_s();
        e = go(r, out);
        out->wall_s = timing_now_s() - begin_s;
    }
    if (e == ERR_NONE) {
        e = conclude(r, out);
    }
    if (e != ERR_NONE) {
        snprintf(why, why_size, "replay of %s: %s", cfg->trace->name,
                 err_text(e));
    }
    close_run(r);
    return e;
}
