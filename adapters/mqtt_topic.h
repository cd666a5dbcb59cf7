/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_topic - which asset a topic speaks of, and what to subscribe to.
 *
 * Names are looked up in a sorted index (pods) or computed (nodes are
 * FLEET-0001 ... in order), so a message costs the same at any fleet size.
 * No MQTT library in it.
 */
#ifndef ADAPTERS_MQTT_TOPIC_H
#define ADAPTERS_MQTT_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/site.h"

enum { MQTT_TOPIC_MAX = 256, MQTT_VIN_MAX = 32, MQTT_FIELD_MAX = 64 };

enum mqtt_topic_kind {
    MQTT_TOPIC_NONE, /* nothing we know */
    MQTT_TOPIC_POD_ONLINE,
    MQTT_TOPIC_POD_STATE,
    MQTT_TOPIC_POD_JOB,
    MQTT_TOPIC_POD_ACK,
    MQTT_TOPIC_NODE_ONLINE,
    MQTT_TOPIC_NODE_STATE,
    MQTT_TOPIC_NODE_ACK,
    MQTT_TOPIC_PRICE,
    MQTT_TOPIC_UTILITY,
    MQTT_TOPIC_STATUS,               /* our own, or another controller's */
    MQTT_TOPIC_VEHICLE_FIELD,        /* BASE/VIN/v/FIELD */
    MQTT_TOPIC_VEHICLE_CONNECTIVITY, /* BASE/VIN/connectivity */
    MQTT_TOPIC_VEHICLE_ALERT,        /* BASE/VIN/alerts/FIELD/current */
};

struct mqtt_target {
    enum mqtt_topic_kind kind;
    int64_t index;              /* pod, node, price; fleet for vehicles */
    char vin[MQTT_VIN_MAX];     /* never logged */
    char field[MQTT_FIELD_MAX]; /* field or alert name */
};

struct mqtt_index; /* of one site, opaque */

/*
 * Build the index of 'site', which must outlive it.  ERR_RANGE where a name
 * or topic cannot be part of a topic (empty, '+', '#', a '/' in a name,
 * control characters); ERR_MEMORY.  'why' says which.
 */
CHECKED enum err mqtt_index_open(const struct site *site,
                                 struct mqtt_index **out, char *why,
                                 size_t why_size);
void mqtt_index_close(struct mqtt_index *index);

/* What 'topic' is; kind NONE where the site has no such thing. */
struct mqtt_target mqtt_index_find(const struct mqtt_index *index,
                                   const char *topic, size_t length);

/* True where a lost message of that kind is replaced by the next one. */
bool mqtt_topic_is_bulk(const char *topic, size_t length);

enum { MQTT_SUBSCRIPTIONS_MAX = 16 + SITE_PRICES_MAX + 3 * SITE_FLEETS_MAX };

/* All filters to subscribe to; returns how many. */
int mqtt_index_filters(const struct mqtt_index *index,
                       char filters[MQTT_SUBSCRIPTIONS_MAX][MQTT_TOPIC_MAX]);

/* "ballast/v1/SITE/pod/POD/cap/set", "ballast/v1/SITE/node/NODE/set",
 * "ballast/v1/SITE/status"; return 'out'. */
const char *mqtt_topic_pod_set(const struct site *site, int64_t pod,
                               char out[MQTT_TOPIC_MAX]);
const char *mqtt_topic_node_set(const struct site *site, int64_t node,
                                char out[MQTT_TOPIC_MAX]);
const char *mqtt_topic_status(const struct site *site,
                              char out[MQTT_TOPIC_MAX]);

/* The topic of a market: as configured, else ballast/v1/SITE/price/MARKET. */
const char *mqtt_topic_price(const struct site *site, int64_t price,
                             char out[MQTT_TOPIC_MAX]);

#endif
