/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/fleet.h"

#include <math.h>

#include "models/reason.h"

static const int64_t AGENT_MAX_AGE_MS = 60 * 1000;
static const int64_t PACK_MAX_AGE_MS = 15 * 60 * 1000; /* sent on change */
static const double PACK_MIN_C = 10.0;
static const double PACK_MAX_C = 45.0;
static const double CHARGE_MIN_C = 5.0;   /* lithium plating below */
static const double CHARGE_MAX_W = 7.2e3; /* 30 A x 240 V */
static const double CHARGER_EFF_PU = 0.9;
static const double EARLY = 1.3; /* charge this much faster than needed */
static const double TTL_S = 120.0;

static bool fresh(int64_t now_ms, int64_t then_ms, int64_t max_age_ms)
{
    return then_ms != 0 && now_ms - then_ms <= max_age_ms &&
           now_ms - then_ms >= -1000;
}

/* Fresh, plausible and speaking: what every decision needs. */
static bool known(const struct fleet_in *in, const struct node_in *n)
{
    return (n->flags & NODE_ONLINE) &&
           fresh(in->mono_ms, n->agent_mono_ms, AGENT_MAX_AGE_MS) &&
           fresh(in->mono_ms, n->pack_mono_ms, PACK_MAX_AGE_MS) &&
           n->soc_pu >= 0.0 && n->soc_pu <= 1.0 && isfinite(n->pack_c);
}

/* What the departure still asks of the pack, as a fraction; 0 for nothing. */
static double missing_pu(const struct node_in *n)
{
    if (!(n->flags & NODE_HAS_DEPARTURE) || !isfinite(n->departs_soc_pu)) {
        return 0.0;
    }
    return fmax(n->departs_soc_pu - n->soc_pu, 0.0);
}

/* The first thing that forbids computing, REASON_NODE_OK for none. */
static enum reason veto(const struct fleet_in *in, const struct node_in *n)
{
    if (!known(in, n)) {
        return REASON_NODE_STALE;
    }
    if (n->flags & NODE_ALARM) {
        return REASON_NODE_ALARM;
    }
    if (!(n->flags & NODE_PLUGGED) || !(n->flags & NODE_PARKED)) {
        return REASON_NODE_UNPLUGGED;
    }
    if (!(n->flags & NODE_CONSENT)) {
        return REASON_NODE_NO_CONSENT;
    }
    if (n->pack_c < PACK_MIN_C) {
        return REASON_NODE_COLD;
    }
    if (n->pack_c > PACK_MAX_C) {
        return REASON_NODE_HOT;
    }
    return missing_pu(n) > 0.0 ? REASON_NODE_DEPARTURE : REASON_NODE_OK;
}

/* Charge power that the departure needs, a little early. */
static double needed_w(const struct fleet_in *in, const struct node_in *n)
{
    double wh = missing_pu(n) * in->fleet->pack_wh / CHARGER_EFF_PU;
    if (wh <= 0.0) {
        return 0.0;
    }
    double left_s = (double)(n->departs_at_ms - in->utc_ms) / 1e3;
    double w = left_s > 0.0 ? wh * 3600.0 / left_s * EARLY : CHARGE_MAX_W;
    return fmin(w, CHARGE_MAX_W);
}

static double charge_w(const struct fleet_in *in, const struct node_in *n)
{
    bool may = known(in, n) && (n->flags & NODE_PLUGGED) &&
               !(n->flags & NODE_ALARM) && n->pack_c >= CHARGE_MIN_C &&
               n->pack_c <= PACK_MAX_C;
    if (!may) {
        return 0.0;
    }
    double w = needed_w(in, n);
    bool room = isfinite(n->soc_limit_pu) && n->soc_pu < n->soc_limit_pu;
    if (in->cheap && !in->restrict_load && room) {
        w = CHARGE_MAX_W;
    }
    return w;
}

struct node_command fleet_node(const struct fleet_in *in,
                               const struct node_in *node, double feeder_left_w)
{
    struct node_command c = {.ttl_s = TTL_S, .valid = 1};
    double left_w = fmax(feeder_left_w, 0.0);
    c.charge_w = fmin(charge_w(in, node), left_w);
    left_w -= c.charge_w;

    enum reason why = veto(in, node);
    bool offered = node->until_at_ms == 0 || in->utc_ms < node->until_at_ms;
    if (why == REASON_NODE_OK && offered) {
        double offer_w = isfinite(node->compute_avail_w)
                             ? fmax(node->compute_avail_w, 0.0)
                             : 0.0;
        double w = fmin(offer_w, in->fleet->compute_w);
        c.compute_w = w <= left_w ? w : 0.0;
        why = w <= left_w ? REASON_NODE_OK : REASON_NODE_FEEDER;
    }
    c.reason = (int64_t)why;
    return c;
}
