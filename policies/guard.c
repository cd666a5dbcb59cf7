/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/guard.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "policies/guard_limits.h"

void guard_init(struct guard_cfg *cfg, const struct guard_terms *terms)
{
    assert(terms->consumption_wh_per_km > 0.0 && terms->end_loss_pu > 0.0);
    *cfg = (struct guard_cfg){
        .terms = *terms,
        .thermal = thermal_of_pack(terms->pack_wh),
    };
    life_slope_init(&cfg->wear, terms->chemistry);
    const struct thermal_cfg *t = &cfg->thermal;
    double settled_k = thermal_rise_settled(t, terms->compute_w);
    double soon_k = thermal_rise(t, 0.0, terms->compute_w, GUARD_OUTLOOK_S);
    cfg->warm_up_pu = soon_k / settled_k;
    cfg->k_per_w = settled_k / terms->compute_w;
    cfg->linger_days = 1.0 / (t->rest.per_s * GUARD_DAY_S);
    double lost_h = (GUARD_PACK_MAX_AGE_MS / 1e3 + GUARD_LEASE_S) / 3600.0;
    cfg->lost_wh = terms->compute_w * lost_h;
    cfg->pu_per_wh = GUARD_PACK_OVERHEAD / terms->pack_wh;
    cfg->k_per_wh = thermal_rise_k_per_h(t, 1.0);
    cfg->lost_pu = cfg->lost_wh * GUARD_PACK_OVERHEAD /
                   (GUARD_SOH_MIN_PU * terms->pack_wh);
    cfg->carry_km = GUARD_CARRY_KM_PU * terms->virtual_km_per_year;
    cfg->km_per_day =
        (terms->virtual_km_per_year - cfg->carry_km) / GUARD_YEAR_DAYS;
    cfg->cur_per_ppm = terms->replacement_per_kwh * terms->pack_wh / 1e3 /
                       terms->end_loss_pu * 1e-6;
}

double guard_lease_s(void)
{
    return GUARD_LEASE_S;
}

/* What the computer draws, as it says; else what it was last allowed. */
static double drawn_w(const struct guard_cfg *cfg,
                      const struct guard_state *state,
                      const struct guard_now *now)
{
    const struct node_in *n = now->node;
    if (guard_fresh(now->mono_ms, n->agent_mono_ms, GUARD_AGENT_MAX_AGE_MS) &&
        guard_in_range(n->compute_w, 0.0, 2.0 * cfg->terms.compute_w)) {
        return n->compute_w;
    }
    return now->mono_ms <= state->lease_mono_ms ? state->lease_w : 0.0;
}

static void charge_loss(const struct guard_cfg *cfg, struct guard_state *state,
                        double loss_ppm)
{
    double ppm = guard_most(loss_ppm, 0.0);
    state->budget_ppm -= ppm;
    state->ledger.loss_ppm += ppm;
    state->ledger.owed_cur += ppm * cfg->cur_per_ppm;
}

/* What an owner is paid for a kWh. */
static double paid_per_kwh(const struct guard_cfg *cfg,
                           const struct guard_now *now)
{
    double agreed = cfg->terms.energy_per_kwh;
    double per_kwh = isnan(agreed) ? now->energy_per_kwh : agreed;
    return guard_in_range(per_kwh, 0.0, 1e3) ? per_kwh : 0.0;
}

double guard_energy_per_kwh(const struct guard_cfg *cfg,
                            const struct guard_now *now)
{
    bool plugged = now->node->flags & NODE_PLUGGED;
    if (plugged && cfg->terms.behind_poi) {
        return isfinite(now->energy_per_kwh) ? now->energy_per_kwh : 0.0;
    }
    return paid_per_kwh(cfg, now) * (plugged ? 1.0 : GUARD_PACK_OVERHEAD);
}

/* 'wh' of compute turn out to have come from the pack. */
static void book_pack(const struct guard_cfg *cfg, struct guard_state *state,
                      const struct guard_now *now, double wh)
{
    if (wh <= 0.0) {
        return;
    }
    double pack_wh = wh * GUARD_PACK_OVERHEAD;
    struct guard_ledger *l = &state->ledger;
    l->pack_wh += pack_wh;
    l->virtual_km += guard_km(cfg, pack_wh);
    state->spent_km += guard_km(cfg, pack_wh);
    /* elsewhere the compute itself is paid for already */
    double unpaid_wh = cfg->terms.behind_poi ? pack_wh : pack_wh - wh;
    l->owed_cur += unpaid_wh / 1e3 * paid_per_kwh(cfg, now);
    /* What else may have emptied the pack meanwhile is not compute's. */
    double mine_pu = pack_wh / (GUARD_SOH_MIN_PU * cfg->terms.pack_wh);
    double soc_pu = guard_most(now->node->soc_pu, state->soc_news_pu - mine_pu);
    charge_loss(cfg, state,
                life_slope_ppm_per_efc(&cfg->wear, 1.0 - soc_pu) * pack_wh /
                    cfg->terms.pack_wh);
}

static void restart_watch(struct guard_state *state, double soc_pu)
{
    state->soc_ref_pu = soc_pu;
    state->unsure_wh = 0.0;
}

/* The car speaks of its pack: where did the energy since the last time come
 * from?  A pack that empties at the plug feeds the computer all the same. */
static void hear_pack(const struct guard_cfg *cfg, struct guard_state *state,
                      const struct guard_now *now)
{
    const struct node_in *n = now->node;
    double wh = state->unseen_wh;
    double drop_pu = state->soc_ref_pu - n->soc_pu;
    state->unseen_wh = 0.0;
    state->unsure_wh = guard_least(state->unsure_wh, guard_drain_wh(cfg)) + wh;
    if (!(n->flags & NODE_PLUGGED)) {
        book_pack(cfg, state, now, wh);
        restart_watch(state, n->soc_pu);
    } else if (drop_pu > GUARD_DRAIN_PU) {
        double drop_wh = drop_pu * cfg->terms.pack_wh / GUARD_PACK_OVERHEAD;
        book_pack(cfg, state, now, guard_least(drop_wh, state->unsure_wh));
        restart_watch(state, n->soc_pu);
    } else if (drop_pu <= 0.0) {
        restart_watch(state, n->soc_pu);
    }
    state->pack_mono_ms = n->pack_mono_ms;
    state->soc_news_pu = n->soc_pu;
}

static double warm_c(const struct guard_cfg *cfg, const struct guard_now *now,
                     double from_c, const struct thermal_in *in)
{
    return now->stride != NULL
               ? thermal_step_by(&cfg->thermal, now->stride, from_c, in)
               : thermal_step(&cfg->thermal, from_c, in);
}

/* The pack with compute, as modelled, and without. */
static void follow_heat(const struct guard_cfg *cfg, struct guard_state *state,
                        const struct guard_now *now, double w, double dt_s)
{
    const struct node_in *n = now->node;
    if (guard_in_range(n->ambient_c, GUARD_POSSIBLE_MIN_C,
                       GUARD_POSSIBLE_MAX_C)) {
        state->ambient_c = n->ambient_c;
    }
    if (w > 0.0 || state->rise_k > 0.0) {
        struct thermal_in heat = {.coolant_heat_w = w, .dt_s = dt_s};
        state->rise_k = warm_c(cfg, now, state->rise_k, &heat);
    }
    bool possible =
        guard_in_range(n->pack_c, GUARD_POSSIBLE_MIN_C, GUARD_POSSIBLE_MAX_C);
    if (w <= 0.0 && state->rise_k < GUARD_REST_K) {
        state->rise_k = 0.0;
        state->rest_c = possible ? n->pack_c : state->rest_c;
        return;
    }
    double charge_w = guard_in_range(n->charge_w, 0.0, GUARD_POSSIBLE_W)
                          ? n->charge_w * GUARD_CHARGE_HEAT_PU
                          : 0.0;
    struct thermal_in in = {.ambient_c = state->ambient_c,
                            .coolant_heat_w = charge_w,
                            .dt_s = dt_s};
    state->rest_c = warm_c(cfg, now, state->rest_c, &in);
}

/* What the rise costs; the worst pack there is where it is not known. */
static double heat_ppm_per_day(const struct guard_cfg *cfg,
                               const struct node_in *n, double rise_k)
{
    if (rise_k <= 0.0) {
        return 0.0;
    }
    double soc_pu = guard_in_range(n->soc_pu, 0.0, 1.0) ? n->soc_pu : 1.0;
    return life_slope_heat_ppm_per_day(&cfg->wear, soc_pu, n->pack_c, rise_k);
}

static void begin(const struct guard_cfg *cfg, struct guard_state *state,
                  const struct guard_now *now)
{
    const struct node_in *n = now->node;
    state->mono_ms = now->mono_ms;
    state->budget_ppm += cfg->terms.budget_ppm_per_day;
    state->rest_c = n->pack_c;
    state->ambient_c = n->pack_c;
    state->soc_ref_pu = n->soc_pu;
    state->soc_news_pu = n->soc_pu;
    state->pack_mono_ms = n->pack_mono_ms;
}

void guard_fill(const struct guard_cfg *cfg, struct guard_state *state)
{
    state->budget_ppm = GUARD_CARRY_DAYS * cfg->terms.budget_ppm_per_day;
    state->spent_km = 0.0;
}

/* What 'days' bring to both accounts. */
static void give(const struct guard_cfg *cfg, struct guard_state *state,
                 double days)
{
    double grant_ppm = cfg->terms.budget_ppm_per_day;
    state->budget_ppm = guard_least(state->budget_ppm + grant_ppm * days,
                                    GUARD_CARRY_DAYS * grant_ppm);
    state->spent_km = guard_most(state->spent_km - cfg->km_per_day * days, 0.0);
}

void guard_step(const struct guard_cfg *cfg, struct guard_state *state,
                const struct guard_now *now)
{
    const struct node_in *n = now->node;
    if (state->mono_ms == 0) {
        if (guard_knows(now) && guard_possible(cfg, now)) {
            begin(cfg, state, now);
        }
        return;
    }
    double w = drawn_w(cfg, state, now);
    double dt_s = (double)(now->mono_ms - state->mono_ms) / 1e3;
    dt_s = guard_least(guard_most(dt_s, 0.0), GUARD_LEASE_S);
    state->mono_ms =
        now->mono_ms > state->mono_ms ? now->mono_ms : state->mono_ms;

    double wh = w * dt_s / 3600.0;
    state->ledger.compute_wh += wh;
    state->ledger.awake_h += w > 0.0 ? dt_s / 3600.0 : 0.0;
    state->unseen_wh += wh;
    if (!cfg->terms.behind_poi) {
        state->ledger.owed_cur += wh / 1e3 * paid_per_kwh(cfg, now);
    }

    double before_k = state->rise_k;
    follow_heat(cfg, state, now, w, dt_s);
    give(cfg, state, dt_s / GUARD_DAY_S);
    double mean_k = 0.5 * (before_k + state->rise_k);
    charge_loss(cfg, state,
                heat_ppm_per_day(cfg, n, mean_k) * dt_s / GUARD_DAY_S);
    bool news =
        n->pack_mono_ms != state->pack_mono_ms || !(n->flags & NODE_PLUGGED);
    bool spoke = n->pack_mono_ms > 0; /* in this run of the controller */
    if (spoke && news && guard_in_range(n->soc_pu, 0.0, 1.0)) {
        hear_pack(cfg, state, now);
    }
}

void guard_grant(struct guard_state *state, const struct guard_now *now,
                 double compute_w)
{
    state->computing = compute_w > 0.0;
    if (state->computing) {
        state->lease_mono_ms = now->mono_ms + (int64_t)(GUARD_LEASE_S * 1e3);
        state->lease_w = compute_w;
    } else if (now->mono_ms > state->lease_mono_ms) {
        state->lease_w = 0.0;
    }
}

double guard_price_per_kwh(const struct guard_cfg *cfg,
                           const struct guard_now *now)
{
    const struct node_in *n = now->node;
    if (!guard_knows(now)) {
        return INFINITY;
    }
    /* K days that a kWh leaves behind, priced by the slope where it is. */
    double k_days = cfg->k_per_w * 1e3 / 24.0;
    double ppm = k_days * heat_ppm_per_day(cfg, n, 1.0);
    if (!(n->flags & NODE_PLUGGED)) {
        ppm += life_slope_ppm_per_efc(&cfg->wear, 1.0 - n->soc_pu) *
               GUARD_PACK_OVERHEAD * 1e3 / cfg->terms.pack_wh;
    }
    return guard_most(ppm, 0.0) * cfg->cur_per_ppm;
}
