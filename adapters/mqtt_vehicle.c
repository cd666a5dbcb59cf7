/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_vehicle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/json_in.h"

/* How a field's value is read. */
enum form { FORM_NUMBER, FORM_PLUG, FORM_GEAR };

struct row {
    const char *name;
    enum form form;
    double lo, hi;
    double factor; /* to base units */
};

#define FIELD_ROW(id, text, form, lo, hi, factor) \
    [VEHICLE_##id] = {text, FORM_##form, lo, hi, factor},
static const struct row rows[VEHICLE_FIELDS] = {VEHICLE_FIELD_LIST(FIELD_ROW)};
#undef FIELD_ROW

/* An enum's word and what it says; NAN: nothing. */
struct word {
    const char *text;
    double value;
};

static struct mqtt_result result(enum mqtt_verdict verdict, const char *why)
{
    return (struct mqtt_result){verdict, why};
}

int vehicle_field_find(const char *name)
{
    for (int i = 0; i < VEHICLE_FIELDS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* "75.5": the whole text a plain decimal number. */
static bool parse_number(const char *text, double *value)
{
    size_t n = strspn(text, "0123456789+-.eE");
    if (n == 0 || n > 32 || text[n] != '\0') {
        return false;
    }
    char *end = NULL;
    *value = strtod(text, &end);
    return end == text + n;
}

static bool read_number(const cJSON *item, const struct row *row, double *value)
{
    double x = NAN;
    if (cJSON_IsNumber(item)) {
        x = item->valuedouble;
    } else if (!cJSON_IsString(item) || !parse_number(item->valuestring, &x)) {
        return false;
    }
    if (!(x >= row->lo && x <= row->hi)) {
        return false;
    }
    *value = row->factor < 1.0 ? x / round(1.0 / row->factor) : x * row->factor;
    return true;
}

/* Words come with their enum's name in front, from older cars without. */
static bool read_word(const cJSON *item, const char *prefix,
                      const struct word *words, double *value)
{
    if (!cJSON_IsString(item)) {
        return false;
    }
    const char *text = item->valuestring;
    size_t n = strlen(prefix);
    text += strncmp(text, prefix, n) == 0 ? n : 0;
    for (; words->text != NULL; words++) {
        if (strcmp(words->text, text) == 0) {
            *value = words->value;
            return true;
        }
    }
    return false;
}

static bool read_value(const cJSON *item, const struct row *row, double *value)
{
    static const struct word plugs[] = {
        {"Disconnected", 0.0}, {"NoPower", 1.0},  {"Starting", 1.0},
        {"Charging", 1.0},     {"Complete", 1.0}, {"Stopped", 1.0},
        {"Unknown", NAN},      {NULL, NAN},
    };
    static const struct word gears[] = {
        {"P", 1.0},   {"R", 0.0},       {"N", 0.0},       {"D", 0.0},
        {"SNA", NAN}, {"Invalid", NAN}, {"Unknown", NAN}, {NULL, NAN},
    };
    switch (row->form) {
    case FORM_NUMBER:
        break;
    case FORM_PLUG:
        return read_word(item, "DetailedChargeState", plugs, value);
    case FORM_GEAR:
        return read_word(item, "ShiftState", gears, value);
    }
    return read_number(item, row, value);
}

/* From now on what was retained counts as heard now: the vehicle is there,
 * and would have sent what has changed since. */
static void trust(struct vehicle *v, int64_t mono_ms)
{
    if (v->trusted) {
        return;
    }
    v->trusted = true;
    for (int i = 0; i < VEHICLE_FIELDS; i++) {
        if (v->mono_ms[i] != 0) {
            v->mono_ms[i] = mono_ms;
        }
    }
}

static void lose(struct vehicle *v, uint64_t connection, int64_t mono_ms)
{
    v->link = VEHICLE_LOST;
    v->trusted = false;
    v->live = 0;
    v->lost_connection = connection;
    v->connection = 0;
    v->lost_mono_ms = mono_ms;
    memset(v->mono_ms, 0, sizeof(v->mono_ms));
}

/* A message that was still on its way when the connection ended. */
static bool is_late(const struct vehicle *v, int64_t mono_ms)
{
    return v->link == VEHICLE_LOST &&
           mono_ms - v->lost_mono_ms < VEHICLE_LATE_MS;
}

struct mqtt_result vehicle_take_field(struct vehicle *v,
                                      enum vehicle_field field,
                                      const struct mqtt_message *msg)
{
    uint32_t bit = UINT32_C(1) << field;
    if (is_late(v, msg->mono_ms) || (msg->retained && (v->live & bit) != 0)) {
        return result(MQTT_STALE, "is older than what is known");
    }
    const char *why = NULL;
    cJSON *item = json_in_parse(msg->bytes, msg->size, &why);
    double value = NAN;
    bool ok = item != NULL &&
              (cJSON_IsNull(item) || read_value(item, &rows[field], &value));
    cJSON_Delete(item);
    if (!msg->retained) {
        v->live |= bit;
        trust(v, msg->mono_ms);
    }
    /* What cannot be read is not known any more, like null. */
    v->value[field] = value;
    v->mono_ms[field] = ok && isfinite(value) ? msg->mono_ms : 0;
    return ok ? result(MQTT_TAKEN, "")
              : result(MQTT_MALFORMED,
                       why != NULL ? why : "has the wrong type or range");
}

/* FNV-1a: ids and names only tell things apart here. */
static uint64_t hash_text(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text != '\0'; text++) {
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    }
    return h != 0 ? h : 1;
}

struct connectivity {
    uint64_t connection; /* 0 unknown */
    int64_t at_ms;       /* 0 unknown */
};

static struct mqtt_result take_connected(struct vehicle *v,
                                         const struct connectivity *c,
                                         const struct mqtt_message *msg)
{
    if (c->connection != 0 && c->connection == v->lost_connection) {
        return result(MQTT_STALE, "that connection has ended");
    }
    if (v->link == VEHICLE_CONNECTED && c->connection != v->connection &&
        c->at_ms != 0 && c->at_ms < v->connected_at_ms) {
        return result(MQTT_STALE, "a newer connection is known");
    }
    v->link = VEHICLE_CONNECTED;
    v->connection = c->connection;
    v->connected_at_ms = c->at_ms;
    if (!msg->retained) {
        trust(v, msg->mono_ms);
    }
    return result(MQTT_TAKEN, "");
}

static struct mqtt_result take_disconnected(struct vehicle *v,
                                            const struct connectivity *c,
                                            const struct mqtt_message *msg)
{
    bool other = v->connection != 0 && c->connection != 0 &&
                 c->connection != v->connection;
    if (other || (msg->retained && v->connection == 0 && v->trusted)) {
        return result(MQTT_STALE, "ends another connection");
    }
    lose(v, c->connection, msg->mono_ms);
    return result(MQTT_TAKEN, "");
}

struct mqtt_result vehicle_take_connectivity(struct vehicle *v,
                                             const struct mqtt_message *msg)
{
    const char *why = NULL;
    cJSON *object = json_in_parse(msg->bytes, msg->size, &why);
    if (object == NULL) {
        return result(MQTT_MALFORMED, why);
    }
    struct connectivity c = {0, 0};
    const char *id = NULL;
    enum json_in_field has_id = json_in_text(object, "ConnectionId", &id);
    enum json_in_field has_at = json_in_instant(object, "CreatedAt", &c.at_ms);
    struct mqtt_result r = result(MQTT_MALFORMED, "\"Status\" is none we know");
    c.connection = has_id == JSON_IN_OK && id[0] != '\0' ? hash_text(id) : 0;
    if (has_id == JSON_IN_BAD || has_at == JSON_IN_BAD) {
        r.why = "\"ConnectionId\" or \"CreatedAt\" is not a text";
    } else if (json_in_is_text(object, "Status", "CONNECTED")) {
        r = take_connected(v, &c, msg);
    } else if (json_in_is_text(object, "Status", "DISCONNECTED")) {
        r = take_disconnected(v, &c, msg);
    } else if (json_in_is_text(object, "Status", "UNKNOWN")) {
        r = result(MQTT_IGNORED, "");
    }
    cJSON_Delete(object);
    return r;
}

struct mqtt_result vehicle_take_alert(struct vehicle *v, const char *name,
                                      const struct mqtt_message *msg)
{
    const char *why = NULL;
    cJSON *object = json_in_parse(msg->bytes, msg->size, &why);
    if (!cJSON_IsObject(object)) {
        cJSON_Delete(object);
        return result(MQTT_MALFORMED, why != NULL ? why : "is not an object");
    }
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(object, "EndedAt");
    bool active = end == NULL || cJSON_IsNull(end);
    cJSON_Delete(object);
    uint64_t hash = hash_text(name);
    int free_slot = -1;
    for (int i = 0; i < VEHICLE_ALERTS_MAX; i++) {
        if (v->alerts[i] == hash) {
            v->alerts[i] = active ? hash : 0;
            return result(MQTT_TAKEN, "");
        }
        free_slot = free_slot < 0 && v->alerts[i] == 0 ? i : free_slot;
    }
    if (active && free_slot >= 0) {
        v->alerts[free_slot] = hash;
    }
    return active && free_slot < 0
               ? result(MQTT_FULL, "more alerts than we can hold")
               : result(MQTT_TAKEN, "");
}

bool vehicle_has_alert(const struct vehicle *v)
{
    for (int i = 0; i < VEHICLE_ALERTS_MAX; i++) {
        if (v->alerts[i] != 0) {
            return true;
        }
    }
    return false;
}

static double value_of(const struct vehicle *v, enum vehicle_field field)
{
    return v != NULL && v->trusted && v->mono_ms[field] != 0 ? v->value[field]
                                                             : NAN;
}

/* The module temperature that is farther from 20 degrees: the one that a
 * limit against cold or heat has to look at. */
static double pack_temperature(double min_c, double max_c)
{
    if (!isfinite(min_c) || !isfinite(max_c)) {
        return isfinite(min_c) ? min_c : max_c;
    }
    return max_c - 20.0 > 20.0 - min_c ? max_c : min_c;
}

static double charge_power(double ac_w, double dc_w)
{
    if (!isfinite(ac_w) && !isfinite(dc_w)) {
        return NAN;
    }
    return fmax(isfinite(ac_w) ? ac_w : 0.0, 0.0) +
           fmax(isfinite(dc_w) ? dc_w : 0.0, 0.0);
}

void vehicle_write(const struct vehicle *v, struct node_in *in)
{
    double soc_pu = value_of(v, VEHICLE_SOC);
    enum vehicle_field soc = isfinite(soc_pu) ? VEHICLE_SOC : VEHICLE_LEVEL;
    double plug = value_of(v, VEHICLE_PLUG);
    in->soc_pu = value_of(v, soc);
    in->soc_limit_pu = value_of(v, VEHICLE_LIMIT);
    in->energy_wh = value_of(v, VEHICLE_ENERGY);
    in->pack_c = pack_temperature(value_of(v, VEHICLE_TEMP_MIN),
                                  value_of(v, VEHICLE_TEMP_MAX));
    in->charge_w = charge_power(value_of(v, VEHICLE_AC_POWER),
                                value_of(v, VEHICLE_DC_POWER));
    in->flags &= ~(int64_t)(NODE_PLUGGED | NODE_PARKED);
    in->flags |= plug == 1.0 ? NODE_PLUGGED : 0;
    /* Asleep it does not say its gear: not known to move. */
    in->flags |= value_of(v, VEHICLE_GEAR) == 0.0 ? 0 : NODE_PARKED;
    in->pack_mono_ms = 0;
    if (isfinite(in->soc_pu) && isfinite(plug)) {
        int64_t soc_ms = v->mono_ms[soc];
        int64_t plug_ms = v->mono_ms[VEHICLE_PLUG];
        in->pack_mono_ms = soc_ms < plug_ms ? soc_ms : plug_ms;
    }
}
