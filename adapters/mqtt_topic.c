/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_topic.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/reason.h"

/* A piece of a topic, not ended by a NUL. */
struct piece {
    const char *at;
    size_t length;
};

struct name {
    const char *text; /* in the site */
    int64_t index;
};

struct mqtt_index {
    const struct site *site;
    char root[SITE_NAME_MAX + 16]; /* "ballast/v1/SITE/" */
    char prices[SITE_PRICES_MAX][MQTT_TOPIC_MAX];
    struct name pods[SITE_PODS_MAX]; /* sorted by text */
};

static bool piece_is(struct piece p, const char *text)
{
    return strlen(text) == p.length && memcmp(p.at, text, p.length) == 0;
}

/* Takes 'prefix' and a '/' off the front of 'p'. */
static bool take_prefix(struct piece *p, const char *prefix)
{
    size_t n = strlen(prefix);
    if (p->length <= n || memcmp(p->at, prefix, n) != 0 || p->at[n] != '/') {
        return false;
    }
    *p = (struct piece){p->at + n + 1, p->length - n - 1};
    return true;
}

/* Takes the part up to the next '/' off the front; 'p' is what follows. */
static struct piece take_level(struct piece *p)
{
    const char *slash = memchr(p->at, '/', p->length);
    size_t n = slash == NULL ? p->length : (size_t)(slash - p->at);
    struct piece level = {p->at, n};
    size_t skip = slash == NULL ? n : n + 1;
    *p = (struct piece){p->at + skip, p->length - skip};
    return level;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text,
                  ((const struct name *)b)->text);
}

/* Index of the pod called 'p', -1 for none. */
static int64_t find_pod(const struct mqtt_index *index, struct piece p)
{
    char text[SITE_NAME_MAX];
    if (p.length >= sizeof(text)) {
        return -1;
    }
    memcpy(text, p.at, p.length);
    text[p.length] = '\0';
    struct name key = {text, 0};
    const struct name *found =
        bsearch(&key, index->pods, (size_t)index->site->n_pods,
                sizeof(index->pods[0]), compare_names);
    return found == NULL ? -1 : found->index;
}

/* Index of the node called 'p' = FLEET-0001, -1 for none.  A number with
 * other leading zeros than "%04d" prints is another name. */
static int64_t find_node(const struct site *site, struct piece p)
{
    size_t n_digits = 0;
    int64_t number = 0;
    int64_t unit = 1;
    while (n_digits < p.length && n_digits < 8) {
        char c = p.at[p.length - 1 - n_digits];
        if (c < '0' || c > '9') {
            break;
        }
        number += unit * (c - '0');
        unit *= 10;
        n_digits++;
    }
    if (n_digits < 4 || p.length < n_digits + 2 ||
        p.at[p.length - n_digits - 1] != '-' ||
        (n_digits > 4 && p.at[p.length - n_digits] == '0')) {
        return -1;
    }
    p.length -= n_digits + 1;
    for (int f = 0; f < site->n_fleets; f++) {
        if (piece_is(p, site->fleets[f].name) && number >= 1 &&
            number <= site->fleets[f].nodes) {
            return site->fleets[f].first_node + number - 1;
        }
    }
    return -1;
}

struct leaf {
    const char *text;
    enum mqtt_topic_kind kind;
};

static enum mqtt_topic_kind find_leaf(const struct leaf *leaves, size_t n,
                                      struct piece rest)
{
    for (size_t i = 0; i < n; i++) {
        if (piece_is(rest, leaves[i].text)) {
            return leaves[i].kind;
        }
    }
    return MQTT_TOPIC_NONE;
}

/* What follows ballast/v1/SITE/. */
static struct mqtt_target find_own(const struct mqtt_index *index,
                                   struct piece rest)
{
    static const struct leaf of_pod[] = {
        {"online", MQTT_TOPIC_POD_ONLINE},
        {"state", MQTT_TOPIC_POD_STATE},
        {"job", MQTT_TOPIC_POD_JOB},
        {"cap/ack", MQTT_TOPIC_POD_ACK},
    };
    static const struct leaf of_node[] = {
        {"online", MQTT_TOPIC_NODE_ONLINE},
        {"state", MQTT_TOPIC_NODE_STATE},
        {"ack", MQTT_TOPIC_NODE_ACK},
    };
    struct mqtt_target target = {.kind = MQTT_TOPIC_NONE};
    if (piece_is(rest, "utility/limit")) {
        target.kind = MQTT_TOPIC_UTILITY;
        return target;
    }
    if (piece_is(rest, "status")) {
        target.kind = MQTT_TOPIC_STATUS;
        return target;
    }
    struct piece group = take_level(&rest);
    struct piece name = take_level(&rest);
    if (piece_is(group, "pod")) {
        target.index = find_pod(index, name);
        target.kind =
            find_leaf(of_pod, sizeof(of_pod) / sizeof(of_pod[0]), rest);
    } else if (piece_is(group, "node")) {
        target.index = find_node(index->site, name);
        target.kind =
            find_leaf(of_node, sizeof(of_node) / sizeof(of_node[0]), rest);
    }
    if (target.index < 0 || target.kind == MQTT_TOPIC_NONE) {
        target = (struct mqtt_target){.kind = MQTT_TOPIC_NONE};
    }
    return target;
}

static bool copy_piece(struct piece p, char *out, size_t size)
{
    if (p.length == 0 || p.length >= size) {
        return false;
    }
    memcpy(out, p.at, p.length);
    out[p.length] = '\0';
    return true;
}

/* What follows the topic base of a fleet's telemetry: VIN/v/FIELD ... */
static struct mqtt_target find_vehicle(int fleet, struct piece rest)
{
    struct mqtt_target none = {.kind = MQTT_TOPIC_NONE};
    struct mqtt_target target = {.index = fleet};
    if (!copy_piece(take_level(&rest), target.vin, sizeof(target.vin))) {
        return none;
    }
    if (piece_is(rest, "connectivity")) {
        target.kind = MQTT_TOPIC_VEHICLE_CONNECTIVITY;
        return target;
    }
    struct piece group = take_level(&rest);
    struct piece name = take_level(&rest);
    if (piece_is(group, "v") && rest.length == 0) {
        target.kind = MQTT_TOPIC_VEHICLE_FIELD;
    } else if (piece_is(group, "alerts") && piece_is(rest, "current")) {
        target.kind = MQTT_TOPIC_VEHICLE_ALERT;
    } else {
        return none;
    }
    return copy_piece(name, target.field, sizeof(target.field)) ? target : none;
}

struct mqtt_target mqtt_index_find(const struct mqtt_index *index,
                                   const char *topic, size_t length)
{
    const struct site *site = index->site;
    struct piece whole = {topic, length};
    for (int i = 0; i < site->n_prices; i++) {
        if (piece_is(whole, index->prices[i])) {
            return (struct mqtt_target){.kind = MQTT_TOPIC_PRICE, .index = i};
        }
    }
    struct mqtt_target target = {.kind = MQTT_TOPIC_NONE};
    if (length >= MQTT_TOPIC_MAX) {
        return target;
    }
    size_t root = strlen(index->root);
    if (length > root && memcmp(topic, index->root, root) == 0) {
        target = find_own(index, (struct piece){topic + root, length - root});
    }
    for (int f = 0; f < site->n_fleets && target.kind == MQTT_TOPIC_NONE; f++) {
        struct piece rest = whole;
        if (site->fleets[f].telemetry[0] != '\0' &&
            take_prefix(&rest, site->fleets[f].telemetry)) {
            target = find_vehicle(f, rest);
        }
    }
    return target;
}

bool mqtt_topic_is_bulk(const char *topic, size_t length)
{
    static const char state[] = "/state";
    size_t n = sizeof(state) - 1;
    if (length >= n && memcmp(topic + length - n, state, n) == 0) {
        return true;
    }
    /* BASE/VIN/v/FIELD: the last level but one is "v". */
    const char *end = topic + length;
    while (end > topic && end[-1] != '/') {
        end--;
    }
    return end - topic >= 3 && end[-2] == 'v' && end[-3] == '/';
}

int mqtt_index_filters(const struct mqtt_index *index,
                       char filters[MQTT_SUBSCRIPTIONS_MAX][MQTT_TOPIC_MAX])
{
    static const char *const of_pods[] = {"pod/+/online", "pod/+/state",
                                          "pod/+/job", "pod/+/cap/ack"};
    static const char *const of_nodes[] = {"node/+/online", "node/+/state",
                                           "node/+/ack"};
    static const char *const of_cars[] = {"+/v/+", "+/connectivity",
                                          "+/alerts/+/current"};
    const struct site *site = index->site;
    int n = 0;
    snprintf(filters[n++], MQTT_TOPIC_MAX, "%sutility/limit", index->root);
    snprintf(filters[n++], MQTT_TOPIC_MAX, "%sstatus", index->root);
    for (int i = 0; i < 4 && site->n_pods > 0; i++) {
        snprintf(filters[n++], MQTT_TOPIC_MAX, "%s%s", index->root, of_pods[i]);
    }
    for (int i = 0; i < 3 && site->n_nodes > 0; i++) {
        snprintf(filters[n++], MQTT_TOPIC_MAX, "%s%s", index->root,
                 of_nodes[i]);
    }
    for (int i = 0; i < site->n_prices; i++) {
        snprintf(filters[n++], MQTT_TOPIC_MAX, "%s", index->prices[i]);
    }
    for (int f = 0; f < site->n_fleets; f++) {
        for (int i = 0; i < 3 && site->fleets[f].telemetry[0] != '\0'; i++) {
            snprintf(filters[n++], MQTT_TOPIC_MAX, "%s/%s",
                     site->fleets[f].telemetry, of_cars[i]);
        }
    }
    assert(n <= MQTT_SUBSCRIPTIONS_MAX);
    return n;
}

/* A name or topic that may stand between slashes; 'slashes' may be in it. */
static bool is_usable(const char *text, bool slashes)
{
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == '+' || *p == '#' ||
            (*p == '/' && !slashes)) {
            return false;
        }
    }
    return text[0] != '\0' && text[0] != '/' && text[strlen(text) - 1] != '/';
}

/* The first text of the site that cannot be in a topic, NULL for none. */
static const char *find_unusable(const struct site *site)
{
    if (!is_usable(site->name, false)) {
        return site->name;
    }
    for (int i = 0; i < site->n_pods; i++) {
        if (!is_usable(site->pods[i].name, false)) {
            return site->pods[i].name;
        }
    }
    for (int f = 0; f < site->n_fleets; f++) {
        const char *base = site->fleets[f].telemetry;
        if (!is_usable(site->fleets[f].name, false)) {
            return site->fleets[f].name;
        }
        if (base[0] != '\0' && !is_usable(base, true)) {
            return base;
        }
    }
    for (int i = 0; i < site->n_prices; i++) {
        char topic[MQTT_TOPIC_MAX];
        if (!is_usable(mqtt_topic_price(site, i, topic), true)) {
            return site->prices[i].market;
        }
    }
    return NULL;
}

enum err mqtt_index_open(const struct site *site, struct mqtt_index **out,
                         char *why, size_t why_size)
{
    const char *bad = find_unusable(site);
    if (bad != NULL) {
        snprintf(why, why_size,
                 "\"%s\" cannot be part of an MQTT topic: it may not be empty "
                 "or hold +, #, control characters or a stray /",
                 bad);
        return ERR_RANGE;
    }
    struct mqtt_index *index = calloc(1, sizeof(*index));
    if (index == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    index->site = site;
    snprintf(index->root, sizeof(index->root), "ballast/v1/%s/", site->name);
    for (int i = 0; i < site->n_prices; i++) {
        mqtt_topic_price(site, i, index->prices[i]);
    }
    for (int i = 0; i < site->n_pods; i++) {
        index->pods[i] = (struct name){site->pods[i].name, i};
    }
    qsort(index->pods, (size_t)site->n_pods, sizeof(index->pods[0]),
          compare_names);
    *out = index;
    return ERR_NONE;
}

void mqtt_index_close(struct mqtt_index *index)
{
    free(index);
}

const char *mqtt_topic_pod_set(const struct site *site, int64_t pod,
                               char out[MQTT_TOPIC_MAX])
{
    snprintf(out, MQTT_TOPIC_MAX, "ballast/v1/%s/pod/%s/cap/set", site->name,
             site->pods[pod].name);
    return out;
}

const char *mqtt_topic_node_set(const struct site *site, int64_t node,
                                char out[MQTT_TOPIC_MAX])
{
    char name[SITE_NAME_MAX + 16];
    snprintf(out, MQTT_TOPIC_MAX, "ballast/v1/%s/node/%s/set", site->name,
             asset_name(site, ASSET_NODE, node, name, sizeof(name)));
    return out;
}

const char *mqtt_topic_status(const struct site *site, char out[MQTT_TOPIC_MAX])
{
    snprintf(out, MQTT_TOPIC_MAX, "ballast/v1/%s/status", site->name);
    return out;
}

const char *mqtt_topic_price(const struct site *site, int64_t price,
                             char out[MQTT_TOPIC_MAX])
{
    const struct site_price *p = &site->prices[price];
    if (p->topic[0] != '\0') {
        snprintf(out, MQTT_TOPIC_MAX, "%s", p->topic);
    } else {
        snprintf(out, MQTT_TOPIC_MAX, "ballast/v1/%s/price/%s", site->name,
                 p->market);
    }
    return out;
}
