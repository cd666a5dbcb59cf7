/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/checkpoint.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/step/carry_layout.h"
#include "controller/step/foresee.h"
#include "controller/step/step_parts.h"
#include "models/life_check.h"
#include "policies/guard_resume.h"

static const int64_t COUNT_MAX = INT64_C(1) << 52;
static const double POWER_MAX_W = 1e12;

static bool queues_valid(const struct step_state *state)
{
    bool ok = true;
    for (int c = 0; c < SITE_CLASSES_MAX; c++) {
        ok = ok && queue_valid(&state->queues[c]);
    }
    return ok;
}

static bool counts(int64_t n, int64_t from, int64_t to)
{
    return n >= from && n <= to;
}

static bool power(double w)
{
    return fabs(w) <= POWER_MAX_W; /* false for NAN */
}

static bool powers(const double *w, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!power(w[i])) {
            return false;
        }
    }
    return true;
}

static bool power_or_none(double w)
{
    return isnan(w) || power(w);
}

static bool level_valid(const struct level *l)
{
    return power_or_none(l->level_w) && power(l->band_w) &&
           power(l->excursion_w) && power(l->bin_ws) && l->bin_s >= 0.0 &&
           l->bin_s <= 1e6 && powers(l->ring_w, LEVEL_WINDOW) &&
           fabs(l->sum_w) <= POWER_MAX_W * LEVEL_WINDOW &&
           counts(l->n, 0, LEVEL_WINDOW) &&
           counts(l->next, 0, LEVEL_WINDOW - 1) && l->outside_s >= 0.0 &&
           l->outside_s <= 1e9 && counts(l->n_regimes, 0, COUNT_MAX);
}

static bool both_valid(const struct level_both *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (!power(b[i].up_w) || !power(b[i].down_w)) {
            return false;
        }
    }
    return true;
}

/* The age of what never was is infinite. */
static bool late_valid(const struct level_growth *late)
{
    bool ok = true;
    for (int i = 0; ok && i < LEVEL_RANGE_LATE; i++) {
        ok = both_valid(&late[i].by, 1) && late[i].age_s >= 0.0;
    }
    return ok;
}

static bool range_valid(const struct level_range *r)
{
    bool ok = power_or_none(r->hi_w) && power_or_none(r->lo_w) &&
              powers(r->span_hi_w, LEVEL_RANGE_SPANS) &&
              powers(r->span_lo_w, LEVEL_RANGE_SPANS);
    for (int i = 0; ok && i < 2; i++) { /* infinite: none yet */
        ok = !isnan(r->second_hi_w[i]) && !isnan(r->second_lo_w[i]);
    }
    return ok && both_valid(&r->growing, 1) && both_valid(&r->again, 1) &&
           both_valid(&r->once, 1) && both_valid(r->edge, LEVEL_RANGE_HOUR) &&
           both_valid(r->growth, LEVEL_RANGE_HOUR) &&
           both_valid(r->second, LEVEL_RANGE_HOUR) &&
           both_valid(r->left, LEVEL_RANGE_HOUR) &&
           both_valid(r->left_second, LEVEL_RANGE_HOUR) &&
           late_valid(r->late) && r->span_s >= 0.0 && r->second_s >= 0.0 &&
           r->growing_s >= 0.0 && r->hour_s >= 0.0 &&
           counts(r->span, 0, LEVEL_RANGE_SPANS - 1) &&
           counts(r->hour, 0, LEVEL_RANGE_HOUR - 1);
}

static bool lag_valid(const struct smooth_lag *l)
{
    bool ok = counts(l->delay, 0, SMOOTH_LAG_MAX - 1) && l->part > 0.0 &&
              l->part <= 1.0 && power_or_none(l->power_w) &&
              powers(l->sent_w, SMOOTH_LAG_MAX) && l->moved_sq >= 0.0;
    for (int i = 0; ok && i < SMOOTH_LAG_MAX; i++) {
        ok = isfinite(l->along[i]) && l->left_sq[i] >= 0.0;
    }
    return ok && isfinite(l->moved_sq);
}

static bool extreme_valid(const struct window_extreme *w, int64_t span,
                          double sign)
{
    bool ok = w->span == span && !(w->sign < sign) && !(w->sign > sign) &&
              !isnan(w->sign) && counts(w->tick, 0, COUNT_MAX) &&
              counts(w->head, 0, WINDOW_MAX - 1) &&
              counts(w->n, 1, WINDOW_MAX) && powers(w->values, WINDOW_MAX);
    for (int i = 0; ok && i < WINDOW_MAX; i++) {
        ok = counts(w->ticks[i], 0, w->tick);
    }
    return ok;
}

static bool smooth_valid(const struct smooth_cfg *cfg,
                         const struct smooth_state *s)
{
    if (isnan(s->ref_w)) {
        return true; /* the first tick fills all of it */
    }
    int64_t span = cfg->n_window - 1;
    return power(s->ref_w) &&
           fabs(s->sum_w) <= POWER_MAX_W * (double)cfg->n_average &&
           counts(s->n, cfg->n_average + cfg->n_window, 2 * SMOOTH_TICKS) &&
           powers(s->grid_w, 2 * SMOOTH_TICKS) &&
           powers(s->mean_w, 2 * SMOOTH_TICKS) &&
           fabs(s->swing_sum_w) <= POWER_MAX_W * (double)cfg->n_swing &&
           extreme_valid(&s->highest, span, 1.0) &&
           extreme_valid(&s->lowest, span, -1.0) &&
           extreme_valid(&s->swing_highest, cfg->n_window, 1.0) &&
           extreme_valid(&s->swing_lowest, cfg->n_window, -1.0);
}

static bool meter_valid(const struct meter_state *m)
{
    return power_or_none(m->value_w) && power_or_none(m->told_w) &&
           power(m->rest_w) && m->same_s >= 0.0 && m->turned_s >= 0.0 &&
           m->well_s >= 0.0;
}

static bool batteries_valid(const struct step_cfg *cfg,
                            const struct step_state *s)
{
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        double home_pu = s->soc_home_pu[i];
        double track_pu = s->soc_track_pu[i];
        if (!power(s->set_w[i]) || !carry_age_valid(&s->age[i]) ||
            !(isnan(home_pu) || (home_pu >= 0.0 && home_pu <= 1.0)) ||
            !(isnan(track_pu) || (track_pu >= 0.0 && track_pu <= 1.0)) ||
            !life_valid(&s->life[i], cfg->site.batteries[i].chemistry)) {
            return false;
        }
    }
    return true;
}

static bool node_valid(const struct step_cfg *cfg, int fleet,
                       const struct node_state *n)
{
    return power(n->drawn_w) && power(n->compute_w) &&
           power(n->command.compute_w) && power(n->command.charge_w) &&
           carry_node_age_valid(&n->age) &&
           counts(n->plugged, NODE_NOT_SEEN, NODE_SEEN_PLUGGED) &&
           guard_valid(&cfg->guards[fleet], &n->guard) &&
           life_pack_valid(&n->life, cfg->site.fleets[fleet].chemistry);
}

static bool car_valid(const struct bucket_fleet *f, int64_t i)
{
    bool idle = f->charge_w[i] == 0 && f->need_wh[i] == 0;
    return f->start_s[i] >= 0 && f->departs_s[i] >= 0 && f->charge_w[i] >= 0 &&
           f->need_wh[i] >= 0 && (f->start_s[i] != BUCKET_NEVER || idle) &&
           f->works[i].w >= 0 && isfinite(f->works[i].per_kwh);
}

static bool fleets_valid(const struct step_cfg *cfg, const struct step_state *s)
{
    for (int f = 0; f < cfg->site.n_fleets; f++) {
        const struct site_fleet *fleet = &cfg->site.fleets[f];
        struct bucket_fleet cars = cars_in(cfg, s, f);
        if (!power(s->feeder_w[f]) || !power(s->drawn_w[f]) ||
            !power(s->compute_w[f])) {
            return false;
        }
        for (int i = 0; i < fleet->nodes; i++) {
            if (!node_valid(cfg, f, &s->nodes[fleet->first_node + i]) ||
                !car_valid(&cars, i)) {
                return false;
            }
        }
    }
    return true;
}

bool checkpoint_valid(const struct step_cfg *cfg,
                      const struct step_state *state)
{
    struct carry_site site = {state->month, state->interval_ws,
                              state->interval_s, state->interval, 0.0};
    return state->n_nodes == cfg->site.n_nodes && level_valid(&state->level) &&
           range_valid(&state->range) && lag_valid(&state->lag) &&
           smooth_valid(&cfg->smooth, &state->smooth) &&
           shed_valid(&cfg->shed, &state->shed) &&
           floors_valid(&cfg->floors, &state->floors) &&
           share_valid(&cfg->site, &state->share) &&
           meter_valid(&state->meter) && counts(state->nominal, 0, 1) &&
           state->frozen_s >= 0.0 && counts(state->islanded, 0, 1) &&
           (isnan(state->way_w) || power(state->way_w)) &&
           pace_valid(cfg, state->pace_up_w_per_s) &&
           pace_valid(cfg, state->pace_down_w_per_s) &&
           counts(state->behind, 0, 1) && state->back_s >= 0.0 &&
           power(state->demand_w) && power(state->held_w) &&
           power(state->waiting_w) && power(state->beside_w) &&
           state->pods_age_s >= 0.0 &&
           counts(state->seen_slice, 0, cfg->n_looks - 1) &&
           carry_site_valid(&site) && queues_valid(state) &&
           carry_time_valid(state->first_mono_ms) &&
           counts(state->slice, 0, cfg->n_slices - 1) &&
           counts(state->turn, 0, cfg->n_turns - 1) &&
           counts(state->round, 0, COUNT_MAX) && batteries_valid(cfg, state) &&
           fleets_valid(cfg, state) &&
           foresee_valid(cfg, foresee_in(cfg, state));
}

void checkpoint_out(const struct step_cfg *cfg, const struct step_state *state,
                    struct step_out *out)
{
    for (int i = 0; i < cfg->site.n_nodes; i++) {
        out->nodes[i] = state->nodes[i].command;
    }
}
