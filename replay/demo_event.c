/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/demo_event.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/mqtt_client.h"
#include "controller/cli.h"
#include "controller/clock.h"
#include "models/calendar.h"

static const double AFTER_S = 40.0; /* of the demo: the first job has begun */
static const double PART = 0.7;     /* of the load then */
static const int64_t AHEAD_MS = 120000;
static const int64_t LASTS_MS = 180000;
static const double RECREATE_S = 30.0;

struct demo_event {
    const struct site *site;
    struct mqtt_queue *queue;
    struct mqtt_client *client;
    bool done;
};

struct demo_event *demo_event_open(const struct site *site)
{
    struct demo_event *e = calloc(1, sizeof(*e));
    const struct mqtt_queue_cfg room = {2 * MQTT_QUEUE_MESSAGE_MAX,
                                        2 * MQTT_QUEUE_MESSAGE_MAX};
    if (e == NULL || mqtt_queue_open(&room, &e->queue) != ERR_NONE) {
        cli_error("demo", "out of memory");
        free(e);
        return NULL;
    }
    e->site = site;
    char filters[1][MQTT_TOPIC_MAX];
    snprintf(filters[0], MQTT_TOPIC_MAX, "ballast/v1/%s/utility/limit",
             site->name);
    const struct mqtt_client_cfg cfg = {.at = &site->mqtt,
                                        .id = "ballast-demo-utility",
                                        .filters = filters,
                                        .n_filters = 1,
                                        .queue = e->queue,
                                        .recreate_s = RECREATE_S};
    char why[200] = "";
    if (mqtt_client_open(&cfg, &e->client, why, sizeof(why)) != ERR_NONE) {
        cli_error("demo", "the broker: %s", why);
        demo_event_close(e);
        return NULL;
    }
    return e;
}

void demo_event_close(struct demo_event *e)
{
    if (e->client != NULL) {
        mqtt_client_close(e->client, NULL);
    }
    mqtt_queue_close(e->queue);
    free(e);
}

bool demo_event_play(struct demo_event *e, double load_w, double run_s)
{
    mqtt_client_tend(e->client);
    if (e->done || run_s < AFTER_S || !mqtt_client_usable(e->client)) {
        return e->done;
    }
    int64_t now_ms = clock_utc_ms();
    char text[3][CALENDAR_TEXT_MAX];
    char topic[MQTT_TOPIC_MAX];
    char payload[400];
    snprintf(topic, sizeof(topic), "ballast/v1/%s/utility/limit",
             e->site->name);
    int n = snprintf(
        payload, sizeof(payload),
        "{\"v\":1,\"id\":\"demo\",\"ts\":\"%s\",\"kind\":\"import_max\","
        "\"start\":\"%s\",\"end\":\"%s\",\"value_w\":%.0f,\"priority\":1}",
        calendar_format_utc(now_ms, text[0]),
        calendar_format_utc(now_ms + AHEAD_MS, text[1]),
        calendar_format_utc(now_ms + AHEAD_MS + LASTS_MS, text[2]),
        PART * load_w);
    const struct mqtt_post post = {topic, payload, n, true};
    e->done = mqtt_client_send(e->client, &post);
    return e->done;
}
