/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/fleet.h"

#include <math.h>

#include "models/reason.h"

static const double CHARGE_MAX_W = 7.2e3; /* 30 A x 240 V */
static const double CHARGER_EFF_PU = 0.9;
static const double EARLY = 1.3; /* charge this much faster than needed */
/* One that charges keeps its turn before others that are as lax. */
static const double KEEP_S = 900.0;
static const double KEEP_PU = 0.9; /* of the cost of one that works */
static const double CHARGING_W = 100.0;

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
    bool asked = in->work == NULL || in->work->bin >= 0;
    return agreed && asked &&
           market(in, now, offered_w(in, now->node), INFINITY) ==
               REASON_NODE_OK;
}

/* When it must begin to charge at 'most_w', on the buckets' clock. */
static int32_t latest_start_s(const struct node_in *n, double need_wh,
                              double most_w)
{
    double takes_s = EARLY * need_wh * 3600.0 / most_w;
    double keep_s = n->charge_w > CHARGING_W ? KEEP_S : 0.0;
    double start_s =
        (double)bucket_clock_s(n->departs_at_ms) - takes_s - keep_s;
    return (int32_t)fmax(start_s, (double)-INT32_MAX);
}

/* What the car needs, and may take by its guard. */
static void note_charge(const struct fleet_in *in, const struct guard_now *now,
                        double most_w, struct bucket_car *car)
{
    const struct node_in *n = now->node;
    double need_wh = missing_pu(in, n) * in->fleet->pack_wh / CHARGER_EFF_PU;
    *car =
        (struct bucket_car){.start_s = BUCKET_NEVER, .charge_w = (float)most_w};
    if (most_w <= 0.0 || need_wh <= 0.0) {
        return;
    }
    car->need_wh = (float)need_wh;
    bool waits = may_work(in, now) && !in->restrict_load;
    car->start_s =
        waits ? bucket_clock_s(in->utc_ms) : latest_start_s(n, need_wh, most_w);
}

/* Needed charge in its turn, or at once rather than in time where the car
 * could work as soon as it has it; up to the owner's limit while power is
 * cheap. */
static double charge_w(const struct fleet_in *in, const struct guard_now *now,
                       double most_w, const struct bucket_car *car)
{
    const struct node_in *n = now->node;
    if (most_w <= 0.0) {
        return 0.0;
    }
    bool room = isfinite(n->soc_limit_pu) && n->soc_pu < n->soc_limit_pu;
    bool needs = car->start_s != BUCKET_NEVER;
    if (needs && in->charge != NULL) {
        return most_w * (double)bucket_share(in->charge, car);
    }
    bool fill = in->cheap && room;
    bool waits = needs && may_work(in, now);
    bool soon = (fill || waits) && !in->restrict_load;
    return soon ? most_w : fmin(needed_w(in, n), most_w);
}

/* Its work, as far as the guard and the market agree. */
static void note_work(const struct fleet_in *in, const struct guard_now *now,
                      double w, struct fleet_car car)
{
    double per_kwh = guard_price_per_kwh(in->guard, now) +
                     guard_energy_per_kwh(in->guard, now);
    bool works = car.guard->computing;
    car.bucket->work_w = (float)w;
    car.bucket->work_per_kwh = (float)(works ? KEEP_PU * per_kwh : per_kwh);
}

struct node_command fleet_node(const struct fleet_in *in,
                               const struct fleet_car *car,
                               double feeder_left_w)
{
    struct guard_now now = {.node = car->node,
                            .mono_ms = in->mono_ms,
                            .energy_per_kwh = in->energy_per_kwh};
    guard_step(in->guard, car->guard, &now);
    double most_w = fmin(guard_charge_max_w(in->guard, &now), CHARGE_MAX_W);
    note_charge(in, &now, most_w, car->bucket);

    struct node_command c = {.ttl_s = guard_lease_s(), .valid = 1};
    double left_w = fmax(feeder_left_w, 0.0);
    c.charge_w = fmin(charge_w(in, &now, most_w, car->bucket), left_w);
    left_w -= c.charge_w;

    double w = offered_w(in, car->node);
    enum reason why = guard_ask(in->guard, car->guard, &now, w);
    if (why == REASON_NODE_OK) {
        why = market(in, &now, w, left_w);
    }
    if (why == REASON_NODE_OK && in->work != NULL) {
        note_work(in, &now, w, *car);
        if (!bucket_works(in->work, car->bucket, car->index)) {
            why = REASON_NODE_NO_WORK;
        }
    }
    c.compute_w = why == REASON_NODE_OK ? w : 0.0;
    c.reason = (int64_t)why;
    guard_grant(car->guard, &now, c.compute_w);
    return c;
}
