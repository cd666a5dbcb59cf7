/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/step.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"

static const double LOOK_S = 0.3;  /* in which every pod is looked at */
static const double NODES_S = 2.0; /* in which every vehicle has its turn */
/* A load that has left its level for sure began to within that time. */
static const double LEFT_S = 45.0;
/* Between two samples of a life. */
static const double BATTERY_LIFE_S = 1.0;
static const double NODE_LIFE_S = 60.0;

size_t step_cfg_size(void)
{
    return sizeof(struct step_cfg);
}

size_t step_state_size(const struct step_cfg *cfg)
{
    return cars_end(cfg);
}

size_t step_scratch_size(const struct step_cfg *cfg)
{
    (void)cfg;
    return sizeof(struct step_scratch);
}

/* Which batteries may trip: those listed, any of them where nothing is. */
static void find_trips(struct step_cfg *cfg)
{
    const struct site_grid *grid = &cfg->site.grid;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        cfg->may_trip[i] = !grid->contingencies_given;
        for (int k = 0; k < grid->n_contingencies; k++) {
            int loses = grid->contingencies[k].loses;
            cfg->may_trip[i] |=
                loses == SITE_LOSES_LARGEST || loses == SITE_LOSES_FIRST + i;
        }
    }
}

enum err step_cfg_init(struct step_cfg *cfg, const struct site *site,
                       enum policy policy)
{
    double period_s = site->control.period_s;
    double window_s = site->grid.ramp_average_s + 60.0;
    if (!(period_s > 0.0) || !(site->grid.ramp_max_w_per_s > 0.0) ||
        !(window_s / period_s <= (double)SMOOTH_TICKS)) {
        return ERR_RANGE;
    }
    memset(cfg, 0, sizeof(*cfg));
    cfg->site = *site;
    cfg->policy = policy;
    smooth_init(&cfg->smooth, period_s, &site->grid);
    cfg->smooth.limiter = policy == POLICY_LIMITER;
    shed_init(&cfg->shed, site);
    floors_init(&cfg->floors, site);
    cfg->device_max_age_s = fmax(3.0 * period_s, 2.0);
    cfg->pause_max_s = cfg->device_max_age_s;
    cfg->pod_max_age_s = fmax(3.0 * period_s, 5.0);
    cfg->n_looks = (int64_t)fmax(1.0, round(LOOK_S / period_s));
    cfg->n_slices = (int64_t)fmax(1.0, round(NODES_S / period_s));
    cfg->n_turns = (int64_t)fmax(1.0, round(BATTERY_LIFE_S / period_s));
    double round_s = (double)cfg->n_slices * period_s;
    cfg->n_rounds = (int64_t)fmax(1.0, round(NODE_LIFE_S / round_s));
    for (int i = 0; i < site->n_batteries; i++) {
        cfg->energy_wh += site->batteries[i].energy_wh;
        cfg->one_way_pu[i] = sqrt(site->batteries[i].efficiency_pu);
    }
    cfg->grid_most_w = STEP_IMPOSSIBLE *
                       fmax(site->grid.import_trip_w, site->grid.export_max_w);
    cfg->load_per_pod = site->other.present ? site->other.pue_pu : 1.0;
    find_trips(cfg);
    for (int i = 0; i < site->n_pods; i++) {
        double w = site->pods[i].power_max_w * cfg->load_per_pod;
        cfg->pod_most = w > cfg->pod_most_w ? i : cfg->pod_most;
        cfg->pod_most_w = fmax(cfg->pod_most_w, w);
    }
    for (int i = 0; i < site->n_pods && site->n_classes > 0; i++) {
        int c = site->pods[i].class_id;
        cfg->class_min_w[c] += site->pods[i].cap_min_w;
        cfg->waits[c] = !site->classes[c].firm;
        cfg->any_waits = cfg->any_waits || cfg->waits[c];
    }
    for (int f = 0; f < site->n_fleets; f++) {
        struct guard_terms terms = guard_terms_of(&site->fleets[f]);
        guard_init(&cfg->guards[f], &terms);
        cfg->strides[f] = thermal_stride(&cfg->guards[f].thermal, round_s);
    }
    return ERR_NONE;
}

void step_state_init(const struct step_cfg *cfg, struct step_state *state)
{
    memset(state, 0, step_state_size(cfg));
    level_init(&state->level);
    level_range_init(&state->range);
    lag_init(cfg, state);
    smooth_reset(&state->smooth);
    state->way_w = NAN;
    pace_init(cfg, state);
    shed_reset(&cfg->shed, &state->shed);
    floors_reset(&state->floors);
    share_reset(&cfg->site, &state->share);
    queue_init(state->queues);
    state->n_nodes = cfg->site.n_nodes;
    state->month.peak_w = cfg->site.grid.billing_peak_w;
    for (int i = 0; i < SITE_BATTERIES_MAX; i++) {
        state->soc_home_pu[i] = NAN;
        state->soc_track_pu[i] = NAN;
    }
    cars_init(cfg, state);
    age_init(cfg, state);
    foresee_init(cfg, state);
}

void reason_add(struct tick_record *record, const struct reason_line *line)
{
    if (record->n_why < REASON_LINES) {
        record->why[record->n_why++] = *line;
    }
}

/* As reason_add(), before all others. */
static void reason_add_first(struct tick_record *record, enum reason code)
{
    int64_t n = record->n_why < REASON_LINES ? record->n_why : REASON_LINES - 1;
    memmove(record->why + 1, record->why, (size_t)n * sizeof(record->why[0]));
    record->why[0] = (struct reason_line){.code = (int64_t)code};
    record->n_why = n + 1;
}

/* What keeps the grid from going lower, as it was said: without the margin. */
static double below_w(const struct caps *caps)
{
    bool asked =
        caps->below == REASON_SETPOINT || caps->below == REASON_OPERATOR_HOLD;
    return asked ? fabs(caps->floor_w) : caps->export_w;
}

/* Why the grid power is where it is, after what binds more. */
static void explain(const struct step_cfg *cfg,
                    const struct step_scratch *scratch,
                    const struct smooth_out *smooth, struct tick_record *record)
{
    double planned_w = scratch->planned_w;
    const struct caps *caps = &scratch->caps;
    double used_w = record->battery_set_w;
    struct reason_line line = {.value = record->grid_ref_w, .need = -used_w};
    bool at_cap = record->grid_ref_w >= caps->import_w - 1.0;
    bool at_floor = record->grid_ref_w <= caps->floor_w + 1.0;
    if (record->grid_ref_w > caps->reach_w && !caps->urgent) {
        line.code = REASON_EVENT_LATE;
        line.limit = caps->late_w;
        line.need = record->grid_ref_w - caps->late_w;
    } else if (at_cap || caps->urgent) {
        line.code = caps->why;
        line.value = scratch->est.load_w;
        line.limit = caps->import_w;
    } else if (at_floor && used_w > 0.0) {
        line.code = caps->below;
        line.value = scratch->est.load_w;
        line.limit = below_w(caps);
    } else if (fabs(scratch->lead_w) > 0.0) {
        line.code = REASON_AHEAD;
        line.value = scratch->est.load_w;
        line.limit = scratch->target_w;
    } else if (smooth->ramping) {
        line.code = REASON_RAMP;
        line.value = scratch->target_w;
        line.limit = cfg->site.grid.ramp_max_w_per_s;
    } else if (isfinite(scratch->peak_w)) {
        line.code = REASON_PEAK;
        line.value = scratch->est.load_w;
        line.limit = scratch->peak_w;
    } else if (planned_w > 0.0 || planned_w < 0.0) {
        line.code =
            planned_w > 0.0 ? REASON_CHARGE_CHEAP : REASON_DISCHARGE_DEAR;
        line.value = fabs(planned_w);
        line.limit = record->price_per_kwh;
    } else if (fabs(used_w) > 0.01 * fabs(record->grid_ref_w)) {
        line.code = REASON_SMOOTH;
    } else {
        line.code = REASON_HOLD;
    }
    reason_add(record, &line);
}

static void fill_record(const struct snapshot *in,
                        const struct step_scratch *scratch,
                        const struct smooth_out *smooth,
                        struct tick_record *record)
{
    const struct estimate *est = &scratch->est;
    record->tick = in->tick;
    record->utc_ms = in->utc_ms;
    record->grid_w = est->grid_w;
    record->grid_ref_w = smooth->grid_w;
    record->grid_max_w = scratch->caps.import_w;
    record->ramp_w_per_s = smooth->ramp_w_per_s;
    record->load_w = est->load_w;
    record->pods_w = est->pods_w;
    record->demand_w = est->pods_w;
    record->other_w = est->other_w;
    record->battery_w = est->battery_w;
    record->fleet_w = est->fleet_w;
    record->fleet_compute_w = est->fleet_compute_w;
    record->soc_pu =
        est->usable_wh > 0.0 ? est->stored_wh / est->usable_wh : 0.0;
    record->price_per_kwh = est->price_per_kwh;
    record->degraded = est->degraded;
}

/* Batteries idle, nothing throttled: what the site would do by itself. */
static void leave_alone(const struct step_cfg *cfg,
                        struct step_scratch *scratch)
{
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        scratch->share[i] = (struct share_battery){0};
    }
}

/* Highest mean over the tariff's interval, aligned to the clock as it bills;
 * months begin where intervals do. */
static void meter_demand(const struct step_cfg *cfg, struct step_state *state,
                         const struct snapshot *in, double grid_w)
{
    double interval_ms = cfg->site.grid.demand_interval_s * 1e3;
    int64_t number = (int64_t)((double)in->utc_ms / interval_ms);
    if (number != state->interval) {
        if (state->interval_s > 0.0) {
            double mean_w = state->interval_ws / state->interval_s;
            state->month.peak_w = fmax(state->month.peak_w, mean_w);
        }
        state->interval = number;
        state->interval_ws = 0.0;
        state->interval_s = 0.0;
    }
    month_step(&state->month, in->month_from_ms, in->dt_s);
    state->interval_ws += grid_w * in->dt_s;
    state->interval_s += in->dt_s;
}

/* What is said to be there has been heard since. */
static bool heard_all(const struct step_cfg *cfg, const struct snapshot *in,
                      const struct estimate *est)
{
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        bool there = in->batteries[i].flags & BATTERY_ONLINE;
        if (there && !est->batteries[i].known) {
            return false;
        }
    }
    return est->metered;
}

/* From the grid and the batteries as they are. */
static void begin_anew(const struct step_cfg *cfg, struct step_state *state,
                       const struct estimate *est)
{
    smooth_reset(&state->smooth);
    level_range_part(&state->range); /* what changed meanwhile was no edge */
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_estimate *e = &est->batteries[i];
        state->set_w[i] = e->known ? e->power_w : 0.0;
    }
}

/* And from the caps that the pods are found with. */
static void take_over(const struct step_cfg *cfg, struct step_state *state,
                      const struct estimate *est)
{
    state->started = 1;
    memset(state->found, 0, sizeof(state->found));
    state->resumed = 0;
    begin_anew(cfg, state, est);
}

/* A controller that has just been started, or stood still for so long that
 * nothing it knows is true any more, takes over what it finds: it writes
 * nothing before it has heard the site, or waited long enough for it. */
static bool listening(const struct step_cfg *cfg, struct step_state *state,
                      const struct snapshot *in, const struct estimate *est)
{
    if (state->first_mono_ms == 0 || in->dt_s > cfg->pause_max_s) {
        state->first_mono_ms = in->mono_ms;
        state->started = 0;
    }
    bool waited = in->mono_ms - state->first_mono_ms >= STEP_LISTEN_MS;
    if (!state->started && (waited || heard_all(cfg, in, est))) {
        take_over(cfg, state, est);
    }
    return !state->started;
}

static void say_nothing(const struct step_cfg *cfg, const struct snapshot *in,
                        const struct step_scratch *scratch,
                        struct step_out *out)
{
    struct smooth_out none = {.grid_w = scratch->est.grid_w};
    fill_record(in, scratch, &none, &out->record);
    reason_add_first(&out->record, REASON_LISTEN);
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        out->batteries[i] = (struct battery_command){.expiry_s = 10.0};
    }
    for (int i = 0; i < cfg->site.n_pods; i++) {
        out->pods[i] = (struct pod_command){
            .cap_w = cfg->site.pods[i].power_max_w, .ttl_s = 10.0};
    }
    out->node_from = 0;
    out->node_to = 0;
    out->n_nodes = cfg->site.n_nodes;
}

/* What is held back wants to come back: the grid makes room for it.  What is
 * burnt only keeps the load up until the grid is down. */
static void follow_level(const struct step_cfg *cfg, struct step_state *state,
                         const struct estimate *est, double dt_s)
{
    int64_t n_regimes = state->level.n_regimes;
    double burn_w = state->floors.burn_w * cfg->load_per_pod;
    level_step(&state->level, est->load_w + state->held_w - burn_w, dt_s);
    level_range_step(&state->range, est->load_w, dt_s);
    if (state->level.n_regimes != n_regimes) {
        level_range_anew(&state->range, LEFT_S);
        forecast_swing_anew(&foresee_of(cfg, state)->soon);
    }
}

/* Where the grid shall be, and who moves it there. */
static void decide(const struct step_cfg *cfg, struct step_state *state,
                   struct step_scratch *scratch, const struct snapshot *in,
                   const struct plan *plan, struct step_out *out)
{
    struct tick_record *record = &out->record;
    const struct estimate *est = &scratch->est;
    pods_find(cfg, state, in, est);
    meter_demand(cfg, state, in, est->grid_w);
    queue_step(cfg, state, in, est);
    foresee_step(cfg, state, in, est);
    hold_look(cfg, state, scratch, in);
    follow_level(cfg, state, est, in->dt_s);
    lag_measure(cfg, state, est, in->dt_s);
    island_hold(state, scratch, in);
    struct smooth_in sin = wish_make(cfg, state, scratch, in, plan);
    int64_t n_ticks = lround(in->dt_s / cfg->site.control.period_s);
    struct smooth_out smooth = smooth_step(&cfg->smooth, &state->smooth, &sin,
                                           n_ticks > 1 ? n_ticks : 1);
    pace_learn(cfg, state, &sin, &smooth, in->dt_s);
    fill_record(in, scratch, &smooth, record);
    record->plan_battery_w = scratch->planned_w;
    record->waiting_wh = queue_sum_wh(cfg, state);

    double due_w = cfg->policy == POLICY_BALLAST
                       ? edges_due_w(cfg, state, scratch, in)
                       : 0.0;
    double total_w = smooth.grid_w - est->load_w - due_w;
    if (cfg->policy == POLICY_NONE) {
        leave_alone(cfg, scratch);
    } else {
        struct shares_ask shares = {in, plan, total_w};
        shares_make(cfg, state, scratch, &shares);
    }
    if (cfg->policy == POLICY_BALLAST && state->resumed) {
        struct pods_ask ask = {
            .discharge_w = -total_w,
            .load_max_w = fmin(scratch->reserve.load_max_w,
                               island_load_w(cfg, scratch, in)),
            .rise_max_w =
                way_rise_max_w(cfg, state, &scratch->caps, smooth.mean_w),
            .later_w = scratch->reserve.later_w,
            .plan = plan};
        pods_shed(cfg, state, scratch, in, &ask, record);
        hold_floors(cfg, state, scratch, in->dt_s, record);
    }
    commands_batteries(cfg, state, scratch, in, out);
    lag_told(cfg, state, est);
    pods_command(cfg, state, out);
    struct node_terms terms = {
        .plan = plan,
        .price_per_kwh = est->price_per_kwh,
        .cheap = est->price_per_kwh <= plan->cheap_per_kwh,
    };
    commands_nodes(cfg, state, in, &terms, out);
    explain(cfg, scratch, &smooth, record);
    if (cfg->policy == POLICY_BALLAST && !scratch->caps.island) {
        reserve_explain(cfg, &scratch->reserve, record);
    }
}

void step(const struct step_cfg *cfg, struct step_state *state,
          struct step_scratch *scratch, const struct snapshot *in,
          const struct plan *plan, struct step_out *out)
{
    assert(in->n_nodes == cfg->site.n_nodes && in->dt_s > 0.0);
    struct tick_record *record = &out->record;
    struct estimate *est = &scratch->est;
    memset(record, 0, sizeof(*record));
    bool believed = state->meter.doubted == 0;
    island_begin(cfg, state, in);
    estimate_make(cfg, state, in, est, record);
    age_batteries(cfg, state, in, est);
    if (state->started && believed != (state->meter.doubted == 0)) {
        /* learnt from what was not so: its measure jumped, not the grid */
        level_init(&state->level);
        level_range_init(&state->range);
        foresee_soon_init(cfg, &foresee_of(cfg, state)->soon);
        pace_init(cfg, state);
        begin_anew(cfg, state, est);
    }
    scratch->caps = caps_now(cfg, in, state->level.level_w);
    if (listening(cfg, state, in, est)) {
        say_nothing(cfg, in, scratch, out);
        return;
    }
    if (freeze_now(cfg, state, in)) {
        struct smooth_out still = {.grid_w = state->smooth.out_w};
        fill_record(in, scratch, &still, record);
        freeze_hold(cfg, state, scratch, in, out);
        return;
    }
    decide(cfg, state, scratch, in, plan, out);
}
