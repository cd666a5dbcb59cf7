/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_codec.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/json_in.h"
#include "models/reason.h"
#include "models/sha256.h"

const char *mqtt_verdict_text(enum mqtt_verdict v)
{
#define VERDICT_TEXT(name, text) text,
    static const char *const texts[] = {MQTT_VERDICT_LIST(VERDICT_TEXT)};
#undef VERDICT_TEXT
    assert((unsigned)v < MQTT_VERDICT_COUNT);
    return texts[v];
}

static uint64_t first_bytes(const char *text)
{
    unsigned char hash[SHA256_SIZE];
    sha256(text, strlen(text), hash);
    uint64_t key = 0;
    for (int i = 0; i < 8; i++) {
        key = key << 8 | hash[i];
    }
    return key != 0 ? key : 1;
}

uint64_t mqtt_codec_vin_key(const char *vin)
{
    return first_bytes(vin);
}

struct cJSON *mqtt_codec_object(const struct mqtt_message *msg,
                                struct mqtt_result *result)
{
    const char *why = NULL;
    cJSON *tree = json_in_parse(msg->bytes, msg->size, &why);
    int64_t version = 0;
    if (tree != NULL && !cJSON_IsObject(tree)) {
        why = "is not an object";
    } else if (tree != NULL &&
               json_in_integer(tree, "v", (struct json_in_range){1, 1},
                               &version) != JSON_IN_OK) {
        why = "\"v\" is not 1";
    }
    *result = (struct mqtt_result){MQTT_TAKEN, ""};
    if (why != NULL) {
        *result = (struct mqtt_result){MQTT_MALFORMED, why};
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}

/* A sender that gives a boot id counts from new with each; one that gives
 * none is ordered by its clock alone where its count went back. */
static bool is_newer(const struct mqtt_order *next,
                     const struct mqtt_order *last)
{
    if (last->ts_ms == 0) {
        return true;
    }
    if (next->boot != last->boot) {
        return next->ts_ms >= last->ts_ms;
    }
    if (next->seq >= 0 && last->seq >= 0 &&
        (next->boot != 0 || next->ts_ms == last->ts_ms)) {
        return next->seq > last->seq;
    }
    return next->ts_ms > last->ts_ms;
}

static struct mqtt_result malformed(const char *why)
{
    return (struct mqtt_result){MQTT_MALFORMED, why};
}

static struct mqtt_result stale(const char *why)
{
    return (struct mqtt_result){MQTT_STALE, why};
}

struct mqtt_result mqtt_codec_order(const struct cJSON *object,
                                    const struct mqtt_message *msg,
                                    const struct mqtt_order *order,
                                    struct mqtt_order *next, int64_t *mono_ms)
{
    *next = (struct mqtt_order){.seq = -1};
    const char *boot = NULL;
    enum json_in_field has_boot = json_in_text(object, "boot", &boot);
    struct json_in_range count = {0.0, 9007199254740992.0};
    if (json_in_instant(object, "ts", &next->ts_ms) != JSON_IN_OK) {
        return malformed("\"ts\" is not an RFC 3339 instant");
    }
    if (has_boot == JSON_IN_BAD) {
        return malformed("\"boot\" is not a text");
    }
    if (json_in_integer(object, "seq", count, &next->seq) == JSON_IN_BAD) {
        return malformed("\"seq\" is not a count");
    }
    next->boot = has_boot == JSON_IN_OK ? first_bytes(boot) : 0;

    int64_t age_ms = msg->utc_ms - next->ts_ms;
    if (age_ms < -MQTT_AHEAD_MAX_MS) {
        return stale("its clock is ahead of ours");
    }
    if (age_ms > (msg->retained ? MQTT_RETAINED_MAX_MS : MQTT_AGE_MAX_MS)) {
        return stale("is too old, or its clock is behind ours");
    }
    if (!is_newer(next, order)) {
        return stale("is not newer than what was heard before");
    }
    *mono_ms = msg->mono_ms;
    if (msg->retained && age_ms > 0) {
        *mono_ms -= age_ms;
    }
    /* 0 is "never"; before our clock began the age cannot be told. */
    return *mono_ms > 0 ? (struct mqtt_result){MQTT_TAKEN, ""}
                        : stale("was retained before this machine started");
}

struct mqtt_result mqtt_codec_online(const struct mqtt_message *msg,
                                     bool *online)
{
    struct mqtt_result result;
    cJSON *object = mqtt_codec_object(msg, &result);
    if (object == NULL) {
        return result;
    }
    if (json_in_bool(object, "online", online) != JSON_IN_OK) {
        result = malformed("\"online\" is not true or false");
    }
    cJSON_Delete(object);
    return result;
}

/* "0123456789abcdef-42" as print_id() writes it. */
static bool parse_id(const char *id, uint64_t *boot, uint64_t *number)
{
    size_t n = strlen(id);
    if (n < 18 || n > 36 || strspn(id, "0123456789abcdef") != 16 ||
        id[16] != '-' || strspn(id + 17, "0123456789") != n - 17) {
        return false;
    }
    return sscanf(id, "%16" SCNx64 "-%19" SCNu64, boot, number) == 2;
}

struct mqtt_result mqtt_codec_ack(const struct mqtt_message *msg, uint64_t boot,
                                  struct mqtt_ack *ack)
{
    if (msg->retained) {
        return (struct mqtt_result){MQTT_RETAINED,
                                    "an acknowledgement is never retained"};
    }
    const char *why = NULL;
    cJSON *object = json_in_parse(msg->bytes, msg->size, &why);
    if (object == NULL) {
        return malformed(why);
    }
    struct mqtt_result result = malformed("\"status\" is none we know");
    for (int s = ACK_NONE + 1; s < ACK_COUNT; s++) {
        if (json_in_is_text(object, "status", ack_name((enum ack_status)s))) {
            ack->status = (enum ack_status)s;
            result = (struct mqtt_result){MQTT_TAKEN, ""};
        }
    }
    const char *id = NULL;
    uint64_t of_boot = 0;
    if (json_in_text(object, "id", &id) != JSON_IN_OK) {
        result = malformed("\"id\" is not a text");
    } else if (result.verdict == MQTT_TAKEN &&
               (!parse_id(id, &of_boot, &ack->number) || of_boot != boot)) {
        result = (struct mqtt_result){MQTT_UNKNOWN,
                                      "acknowledges no command of ours"};
    }
    cJSON_Delete(object);
    return result;
}

enum { FLOORS_MAX = 96 };

static bool is_power(double power_w)
{
    return isfinite(power_w) && power_w >= 0.0;
}

static bool is_lease(double ttl_s)
{
    return isfinite(ttl_s) && ttl_s > 0.0;
}

int mqtt_codec_print_cap(const struct mqtt_command_head *head,
                         const struct pod_command *command,
                         char out[MQTT_COMMAND_MAX])
{
    if (!is_power(command->cap_w) || !is_power(command->ramp_s) ||
        !is_power(command->floor_w) || !is_power(command->floor_down_s) ||
        !is_lease(command->ttl_s) || command->reason < 0 ||
        command->reason >= REASON_COUNT) {
        return 0;
    }
    char floors[FLOORS_MAX] = ""; /* a pod without one need not know the word */
    int n_floors = 0;
    if (command->floor_down_s > 0.0) {
        n_floors = snprintf(floors, sizeof(floors),
                            "\"floor_w\":%.1f,\"floor_down_s\":%.3f,",
                            command->floor_w, command->floor_down_s);
    }
    int n = snprintf(out, MQTT_COMMAND_MAX,
                     "{\"v\":1,\"id\":\"%016" PRIx64 "-%" PRIu64
                     "\",\"ts\":\"%s\",\"cap_w\":%.1f,\"ramp_s\":%.3f,"
                     "%s\"ttl_s\":%.3f,\"reason\":\"%s\"}",
                     head->boot, head->number, head->ts, command->cap_w,
                     command->ramp_s, floors, command->ttl_s,
                     reason_word((enum reason)command->reason));
    return n < MQTT_COMMAND_MAX && n_floors < FLOORS_MAX ? n : 0;
}

int mqtt_codec_print_set(const struct mqtt_command_head *head,
                         const struct node_command *command,
                         char out[MQTT_COMMAND_MAX])
{
    if (!is_power(command->charge_w) || !is_power(command->compute_w) ||
        !is_lease(command->ttl_s)) {
        return 0;
    }
    int n = snprintf(out, MQTT_COMMAND_MAX,
                     "{\"v\":1,\"id\":\"%016" PRIx64 "-%" PRIu64
                     "\",\"ts\":\"%s\",\"charge_w\":%.1f,\"compute_w\":%.1f,"
                     "\"ttl_s\":%.3f}",
                     head->boot, head->number, head->ts, command->charge_w,
                     command->compute_w, command->ttl_s);
    return n < MQTT_COMMAND_MAX ? n : 0;
}
