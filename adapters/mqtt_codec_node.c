/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/mqtt_codec.h"

/* What a number's range is a multiple of. */
enum scale { SCALE_ONE, SCALE_COMPUTE, SCALE_PACK };

/* A number of node/NODE/state and where it goes. */
struct field {
    const char *key;
    size_t offset; /* in struct node_in */
    double lo;
    double hi;
    enum scale scale;
};

/* A truck charges with 1.2 MW; nothing that parks takes more than 1.5. */
static const struct field of_pack[] = {
    {"soc_pu", offsetof(struct node_in, soc_pu), 0.0, 1.0, SCALE_ONE},
    {"soc_limit_pu", offsetof(struct node_in, soc_limit_pu), 0.0, 1.0,
     SCALE_ONE},
    {"energy_wh", offsetof(struct node_in, energy_wh), 0.0, 2.0, SCALE_PACK},
    {"charge_w", offsetof(struct node_in, charge_w), 0.0, 1.5e6, SCALE_ONE},
    {"pack_c", offsetof(struct node_in, pack_c), -60.0, 120.0, SCALE_ONE},
};

static const struct field of_agent[] = {
    {"compute_w", offsetof(struct node_in, compute_w), 0.0, 2.0, SCALE_COMPUTE},
    {"compute_avail_w", offsetof(struct node_in, compute_avail_w), 0.0, 2.0,
     SCALE_COMPUTE},
    {"ambient_c", offsetof(struct node_in, ambient_c), -60.0, 80.0, SCALE_ONE},
};

static double unit_of(const struct site_fleet *fleet, enum scale scale)
{
    switch (scale) {
    case SCALE_ONE:
        break;
    case SCALE_COMPUTE:
        return fleet->compute_w;
    case SCALE_PACK:
        return fleet->pack_wh;
    }
    return 1.0;
}

/* What the message does not give, or gives wrong, is unknown from now on. */
static int read_fields(const cJSON *object, const struct field *rows, size_t n,
                       const struct site_fleet *fleet, struct node_in *in)
{
    int n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        double unit = unit_of(fleet, rows[i].scale);
        struct json_in_range range = {rows[i].lo * unit, rows[i].hi * unit};
        double value = NAN;
        n_bad +=
            json_in_number(object, rows[i].key, range, &value) == JSON_IN_BAD;
        memcpy((char *)in + rows[i].offset, &value, sizeof(value));
    }
    return n_bad;
}

static void set_flag(struct node_in *in, int64_t flag, bool on)
{
    in->flags = on ? in->flags | flag : in->flags & ~flag;
}

/* Departure is a hard constraint: what cannot be read refuses the message,
 * so that the node goes stale rather than drive off empty. */
static const char *read_times(const cJSON *object, struct node_in *in)
{
    int64_t departs_at_ms = 0;
    enum json_in_field departs =
        json_in_instant(object, "departs_at", &departs_at_ms);
    double soc_pu = NAN;
    enum json_in_field need = json_in_number(
        object, "departs_soc_pu", (struct json_in_range){0.0, 1.0}, &soc_pu);
    int64_t until_at_ms = 0;
    if (departs == JSON_IN_BAD || need == JSON_IN_BAD) {
        return "its departure cannot be read";
    }
    if (json_in_instant(object, "until", &until_at_ms) == JSON_IN_BAD) {
        return "\"until\" is not an RFC 3339 instant";
    }
    in->departs_at_ms = departs_at_ms;
    in->departs_soc_pu = soc_pu;
    in->until_at_ms = until_at_ms;
    set_flag(in, NODE_HAS_DEPARTURE, departs == JSON_IN_OK);
    return NULL;
}

/* Anything but an empty list of alarms is one. */
static bool has_alarm(const cJSON *object)
{
    const cJSON *alarms = cJSON_GetObjectItemCaseSensitive(object, "alarms");
    return alarms != NULL && !cJSON_IsNull(alarms) &&
           !(cJSON_IsArray(alarms) && cJSON_GetArraySize(alarms) == 0);
}

/* At least 16 hexadecimal digits of SHA-256 of the vehicle's number; 0 where
 * there are none. */
static uint64_t read_vin_key(const cJSON *object)
{
    const char *text = NULL;
    if (json_in_text(object, "vin_hash", &text) != JSON_IN_OK) {
        return 0;
    }
    size_t n = strspn(text, "0123456789abcdefABCDEF");
    if (n < 16 || n > 64 || text[n] != '\0') {
        return 0;
    }
    uint64_t key = 0;
    for (int i = 0; i < 16; i++) {
        int c = text[i];
        int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        key = key << 4 | (uint64_t)digit;
    }
    return key != 0 ? key : 1;
}

static bool is_true(const cJSON *object, const char *key)
{
    bool value = false;
    return json_in_bool(object, key, &value) == JSON_IN_OK && value;
}

static int read_pack(const cJSON *object, const struct site_fleet *fleet,
                     int64_t mono_ms, struct node_in *in)
{
    int n_bad = read_fields(object, of_pack,
                            sizeof(of_pack) / sizeof(of_pack[0]), fleet, in);
    bool plugged = false;
    enum json_in_field plug = json_in_bool(object, "plugged", &plugged);
    bool parked = true;
    enum json_in_field park = json_in_bool(object, "parked", &parked);
    set_flag(in, NODE_PLUGGED, plug == JSON_IN_OK && plugged);
    set_flag(in, NODE_PARKED, park != JSON_IN_BAD && parked);
    if (plug == JSON_IN_OK && isfinite(in->soc_pu)) {
        in->pack_mono_ms = mono_ms;
    }
    return n_bad + (plug == JSON_IN_BAD) + (park == JSON_IN_BAD);
}

static struct mqtt_result
read_state(const cJSON *object, const struct site_fleet *fleet, int64_t mono_ms,
           struct mqtt_node_track *track, struct node_in *in)
{
    const char *why = read_times(object, in);
    if (why != NULL) {
        return (struct mqtt_result){MQTT_MALFORMED, why};
    }
    int n_bad = read_fields(object, of_agent,
                            sizeof(of_agent) / sizeof(of_agent[0]), fleet, in);
    track->vin_key = read_vin_key(object);
    track->gives_pack =
        cJSON_GetObjectItemCaseSensitive(object, "soc_pu") != NULL ||
        cJSON_GetObjectItemCaseSensitive(object, "plugged") != NULL;
    if (!track->has_vehicle) {
        n_bad += read_pack(object, fleet, mono_ms, in);
    }
    track->agent_alarm = has_alarm(object);
    set_flag(in, NODE_ALARM, track->agent_alarm || track->vehicle_alarm);
    set_flag(in, NODE_CONSENT, is_true(object, "consent"));
    in->agent_mono_ms = mono_ms;
    return n_bad == 0 ? (struct mqtt_result){MQTT_TAKEN, ""}
                      : (struct mqtt_result){
                            MQTT_PARTLY, "a field has the wrong type or range"};
}

struct mqtt_result mqtt_codec_node_state(const struct mqtt_message *msg,
                                         const struct site_fleet *fleet,
                                         struct mqtt_node_track *track,
                                         struct node_in *in)
{
    struct mqtt_result result;
    cJSON *object = mqtt_codec_object(msg, &result);
    if (object == NULL) {
        return result;
    }
    struct mqtt_order next;
    int64_t mono_ms = 0;
    result = mqtt_codec_order(object, msg, &track->order, &next, &mono_ms);
    if (result.verdict == MQTT_TAKEN) {
        result = read_state(object, fleet, mono_ms, track, in);
    }
    if (result.verdict == MQTT_TAKEN || result.verdict == MQTT_PARTLY) {
        track->order = next;
        set_flag(in, NODE_ONLINE,
                 !msg->retained || (in->flags & NODE_ONLINE) != 0);
    }
    cJSON_Delete(object);
    return result;
}

void mqtt_codec_node_clear(struct node_in *in)
{
    *in = (struct node_in){
        .soc_pu = NAN,
        .soc_limit_pu = NAN,
        .energy_wh = NAN,
        .charge_w = NAN,
        .compute_w = NAN,
        .compute_avail_w = NAN,
        .pack_c = NAN,
        .ambient_c = NAN,
        .departs_soc_pu = NAN,
    };
}
