/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_outbox.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "adapters/mqtt_codec.h"
#include "adapters/mqtt_topic.h"
#include "models/calendar.h"

/* The last command sent to one asset. */
struct lease {
    double first_w;        /* cap of a pod, compute of a node */
    double second_w;       /* floor of a pod, charge of a node */
    double ttl_s;          /* of what was sent */
    int64_t sent_mono_ms;  /* 0: nothing in force */
    int64_t asked_mono_ms; /* first command since the last answer, 0: none */
    uint64_t number;
};

/* What is wanted now, in the same order. */
struct want {
    double first_w;
    double second_w;
    double ttl_s;
    double tolerance_w; /* a smaller change waits for the renewal */
    double edge_w;      /* but the first reaching this does not, nor the second
                         * reaching 0 */
};

struct mqtt_outbox {
    struct mqtt_outbox_cfg cfg;
    uint64_t number;
    int64_t next_node;
    struct lease pods[SITE_PODS_MAX];
    struct lease *nodes;
};

static bool has_moved(double want_w, double sent_w, double edge_w,
                      const struct want *want)
{
    return fabs(want_w - sent_w) > want->tolerance_w ||
           (want_w != sent_w && want_w == edge_w);
}

static bool is_due(const struct lease *sent, const struct want *want,
                   int64_t mono_ms)
{
    if (sent->sent_mono_ms == 0 ||
        has_moved(want->first_w, sent->first_w, want->edge_w, want) ||
        has_moved(want->second_w, sent->second_w, 0.0, want)) {
        return true;
    }
    double ttl_s = fmin(want->ttl_s, sent->ttl_s);
    return (double)(mono_ms - sent->sent_mono_ms) >= ttl_s * 1e3 / 3.0;
}

static void note_sent(struct lease *lease, const struct want *want,
                      uint64_t number, int64_t mono_ms)
{
    lease->first_w = want->first_w;
    lease->second_w = want->second_w;
    lease->ttl_s = want->ttl_s;
    lease->sent_mono_ms = mono_ms;
    lease->number = number;
    if (lease->asked_mono_ms == 0) {
        lease->asked_mono_ms = mono_ms;
    }
}

enum err mqtt_outbox_open(const struct mqtt_outbox_cfg *cfg,
                          struct mqtt_outbox **out)
{
    struct mqtt_outbox *o = calloc(1, sizeof(*o));
    if (o == NULL) {
        return ERR_MEMORY;
    }
    o->cfg = *cfg;
    size_t n_nodes = (size_t)cfg->site->n_nodes;
    o->nodes = calloc(n_nodes > 0 ? n_nodes : 1, sizeof(o->nodes[0]));
    if (o->nodes == NULL) {
        free(o);
        return ERR_MEMORY;
    }
    *out = o;
    return ERR_NONE;
}

void mqtt_outbox_close(struct mqtt_outbox *o)
{
    if (o != NULL) {
        free(o->nodes);
        free(o);
    }
}

void mqtt_outbox_renew_all(struct mqtt_outbox *o)
{
    for (int i = 0; i < o->cfg.site->n_pods; i++) {
        o->pods[i].sent_mono_ms = 0;
    }
    for (int64_t i = 0; i < o->cfg.site->n_nodes; i++) {
        o->nodes[i].sent_mono_ms = 0;
    }
}

/* One call of mqtt_outbox_send(). */
struct sending {
    struct mqtt_outbox *o;
    int64_t mono_ms;
    char ts[CALENDAR_TEXT_MAX];
    struct mqtt_outbox_counts *counts;
};

static bool post(struct sending *s, const char *topic, const char *payload,
                 int size)
{
    /* No payload: not finite, or no lease.  That must not leave the house. */
    bool sent = size > 0 && s->o->cfg.send(s->o->cfg.to, topic, payload, size);
    if (sent) {
        s->counts->n_sent++;
        s->counts->sent_mono_ms = s->mono_ms;
    } else {
        s->counts->n_unsent++;
    }
    return sent;
}

static void send_pod(struct sending *s, int pod, const struct pod_command *c)
{
    const struct site *site = s->o->cfg.site;
    struct lease *lease = &s->o->pods[pod];
    double max_w = site->pods[pod].power_max_w;
    struct want want = {
        .first_w = c->cap_w,
        .second_w = c->floor_w,
        .ttl_s = c->ttl_s,
        .tolerance_w = 1e-3 * max_w,
        .edge_w = max_w,
    };
    if (!c->valid) {
        lease->sent_mono_ms = 0;
        return;
    }
    if (!is_due(lease, &want, s->mono_ms)) {
        return;
    }
    struct mqtt_command_head head = {s->o->cfg.boot, ++s->o->number, s->ts};
    char topic[MQTT_TOPIC_MAX];
    char payload[MQTT_COMMAND_MAX];
    int size = mqtt_codec_print_cap(&head, c, payload);
    mqtt_topic_pod_set(site, pod, topic);
    if (post(s, topic, payload, size)) {
        note_sent(lease, &want, head.number, s->mono_ms);
    }
}

/* Returns true where something was to be sent. */
static bool send_node(struct sending *s, int64_t node,
                      const struct node_command *c)
{
    struct lease *lease = &s->o->nodes[node];
    struct want want = {
        .first_w = c->compute_w,
        .second_w = c->charge_w,
        .ttl_s = c->ttl_s,
        .tolerance_w = 10.0,
        .edge_w = 0.0,
    };
    if (!c->valid) {
        lease->sent_mono_ms = 0;
        return false;
    }
    if (!is_due(lease, &want, s->mono_ms)) {
        return false;
    }
    struct mqtt_command_head head = {s->o->cfg.boot, ++s->o->number, s->ts};
    char topic[MQTT_TOPIC_MAX];
    char payload[MQTT_COMMAND_MAX];
    int size = mqtt_codec_print_set(&head, c, payload);
    mqtt_topic_node_set(s->o->cfg.site, node, topic);
    if (post(s, topic, payload, size)) {
        note_sent(lease, &want, head.number, s->mono_ms);
    }
    return true;
}

void mqtt_outbox_send(struct mqtt_outbox *o, int64_t mono_ms, int64_t utc_ms,
                      const struct step_out *out,
                      struct mqtt_outbox_counts *counts)
{
    assert(out->n_nodes == o->cfg.site->n_nodes);
    struct sending s = {.o = o, .mono_ms = mono_ms, .counts = counts};
    calendar_format_utc(utc_ms, s.ts);
    for (int i = 0; i < o->cfg.site->n_pods; i++) {
        send_pod(&s, i, &out->pods[i]);
    }
    int n_nodes = 0;
    int64_t n = out->n_nodes;
    for (int64_t i = 0;
         i < n && i < MQTT_OUTBOX_LOOK && n_nodes < MQTT_OUTBOX_NODES; i++) {
        int64_t node = o->next_node;
        o->next_node = node + 1 < n ? node + 1 : 0;
        n_nodes += send_node(&s, node, &out->nodes[node]);
    }
}

static bool take_ack(struct lease *lease, uint64_t number)
{
    if (lease->number == 0 || lease->number != number) {
        return false;
    }
    lease->asked_mono_ms = 0;
    return true;
}

bool mqtt_outbox_pod_ack(struct mqtt_outbox *o, int64_t pod, uint64_t number)
{
    return take_ack(&o->pods[pod], number);
}

bool mqtt_outbox_node_ack(struct mqtt_outbox *o, int64_t node, uint64_t number)
{
    return take_ack(&o->nodes[node], number);
}

bool mqtt_outbox_pod_silent(const struct mqtt_outbox *o, int64_t pod,
                            int64_t mono_ms)
{
    const struct lease *lease = &o->pods[pod];
    return lease->asked_mono_ms != 0 &&
           (double)(mono_ms - lease->asked_mono_ms) > lease->ttl_s * 1e3;
}
