/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "controller/step/step_parts.h"

/* Back to the plan's energy, and to where it started without a plan. */
static const double RECENTRE_S = 3.0 * 3600.0;
static const double KEPT_S = 1800.0;   /* what smoothing needs is back sooner */
static const double RECENTRE_PU = 0.1; /* of the power at most */
/* Where nothing is planned it puts the grid on the wrong side of a stop that
 * may follow a start: it takes no more than that of such an edge, or of the
 * power where none was seen. */
static const double WRONG_PU = 0.01;
static const double SLOW_PU = 0.005;
static const double LOSSES_PU = 0.005; /* of the load */
/* A peak is held a little lower: what leaks past the batteries counts too. */
static const double PEAK_PU = 0.9995;
/* What an interval has left over is made up for before it ends, by that much
 * above the peak at most: a mean that is never passed is never reached either,
 * and each kW below it is as much less to charge with. */
static const double MAKES_UP_PU = 0.01;
static const double LAST_S = 60.0; /* of an interval: late for large moves */
/* The grid sets out for a slot by that much early at most. */
static const double WAY_S = 1200.0;
/* A plan whose grid stands at the peak means the grid, not the batteries: when
 * the load is below what was forecast they charge with the rest, or give that
 * much less.  Else what is above costs charge, what is below gives none back,
 * and the batteries are never as full as planned. */
static const double FILLS_PU = 0.99;
static const double MEANT_PU = 1e-3; /* of their power: they are to move */
static const double SURE_S = 3600.0; /* of prices, to give less */
/* Likewise where it stands as low as it may, within that part of their power:
 * they give all that the load takes. */
static const double DRAINS_PU = 0.01;
static const double REST_PU = 0.01; /* of the power: nothing is planned */
/* Of the energy above the low end of the window: what comes back whatever that
 * costs, what is smoothing's alone, and over what more a peak is given up;
 * below the high end, what is smoothing's alone: the same where work that was
 * put off may end at once.  The plan stays off all of it
 * (policies/plan_groups.c). */
static const double BACK_PU = 0.01;
static const double KEEP_PU = 0.03;
static const double FADE_PU = 0.02;
static const double FULL_PU = 0.02;

/* What the plan asks of the batteries now. */
struct wanted {
    double power_w;   /* + charge */
    double stored_wh; /* energy that should be in them */
    double peak_w;    /* mean of a demand interval not to be passed */
    bool fills;       /* they take all that is left below that */
    bool drains;      /* they give all that the load takes */
};

/* The slot whose power the grid should be on its way to: half of the way lies
 * before its begin, so that as much is moved too early as too late.  Not where
 * prices are known as they come only: a dear quarter of an hour is often
 * followed by another, though none was expected.  Nor where work is put off
 * from a slot's begin on: that edge takes the ramp for itself. */
static int slot_ahead(const struct step_cfg *cfg,
                      const struct step_state *state, const struct snapshot *in,
                      const struct plan *plan, int slot)
{
    if (cfg->any_waits) {
        return slot;
    }
    int ahead = slot;
    double in_s = (double)(plan_slot_ms(plan, slot) - in->utc_ms) / 1e3;
    for (int k = slot + 1; k < plan->n_sure; k++) {
        in_s += plan->step_s[k - 1];
        if (in_s > WAY_S) {
            break;
        }
        double by_w = plan->battery_w[k] - plan->battery_w[slot];
        if (by_w * (plan->battery_w[ahead] - plan->battery_w[slot]) < 0.0) {
            break; /* the other way: after that */
        }
        double pace_w_per_s =
            by_w > 0.0 ? state->pace_up_w_per_s : state->pace_down_w_per_s;
        ahead = in_s <= 0.5 * fabs(by_w) / pace_w_per_s ? k : ahead;
    }
    return ahead;
}

/* Whether the batteries are to move with the load from 'slot' on.  What they do
 * not give can be given later where later prices are known; where they are not,
 * it may have been the dearest hour. */
static bool means_grid(const struct plan *plan, int slot,
                       const struct estimate *est)
{
    double power_w = plan->battery_w[slot];
    double sure_s = 0.0;
    for (int k = slot; k < plan->n_sure && sure_s < SURE_S; k++) {
        sure_s += plan->step_s[k];
    }
    return power_w > MEANT_PU * est->charge_max_w ||
           (power_w < -MEANT_PU * est->discharge_max_w && sure_s >= SURE_S);
}

/* Nothing, and the energy that they started with, without a plan. */
static struct wanted plan_now(const struct step_cfg *cfg,
                              const struct step_state *state,
                              const struct step_scratch *scratch,
                              const struct snapshot *in,
                              const struct plan *plan)
{
    const struct estimate *est = &scratch->est;
    bool costs = cfg->site.grid.demand_charge_per_kw > 0.0;
    int slot = in->tick >= plan->from_tick ? plan_slot(plan, in->utc_ms) : -1;
    if (slot < 0) {
        return (struct wanted){.stored_wh = est->home_wh,
                               .peak_w =
                                   costs ? state->month.peak_w : INFINITY};
    }
    int ahead = slot_ahead(cfg, state, in, plan, slot);
    double into_s = (double)(in->utc_ms - plan_slot_ms(plan, slot)) / 1e3;
    double end_pu = plan->soc_pu[slot];
    double power_w = plan->battery_w[ahead];
    struct wanted w = {.power_w = power_w,
                       .stored_wh = end_pu * est->usable_wh,
                       .peak_w = costs ? plan->peak_w : INFINITY};
    w.fills = means_grid(plan, ahead, est) &&
              plan->grid_w[ahead] >= FILLS_PU * w.peak_w;
    w.drains = power_w < -REST_PU * est->discharge_max_w &&
               plan->grid_w[ahead] <=
                   scratch->caps.floor_w + DRAINS_PU * est->discharge_max_w;
    if (ahead > slot) {
        w.stored_wh = est->track_wh; /* it leaves the plan's energy */
    } else if (slot > 0) {
        double begin_pu = plan->soc_pu[slot - 1];
        double part = into_s / plan->step_s[slot];
        w.stored_wh = (begin_pu + part * (end_pu - begin_pu)) * est->usable_wh;
    } else if (fabs(power_w) > 0.0) {
        w.stored_wh = est->track_wh; /* the first slot starts where it is */
    }
    return w;
}

/* Brings the stored energy to what is wanted. */
static double follow_w(const struct step_state *state,
                       const struct estimate *est, const struct wanted *wanted)
{
    double power_w = fmin(est->charge_max_w, est->discharge_max_w);
    double most_w = RECENTRE_PU * power_w;
    if (!(fabs(wanted->power_w) > 0.0)) {
        struct level_both edge = level_range_edges(&state->range);
        double edge_w = fmax(edge.up_w, edge.down_w);
        most_w = fmin(most_w, fmax(WRONG_PU * edge_w, SLOW_PU * power_w));
    }
    double w = (wanted->stored_wh - est->track_wh) * 3600.0 / RECENTRE_S;
    return fmax(-most_w, fmin(w, most_w));
}

/* The grid's power over the rest of the demand interval that holds its mean at
 * the peak. */
static double peak_left_w(const struct step_cfg *cfg,
                          const struct step_state *state, double peak_w)
{
    double hold_w = PEAK_PU * peak_w;
    double whole_s = cfg->site.grid.demand_interval_s;
    double left_s = fmax(whole_s - state->interval_s, LAST_S);
    double rest_ws = hold_w * (state->interval_s + left_s) - state->interval_ws;
    return fmin((1.0 + MAKES_UP_PU) * hold_w, rest_ws / left_s);
}

/* Energy at the ends of the windows of the usable batteries. */
struct ends {
    double back_wh; /* below it even a peak does not keep it from coming back */
    double keep_wh; /* below it all is kept for smoothing */
    double fade_wh; /* above it nothing is */
    double full_wh; /* above it all is */
};

static struct ends ends_of(const struct step_cfg *cfg,
                           const struct estimate *est)
{
    struct ends e = {0.0, 0.0, 0.0, 0.0};
    double full_pu = cfg->any_waits ? KEEP_PU : FULL_PU;
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct site_battery *b = &cfg->site.batteries[i];
        if (est->batteries[i].usable) {
            double low_wh = b->soc_min_pu * b->energy_wh + b->reserve_wh;
            e.back_wh += low_wh + BACK_PU * b->energy_wh;
            e.keep_wh += low_wh + KEEP_PU * b->energy_wh;
            e.fade_wh += low_wh + (KEEP_PU + FADE_PU) * b->energy_wh;
            e.full_wh += (b->soc_max_pu - full_pu) * b->energy_wh;
        }
    }
    return e;
}

/* Charging makes no new peak, and a peak is held as long as there is energy
 * for that: what smoothing needs at the low end comes before the peak. */
static double below_peak_w(const struct step_cfg *cfg,
                           const struct step_state *state,
                           const struct estimate *est, double free_w, double w)
{
    struct ends e = ends_of(cfg, est);
    double width_wh = e.fade_wh - e.keep_wh;
    double part =
        width_wh > 0.0
            ? fmax(0.0, fmin((est->track_wh - e.keep_wh) / width_wh, 1.0))
            : 0.0;
    double least_w = LOSSES_PU * fabs(state->level.level_w);
    double held_w = fmin(w, fmax(free_w, 0.0));
    if (free_w < 0.0) {
        held_w = fmin(w, part * free_w);
    }
    if (est->track_wh < e.back_wh) {
        double back_w = (e.back_wh - est->track_wh) * 3600.0 / KEPT_S;
        held_w = fmax(held_w, fmin(fmax(back_w, least_w),
                                   RECENTRE_PU * est->charge_max_w));
    }
    return held_w;
}

/* The grid takes over from the batteries no faster than it gets on, and P^2 by
 * twice that pace is moved meanwhile: no more power than what is left of the
 * energy allows. */
static double can_return_w(const struct step_cfg *cfg,
                           const struct step_state *state,
                           const struct estimate *est, double w)
{
    double up = state->pace_up_w_per_s;
    double down = state->pace_down_w_per_s;
    if (!isfinite(up) || !isfinite(down)) {
        return w;
    }
    struct ends e = ends_of(cfg, est);
    double left_ws = 3600.0 * fmax(est->track_wh - e.keep_wh, 0.0);
    double room_ws = 3600.0 * fmax(e.full_wh - est->track_wh, 0.0);
    return fmax(-sqrt(2.0 * up * left_ws), fmin(w, sqrt(2.0 * down * room_ws)));
}

double track_plan(const struct step_cfg *cfg, const struct step_state *state,
                  struct step_scratch *scratch, const struct snapshot *in,
                  const struct plan *plan)
{
    const struct estimate *est = &scratch->est;
    struct wanted wanted = plan_now(cfg, state, scratch, in, plan);
    double w = wanted.power_w + follow_w(state, est, &wanted);
    double free_w =
        peak_left_w(cfg, state, wanted.peak_w) - state->level.level_w;
    if (wanted.fills) {
        bool gives = wanted.power_w < 0.0;
        double fill_w = fmin(free_w, gives ? 0.0 : est->charge_max_w);
        wanted.power_w = fmax(wanted.power_w, fill_w);
        w = fmax(w, fill_w);
    }
    if (wanted.drains) {
        double all_w = fmin(scratch->caps.floor_w - state->level.level_w, 0.0);
        double drain_w = fmax(all_w, -est->discharge_max_w);
        wanted.power_w = fmin(wanted.power_w, drain_w);
        w = fmin(w, drain_w);
    }
    w = can_return_w(cfg, state, est, w);
    scratch->peak_w = INFINITY;
    if (isfinite(wanted.peak_w)) {
        double held_w = below_peak_w(cfg, state, est, free_w, w);
        bool holds = held_w < w - LOSSES_PU * fabs(state->level.level_w);
        scratch->peak_w = holds ? wanted.peak_w : INFINITY;
        w = held_w;
    }
    scratch->planned_w = wanted.power_w;
    return w;
}
