/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt - pods, nodes, prices, utility limits and our own status over MQTT.
 *
 * MQTTAsync, MQTT 3.1.1, clean session.  paho's callbacks only copy into a
 * bounded queue; everything else happens in mqtt_pass(), in the thread of the
 * worker that owns the link.  Commands are never retained and never buffered
 * while the broker is away.
 */
#ifndef ADAPTERS_MQTT_H
#define ADAPTERS_MQTT_H

#include "adapters/adapter.h"

struct mqtt; /* one client, opaque */

/* What has been heard; the worker owns it and copies it to its mailbox. */
struct mqtt_inputs {
    struct pod_in pods[SITE_PODS_MAX];
    struct price_in prices[SITE_PRICES_MAX];
    struct utility_in utility[UTILITY_MQTT];
    struct job_in jobs[JOB_MARKERS_MAX];
    int64_t n_nodes;
    struct node_in nodes[]; /* of all fleets */
};

static inline size_t mqtt_inputs_size(int n_nodes)
{
    return sizeof(struct mqtt_inputs) +
           (size_t)n_nodes * sizeof(struct node_in);
}

/* Which parts a pass changed. */
enum {
    MQTT_PODS = 1 << 0,
    MQTT_NODES = 1 << 1,
    MQTT_PRICES = 1 << 2,
    MQTT_UTILITY = 1 << 3,
    MQTT_JOBS = 1 << 4,
};

/* Counters of what was dropped and why; for status and tests. */
struct mqtt_counts {
    uint64_t n_received;
    uint64_t n_malformed; /* not JSON, wrong type, out of range */
    uint64_t n_unknown;   /* no such pod, node, market */
    uint64_t n_stale;     /* too old, out of order, or from the future */
    uint64_t n_retained;  /* retained where that is refused */
    uint64_t n_overflow;  /* queue full */
    uint64_t n_sent;
    uint64_t n_unsent; /* commands not sent: broker away */
    uint64_t n_acked;
    uint64_t n_utility_refused; /* what the utility said and is not kept */
    int64_t rival_mono_ms;      /* another controller was heard, 0 for never */
    char last_error[ADAPTER_TEXT_MAX];
    char utility_error[ADAPTER_TEXT_MAX]; /* of n_utility_refused, the last */
};

/*
 * Start a client for 'site' (site->mqtt.present).  Connecting goes on in the
 * background and for ever.  'read_only' sends no commands (shadow).
 * Errors: ERR_IO (library), ERR_RANGE (password or certificate file cannot be
 * read or is open to others); 'why' says which.
 */
CHECKED enum err mqtt_open(const struct site *site, bool read_only,
                           struct mqtt **out, char *why, size_t why_size);

/* Drain the queue (bounded) into 'in'; returns the MQTT_* bits changed. */
unsigned mqtt_pass(struct mqtt *m, int64_t mono_ms, int64_t utc_ms,
                   struct mqtt_inputs *in, struct link_state *link);

/* Wait until something was queued or 'timeout_s' has passed. */
void mqtt_wait(struct mqtt *m, double timeout_s);

/*
 * Send what changed or is due for renewal (a third of the ttl) of the pods'
 * and nodes' commands in 'out'.  Bounded; what cannot be sent now is counted
 * and not buffered.  'utc_ms' goes into the payloads' ts.
 */
void mqtt_command(struct mqtt *m, int64_t mono_ms, int64_t utc_ms,
                  const struct step_out *out);

/* Publish 'json', an object of at most 2 KiB, with our instance to the site's
 * retained status topic; every MQTT_HEARTBEAT_S. */
void mqtt_status(struct mqtt *m, const char *json);

void mqtt_counts(const struct mqtt *m, struct mqtt_counts *out);

/* Says offline, disconnects, frees. */
void mqtt_close(struct mqtt *m);

#endif
