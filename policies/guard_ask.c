/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guard's answers: vetoes, then the budget. */
#include <math.h>

#include "policies/guard_limits.h"

/* What a veto may look at. */
struct question {
    const struct guard_cfg *cfg;
    const struct guard_state *state;
    const struct guard_now *now;
    double want_w;
};

bool guard_hears(const struct node_in *node, int64_t mono_ms)
{
    return (node->flags & NODE_ONLINE) &&
           guard_fresh(mono_ms, node->agent_mono_ms, GUARD_AGENT_MAX_AGE_MS);
}

bool guard_hears_pack(const struct node_in *node, int64_t mono_ms)
{
    return guard_fresh(mono_ms, node->pack_mono_ms, GUARD_PACK_MAX_AGE_MS);
}

bool guard_knows(const struct guard_now *now)
{
    const struct node_in *n = now->node;
    return guard_hears(n, now->mono_ms) && guard_hears_pack(n, now->mono_ms) &&
           !isnan(n->soc_pu) && !isnan(n->pack_c);
}

static bool unknown_or_in(double x, double lo, double hi)
{
    return isnan(x) || guard_in_range(x, lo, hi);
}

bool guard_possible(const struct guard_cfg *cfg, const struct guard_now *now)
{
    const struct node_in *n = now->node;
    double computer_w = 2.0 * cfg->terms.compute_w;
    return guard_in_range(n->soc_pu, 0.0, 1.0) &&
           guard_in_range(n->pack_c, GUARD_POSSIBLE_MIN_C,
                          GUARD_POSSIBLE_MAX_C) &&
           unknown_or_in(n->ambient_c, GUARD_POSSIBLE_MIN_C,
                         GUARD_POSSIBLE_MAX_C) &&
           unknown_or_in(n->compute_w, 0.0, computer_w) &&
           unknown_or_in(n->compute_avail_w, 0.0, computer_w) &&
           unknown_or_in(n->charge_w, 0.0, GUARD_POSSIBLE_W) &&
           unknown_or_in(n->energy_wh, 0.0, 2.0 * cfg->terms.pack_wh) &&
           (!(n->flags & NODE_HAS_DEPARTURE) ||
            unknown_or_in(n->departs_soc_pu, 0.0, 1.0));
}

/* Floor without the spread of its hysteresis. */
static double floor_pu(const struct guard_cfg *cfg, const struct node_in *n)
{
    bool set = (n->flags & NODE_HAS_DEPARTURE) && !isnan(n->departs_soc_pu);
    double need_pu = set ? n->departs_soc_pu : GUARD_FLOOR_UNSET_PU;
    return guard_most(need_pu, GUARD_FLOOR_PU) + cfg->lost_pu;
}

double guard_floor_pu(const struct guard_cfg *cfg, const struct node_in *node)
{
    return floor_pu(cfg, node) + GUARD_FLOOR_SPREAD_PU;
}

static bool is_stale(const struct question *q)
{
    return !guard_knows(q->now);
}

/* Nothing has been booked yet: neither heat nor budget is known. */
static bool is_new(const struct question *q)
{
    return q->state->mono_ms == 0;
}

static bool is_impossible(const struct question *q)
{
    return !guard_possible(q->cfg, q->now) ||
           !guard_in_range(q->want_w, 0.0, q->cfg->terms.compute_w);
}

static bool has_alarm(const struct question *q)
{
    return q->now->node->flags & NODE_ALARM;
}

static bool is_in_use(const struct question *q)
{
    return !(q->now->node->flags & NODE_PARKED);
}

static bool is_unplugged(const struct question *q)
{
    return !(q->now->node->flags & NODE_PLUGGED) && !q->cfg->terms.from_pack;
}

static bool disagrees(const struct question *q)
{
    return !(q->now->node->flags & NODE_CONSENT);
}

static bool needs_its_charge(const struct question *q)
{
    const struct node_in *n = q->now->node;
    return n->soc_pu < (q->state->computing ? floor_pu(q->cfg, n)
                                            : guard_floor_pu(q->cfg, n));
}

static bool is_cold(const struct question *q)
{
    double limit_c = q->state->computing ? GUARD_COLD_C : GUARD_COLD_BEGIN_C;
    /* "not above": 5 degrees are too cold to begin and to go on */
    return !(q->now->node->pack_c > limit_c);
}

/* What compute will still add within the outlook. */
static double to_come_k(const struct question *q)
{
    double settled_k = q->cfg->k_per_w * q->want_w;
    return guard_most(settled_k - q->state->rise_k, 0.0) * q->cfg->warm_up_pu;
}

static bool is_hot(const struct question *q)
{
    double limit_c = q->state->computing ? GUARD_HOT_C : GUARD_HOT_BEGIN_C;
    return q->now->node->pack_c + to_come_k(q) > limit_c;
}

/* By the model, and by what the pack has gained over one left alone. */
static bool is_heating(const struct question *q)
{
    double limit_k = q->state->computing ? GUARD_RISE_K : GUARD_RISE_BEGIN_K;
    double seen_k = q->now->node->pack_c - q->state->rest_c;
    double rise_k = guard_most(q->state->rise_k, seen_k);
    return rise_k + to_come_k(q) > limit_k ||
           q->cfg->k_per_wh * q->want_w > GUARD_RISE_K_PER_H;
}

static bool draws_hard(const struct question *q)
{
    return q->want_w * q->cfg->pu_per_wh > GUARD_PACK_MAX_C_RATE;
}

/* Compute that may yet turn out to have come from the pack, most of all if the
 * charger is lost now. */
static double at_risk_wh(const struct question *q)
{
    return q->cfg->lost_wh + q->state->unseen_wh +
           guard_least(q->state->unsure_wh, guard_drain_wh(q->cfg));
}

static bool has_driven_enough(const struct question *q)
{
    double km = guard_km(q->cfg, at_risk_wh(q) * GUARD_PACK_OVERHEAD);
    double spread_km = q->state->computing ? 0.0 : q->cfg->km_per_day / 24.0;
    double left_km = q->cfg->carry_km - q->state->spent_km;
    return left_km < km + spread_km;
}

/* Enough must be left for all that this lease can still cost: the heat until
 * it has died away, and the pack's own energy at risk. */
static bool has_spent_its_budget(const struct question *q)
{
    const struct guard_cfg *cfg = q->cfg;
    double lease_h = GUARD_LEASE_S / 3600.0;
    double rise_k = q->state->rise_k + cfg->k_per_wh * q->want_w * lease_h;
    double heat_ppm = cfg->wear.steepest * rise_k *
                      (cfg->linger_days + GUARD_LEASE_S / GUARD_DAY_S);
    double pack_pu = at_risk_wh(q) * cfg->pu_per_wh;
    double depth_pu = 1.0 - q->now->node->soc_pu + pack_pu / GUARD_SOH_MIN_PU;
    double pack_ppm = life_slope_ppm_per_efc(&cfg->wear, depth_pu) * pack_pu;
    double spread_ppm =
        q->state->computing ? 0.0 : cfg->terms.budget_ppm_per_day / 24.0;
    return q->state->budget_ppm < heat_ppm + pack_ppm + spread_ppm;
}

/* In the order in which they are told. */
#define VETO_LIST(X)                            \
    X(is_stale, REASON_NODE_STALE)              \
    X(is_impossible, REASON_NODE_IMPLAUSIBLE)   \
    X(is_new, REASON_NODE_STALE)                \
    X(has_alarm, REASON_NODE_ALARM)             \
    X(is_in_use, REASON_NODE_IN_USE)            \
    X(is_unplugged, REASON_NODE_UNPLUGGED)      \
    X(disagrees, REASON_NODE_NO_CONSENT)        \
    X(needs_its_charge, REASON_NODE_DEPARTURE)  \
    X(is_cold, REASON_NODE_COLD)                \
    X(is_hot, REASON_NODE_HOT)                  \
    X(is_heating, REASON_NODE_HEATING)          \
    X(draws_hard, REASON_NODE_RATE)             \
    X(has_spent_its_budget, REASON_NODE_BUDGET) \
    X(has_driven_enough, REASON_NODE_KM)

/* No table of functions: a million packs ask, and all but the last of the
 * answers are mostly no. */
enum reason guard_ask(const struct guard_cfg *cfg,
                      const struct guard_state *state,
                      const struct guard_now *now, double want_w)
{
    const struct question q = {cfg, state, now, want_w};
#define VETO(holds, why) \
    if (holds(&q)) {     \
        return why;      \
    }
    VETO_LIST(VETO)
#undef VETO
    return REASON_NODE_OK;
}

double guard_charge_max_w(const struct guard_cfg *cfg,
                          const struct guard_now *now)
{
    const struct node_in *n = now->node;
    bool may =
        guard_knows(now) && guard_possible(cfg, now) &&
        (n->flags & NODE_PLUGGED) && !(n->flags & NODE_ALARM) &&
        guard_in_range(n->pack_c, GUARD_CHARGE_MIN_C, GUARD_CHARGE_MAX_C);
    if (!may) {
        return 0.0;
    }
    bool cool = n->pack_c < GUARD_CHARGE_COOL_C;
    return cfg->terms.pack_wh *
           (cool ? GUARD_CHARGE_COOL_C_RATE : GUARD_CHARGE_C_RATE);
}
