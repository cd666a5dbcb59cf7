/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_telemetry.h"

#include <assert.h>
#include <stdlib.h>

#include "adapters/mqtt_vehicle.h"

/* Nodes looked at for a free one by one message. */
enum { LOOK_MAX = 64 };

/* Vehicles by key, open addressing without deletion: a vehicle once seen
 * stays, and there are never more than nodes. */
struct mqtt_telemetry {
    const struct site *site;
    struct vehicle *vehicles;
    int32_t *table;  /* index of a vehicle plus 1, 0 free */
    uint64_t mask;   /* size of the table minus 1 */
    int32_t *owners; /* of every node: vehicle plus 1, 0 none */
    int64_t n_vehicles;
    int64_t n_of_fleet[SITE_FLEETS_MAX];
    int64_t look_from[SITE_FLEETS_MAX]; /* node of the fleet to try next */
};

enum err mqtt_telemetry_open(const struct site *site,
                             struct mqtt_telemetry **out)
{
    size_t capacity = 0;
    for (int f = 0; f < site->n_fleets; f++) {
        capacity += site->fleets[f].telemetry[0] != '\0'
                        ? (size_t)site->fleets[f].nodes
                        : 0;
    }
    *out = NULL;
    if (capacity == 0) {
        return ERR_NONE;
    }
    size_t table_size = 16;
    while (table_size < 2 * capacity) {
        table_size *= 2;
    }
    struct mqtt_telemetry *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return ERR_MEMORY;
    }
    t->site = site;
    t->mask = table_size - 1;
    t->vehicles = calloc(capacity, sizeof(t->vehicles[0]));
    t->table = calloc(table_size, sizeof(t->table[0]));
    t->owners = calloc((size_t)site->n_nodes, sizeof(t->owners[0]));
    if (t->vehicles == NULL || t->table == NULL || t->owners == NULL) {
        mqtt_telemetry_close(t);
        return ERR_MEMORY;
    }
    *out = t;
    return ERR_NONE;
}

void mqtt_telemetry_close(struct mqtt_telemetry *t)
{
    if (t != NULL) {
        free(t->vehicles);
        free(t->table);
        free(t->owners);
        free(t);
    }
}

/* The same vehicle in two fleets is two. */
static uint64_t key_in_fleet(uint64_t vin_key, int64_t fleet)
{
    return vin_key ^ ((uint64_t)fleet * 0x9e3779b97f4a7c15u);
}

/* Where that key is or would be. */
static uint64_t find_place(const struct mqtt_telemetry *t, uint64_t key)
{
    uint64_t at = key & t->mask;
    while (t->table[at] != 0 && t->vehicles[t->table[at] - 1].key != key) {
        at = (at + 1) & t->mask;
    }
    return at;
}

static struct vehicle *find(const struct mqtt_telemetry *t, uint64_t key)
{
    int32_t i = t->table[find_place(t, key)];
    return i == 0 ? NULL : &t->vehicles[i - 1];
}

static struct vehicle *add(struct mqtt_telemetry *t, uint64_t key,
                           int64_t fleet)
{
    if (t->n_of_fleet[fleet] >= t->site->fleets[fleet].nodes) {
        return NULL;
    }
    struct vehicle *v = &t->vehicles[t->n_vehicles++];
    *v = (struct vehicle){.key = key, .node = -1, .fleet = fleet};
    t->table[find_place(t, key)] = (int32_t)t->n_vehicles;
    t->n_of_fleet[fleet]++;
    return v;
}

static void write_node(const struct vehicle *v, int64_t node,
                       const struct mqtt_nodes *nodes)
{
    struct mqtt_node_track *track = &nodes->tracks[node];
    struct node_in *in = &nodes->in[node];
    vehicle_write(v, in);
    track->has_vehicle = v != NULL;
    track->vehicle_alarm = v != NULL && vehicle_has_alert(v);
    in->flags &= ~(int64_t)NODE_ALARM;
    in->flags |= track->vehicle_alarm || track->agent_alarm ? NODE_ALARM : 0;
}

static void unbind(struct mqtt_telemetry *t, int64_t node,
                   const struct mqtt_nodes *nodes)
{
    if (t->owners[node] != 0) {
        t->vehicles[t->owners[node] - 1].node = -1;
        t->owners[node] = 0;
        write_node(NULL, node, nodes);
    }
}

static void bind_to(struct mqtt_telemetry *t, struct vehicle *v, int64_t node,
                    const struct mqtt_nodes *nodes)
{
    unbind(t, node, nodes);
    if (v->node >= 0) {
        unbind(t, v->node, nodes);
    }
    v->node = node;
    t->owners[node] = (int32_t)(v - t->vehicles) + 1;
    write_node(v, node, nodes);
}

/* A node without a vehicle whose agent names none and has no pack of its own;
 * a few are looked at, the next message goes on from there. */
static void find_node(struct mqtt_telemetry *t, struct vehicle *v,
                      const struct mqtt_nodes *nodes)
{
    const struct site_fleet *fleet = &t->site->fleets[v->fleet];
    for (int i = 0; i < LOOK_MAX && i < fleet->nodes; i++) {
        int64_t k = t->look_from[v->fleet];
        int64_t node = fleet->first_node + k;
        const struct mqtt_node_track *track = &nodes->tracks[node];
        if (t->owners[node] == 0 && track->vin_key == 0 && !track->gives_pack) {
            bind_to(t, v, node, nodes);
            return;
        }
        t->look_from[v->fleet] = k + 1 < fleet->nodes ? k + 1 : 0;
    }
}

void mqtt_telemetry_link(struct mqtt_telemetry *t, int64_t node,
                         const struct mqtt_nodes *nodes)
{
    const struct mqtt_node_track *track = &nodes->tracks[node];
    int64_t fleet = 0;
    while (fleet < t->site->n_fleets &&
           node >= t->site->fleets[fleet].first_node +
                       t->site->fleets[fleet].nodes) {
        fleet++;
    }
    if (fleet == t->site->n_fleets) {
        return;
    }
    if (track->vin_key == 0) {
        if (track->gives_pack) {
            unbind(t, node, nodes);
        }
        return;
    }
    uint64_t key = key_in_fleet(track->vin_key, fleet);
    struct vehicle *v = find(t, key);
    if (v != NULL && v->node != node) {
        bind_to(t, v, node, nodes);
    } else if (v == NULL) {
        unbind(t, node, nodes);
    }
}

struct mqtt_result mqtt_telemetry_take(struct mqtt_telemetry *t,
                                       const struct mqtt_target *target,
                                       const struct mqtt_message *msg,
                                       const struct mqtt_nodes *nodes)
{
    int field = vehicle_field_find(target->field);
    if (target->kind == MQTT_TOPIC_VEHICLE_FIELD && field < 0) {
        return (struct mqtt_result){MQTT_IGNORED, ""};
    }
    uint64_t key = key_in_fleet(mqtt_codec_vin_key(target->vin), target->index);
    struct vehicle *v = find(t, key);
    v = v != NULL ? v : add(t, key, target->index);
    if (v == NULL) {
        return (struct mqtt_result){MQTT_UNKNOWN,
                                    "more vehicles than the fleet has nodes"};
    }
    struct mqtt_result result;
    if (target->kind == MQTT_TOPIC_VEHICLE_FIELD) {
        result = vehicle_take_field(v, (enum vehicle_field)field, msg);
    } else if (target->kind == MQTT_TOPIC_VEHICLE_CONNECTIVITY) {
        result = vehicle_take_connectivity(v, msg);
    } else {
        result = vehicle_take_alert(v, target->field, msg);
    }
    if (v->node < 0) {
        find_node(t, v, nodes);
    } else {
        write_node(v, v->node, nodes);
    }
    return result;
}
