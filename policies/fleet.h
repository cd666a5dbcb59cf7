/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fleet - what a parked vehicle may do: compute and charge, never discharge.
 *
 * A car computes only while it is plugged in, its owner agrees, its pack is
 * neither cold nor hot, its state is fresh and it holds what it needs at
 * departure; it charges what the departure needs, and up to the owner's limit
 * while power is cheap.  All cars of a fleet stay under their feeder's limit,
 * needed charging first.
 */
#ifndef POLICIES_FLEET_H
#define POLICIES_FLEET_H

#include <stdbool.h>

#include "models/command.h"
#include "models/site.h"
#include "models/snapshot.h"

struct fleet_in {
    const struct site_fleet *fleet;
    int64_t mono_ms;
    int64_t utc_ms;
    bool cheap;         /* price low enough to charge ahead of need */
    bool restrict_load; /* the site is shedding: no charging ahead of need */
};

/*
 * Decide for one car with 'feeder_left_w' still free on its feeder.  The
 * command is valid, finite, never negative, and within what is free; its
 * reason says what bound the compute (REASON_NODE_*).
 */
struct node_command fleet_node(const struct fleet_in *in,
                               const struct node_in *node,
                               double feeder_left_w);

#endif
