/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_inbox.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/mqtt_rival.h"
#include "adapters/mqtt_telemetry.h"
#include "adapters/mqtt_topic.h"

struct mqtt_inbox {
    const struct site *site;
    uint64_t boot;
    struct mqtt_outbox *outbox;
    struct mqtt_index *index;
    struct mqtt_telemetry *telemetry; /* NULL where no fleet has it */
    struct mqtt_order pod_orders[SITE_PODS_MAX];
    struct mqtt_node_track *tracks;
    int64_t price_ts_ms[SITE_PRICES_MAX];
    struct mqtt_utility utility;
    struct mqtt_counts counts;
};

enum err mqtt_inbox_open(const struct mqtt_inbox_cfg *cfg,
                         struct mqtt_inbox **out, char *why, size_t why_size)
{
    size_t n_nodes = (size_t)cfg->site->n_nodes;
    struct mqtt_inbox *b = calloc(1, sizeof(*b));
    snprintf(why, why_size, "out of memory");
    if (b == NULL) {
        return ERR_MEMORY;
    }
    b->site = cfg->site;
    b->boot = cfg->boot;
    b->outbox = cfg->outbox;
    b->tracks = calloc(n_nodes > 0 ? n_nodes : 1, sizeof(b->tracks[0]));
    enum err err = b->tracks == NULL ? ERR_MEMORY : ERR_NONE;
    if (err == ERR_NONE) {
        err = mqtt_telemetry_open(b->site, &b->telemetry);
    }
    if (err == ERR_NONE) {
        err = mqtt_index_open(b->site, &b->index, why, why_size);
    }
    if (err != ERR_NONE) {
        mqtt_inbox_close(b);
        return err;
    }
    *out = b;
    return ERR_NONE;
}

void mqtt_inbox_close(struct mqtt_inbox *b)
{
    if (b != NULL) {
        mqtt_telemetry_close(b->telemetry);
        mqtt_index_close(b->index);
        free(b->tracks);
        free(b);
    }
}

const struct mqtt_index *mqtt_inbox_index(const struct mqtt_inbox *b)
{
    return b->index;
}

void mqtt_inbox_prime(struct mqtt_inbox *b, struct mqtt_inputs *in)
{
    assert(in->n_nodes == b->site->n_nodes);
    for (int64_t i = 0; i < in->n_nodes; i++) {
        if (in->nodes[i].agent_mono_ms == 0 && in->nodes[i].pack_mono_ms == 0) {
            mqtt_codec_node_clear(&in->nodes[i]);
        }
    }
}

/* What a message was about, for people: no number of a vehicle. */
static void note_error(struct mqtt_inbox *b, const struct mqtt_target *target,
                       const char *topic, const char *why)
{
    const char *base = "";
    const char *what = strncmp(topic, "ballast/", 8) == 0 ? topic : "a topic";
    if (target->kind == MQTT_TOPIC_PRICE) {
        what = b->site->prices[target->index].market;
        base = "price ";
    } else if (target->kind >= MQTT_TOPIC_VEHICLE_FIELD) {
        base = "telemetry ";
        what = target->field[0] != '\0' ? target->field : "connectivity";
    }
    snprintf(b->counts.last_error, sizeof(b->counts.last_error), "%s%.80s: %s",
             base, what, why);
    /* What came from outside is printed: nothing but plain ASCII. */
    for (char *p = b->counts.last_error; *p != '\0'; p++) {
        *p = *p < ' ' || *p > '~' ? '?' : *p;
    }
}

static void count(struct mqtt_inbox *b, const struct mqtt_result *result)
{
    uint64_t *counters[MQTT_VERDICT_COUNT] = {
        [MQTT_PARTLY] = &b->counts.n_malformed,
        [MQTT_MALFORMED] = &b->counts.n_malformed,
        [MQTT_UNKNOWN] = &b->counts.n_unknown,
        [MQTT_STALE] = &b->counts.n_stale,
        [MQTT_RETAINED] = &b->counts.n_retained,
        [MQTT_FULL] = &b->counts.n_overflow,
    };
    if (counters[result->verdict] != NULL) {
        (*counters[result->verdict])++;
    }
}

/* A word of the utility that nobody will act on.  Not what is over, repeated or
 * overtaken: brokers keep that for long. */
static void note_utility(struct mqtt_counts *c, enum mqtt_verdict verdict)
{
    if (verdict == MQTT_MALFORMED || verdict == MQTT_FULL) {
        c->n_utility_refused++;
        memcpy(c->utility_error, c->last_error, sizeof(c->utility_error));
    }
}

static const struct site_fleet *fleet_of(const struct site *site, int64_t node)
{
    int f = 0;
    while (node >= site->fleets[f].first_node + site->fleets[f].nodes) {
        f++;
    }
    return &site->fleets[f];
}

static struct mqtt_result take_node_state(struct mqtt_inbox *b, int64_t node,
                                          const struct mqtt_message *msg,
                                          struct mqtt_inputs *in)
{
    struct mqtt_result r = mqtt_codec_node_state(
        msg, fleet_of(b->site, node), &b->tracks[node], &in->nodes[node]);
    if (b->telemetry != NULL && r.verdict <= MQTT_PARTLY) {
        struct mqtt_nodes nodes = {in->nodes, b->tracks};
        mqtt_telemetry_link(b->telemetry, node, &nodes);
    }
    return r;
}

static struct mqtt_result take_online(const struct mqtt_target *target,
                                      const struct mqtt_message *msg,
                                      struct mqtt_inputs *in)
{
    bool online = false;
    struct mqtt_result r = mqtt_codec_online(msg, &online);
    if (r.verdict != MQTT_TAKEN) {
        return r;
    }
    if (target->kind == MQTT_TOPIC_POD_ONLINE) {
        mqtt_codec_pod_online(&in->pods[target->index], online);
    } else {
        int64_t *flags = &in->nodes[target->index].flags;
        *flags = online ? *flags | NODE_ONLINE : *flags & ~(int64_t)NODE_ONLINE;
    }
    return r;
}

static struct mqtt_result take_ack(struct mqtt_inbox *b,
                                   const struct mqtt_target *target,
                                   const struct mqtt_message *msg,
                                   struct mqtt_inputs *in)
{
    struct mqtt_ack ack;
    struct mqtt_result r = mqtt_codec_ack(msg, b->boot, &ack);
    if (r.verdict != MQTT_TAKEN) {
        return r;
    }
    bool of_pod = target->kind == MQTT_TOPIC_POD_ACK;
    bool last =
        of_pod ? mqtt_outbox_pod_ack(b->outbox, target->index, ack.number)
               : mqtt_outbox_node_ack(b->outbox, target->index, ack.number);
    if (!last) {
        return (struct mqtt_result){MQTT_STALE,
                                    "acknowledges an earlier command"};
    }
    b->counts.n_acked++;
    if (of_pod) {
        in->pods[target->index].ack_status = ack.status;
    }
    return r;
}

/* Ours come back to us; what the broker kept may be of any age. */
static struct mqtt_result take_status(struct mqtt_inbox *b,
                                      const struct mqtt_message *msg)
{
    char own[MQTT_INSTANCE_MAX];
    struct mqtt_rival rival;
    snprintf(own, sizeof(own), "%016" PRIx64, b->boot);
    if (!msg->retained && mqtt_rival_read(msg, own, &rival)) {
        b->counts.rival_mono_ms = msg->mono_ms;
    }
    return (struct mqtt_result){MQTT_IGNORED, ""};
}

static struct mqtt_result take_vehicle(struct mqtt_inbox *b,
                                       const struct mqtt_target *target,
                                       const struct mqtt_message *msg,
                                       struct mqtt_inputs *in)
{
    struct mqtt_nodes nodes = {in->nodes, b->tracks};
    return mqtt_telemetry_take(b->telemetry, target, msg, &nodes);
}

/* 'changed' gets the part of the inputs that the message is about. */
static struct mqtt_result
take(struct mqtt_inbox *b, const struct mqtt_target *target, const char *topic,
     const struct mqtt_message *msg, struct mqtt_inputs *in, unsigned *changed)
{
    int64_t i = target->index;
    struct mqtt_price_feed feed = {b->site, i, topic};
    switch (target->kind) {
    case MQTT_TOPIC_NONE:
        break;
    case MQTT_TOPIC_POD_ONLINE:
        *changed = MQTT_PODS;
        return take_online(target, msg, in);
    case MQTT_TOPIC_POD_STATE:
        *changed = MQTT_PODS;
        return mqtt_codec_pod_state(msg, &b->site->pods[i], &b->pod_orders[i],
                                    &in->pods[i]);
    case MQTT_TOPIC_POD_JOB:
        *changed = MQTT_JOBS;
        return mqtt_codec_job(msg, b->site, i, in->jobs);
    case MQTT_TOPIC_POD_ACK:
        *changed = MQTT_PODS;
        return take_ack(b, target, msg, in);
    case MQTT_TOPIC_NODE_ONLINE:
        *changed = MQTT_NODES;
        return take_online(target, msg, in);
    case MQTT_TOPIC_NODE_STATE:
        *changed = MQTT_NODES;
        return take_node_state(b, i, msg, in);
    case MQTT_TOPIC_NODE_ACK:
        return take_ack(b, target, msg, in);
    case MQTT_TOPIC_PRICE:
        *changed = MQTT_PRICES;
        return mqtt_codec_price(msg, &feed, &b->price_ts_ms[i], &in->prices[i]);
    case MQTT_TOPIC_UTILITY:
        *changed = MQTT_UTILITY;
        return mqtt_codec_utility(msg, &b->utility);
    case MQTT_TOPIC_STATUS:
        return take_status(b, msg);
    case MQTT_TOPIC_VEHICLE_FIELD:
    case MQTT_TOPIC_VEHICLE_CONNECTIVITY:
    case MQTT_TOPIC_VEHICLE_ALERT:
        *changed = MQTT_NODES;
        return take_vehicle(b, target, msg, in);
    }
    return (struct mqtt_result){MQTT_UNKNOWN, "the site has no such thing"};
}

unsigned mqtt_inbox_take(struct mqtt_inbox *b, const char *topic,
                         const struct mqtt_message *msg, struct mqtt_inputs *in)
{
    struct mqtt_target target = mqtt_index_find(b->index, topic, strlen(topic));
    b->utility.slots = in->utility;
    unsigned changed = 0;
    struct mqtt_result r = take(b, &target, topic, msg, in, &changed);
    b->counts.n_received++;
    count(b, &r);
    if (r.verdict != MQTT_TAKEN && r.verdict != MQTT_IGNORED) {
        note_error(b, &target, topic, r.why);
    }
    if (target.kind == MQTT_TOPIC_UTILITY) {
        note_utility(&b->counts, r.verdict);
    }
    /* A field that was refused may have become unknown by that. */
    return r.verdict == MQTT_IGNORED ? 0 : changed;
}

/* A pod that leaves its commands unanswered obeys nobody knows what. */
static unsigned expire_acks(struct mqtt_inbox *b, int64_t mono_ms,
                            struct mqtt_inputs *in)
{
    unsigned changed = 0;
    for (int i = 0; i < b->site->n_pods; i++) {
        if (in->pods[i].ack_status != ACK_NONE &&
            mqtt_outbox_pod_silent(b->outbox, i, mono_ms)) {
            in->pods[i].ack_status = ACK_NONE;
            changed = MQTT_PODS;
        }
    }
    return changed;
}

unsigned mqtt_inbox_expire(struct mqtt_inbox *b, int64_t mono_ms,
                           int64_t utc_ms, struct mqtt_inputs *in)
{
    b->utility.slots = in->utility;
    unsigned changed = expire_acks(b, mono_ms, in);
    if (mqtt_codec_utility_expire(&b->utility, utc_ms)) {
        changed |= MQTT_UTILITY;
    }
    return changed;
}

const struct mqtt_counts *mqtt_inbox_counts(const struct mqtt_inbox *b)
{
    return &b->counts;
}
