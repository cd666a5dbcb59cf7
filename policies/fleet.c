/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/fleet.h"

#include <math.h>

#include "models/reason.h"

static const double CHARGE_MAX_W = 7.2e3; /* 30 A x 240 V */
static const double CHARGER_EFF_PU = 0.9;
static const double EARLY = 1.3; /* charge this much faster than needed */

/* What the departure still asks of the pack, as a fraction; 0 for nothing.
 * A little more than it needs lets the car compute until then. */
static double missing_pu(const struct fleet_in *in, const struct node_in *n)
{
    if (!(n->flags & NODE_HAS_DEPARTURE) || !isfinite(n->departs_soc_pu)) {
        return 0.0;
    }
    double keep_pu = guard_floor_pu(in->guard, n);
    if (isfinite(n->soc_limit_pu)) {
        keep_pu = fmin(keep_pu, n->soc_limit_pu);
    }
    return fmax(fmax(n->departs_soc_pu, keep_pu) - n->soc_pu, 0.0);
}

/* Charge power that the departure needs, a little early. */
static double needed_w(const struct fleet_in *in, const struct node_in *n)
{
    double wh = missing_pu(in, n) * in->fleet->pack_wh / CHARGER_EFF_PU;
    if (wh <= 0.0) {
        return 0.0;
    }
    double left_s = (double)(n->departs_at_ms - in->utc_ms) / 1e3;
    double w = left_s > 0.0 ? wh * 3600.0 / left_s * EARLY : CHARGE_MAX_W;
    return fmin(w, CHARGE_MAX_W);
}

/* What the car offers and the fleet has a use for. */
static double offered_w(const struct fleet_in *in, const struct node_in *n)
{
    bool open = n->until_at_ms == 0 || in->utc_ms < n->until_at_ms;
    double w = open && isfinite(n->compute_avail_w) ? n->compute_avail_w : 0.0;
    return fmax(fmin(w, in->fleet->compute_w), 0.0);
}

/* Has the market a use for 'w' of this car, at the price of its wear? */
static enum reason market(const struct fleet_in *in,
                          const struct guard_now *now, double w, double left_w)
{
    if (w <= 0.0) {
        return REASON_NODE_NOT_OFFERED;
    }
    if (w > left_w) {
        return REASON_NODE_FEEDER;
    }
    double cost_per_kwh = guard_price_per_kwh(in->guard, now) +
                          guard_energy_per_kwh(in->guard, now);
    return cost_per_kwh > in->value_per_kwh ? REASON_NODE_PRICE
                                            : REASON_NODE_OK;
}

/* Would it work, had it but its charge? */
static bool may_work(const struct fleet_in *in, const struct guard_now *now)
{
    bool agreed = now->node->flags & NODE_CONSENT;
    return agreed && market(in, now, offered_w(in, now->node), INFINITY) ==
                         REASON_NODE_OK;
}

/* Needed charge at once rather than in time, where the car could work as soon
 * as it has it; up to the owner's limit while power is cheap. */
static double charge_w(const struct fleet_in *in, const struct guard_now *now)
{
    const struct node_in *n = now->node;
    double most_w = fmin(guard_charge_max_w(in->guard, now), CHARGE_MAX_W);
    if (most_w <= 0.0) {
        return 0.0;
    }
    bool room = isfinite(n->soc_limit_pu) && n->soc_pu < n->soc_limit_pu;
    bool fill = in->cheap && room;
    bool waits = missing_pu(in, n) > 0.0 && may_work(in, now);
    bool soon = (fill || waits) && !in->restrict_load;
    return soon ? most_w : fmin(needed_w(in, n), most_w);
}

struct node_command fleet_node(const struct fleet_in *in,
                               const struct node_in *node, double feeder_left_w,
                               struct guard_state *guard)
{
    struct guard_now now = {.node = node,
                            .mono_ms = in->mono_ms,
                            .energy_per_kwh = in->energy_per_kwh};
    guard_step(in->guard, guard, &now);

    struct node_command c = {.ttl_s = guard_lease_s(), .valid = 1};
    double left_w = fmax(feeder_left_w, 0.0);
    c.charge_w = fmin(charge_w(in, &now), left_w);
    left_w -= c.charge_w;

    double w = offered_w(in, node);
    enum reason why = guard_ask(in->guard, guard, &now, w);
    if (why == REASON_NODE_OK) {
        why = market(in, &now, w, left_w);
    }
    c.compute_w = why == REASON_NODE_OK ? w : 0.0;
    c.reason = (int64_t)why;
    guard_grant(guard, &now, c.compute_w);
    return c;
}
