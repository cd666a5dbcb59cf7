/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_client - one connection to a broker that never gives up.
 *
 * Wraps MQTTAsync (paho 1.3.12) and what has to be known about it: only
 * automatic reconnect, everything subscribed again in the connected callback
 * (a clean session loses subscriptions), certificates and host name verified,
 * no persistence, nothing sent while the broker is away.  isConnected() stays
 * true on a dead link until the keep-alive fails, so the client also watches
 * that its messages are answered.  Callbacks only copy into the queue.
 *
 * All functions belong to one thread.
 */
#ifndef ADAPTERS_MQTT_CLIENT_H
#define ADAPTERS_MQTT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/mqtt_queue.h"
#include "adapters/mqtt_topic.h"
#include "models/err.h"
#include "models/site.h"

struct mqtt_client;

struct mqtt_client_cfg {
    const struct site_mqtt *at; /* outlives the client */
    const char *id;             /* unique at the broker */
    const char *will_topic;     /* retained last will; NULL for none */
    const char *will;
    const char (*filters)[MQTT_TOPIC_MAX]; /* copied */
    int n_filters;
    struct mqtt_queue *queue; /* outlives the client */
    double recreate_s;        /* a client down for so long is made anew, > 0 */
};

/*
 * Create and begin to connect.  ERR_RANGE where a password, key or
 * certificate file cannot be read or is open to others, ERR_IO, ERR_MEMORY;
 * 'why' says which.
 */
CHECKED enum err mqtt_client_open(const struct mqtt_client_cfg *cfg,
                                  struct mqtt_client **out, char *why,
                                  size_t why_size);

/* Now and then: subscribe again where that failed, make the client anew where
 * it has been down for long. */
void mqtt_client_tend(struct mqtt_client *c);

/* True while messages can be expected to arrive at the broker now. */
bool mqtt_client_usable(struct mqtt_client *c);

/* True once the broker has confirmed what is subscribed to. */
bool mqtt_client_subscribed(struct mqtt_client *c);

/* Rises with every connection; 0 before the first. */
uint64_t mqtt_client_connections(const struct mqtt_client *c);

/* What is wrong with the connection, "" for nothing.  Static text. */
const char *mqtt_client_trouble(const struct mqtt_client *c);

struct mqtt_post {
    const char *topic;
    const char *payload;
    int size;
    bool retained;
};

/* Send with QoS 1.  False where it cannot be sent now; it is then forgotten. */
bool mqtt_client_send(struct mqtt_client *c, const struct mqtt_post *post);

/* Send 'last' (may be NULL), wait for it for a second at most, disconnect. */
void mqtt_client_close(struct mqtt_client *c, const struct mqtt_post *last);

#endif
