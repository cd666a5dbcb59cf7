/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stddef.h>

#include "adapters/json_in.h"
#include "adapters/mqtt_codec.h"

/* A number of pod/POD/state and the reading it becomes. */
struct field {
    const char *key;
    size_t offset; /* in struct pod_in */
    double lo;
    double hi; /* times power_max_w where 'of_power' */
    bool of_power;
};

static const struct field fields[] = {
    {"power_w", offsetof(struct pod_in, power_w), 0.0, 2.0, true},
    {"cap_w", offsetof(struct pod_in, cap_w), 0.0, 2.0, true},
    {"cap_min_w", offsetof(struct pod_in, cap_min_w), 0.0, 2.0, true},
    {"cap_max_w", offsetof(struct pod_in, cap_max_w), 0.0, 2.0, true},
    {"safe_w", offsetof(struct pod_in, safe_w), 0.0, 2.0, true},
    {"floor_w", offsetof(struct pod_in, floor_w), 0.0, 2.0, true},
    {"burn_w", offsetof(struct pod_in, burn_w), 0.0, 2.0, true},
    {"inlet_c", offsetof(struct pod_in, inlet_c), -40.0, 100.0, false},
    {"coolant_c", offsetof(struct pod_in, coolant_c), -40.0, 120.0, false},
    {"checkpoint_s", offsetof(struct pod_in, checkpoint_s), 0.0, 1e8, false},
};

static const struct field parts[] = {
    {"servers_w", offsetof(struct pod_in, servers_w), 0.0, 2.0, true},
    {"network_w", offsetof(struct pod_in, network_w), 0.0, 2.0, true},
    {"distribution_w", offsetof(struct pod_in, distribution_w), 0.0, 2.0, true},
    {"cooling_w", offsetof(struct pod_in, cooling_w), 0.0, 2.0, true},
};

static struct reading *reading_of(struct pod_in *in, size_t offset)
{
    return (struct reading *)(void *)((char *)in + offset);
}

/* Reads 'n' rows from 'object'; returns how many were bad. */
static int read_fields(const cJSON *object, const struct field *rows, size_t n,
                       double power_max_w, struct pod_in *in, int64_t mono_ms)
{
    int n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        double unit = rows[i].of_power ? power_max_w : 1.0;
        struct json_in_range range = {rows[i].lo * unit, rows[i].hi * unit};
        struct reading *r = reading_of(in, rows[i].offset);
        double value = NAN;
        switch (json_in_number(object, rows[i].key, range, &value)) {
        case JSON_IN_ABSENT:
            break;
        case JSON_IN_NULL:
            *r = (struct reading){NAN, mono_ms, QUALITY_MISSING};
            break;
        case JSON_IN_BAD:
            *r = (struct reading){NAN, mono_ms, QUALITY_BAD};
            n_bad++;
            break;
        case JSON_IN_OK:
            *r = reading_good(value, mono_ms);
            break;
        }
    }
    return n_bad;
}

/* A cap range upside down says nothing. */
static int check_caps(struct pod_in *in)
{
    if (in->cap_min_w.quality == QUALITY_GOOD &&
        in->cap_max_w.quality == QUALITY_GOOD &&
        in->cap_min_w.value > in->cap_max_w.value) {
        in->cap_min_w.quality = QUALITY_BAD;
        in->cap_max_w.quality = QUALITY_BAD;
        return 1;
    }
    return 0;
}

struct mqtt_result mqtt_codec_pod_state(const struct mqtt_message *msg,
                                        const struct site_pod *pod,
                                        struct mqtt_order *order,
                                        struct pod_in *in)
{
    struct mqtt_result result;
    cJSON *object = mqtt_codec_object(msg, &result);
    if (object == NULL) {
        return result;
    }
    struct mqtt_order next;
    int64_t mono_ms = 0;
    result = mqtt_codec_order(object, msg, order, &next, &mono_ms);
    if (result.verdict == MQTT_TAKEN) {
        *order = next;
        int n_bad =
            read_fields(object, fields, sizeof(fields) / sizeof(fields[0]),
                        pod->power_max_w, in, mono_ms);
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(object, "parts");
        n_bad += read_fields(part, parts, sizeof(parts) / sizeof(parts[0]),
                             pod->power_max_w, in, mono_ms);
        n_bad += check_caps(in);
        /* A retained state does not show that anyone is there now. */
        in->flags |= msg->retained ? 0 : POD_ONLINE;
        if (n_bad > 0) {
            result = (struct mqtt_result){
                MQTT_PARTLY, "a number has the wrong type or range"};
        }
    }
    cJSON_Delete(object);
    return result;
}

static void go_stale(struct reading *r)
{
    if (r->mono_ms != 0 && r->quality > QUALITY_STALE) {
        r->quality = QUALITY_STALE;
    }
}

void mqtt_codec_pod_online(struct pod_in *in, bool online)
{
    if (online) {
        in->flags |= POD_ONLINE;
        return;
    }
    in->flags &= ~(int64_t)POD_ONLINE;
    go_stale(&in->power_w);
    go_stale(&in->burn_w);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        go_stale(reading_of(in, parts[i].offset));
    }
}
