/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/demo_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/mqtt_client.h"
#include "controller/cli.h"
#include "controller/clock.h"
#include "models/calendar.h"
#include "models/units.h"

static const double PART = 0.7; /* of the load then */
static const int64_t AHEAD_MS = 120000;
static const int64_t LASTS_MS = 180000;
static const double IDLE_W = 3e6; /* of a cluster whose jobs have ended */
static const double RECREATE_S = 30.0;

enum { PAYLOAD_MAX = 400, SAID_MAX = 200 };

struct demo_event {
    const struct site *site;
    struct demo_event_cfg cfg;
    struct mqtt_queue *queue;
    struct mqtt_client *client;
    size_t next; /* of the acts */
    char said[SAID_MAX];
};

/* Writes the payload and what is said; false where it is not played. */
typedef bool act_fn(struct demo_event *e, double load_w,
                    char payload[PAYLOAD_MAX]);

static bool ask_for_less(struct demo_event *e, double load_w,
                         char payload[PAYLOAD_MAX])
{
    int64_t now_ms = clock_utc_ms();
    char text[3][CALENDAR_TEXT_MAX];
    char power[32];
    snprintf(payload, PAYLOAD_MAX,
             "{\"v\":1,\"id\":\"demo\",\"ts\":\"%s\",\"kind\":\"import_max\","
             "\"start\":\"%s\",\"end\":\"%s\",\"value_w\":%.0f,\"priority\":1}",
             calendar_format_utc(now_ms, text[0]),
             calendar_format_utc(now_ms + AHEAD_MS, text[1]),
             calendar_format_utc(now_ms + AHEAD_MS + LASTS_MS, text[2]),
             PART * load_w);
    snprintf(e->said, sizeof(e->said),
             "the utility asks for at most %s, in two minutes, for three",
             units_power_text(PART * load_w, power, sizeof(power)));
    return e->cfg.event;
}

static bool set_trip(struct demo_event *e, const char *trips, const char *says,
                     char payload[PAYLOAD_MAX])
{
    if (e->site->n_batteries == 0) {
        return false;
    }
    const char *name = e->site->batteries[0].name;
    snprintf(payload, PAYLOAD_MAX, "{\"battery\":\"%s\",\"trip\":%s}", name,
             trips);
    snprintf(e->said, sizeof(e->said), "%s %s", name, says);
    return e->cfg.trip;
}

static bool trip(struct demo_event *e, double load_w, char payload[PAYLOAD_MAX])
{
    (void)load_w;
    return set_trip(e, "true", "trips: the others take its part", payload);
}

static bool reset(struct demo_event *e, double load_w,
                  char payload[PAYLOAD_MAX])
{
    (void)load_w;
    return set_trip(e, "false", "is back", payload);
}

static bool stop(struct demo_event *e, double load_w, char payload[PAYLOAD_MAX])
{
    char power[32];
    snprintf(payload, PAYLOAD_MAX, "{\"load_w\":%.0f}", IDLE_W);
    snprintf(e->said, sizeof(e->said),
             "the cluster stops: %s vanish at once, the grid follows at its "
             "ramp",
             units_power_text(load_w - IDLE_W, power, sizeof(power)));
    return e->cfg.stop;
}

static bool start(struct demo_event *e, double load_w,
                  char payload[PAYLOAD_MAX])
{
    (void)load_w;
    snprintf(payload, PAYLOAD_MAX, "{\"load_w\":null}");
    snprintf(e->said, sizeof(e->said), "the cluster starts again");
    return e->cfg.stop;
}

/* By time; the first job has begun 15 s into the demo. */
static const struct act {
    double after_s;
    const char *topic;
    act_fn *make;
    bool retained;
} acts[] = {
    {40.0, "utility/limit", ask_for_less, true},
    {40.0, "sim/set", trip, false},
    {55.0, "sim/set", stop, false},
    {100.0, "sim/set", reset, false},
    {150.0, "sim/set", start, false},
};
enum { ACTS = sizeof(acts) / sizeof(acts[0]) };

struct demo_event *demo_event_open(const struct site *site,
                                   const struct demo_event_cfg *cfg)
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
    e->cfg = *cfg;
    char filters[1][MQTT_TOPIC_MAX];
    snprintf(filters[0], MQTT_TOPIC_MAX, "ballast/v1/%s/utility/limit",
             site->name);
    const struct mqtt_client_cfg client = {.at = &site->mqtt,
                                           .id = "ballast-demo-utility",
                                           .filters = filters,
                                           .n_filters = 1,
                                           .queue = e->queue,
                                           .recreate_s = RECREATE_S};
    char why[200] = "";
    if (mqtt_client_open(&client, &e->client, why, sizeof(why)) != ERR_NONE) {
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

const char *demo_event_play(struct demo_event *e, double load_w, double run_s)
{
    mqtt_client_tend(e->client);
    while (e->next < ACTS && run_s >= acts[e->next].after_s &&
           mqtt_client_usable(e->client)) {
        const struct act *act = &acts[e->next];
        char payload[PAYLOAD_MAX];
        if (!act->make(e, load_w, payload)) {
            e->next++;
            continue;
        }
        char topic[MQTT_TOPIC_MAX];
        snprintf(topic, sizeof(topic), "ballast/v1/%s/%s", e->site->name,
                 act->topic);
        const struct mqtt_post post = {topic, payload, (int)strlen(payload),
                                       act->retained};
        bool sent = mqtt_client_send(e->client, &post);
        e->next += sent ? 1 : 0;
        return sent ? e->said : NULL;
    }
    return NULL;
}
