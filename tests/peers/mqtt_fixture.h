/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A controller of one pod at a broker. */
#ifndef TESTS_PEERS_MQTT_FIXTURE_H
#define TESTS_PEERS_MQTT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/mqtt.h"
#include "adapters/mqtt_client.h"
#include "tests/peers/mqtt_peer.h"

static struct site site;
static struct mqtt_inputs *in;
static struct step_out *out;
static struct link_state link_state;

static inline int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void set_site(int port)
{
    memset(&site, 0, sizeof(site));
    snprintf(site.name, sizeof(site.name), "t");
    snprintf(site.currency, sizeof(site.currency), "USD");
    site.n_pods = 2;
    for (int i = 0; i < 2; i++) {
        snprintf(site.pods[i].name, SITE_NAME_MAX, "pod%d", i + 1);
        site.pods[i].power_max_w = 1e6;
    }
    site.n_fleets = 1;
    site.fleets[0] = (struct site_fleet){.name = "lot",
                                         .nodes = 3,
                                         .compute_w = 160,
                                         .pack_wh = 75e3,
                                         .telemetry = "cars"};
    site.n_nodes = 3;
    site.n_prices = 1;
    snprintf(site.prices[0].market, SITE_NAME_MAX, "day_ahead");
    site.mqtt.present = true;
    snprintf(site.mqtt.host, SITE_TEXT_MAX, "127.0.0.1");
    site.mqtt.port = port;
}

static inline int set_up(void **state)
{
    (void)state;
    in = calloc(1, mqtt_inputs_size(3));
    out = calloc(1, step_out_size(3));
    assert_non_null(in);
    assert_non_null(out);
    in->n_nodes = 3;
    out->n_nodes = 3;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(in);
    free(out);
    return 0;
}

static inline void need_broker(void)
{
    if (!peer_has("mosquitto") || !peer_has("mosquitto_pub") ||
        !peer_has("mosquitto_sub")) {
        print_message("skip: mosquitto, mosquitto_pub or mosquitto_sub is "
                      "not installed\n");
        skip();
    }
}

static inline struct mqtt *open_mqtt(void)
{
    struct mqtt *m = NULL;
    char why[200] = "";
    memset(in, 0, mqtt_inputs_size(3));
    in->n_nodes = 3;
    memset(&link_state, 0, sizeof(link_state));
    if (mqtt_open(&site, false, &m, why, sizeof(why)) != ERR_NONE) {
        fail_msg("open: %s", why);
    }
    return m;
}

static inline void set_caps(double cap_w)
{
    for (int i = 0; i < 2; i++) {
        out->pods[i] = (struct pod_command){
            .cap_w = cap_w, .ramp_s = 1, .ttl_s = 3, .valid = 1};
    }
    out->nodes[1] = (struct node_command){
        .compute_w = 100, .charge_w = 3600, .ttl_s = 3, .valid = 1};
}

/* The worker's life for one tick of 20 ms. */
static inline void tick(struct mqtt *m)
{
    mqtt_wait(m, 0.02);
    mqtt_pass(m, clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME), in,
              &link_state);
    mqtt_command(m, clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME), out);
}

/* Ticks until the condition holds; fails where it never does. */
#define UNTIL(m, seconds, condition)                                         \
    do {                                                                     \
        int64_t end_ms = clock_ms(CLOCK_MONOTONIC) + (seconds)*1000;         \
        while (!(condition)) {                                               \
            if (clock_ms(CLOCK_MONOTONIC) > end_ms) {                        \
                fail_msg("line %d: not within %d s: %s (%s)", __LINE__,      \
                         (int)(seconds), #condition, link_state.last_error); \
            }                                                                \
            tick(m);                                                         \
        }                                                                    \
    } while (0)

#endif
