/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_outbox - which commands are due, and what became of them.
 *
 * Every command is a lease: it is sent when its value changes and again after
 * a third of its ttl, each time under a new id.  What cannot be sent now is
 * forgotten and decided anew, never kept.  No MQTT library in it: sending is
 * a function that is given.
 */
#ifndef ADAPTERS_MQTT_OUTBOX_H
#define ADAPTERS_MQTT_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "models/command.h"
#include "models/err.h"
#include "models/site.h"
#include "models/snapshot.h"

struct mqtt_outbox;

/* One call sends what is due of all pods, then of the nodes in turn: at most
 * so many sent of so many looked at. */
enum { MQTT_OUTBOX_NODES = 500, MQTT_OUTBOX_LOOK = 100000 };

struct mqtt_outbox_cfg {
    const struct site *site; /* outlives the outbox */
    uint64_t boot;           /* random, first half of every id */
    /* Sends with QoS 1, not retained; false where it cannot be done now. */
    bool (*send)(void *to, const char *topic, const char *payload, int size);
    void *to;
};

/* ERR_MEMORY. */
CHECKED enum err mqtt_outbox_open(const struct mqtt_outbox_cfg *cfg,
                                  struct mqtt_outbox **out);
void mqtt_outbox_close(struct mqtt_outbox *o);

/* A new connection: everything is due at once. */
void mqtt_outbox_renew_all(struct mqtt_outbox *o);

struct mqtt_outbox_counts {
    uint64_t n_sent;
    uint64_t n_unsent;
    int64_t sent_mono_ms; /* last one, 0 for none */
};

/* Send what is due of 'out'; adds to 'counts'. */
void mqtt_outbox_send(struct mqtt_outbox *o, int64_t mono_ms, int64_t utc_ms,
                      const struct step_out *out,
                      struct mqtt_outbox_counts *counts);

/* An acknowledgement came: true where it is of the last command sent to that
 * pod or node. */
bool mqtt_outbox_pod_ack(struct mqtt_outbox *o, int64_t pod, uint64_t number);
bool mqtt_outbox_node_ack(struct mqtt_outbox *o, int64_t node, uint64_t number);

/* True where the pod has let a whole lease pass without an answer. */
bool mqtt_outbox_pod_silent(const struct mqtt_outbox *o, int64_t pod,
                            int64_t mono_ms);

#endif
