/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_inbox.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/sim_clock.h"
#include "replay/sim_json.h"
#include "replay/sim_names.h"

void sim_send_text(struct sim_bus *bus, int link, const char *topic, char *text,
                   enum sim_send how)
{
    if (text != NULL) {
        sim_bus_send(bus, link, topic, text, how);
        free(text);
    }
}

/* The judgement of an order for a pod; the caller holds the lock. */
static enum ack_status order_pod(struct sim_site *s, int i,
                                 const struct sim_order *o, bool retained,
                                 const char **detail)
{
    struct sim_pod *p = &s->pods[i];
    double now_s = sim_mono_s();
    if (isnan(o->cap_w)) {
        *detail = "cap_w is missing";
        return ACK_REJECTED;
    }
    enum ack_status status =
        sim_lease_offer(&p->lease, o, retained, sim_utc_ms(), now_s, detail);
    if (status != ACK_APPLIED) {
        return status;
    }
    status = sim_pod_take(p, o, s->plant->pods[i].power_w, now_s);
    if (status == ACK_PARTIAL) {
        *detail = "held at the end of the pod's range";
    }
    return status;
}

static enum ack_status order_car(struct sim_site *s, int i,
                                 const struct sim_order *o, bool retained,
                                 const char **detail)
{
    struct sim_car *c = &s->cars[i];
    const struct plant_node *n = &s->plant->nodes[i];
    enum ack_status status = sim_lease_offer(
        &c->lease, o, retained, sim_utc_ms(), sim_mono_s(), detail);
    if (status != ACK_APPLIED) {
        return status;
    }
    return sim_car_take(c, o, n->charge_max_w, n->compute_max_w);
}

/* A member that takes orders by this link, or -1. */
static int find_member(struct sim_site *s, const struct sim_message *m,
                       bool car, const char *name)
{
    if (car) {
        return sim_find_car(&s->site, name);
    }
    int i = sim_find_pod(&s->site, name);
    return i >= 0 && m->link == sim_pod_link(i) && !s->faults.pods_silent[i]
               ? i
               : -1;
}

static enum sim_taken take_order(struct sim_site *s, struct sim_bus *bus,
                                 const struct sim_message *m, bool car,
                                 const char *name)
{
    struct sim_order order;
    const char *detail = "";
    enum ack_status status = ACK_REJECTED;
    enum err e = sim_order_parse(m->payload, m->size, &order, &detail);
    pthread_mutex_lock(&s->lock);
    int i = find_member(s, m, car, name);
    if (i >= 0 && e == ERR_NONE) {
        status = car ? order_car(s, i, &order, m->retained, &detail)
                     : order_pod(s, i, &order, m->retained, &detail);
    }
    double in_force_w = 0.0;
    if (i >= 0) {
        in_force_w = car ? s->cars[i].charge_w : s->pods[i].to_w;
    }
    pthread_mutex_unlock(&s->lock);
    if (i < 0) {
        return SIM_IGNORED;
    }
    char topic[SIM_TOPIC_MAX];
    sim_member_topic(&s->site, car ? "node" : "pod", name,
                     car ? "ack" : "cap/ack", topic);
    sim_send_text(
        bus, m->link, topic,
        sim_json_ack(&order, status, detail, car, in_force_w, sim_utc_ms()),
        SIM_QOS1);
    return status == ACK_REJECTED || status == ACK_EXPIRED ? SIM_REFUSED
                                                           : SIM_TAKEN;
}

static enum sim_taken take_fault(struct sim_site *s, struct sim_message *m)
{
    enum err e = sim_site_fault(s, m->payload, m->size);
    for (char *p = m->payload; *p != '\0'; p++) {
        if (!isprint((unsigned char)*p)) {
            *p = ' '; /* nothing from the wire may steer a terminal */
        }
    }
    if (e == ERR_NONE) {
        printf("fault %.200s: done\n", m->payload);
    } else {
        printf("fault %.200s: refused: %s; the faults, with names of the "
               "site file:\n" SIM_FAULTS_TEXT,
               m->payload, err_text(e));
    }
    fflush(stdout);
    return e == ERR_NONE ? SIM_TAKEN : SIM_REFUSED;
}

/* "ballast/v1/SITE/KIND/NAME/LEAF...": cuts out KIND and NAME; false where it
 * is another topic. */
static bool split_topic(const struct site *site, char *topic, char **kind,
                        char **name)
{
    char base[SIM_TOPIC_MAX];
    sim_topic(site, "", base);
    size_t n = strlen(base);
    if (strncmp(topic, base, n) != 0) {
        return false;
    }
    *kind = topic + n;
    char *slash = strchr(*kind, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    *name = slash + 1;
    slash = strchr(*name, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return true;
}

enum sim_taken sim_inbox_take(struct sim_site *s, struct sim_bus *bus,
                              struct sim_message *m)
{
    char *kind = NULL;
    char *name = NULL;
    if (!split_topic(&s->site, m->topic, &kind, &name)) {
        return SIM_IGNORED;
    }
    if (strcmp(kind, "sim") == 0) {
        return m->retained ? SIM_IGNORED : take_fault(s, m);
    }
    bool car = strcmp(kind, "node") == 0;
    if (car || strcmp(kind, "pod") == 0) {
        return take_order(s, bus, m, car, name);
    }
    return SIM_IGNORED;
}
