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

/* fmax and fmin without a call, a million times every two seconds; what is not
 * a number gives 'b'. */
static double most(double a, double b)
{
    return a > b ? a : b;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* One car as it is now, each thing found out once. */
struct look {
    const struct fleet_in *in;
    const struct guard_now *now;
    double charge_max_w; /* by its guard and its charger */
    double missing_pu;   /* that the departure asks of the pack, >= 0 */
    double offered_w;    /* compute that the fleet has a use for */
    double cost_per_kwh; /* of it: wear and energy */
};

/* A little more than the departure needs lets the car compute until then. */
static double missing_pu(const struct fleet_in *in, const struct node_in *n)
{
    if (!(n->flags & NODE_HAS_DEPARTURE) || !isfinite(n->departs_soc_pu)) {
        return 0.0;
    }
    double keep_pu = guard_floor_pu(in->guard, n);
    if (isfinite(n->soc_limit_pu)) {
        keep_pu = least(keep_pu, n->soc_limit_pu);
    }
    return most(most(n->departs_soc_pu, keep_pu) - n->soc_pu, 0.0);
}

static double offered_w(const struct fleet_in *in, const struct node_in *n)
{
    bool open = n->until_at_ms == 0 || in->utc_ms < n->until_at_ms;
    double w = open && isfinite(n->compute_avail_w) ? n->compute_avail_w : 0.0;
    return most(least(w, in->fleet->compute_w), 0.0);
}

static struct look look_at(const struct fleet_in *in,
                           const struct guard_now *now)
{
    const struct node_in *n = now->node;
    double most_w = guard_charge_max_w(in->guard, now);
    struct look l = {.in = in,
                     .now = now,
                     .charge_max_w =
                         most_w < CHARGE_MAX_W ? most_w : CHARGE_MAX_W,
                     .missing_pu = missing_pu(in, n),
                     .offered_w = offered_w(in, n),
                     .cost_per_kwh = INFINITY};
    if (l.offered_w > 0.0 && (n->flags & NODE_CONSENT)) {
        l.cost_per_kwh = guard_price_per_kwh(in->guard, now) +
                         guard_energy_per_kwh(in->guard, now);
    }
    return l;
}

/* Has the market a use for its compute, at the price of its wear? */
static enum reason market(const struct look *l, double left_w)
{
    if (l->offered_w <= 0.0) {
        return REASON_NODE_NOT_OFFERED;
    }
    if (l->offered_w > left_w) {
        return REASON_NODE_FEEDER;
    }
    return l->cost_per_kwh > l->in->value_per_kwh ? REASON_NODE_PRICE
                                                  : REASON_NODE_OK;
}

/* Would it work, had it but its charge, and may it have that at once? */
static bool waits(const struct look *l)
{
    const struct fleet_in *in = l->in;
    bool agreed = l->now->node->flags & NODE_CONSENT;
    bool asked = in->work == NULL || in->work->full_per_kwh > -INFINITY ||
                 in->work->part > 0.0f;
    return l->missing_pu > 0.0 && agreed && asked && !in->restrict_load &&
           market(l, INFINITY) == REASON_NODE_OK;
}

static double need_wh(const struct look *l)
{
    return l->missing_pu * l->in->fleet->pack_wh / CHARGER_EFF_PU;
}

/* When it must begin to charge with all it can, on the buckets' clock. */
static int32_t latest_start_s(const struct look *l)
{
    const struct node_in *n = l->now->node;
    double takes_s = EARLY * need_wh(l) * 3600.0 / l->charge_max_w;
    double keep_s = n->charge_w > CHARGING_W ? KEEP_S : 0.0;
    double start_s =
        (double)bucket_clock_s(n->departs_at_ms) - takes_s - keep_s;
    return (int32_t)(start_s > 0.0 ? start_s : 0.0);
}

/* What the fast passes shall know of its charge.  One that waits for it has no
 * laxity. */
static struct bucket_car told_charge(const struct look *l)
{
    struct bucket_car car = bucket_car_none();
    if (l->charge_max_w > 0.0 && l->missing_pu > 0.0) {
        car.departs_s = bucket_clock_s(l->now->node->departs_at_ms);
        car.charge_w = (int32_t)l->charge_max_w;
        car.need_wh = (int32_t)ceil(need_wh(l));
        car.start_s =
            waits(l) ? bucket_clock_s(l->in->utc_ms) : latest_start_s(l);
    }
    return car;
}

/* Power that the departure needs, a little early. */
static double needed_w(const struct look *l)
{
    int64_t left_ms = l->now->node->departs_at_ms - l->in->utc_ms;
    double left_s = (double)left_ms / 1e3;
    double w = need_wh(l) <= 0.0 ? 0.0
               : left_s > 0.0    ? need_wh(l) * 3600.0 / left_s * EARLY
                                 : CHARGE_MAX_W;
    return least(w, CHARGE_MAX_W);
}

/* Needed charge in its turn, or at once rather than in time where the car
 * could work as soon as it has it; up to the owner's limit while power
 * costs nothing. */
static double charge_w(const struct look *l, const struct bucket_car *car)
{
    const struct fleet_in *in = l->in;
    const struct node_in *n = l->now->node;
    if (l->charge_max_w <= 0.0) {
        return 0.0;
    }
    if (l->missing_pu > 0.0 && in->charge != NULL) {
        return l->charge_max_w * (double)bucket_share(in->charge, car->start_s);
    }
    bool room = isfinite(n->soc_limit_pu) && n->soc_pu < n->soc_limit_pu;
    bool fill = in->cheap && room && !in->restrict_load;
    return fill || waits(l) ? l->charge_max_w
                            : least(needed_w(l), l->charge_max_w);
}

/* Whether it is among those that take over work. */
static enum reason take_over(const struct look *l, const struct fleet_car *car)
{
    bool works = car->guard->computing;
    double per_kwh = works ? KEEP_PU * l->cost_per_kwh : l->cost_per_kwh;
    *car->work = (struct bucket_work){.w = (int32_t)l->offered_w,
                                      .per_kwh = (float)per_kwh};
    return bucket_works(l->in->work, car->work, car->index)
               ? REASON_NODE_OK
               : REASON_NODE_NO_WORK;
}

struct node_command fleet_node(const struct fleet_in *in,
                               const struct fleet_car *car,
                               double feeder_left_w)
{
    struct guard_now now = {.node = car->node,
                            .mono_ms = in->mono_ms,
                            .energy_per_kwh = in->energy_per_kwh,
                            .stride = in->stride};
    guard_step(in->guard, car->guard, &now);
    struct look l = look_at(in, &now);
    *car->bucket = told_charge(&l);

    struct node_command c = {.ttl_s = guard_lease_s(), .valid = 1};
    double left_w = most(feeder_left_w, 0.0);
    c.charge_w = least(charge_w(&l, car->bucket), left_w);
    left_w -= c.charge_w;

    enum reason why = guard_ask(in->guard, car->guard, &now, l.offered_w);
    if (why == REASON_NODE_OK) {
        why = market(&l, left_w);
    }
    if (in->work != NULL) {
        *car->work = (struct bucket_work){.w = 0};
        why = why == REASON_NODE_OK ? take_over(&l, car) : why;
    }
    c.compute_w = why == REASON_NODE_OK ? l.offered_w : 0.0;
    c.reason = (int64_t)why;
    guard_grant(car->guard, &now, c.compute_w);
    return c;
}
