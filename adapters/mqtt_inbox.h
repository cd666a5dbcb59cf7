/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_inbox - a received message to the inputs it is about.
 *
 * Holds what orders messages (boot and seq of every sender, the age of every
 * price) and counts what was refused and why.  No MQTT library in it.
 */
#ifndef ADAPTERS_MQTT_INBOX_H
#define ADAPTERS_MQTT_INBOX_H

#include "adapters/mqtt.h"
#include "adapters/mqtt_codec.h"
#include "adapters/mqtt_outbox.h"

struct mqtt_inbox;

struct mqtt_inbox_cfg {
    const struct site *site; /* outlives the inbox */
    uint64_t boot;           /* of our commands, to know their answers by */
    struct mqtt_outbox *outbox;
};

/* ERR_RANGE where a name cannot be part of a topic, ERR_MEMORY; 'why' says
 * which. */
CHECKED enum err mqtt_inbox_open(const struct mqtt_inbox_cfg *cfg,
                                 struct mqtt_inbox **out, char *why,
                                 size_t why_size);
void mqtt_inbox_close(struct mqtt_inbox *b);

const struct mqtt_index *mqtt_inbox_index(const struct mqtt_inbox *b);

/* Before the first message: nodes never heard get NAN for their zeros. */
void mqtt_inbox_prime(struct mqtt_inbox *b, struct mqtt_inputs *in);

/* Take one message; returns the MQTT_* bits of what it may have changed. */
unsigned mqtt_inbox_take(struct mqtt_inbox *b, const char *topic,
                         const struct mqtt_message *msg,
                         struct mqtt_inputs *in);

/* What passes without a message: events end, commands go unanswered. */
unsigned mqtt_inbox_expire(struct mqtt_inbox *b, int64_t mono_ms,
                           int64_t utc_ms, struct mqtt_inputs *in);

const struct mqtt_counts *mqtt_inbox_counts(const struct mqtt_inbox *b);

#endif
