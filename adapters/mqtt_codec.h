/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_codec - payloads of the MQTT topics to inputs, commands to payloads.
 *
 * Everything read here is hostile: JSON through json_in, every number with
 * type, finiteness and range, every instant against the time of receipt.
 * A message from a known sender in which one field is wrong is taken, and
 * that field is marked BAD (a reading) or unknown (NAN): what a device says
 * is then known to be wrong, which is more than silence.  Unknown keys are
 * ignored, "v" other than 1 is refused.  Nothing is allocated that outlives a
 * call.  No MQTT library in it.
 */
#ifndef ADAPTERS_MQTT_CODEC_H
#define ADAPTERS_MQTT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/command.h"
#include "models/err.h"
#include "models/site.h"
#include "models/snapshot.h"

/* What became of a message. */
#define MQTT_VERDICT_LIST(X)                        \
    X(TAKEN, "taken")                               \
    X(PARTLY, "taken, with fields that were not")   \
    X(IGNORED, "nothing in it for us")              \
    X(MALFORMED, "malformed")                       \
    X(UNKNOWN, "of something unknown")              \
    X(STALE, "too old, out of order or from ahead") \
    X(RETAINED, "retained where that is refused")   \
    X(FULL, "no room for it")
#define MQTT_VERDICT_ENUM(name, text) MQTT_##name,
enum mqtt_verdict { MQTT_VERDICT_LIST(MQTT_VERDICT_ENUM) MQTT_VERDICT_COUNT };
#undef MQTT_VERDICT_ENUM

const char *mqtt_verdict_text(enum mqtt_verdict v);

struct mqtt_result {
    enum mqtt_verdict verdict;
    const char *why; /* static text, "" where there is nothing to say */
};

/* A payload and when it was received. */
struct mqtt_message {
    const void *bytes;
    size_t size;
    int64_t mono_ms; /* > 0 */
    int64_t utc_ms;
    bool retained; /* delivered because we subscribed, of any age */
};

/* How old a live message may be, how far ahead its clock, and how old a
 * retained state may be. */
enum {
    MQTT_AGE_MAX_MS = 10000,
    MQTT_AHEAD_MAX_MS = 2000,
    MQTT_RETAINED_MAX_MS = 60000,
    MQTT_FEED_AHEAD_MAX_MS = 60000, /* of a price or utility message */
};

/* The newest message taken from one sender; all zero for none. */
struct mqtt_order {
    uint64_t boot; /* hash of its boot id, 0 where it gives none */
    int64_t seq;   /* -1 where it gives none */
    int64_t ts_ms;
};

/* Parts shared by the readers below. */
struct cJSON;

/* The payload as an object with "v": 1; NULL and 'result' otherwise. */
struct cJSON *mqtt_codec_object(const struct mqtt_message *msg,
                                struct mqtt_result *result);

/*
 * Check ts, boot and seq of a state against 'order'.  TAKEN, MALFORMED or
 * STALE; 'next' is the order to keep where the state is taken, 'mono_ms' when
 * it was true: a retained one is set back by its age.
 */
struct mqtt_result mqtt_codec_order(const struct cJSON *object,
                                    const struct mqtt_message *msg,
                                    const struct mqtt_order *order,
                                    struct mqtt_order *next, int64_t *mono_ms);

/* {"v":1,"online":true}; retained or not. */
struct mqtt_result mqtt_codec_online(const struct mqtt_message *msg,
                                     bool *online);

/* pod/POD/state into 'in'. */
struct mqtt_result mqtt_codec_pod_state(const struct mqtt_message *msg,
                                        const struct site_pod *pod,
                                        struct mqtt_order *order,
                                        struct pod_in *in);

/* Online or not: the flag, and the power readings go stale. */
void mqtt_codec_pod_online(struct pod_in *in, bool online);

/* What is known of a node besides its node_in. */
struct mqtt_node_track {
    struct mqtt_order order;
    uint64_t vin_key; /* as the agent says, 0 where it does not */
    bool has_vehicle; /* its pack is known by vehicle telemetry */
    bool gives_pack;  /* its agent speaks of charge or plug itself */
    bool agent_alarm;
    bool vehicle_alarm;
};

/* All unknown. */
void mqtt_codec_node_clear(struct node_in *in);

/* node/NODE/state into 'in'; the pack's side only without 'has_vehicle'. */
struct mqtt_result mqtt_codec_node_state(const struct mqtt_message *msg,
                                         const struct site_fleet *fleet,
                                         struct mqtt_node_track *track,
                                         struct node_in *in);

/* Key of a vehicle: the first 8 bytes of SHA-256 of its number, never 0. */
uint64_t mqtt_codec_vin_key(const char *vin);

/* A current value or a series into 'in', merged with what it holds. */
struct mqtt_price_feed {
    const struct site *site;
    int64_t price; /* index in the site */
    const char *topic;
};
struct mqtt_result mqtt_codec_price(const struct mqtt_message *msg,
                                    const struct mqtt_price_feed *feed,
                                    int64_t *ts_ms, struct price_in *in);

/* utility/limit into the slots; an empty payload clears them all. */
struct mqtt_utility {
    struct utility_in *slots; /* UTILITY_MQTT */
    int64_t ts_ms[UTILITY_EVENTS_MAX];
};
struct mqtt_result mqtt_codec_utility(const struct mqtt_message *msg,
                                      struct mqtt_utility *utility);

/* Frees the slots of events that are over; true where there were any. */
bool mqtt_codec_utility_expire(struct mqtt_utility *utility, int64_t utc_ms);

/* pod/POD/job into the ring of JOB_MARKERS_MAX. */
struct mqtt_result mqtt_codec_job(const struct mqtt_message *msg,
                                  const struct site *site, int64_t pod,
                                  struct job_in *ring);

/* Acknowledgement of a command. */
struct mqtt_ack {
    uint64_t number;
    enum ack_status status;
};
struct mqtt_result mqtt_codec_ack(const struct mqtt_message *msg, uint64_t boot,
                                  struct mqtt_ack *ack);

/* What every command carries; the id is BOOT-NUMBER and unique. */
struct mqtt_command_head {
    uint64_t boot;
    uint64_t number;
    const char *ts; /* RFC 3339 */
};

enum { MQTT_COMMAND_MAX = 320 };

/* Payloads of pod/POD/cap/set and node/NODE/set.  Returns the length, 0 where
 * the command has no finite value or lease: it must not be sent. */
int mqtt_codec_print_cap(const struct mqtt_command_head *head,
                         const struct pod_command *command,
                         char out[MQTT_COMMAND_MAX]);
int mqtt_codec_print_set(const struct mqtt_command_head *head,
                         const struct node_command *command,
                         char out[MQTT_COMMAND_MAX]);

#endif
