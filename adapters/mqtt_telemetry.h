/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_telemetry - parked vehicles as teslamotors/fleet-telemetry tells them.
 *
 *   BASE/VIN/v/FIELD             one bare JSON value, null where invalid;
 *                                older cars send numbers as strings
 *   BASE/VIN/connectivity        {"ConnectionId", "Status", "CreatedAt"}
 *   BASE/VIN/alerts/NAME/current {"StartedAt", "EndedAt" once it is over}
 *
 * There are no timestamps and no order.  A retained value is of unknown age:
 * it is believed once the vehicle is heard live or says CONNECTED.  Only the
 * connection that is in force can end it.  When it ends, everything is
 * forgotten.  Numbers of vehicles are hashed at once and never kept; positions
 * are never read.
 *
 * A vehicle takes a node of its fleet: the one whose agent names it by
 * "vin_hash", else the next free one in order of first sight.
 */
#ifndef ADAPTERS_MQTT_TELEMETRY_H
#define ADAPTERS_MQTT_TELEMETRY_H

#include "adapters/mqtt_codec.h"
#include "adapters/mqtt_topic.h"

struct mqtt_telemetry;

/* The nodes that vehicles are written to; both of all fleets. */
struct mqtt_nodes {
    struct node_in *in;
    struct mqtt_node_track *tracks;
};

/* '*out' is NULL where no fleet of the site has telemetry.  ERR_MEMORY. */
CHECKED enum err mqtt_telemetry_open(const struct site *site,
                                     struct mqtt_telemetry **out);
void mqtt_telemetry_close(struct mqtt_telemetry *t);

/* A message of one of the three kinds. */
struct mqtt_result mqtt_telemetry_take(struct mqtt_telemetry *t,
                                       const struct mqtt_target *target,
                                       const struct mqtt_message *msg,
                                       const struct mqtt_nodes *nodes);

/* The agent of 'node' has spoken (its track is up to date): give it the
 * vehicle it names, or none where it speaks of a pack of its own. */
void mqtt_telemetry_link(struct mqtt_telemetry *t, int64_t node,
                         const struct mqtt_nodes *nodes);

#endif
