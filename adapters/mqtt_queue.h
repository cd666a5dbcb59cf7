/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_queue - received messages, from the library's thread to the worker.
 *
 * Two bounded rings of bytes: one for messages that the next one replaces
 * (states, vehicle fields), one for the rest, so that a flood of telemetry
 * never pushes out an acknowledgement.  A full ring loses its oldest and
 * counts it.  Messages are taken in the order they came.  Thread safe.
 */
#ifndef ADAPTERS_MQTT_QUEUE_H
#define ADAPTERS_MQTT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/json_in.h"
#include "adapters/mqtt_topic.h"
#include "models/err.h"

struct mqtt_queue;

/* A message without its bytes. */
struct mqtt_note {
    int64_t mono_ms; /* CLOCK_MONOTONIC at receipt */
    uint32_t topic_size;
    uint32_t size; /* of the payload */
    bool retained;
};

struct mqtt_queue_cfg {
    size_t bulk_bytes;
    size_t other_bytes; /* both at least MQTT_QUEUE_MESSAGE_MAX + 64 */
};

enum { MQTT_QUEUE_MESSAGE_MAX = MQTT_TOPIC_MAX + JSON_IN_BYTES_MAX };

/* ERR_MEMORY. */
CHECKED enum err mqtt_queue_open(const struct mqtt_queue_cfg *cfg,
                                 struct mqtt_queue **out);
void mqtt_queue_close(struct mqtt_queue *q);

/* Copy a message in; topics and payloads beyond their limit are counted as
 * oversized and left out. */
void mqtt_queue_put(struct mqtt_queue *q, const struct mqtt_note *note,
                    const char *topic, const void *payload);

/* The oldest message: topic, then payload, in 'out' of at least
 * MQTT_QUEUE_MESSAGE_MAX bytes.  False where there is none. */
bool mqtt_queue_take(struct mqtt_queue *q, struct mqtt_note *note,
                     unsigned char *out);

/* Wait until there is a message, mqtt_queue_wake() or the time has passed. */
void mqtt_queue_wait(struct mqtt_queue *q, double timeout_s);
void mqtt_queue_wake(struct mqtt_queue *q);

/* Messages lost because a ring was full, and oversized ones. */
void mqtt_queue_counts(struct mqtt_queue *q, uint64_t *n_lost,
                       uint64_t *n_oversized);

#endif
