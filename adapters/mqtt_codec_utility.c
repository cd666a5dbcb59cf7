/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/mqtt_codec.h"

/* Where a message gives no priority; lower wins. */
enum { PRIORITY_DEFAULT = 100, PRIORITY_MAX = 1000000 };

/* A marker may come late or announce what lies ahead, within reason. */
static const int64_t job_late_ms = 3600000;
static const int64_t job_ahead_ms = 7 * INT64_C(86400000);

static struct mqtt_result malformed(const char *why)
{
    return (struct mqtt_result){MQTT_MALFORMED, why};
}

static const char *read_kind(const cJSON *object, int64_t *kind)
{
    for (int k = 0; k < UTILITY_COUNT; k++) {
        if (json_in_is_text(object, "kind",
                            utility_name((enum utility_kind)k))) {
            *kind = k;
            return NULL;
        }
    }
    return "\"kind\" is none we know";
}

static const char *read_id(const cJSON *object, char out[UTILITY_ID_MAX])
{
    const char *id = NULL;
    if (json_in_text(object, "id", &id) != JSON_IN_OK || id[0] == '\0' ||
        strlen(id) >= UTILITY_ID_MAX) {
        return "\"id\" is not a text of 1 to 39 bytes";
    }
    for (size_t i = 0; id[i] != '\0'; i++) {
        out[i] = (unsigned char)id[i] < ' ' ? '?' : id[i];
    }
    return NULL;
}

static const char *read_value(const cJSON *object, struct utility_in *e)
{
    if (e->kind == UTILITY_PRICE) {
        struct json_in_range price = {-1e3, 1e3};
        return json_in_number(object, "value_per_kwh", price, &e->value) ==
                       JSON_IN_OK
                   ? NULL
                   : "\"value_per_kwh\" is missing or out of range";
    }
    if (e->kind == UTILITY_RESERVE) {
        struct json_in_range share = {0.0, 1.0};
        return json_in_number(object, "value_pu", share, &e->value) ==
                       JSON_IN_OK
                   ? NULL
                   : "\"value_pu\" is missing or out of range";
    }
    /* Only a set-point may ask for export. */
    struct json_in_range power = {e->kind == UTILITY_SETPOINT ? -1e12 : 0.0,
                                  1e12};
    return json_in_number(object, "value_w", power, &e->value) == JSON_IN_OK
               ? NULL
               : "\"value_w\" is missing or out of range";
}

static const char *read_event(const cJSON *object, struct utility_in *e,
                              int64_t *ts_ms)
{
    const char *why = read_id(object, e->id);
    why = why != NULL ? why : read_kind(object, &e->kind);
    why = why != NULL ? why : read_value(object, e);
    if (why != NULL) {
        return why;
    }
    if (json_in_instant(object, "ts", ts_ms) != JSON_IN_OK) {
        return "\"ts\" is not an RFC 3339 instant";
    }
    e->start_at_ms = *ts_ms;
    e->end_at_ms = INT64_MAX;
    e->priority = PRIORITY_DEFAULT;
    if (json_in_instant(object, "start", &e->start_at_ms) == JSON_IN_BAD ||
        json_in_instant(object, "end", &e->end_at_ms) == JSON_IN_BAD) {
        return "\"start\" or \"end\" is not an RFC 3339 instant";
    }
    if (e->end_at_ms <= e->start_at_ms) {
        return "ends before it starts";
    }
    struct json_in_range range = {0, PRIORITY_MAX};
    return json_in_integer(object, "priority", range, &e->priority) ==
                   JSON_IN_BAD
               ? "\"priority\" is not a count"
               : NULL;
}

/* The slot of that id, else a free one, else -1. */
static int find_slot(const struct mqtt_utility *u, const char *id)
{
    int free_slot = -1;
    for (int i = 0; i < UTILITY_MQTT; i++) {
        if (strcmp(u->slots[i].id, id) == 0) {
            return i;
        }
        if (free_slot < 0 && u->slots[i].id[0] == '\0') {
            free_slot = i;
        }
    }
    return free_slot;
}

static void clear_slot(struct mqtt_utility *u, int i)
{
    u->slots[i] = (struct utility_in){.id = ""};
    u->ts_ms[i] = 0;
}

bool mqtt_codec_utility_expire(struct mqtt_utility *u, int64_t utc_ms)
{
    bool any = false;
    for (int i = 0; i < UTILITY_MQTT; i++) {
        if (u->slots[i].id[0] != '\0' && u->slots[i].end_at_ms <= utc_ms) {
            clear_slot(u, i);
            any = true;
        }
    }
    return any;
}

static struct mqtt_result store_event(struct mqtt_utility *u,
                                      const struct utility_in *e, int64_t ts_ms,
                                      int64_t now_ms)
{
    if (ts_ms > now_ms + MQTT_FEED_AHEAD_MAX_MS) {
        return (struct mqtt_result){MQTT_STALE, "its clock is ahead of ours"};
    }
    mqtt_codec_utility_expire(u, now_ms);
    int i = find_slot(u, e->id);
    bool known = i >= 0 && u->slots[i].id[0] != '\0';
    if (known && ts_ms < u->ts_ms[i]) {
        return (struct mqtt_result){MQTT_STALE, "is older than what is known"};
    }
    if (e->end_at_ms <= now_ms) {
        if (known) {
            clear_slot(u, i);
        }
        return (struct mqtt_result){known ? MQTT_TAKEN : MQTT_STALE, "is over"};
    }
    if (i < 0) {
        return (struct mqtt_result){MQTT_FULL,
                                    "more utility events than we can hold"};
    }
    u->slots[i] = *e;
    u->ts_ms[i] = ts_ms;
    return (struct mqtt_result){MQTT_TAKEN, ""};
}

struct mqtt_result mqtt_codec_utility(const struct mqtt_message *msg,
                                      struct mqtt_utility *u)
{
    if (msg->size == 0) {
        for (int i = 0; i < UTILITY_MQTT; i++) {
            clear_slot(u, i);
        }
        return (struct mqtt_result){MQTT_TAKEN, "cancelled"};
    }
    struct mqtt_result result;
    cJSON *object = mqtt_codec_object(msg, &result);
    if (object == NULL) {
        return result;
    }
    struct utility_in e = {.id = ""};
    int64_t ts_ms = 0;
    const char *why = read_event(object, &e, &ts_ms);
    cJSON_Delete(object);
    return why != NULL ? malformed(why)
                       : store_event(u, &e, ts_ms, msg->utc_ms);
}

static const char *read_job(const cJSON *object, double power_max_w,
                            struct job_in *job)
{
    job->event = -1;
    for (int e = 0; e < JOB_COUNT; e++) {
        if (json_in_is_text(object, "event", job_name((enum job_event)e))) {
            job->event = e;
        }
    }
    if (job->event < 0) {
        return "\"event\" is none we know";
    }
    if (json_in_instant(object, "at", &job->at_ms) != JSON_IN_OK) {
        return "\"at\" is not an RFC 3339 instant";
    }
    struct json_in_range power = {0.0, 2.0 * power_max_w};
    struct json_in_range period = {1e-3, 1e7};
    job->power_from_w = job->power_to_w = job->period_s = NAN;
    if (json_in_number(object, "power_from_w", power, &job->power_from_w) ==
            JSON_IN_BAD ||
        json_in_number(object, "power_to_w", power, &job->power_to_w) ==
            JSON_IN_BAD ||
        json_in_number(object, "period_s", period, &job->period_s) ==
            JSON_IN_BAD) {
        return "a number has the wrong type or range";
    }
    return NULL;
}

/* QoS 1 may deliver twice; one marker is one event. */
static struct mqtt_result store_job(struct job_in *ring, struct job_in *job)
{
    int64_t last = 0;
    for (int i = 0; i < JOB_MARKERS_MAX; i++) {
        const struct job_in *r = &ring[i];
        if (r->seq > 0 && r->pod == job->pod && r->event == job->event &&
            r->at_ms == job->at_ms) {
            return (struct mqtt_result){MQTT_STALE, "was heard before"};
        }
        last = r->seq > last ? r->seq : last;
    }
    job->seq = last + 1;
    ring[job->seq % JOB_MARKERS_MAX] = *job;
    return (struct mqtt_result){MQTT_TAKEN, ""};
}

struct mqtt_result mqtt_codec_job(const struct mqtt_message *msg,
                                  const struct site *site, int64_t pod,
                                  struct job_in *ring)
{
    if (msg->retained) {
        return (struct mqtt_result){MQTT_RETAINED,
                                    "a job marker is never retained"};
    }
    struct mqtt_result result;
    cJSON *object = mqtt_codec_object(msg, &result);
    if (object == NULL) {
        return result;
    }
    struct job_in job = {.pod = pod};
    struct mqtt_order none = {.ts_ms = 0};
    struct mqtt_order next;
    int64_t mono_ms = 0;
    const char *why = read_job(object, site->pods[pod].power_max_w, &job);
    result = why != NULL
                 ? malformed(why)
                 : mqtt_codec_order(object, msg, &none, &next, &mono_ms);
    cJSON_Delete(object);
    if (result.verdict != MQTT_TAKEN) {
        return result;
    }
    if (job.at_ms < msg->utc_ms - job_late_ms ||
        job.at_ms > msg->utc_ms + job_ahead_ms) {
        return (struct mqtt_result){MQTT_STALE,
                                    "\"at\" is an hour past or a week ahead"};
    }
    return store_job(ring, &job);
}
