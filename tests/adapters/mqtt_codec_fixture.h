/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site of pods and vehicles whose messages are read. */
#ifndef TESTS_ADAPTERS_MQTT_CODEC_FIXTURE_H
#define TESTS_ADAPTERS_MQTT_CODEC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/mqtt_codec.h"
#include "models/calendar.h"

enum { MONO = 100000000 };

static struct site site;
static int64_t now_ms;

static inline int set_up(void **state)
{
    (void)state;
    assert_int_equal(calendar_parse_utc("2026-11-21T00:00:01Z", &now_ms), 0);
    snprintf(site.name, sizeof(site.name), "demo");
    snprintf(site.currency, sizeof(site.currency), "USD");
    site.n_pods = 1000;
    for (int i = 0; i < site.n_pods; i++) {
        snprintf(site.pods[i].name, SITE_NAME_MAX, "hall%d-%03d", i % 7, i);
        site.pods[i].power_max_w = 1e6;
    }
    site.n_fleets = 2;
    site.fleets[0] = (struct site_fleet){
        .name = "lot1", .nodes = 200, .compute_w = 160, .pack_wh = 75e3};
    site.fleets[1] = (struct site_fleet){.name = "lot-2",
                                         .nodes = 12000,
                                         .first_node = 200,
                                         .compute_w = 1000,
                                         .pack_wh = 75e3,
                                         .telemetry = "tesla/fleet"};
    site.n_nodes = 12200;
    site.n_prices = 2;
    snprintf(site.prices[0].market, SITE_NAME_MAX, "day_ahead");
    snprintf(site.prices[1].market, SITE_NAME_MAX, "rt");
    snprintf(site.prices[1].topic, SITE_TEXT_MAX, "feeds/rt_per_mwh");
    return 0;
}

static inline struct mqtt_message message(const char *text, bool retained)
{
    return (struct mqtt_message){text, strlen(text), MONO, now_ms, retained};
}

#endif
