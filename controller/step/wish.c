/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"
#include "models/clamp.h"
#include "policies/lead.h"

static const double AHEAD_S = 12.0;  /* of edges */
static const double STILL_PU = 0.5;  /* of what is forgiven, to leak */
static const double LEAD_S = 3600.0; /* of announced jobs */
static const double ONCE_PU = 0.3;   /* of what the mean forgives */

/* A growth of the load that came once may be the first of several.  Room for
 * another is kept where it takes little of the ramp, for a large one would make
 * its own way longer by more than stages are worth, and where the batteries
 * have 'left_w' to carry it: else compute is held back for nothing. */
static double once_more_w(double leaks_w, double once_w, double left_w)
{
    return once_w <= fmin(ONCE_PU * leaks_w, left_w) ? once_w : 0.0;
}

/* How far the load may move before the grid can follow: as its range has it,
 * or as foretold for about as long as the ramp is averaged over: a start that
 * was announced, a notch that is due.  Longer would keep room that is not
 * needed yet.  No further than there is load, or are pods to draw it. */
static struct level_both expected(const struct step_cfg *cfg,
                                  const struct step_state *state,
                                  const struct estimate *est,
                                  const struct reserve_now *listed)
{
    const struct level_range *range = &state->range;
    struct level_both e = level_range_ahead(range, est->load_w);
    double gives_w = est->discharge_max_w + est->battery_w;
    double takes_w = est->charge_max_w - est->battery_w;
    double up_w = once_more_w(listed->leaks_w, range->once.up_w, gives_w);
    double down_w = once_more_w(listed->leaks_w, range->once.down_w, takes_w);
    e.up_w = fmax(e.up_w, up_w + fmax(range->hi_w - est->load_w, 0.0));
    e.down_w = fmax(e.down_w, down_w + fmax(est->load_w - range->lo_w, 0.0));
    struct forecast_swing s =
        forecast_swing(&foresee_in(cfg, state)->soon, AHEAD_S);
    if (isfinite(s.edge_up_q90) && isfinite(s.edge_down_q90)) {
        /* nothing is foretold that was neither seen nor announced */
        double seen_w = range->hi_w - range->lo_w;
        up_w = fmin(s.edge_up_q90, fmax(seen_w, listed->rise_w));
        down_w = fmin(s.edge_down_q90, fmax(seen_w, listed->drop_w));
        e.up_w = fmax(e.up_w, up_w);
        e.down_w = fmax(e.down_w, down_w);
    }
    double more_w = cfg->shed.power_max_sum_w - est->pods_w;
    double most_w =
        fmax(more_w * cfg->load_per_pod, state->range.hi_w - est->load_w);
    if (cfg->site.grid.contingencies_given) {
        e.up_w = fmax(e.up_w, listed->rise_w);
        /* what drops may be what runs, however little that is */
        e.down_w = fmax(e.down_w, listed->listed_w);
        e.down_w = fmax(e.down_w, listed->drop_w);
    }
    e.down_w = fmax(e.down_w, listed->ends_w);
    e.up_w = fmax(0.0, fmin(e.up_w, most_w));
    e.down_w = fmax(0.0, fmin(e.down_w, est->load_w));
    if (cfg->site.grid.contingencies_given) {
        /* a battery that trips is an edge, too */
        e.up_w = fmax(e.up_w, listed->trip.rise_w);
        e.down_w = fmax(e.down_w, listed->trip.drop_w);
    }
    return e;
}

/* A job that begins or ends changes the load for good. */
static struct lead_jump jump_of(const struct job_in *job, int64_t utc_ms)
{
    bool lasts = job->event == JOB_START || job->event == JOB_STOP;
    double by_w = job->power_to_w - job->power_from_w;
    bool told = lasts && isfinite(by_w);
    return (struct lead_jump){.in_s = (double)(job->at_ms - utc_ms) / 1e3,
                              .by_w = told ? by_w : 0.0};
}

static double near_jump_w(const struct lead *lead, double near_s)
{
    double jump_w = 0.0;
    for (int64_t i = 0; i < lead->n && lead->jumps[i].in_s <= near_s; i++) {
        jump_w += lead->jumps[i].in_s > 0.0 ? lead->jumps[i].by_w : 0.0;
    }
    return jump_w;
}

/* What leaks of a large jump takes all that the mean forgives: the grid stands
 * still before one, until its mean does. */
static double stand_still_w(const struct step_state *state,
                            const struct reserve_now *e, double jump_w,
                            double ahead_w)
{
    if (fabs(jump_w) <= STILL_PU * e->leaks_w || isnan(state->smooth.ref_w)) {
        return ahead_w;
    }
    double is_w = state->smooth.ref_w - state->level.level_w;
    return clamp(ahead_w, fmin(is_w, 0.0), fmax(is_w, 0.0));
}

/* How far the grid goes ahead of announced jobs, as far as the batteries cover
 * the other edges meanwhile.  Their own pass in part before a battery answers:
 * not over the breaker's limit, nor into an export that is not allowed. */
static double lead_now_w(const struct step_cfg *cfg,
                         const struct step_state *state,
                         const struct step_scratch *scratch,
                         const struct snapshot *in)
{
    struct lead lead = {.n = 0};
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        if (in->jobs[i].seq == 0) {
            continue;
        }
        struct lead_jump jump = jump_of(&in->jobs[i], in->utc_ms);
        if (fabs(jump.by_w) > 0.0 && jump.in_s <= LEAD_S) {
            lead_add(&lead, jump);
        }
    }
    double rise_w = 0.0;
    double drop_w = 0.0;
    for (int64_t i = 0; i < lead.n; i++) {
        rise_w = fmax(rise_w, lead.jumps[i].by_w);
        drop_w = fmax(drop_w, -lead.jumps[i].by_w);
    }
    const struct site_grid *grid = &cfg->site.grid;
    const struct reserve_now *e = &scratch->reserve;
    double level_w = state->level.level_w;
    double over_w = fmax(grid->import_trip_w - level_w - rise_w, 0.0);
    double under_w = fmax(level_w - drop_w + scratch->caps.export_w, 0.0);
    double ahead_w = lead_w(&lead, grid->ramp_max_w_per_s);
    double jump_w = near_jump_w(&lead, 2.0 * grid->ramp_average_s);
    return clamp(stand_still_w(state, e, jump_w, ahead_w),
                 -fmin(-e->lead_lo_w, under_w), fmin(e->lead_hi_w, over_w));
}

/* The batteries' place for edges comes before what plan and recentring want,
 * a listed drop of the load must not make the site export, and charging must
 * not bring the edges of the load, which pass before a battery answers, over
 * the breaker's limit. */
static double target_of(const struct site_grid *grid,
                        const struct step_state *state,
                        const struct step_scratch *scratch, double shift_w)
{
    const struct reserve_now *e = &scratch->reserve;
    double export_w = scratch->caps.export_w;
    double level_w = state->level.level_w;
    shift_w = clamp(shift_w, e->shift_lo_w, e->shift_hi_w);
    double ahead_w = scratch->lead_w;
    if (ahead_w > 0.0) {
        shift_w = fmax(shift_w, ahead_w);
    } else if (ahead_w < 0.0) {
        shift_w = fmin(shift_w, ahead_w);
    }
    double w = level_w + shift_w;
    if (isfinite(e->stays_w)) {
        double floor_w = e->drop_w - export_w;
        w = fmin(fmax(w, fmin(floor_w, level_w)), e->grid_max_w);
    }
    double edge_w =
        fmax(scratch->ahead.up_w, level_range_edges(&state->range).up_w);
    double room_w = grid->import_trip_w - edge_w;
    double unplanned_w = w - fmax(scratch->planned_w, 0.0);
    return fmin(w, fmax(room_w, fmax(level_w, unplanned_w)));
}

struct smooth_in wish_make(const struct step_cfg *cfg,
                           const struct step_state *state,
                           struct step_scratch *scratch,
                           const struct snapshot *in, const struct plan *plan)
{
    const struct estimate *est = &scratch->est;
    reserve_find(cfg, state, in, est, &scratch->reserve);
    scratch->ahead = expected(cfg, state, est, &scratch->reserve);
    double shift_w = track_plan(cfg, state, scratch, in, plan);
    scratch->lead_w = lead_now_w(cfg, state, scratch, in);
    double target_w = target_of(&cfg->site.grid, state, scratch, shift_w);
    if (cfg->policy == POLICY_LIMITER) {
        target_w = est->load_w;
    }
    scratch->target_w = target_w;
    return (struct smooth_in){
        .grid_w = est->grid_w,
        .target_w = target_w,
        .load_w = est->load_w,
        .rise_w = scratch->ahead.up_w,
        .drop_w = scratch->ahead.down_w,
        .lag = &state->lag,
        .floor_w = scratch->caps.floor_w,
        .cap_w = scratch->caps.import_w,
        .urgent = scratch->caps.urgent,
    };
}
