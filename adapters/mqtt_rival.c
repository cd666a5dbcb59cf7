/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/mqtt_rival.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adapters/json_in.h"
#include "adapters/mqtt_client.h"
#include "adapters/mqtt_queue.h"
#include "adapters/mqtt_topic.h"

enum {
    CONNECT_MAX_MS = 3000,
    RETAINED_WAIT_MS = 250, /* a retained status comes with the subscription */
    HEARTBEAT_WAIT_MS = MQTT_HEARTBEAT_S * 1000 + 700,
    LOOK_EVERY_MS = 20,
    RING_BYTES = 2 * MQTT_QUEUE_MESSAGE_MAX,
};

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What a stranger calls itself is printed: hexadecimal or nothing. */
static void copy_instance(const char *text, char out[MQTT_INSTANCE_MAX])
{
    size_t n = strlen(text);
    bool fine =
        n > 0 && n < MQTT_INSTANCE_MAX && strspn(text, "0123456789abcdef") == n;
    snprintf(out, MQTT_INSTANCE_MAX, "%s", fine ? text : "unknown");
}

bool mqtt_rival_read(const struct mqtt_message *msg, const char *own,
                     struct mqtt_rival *out)
{
    struct mqtt_result result;
    cJSON *o = mqtt_codec_object(msg, &result);
    if (o == NULL) {
        return false;
    }
    bool online = false;
    const char *instance = "";
    *out = (struct mqtt_rival){.ts_ms = 0};
    bool is_status = json_in_bool(o, "online", &online) == JSON_IN_OK;
    (void)json_in_text(o, "instance", &instance);
    bool ours = own[0] != '\0' && strcmp(instance, own) == 0;
    copy_instance(instance, out->instance);
    if (json_in_instant(o, "ts", &out->ts_ms) != JSON_IN_OK) {
        out->ts_ms = 0;
    }
    cJSON_Delete(o);
    return is_status && online && !ours;
}

/* One look at the broker under way. */
struct look {
    struct mqtt_queue *queue;
    struct mqtt_client *client;
    struct mqtt_rival *rival;
    int64_t until_ms; /* 0 until subscribed */
    unsigned char message[MQTT_QUEUE_MESSAGE_MAX];
};

static enum err open_look(const struct site *site, struct look *l, char *why,
                          size_t why_size)
{
    struct mqtt_queue_cfg queue = {RING_BYTES, RING_BYTES};
    enum err e = mqtt_queue_open(&queue, &l->queue);
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s", err_text(e));
        return e;
    }
    char filter[1][MQTT_TOPIC_MAX];
    char id[24];
    mqtt_topic_status(site, filter[0]);
    snprintf(id, sizeof(id), "ballast-look-%lx",
             (unsigned long)getpid() & 0xFFFFFFFFul);
    struct mqtt_client_cfg cfg = {
        .at = &site->mqtt,
        .id = id,
        .filters = filter,
        .n_filters = 1,
        .queue = l->queue,
        .recreate_s = 3600.0,
    };
    return mqtt_client_open(&cfg, &l->client, why, why_size);
}

/* True where a status that waits is of a rival that is alive. */
static bool hears_rival(struct look *l, int64_t now_ms)
{
    struct mqtt_note note;
    while (mqtt_queue_take(l->queue, &note, l->message)) {
        struct mqtt_message msg = {
            .bytes = l->message + note.topic_size,
            .size = note.size,
            .mono_ms = now_ms,
            .utc_ms = clock_ms(CLOCK_REALTIME),
            .retained = note.retained,
        };
        if (!mqtt_rival_read(&msg, "", l->rival)) {
            continue;
        }
        int64_t age_ms = msg.utc_ms - l->rival->ts_ms;
        if (!note.retained || (age_ms >= -MQTT_RIVAL_MAX_AGE_MS &&
                               age_ms <= MQTT_RIVAL_MAX_AGE_MS)) {
            return true;
        }
        /* dead without a will, or its clock is another one: it would speak */
        l->until_ms = now_ms + HEARTBEAT_WAIT_MS;
    }
    return false;
}

static enum err listen(struct look *l)
{
    int64_t start_ms = clock_ms(CLOCK_MONOTONIC);
    for (;;) {
        mqtt_queue_wait(l->queue, LOOK_EVERY_MS / 1e3);
        int64_t now_ms = clock_ms(CLOCK_MONOTONIC);
        bool there = mqtt_client_subscribed(l->client);
        if (there && l->until_ms == 0) {
            l->until_ms = now_ms + RETAINED_WAIT_MS;
        }
        if (hears_rival(l, now_ms)) {
            return ERR_REFUSED;
        }
        if (l->until_ms != 0 && now_ms >= l->until_ms) {
            return ERR_NONE;
        }
        bool failed = mqtt_client_trouble(l->client)[0] != '\0';
        if (!there && (failed || now_ms - start_ms > CONNECT_MAX_MS)) {
            return ERR_TIMEOUT;
        }
    }
}

enum err mqtt_rival_find(const struct site *site, struct mqtt_rival *out,
                         char *why, size_t why_size)
{
    struct look *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    l->rival = out;
    enum err e = open_look(site, l, why, why_size);
    if (e == ERR_NONE) {
        e = listen(l);
        mqtt_client_close(l->client, NULL);
    }
    if (l->queue != NULL) {
        mqtt_queue_close(l->queue);
    }
    free(l);
    return e;
}
