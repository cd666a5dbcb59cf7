/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fleet - what a parked vehicle may do: compute and charge, never discharge.
 *
 * A car computes where it offers to, its feeder has room and the work is worth
 * its energy and its wear, and never without leave of the guard of its pack
 * (policies/guard).  It charges what the departure needs with what the guard
 * wants to keep in hand for it, at once where only that keeps it from work and
 * the site does not shed, and up to the owner's limit while power costs
 * nothing, as far as the guard lets it.  All cars of a fleet stay under their
 * feeder's limit, needed charging first.
 *
 * Where the plan has a set-point for the fleet's charging, the least lax cars
 * share it (policies/bucket.h) and the others wait; a fleet that only takes
 * over the work of throttled pods computes as much as there is, where it costs
 * least.
 */
#ifndef POLICIES_FLEET_H
#define POLICIES_FLEET_H

#include <stdbool.h>

#include "models/command.h"
#include "models/site.h"
#include "models/snapshot.h"
#include "policies/bucket.h"
#include "policies/guard.h"

struct fleet_in {
    const struct site_fleet *fleet;
    const struct guard_cfg *guard; /* of this fleet */
    int64_t mono_ms;
    int64_t utc_ms;
    double energy_per_kwh; /* price now; NAN for not known */
    double value_per_kwh;  /* of compute; INFINITY where none is set */
    bool cheap;            /* price low enough to charge ahead of need */
    bool restrict_load;    /* the site is shedding: no charging ahead of need */
    const struct thermal_stride *stride;  /* from turn to turn; NULL: none */
    const struct bucket_order *charge;    /* NULL: each in time for itself */
    const struct bucket_work_order *work; /* NULL: there is always work */
};

/* One car. */
struct fleet_car {
    const struct node_in *node;
    struct guard_state *guard; /* books what has happened and is granted */
    struct bucket_car *bucket; /* what the fast passes shall know of it */
    struct bucket_work *work;  /* NULL where it takes over none */
    int64_t index;
};

/*
 * Decide for one car with 'feeder_left_w' still free on its feeder.  The
 * command is valid, finite, never negative, and within what is free; its reason
 * says what bound the compute (REASON_NODE_*), the guard's before any other.
 */
struct node_command fleet_node(const struct fleet_in *in,
                               const struct fleet_car *car,
                               double feeder_left_w);

#endif
