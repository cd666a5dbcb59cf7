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

static const double IDLE_W = 3e6; /* of a cluster whose jobs have ended */
static const double RECREATE_S = 30.0;

struct demo_event {
    const struct site *site;
    struct demo_event_cfg cfg;
    struct mqtt_queue *queue;
    struct mqtt_client *client;
    size_t next; /* of the acts */
    struct demo_ask ask;
};

/* Half a dollar a kWh is ten times the demo's price. */
static const struct kind {
    const char *name;
    const char *kind;
    double part;    /* of the load then; 0: a price */
    double per_kwh; /* in the site's currency */
    int64_t ahead_ms;
    int64_t lasts_ms;
    const char *before; /* what is said */
    const char *after;
} kinds[] = {
    {"limit", "import_max", 0.7, 0.0, 120000, 180000,
     "the utility asks for at most ", ", in two minutes, for three"},
    {"setpoint", "setpoint", 0.85, 0.0, 120000, 180000,
     "the utility asks to hold ", ", in two minutes, for three"},
    {"price", "price", 0.0, 0.5, 120000, 900000, "the utility's price is ",
     " per kWh, in two minutes, for a quarter of an hour"},
    {"emergency", "emergency", 0.7, 0.0, 0, 180000,
     "an emergency: the utility asks for at most ",
     " at once, for three minutes"},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char demo_event_kinds[] = "limit, setpoint, price, emergency";

bool demo_event_ask(const char *kind, double load_w, int64_t utc_ms,
                    struct demo_ask *out)
{
    const struct kind *k = kinds;
    while (kind[0] != '\0' && k < kinds + KINDS && strcmp(k->name, kind) != 0) {
        k++;
    }
    if (k == kinds + KINDS) {
        return false;
    }
    bool price = k->part == 0.0;
    double value = price ? k->per_kwh : k->part * load_w;
    char what[32];
    if (price) {
        snprintf(what, sizeof(what), "%.2f", value);
    } else {
        units_power_text(value, what, sizeof(what));
    }
    char text[3][CALENDAR_TEXT_MAX];
    int64_t start_ms = utc_ms + k->ahead_ms;
    snprintf(out->payload, sizeof(out->payload),
             "{\"v\":1,\"id\":\"demo\",\"ts\":\"%s\",\"kind\":\"%s\","
             "\"start\":\"%s\",\"end\":\"%s\",\"%s\":%.*f,\"priority\":1}",
             calendar_format_utc(utc_ms, text[0]), k->kind,
             calendar_format_utc(start_ms, text[1]),
             calendar_format_utc(start_ms + k->lasts_ms, text[2]),
             price ? "value_per_kwh" : "value_w", price ? 2 : 0, value);
    snprintf(out->said, sizeof(out->said), "%s%s%s", k->before, what, k->after);
    return true;
}

/* Writes the payload and what is said; false where it is not played. */
typedef bool act_fn(struct demo_event *e, double load_w);

static bool ask(struct demo_event *e, double load_w)
{
    return e->cfg.event != NULL &&
           demo_event_ask(e->cfg.event, load_w, clock_utc_ms(), &e->ask);
}

static bool set_trip(struct demo_event *e, const char *trips, const char *says)
{
    if (e->site->n_batteries == 0) {
        return false;
    }
    const char *name = e->site->batteries[0].name;
    snprintf(e->ask.payload, DEMO_PAYLOAD_MAX,
             "{\"battery\":\"%s\",\"trip\":%s}", name, trips);
    snprintf(e->ask.said, DEMO_SAID_MAX, "%s %s", name, says);
    return e->cfg.trip;
}

static bool trip(struct demo_event *e, double load_w)
{
    (void)load_w;
    return set_trip(e, "true", "trips: the others take its part");
}

static bool reset(struct demo_event *e, double load_w)
{
    (void)load_w;
    return set_trip(e, "false", "is back");
}

static bool stop(struct demo_event *e, double load_w)
{
    char power[32];
    snprintf(e->ask.payload, DEMO_PAYLOAD_MAX, "{\"load_w\":%.0f}", IDLE_W);
    snprintf(e->ask.said, DEMO_SAID_MAX,
             "the cluster stops: %s vanish at once, the grid follows at its "
             "ramp",
             units_power_text(load_w - IDLE_W, power, sizeof(power)));
    return e->cfg.stop;
}

static bool start(struct demo_event *e, double load_w)
{
    (void)load_w;
    snprintf(e->ask.payload, DEMO_PAYLOAD_MAX, "{\"load_w\":null}");
    snprintf(e->ask.said, DEMO_SAID_MAX, "the cluster starts again");
    return e->cfg.stop;
}

/* By time; the first job has begun 15 s into the demo. */
static const struct act {
    double after_s;
    const char *topic;
    act_fn *make;
    bool retained;
} acts[] = {
    {40.0, "utility/limit", ask, true}, {40.0, "sim/set", trip, false},
    {55.0, "sim/set", stop, false},     {100.0, "sim/set", reset, false},
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
        if (!act->make(e, load_w)) {
            e->next++;
            continue;
        }
        char topic[MQTT_TOPIC_MAX];
        snprintf(topic, sizeof(topic), "ballast/v1/%s/%s", e->site->name,
                 act->topic);
        const struct mqtt_post post = {
            topic, e->ask.payload, (int)strlen(e->ask.payload), act->retained};
        bool sent = mqtt_client_send(e->client, &post);
        e->next += sent ? 1 : 0;
        return sent ? e->ask.said : NULL;
    }
    return NULL;
}
