/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site with one market and one pod, and messages with their instant. */
#ifndef TESTS_ADAPTERS_MQTT_FEEDS_FIXTURE_H
#define TESTS_ADAPTERS_MQTT_FEEDS_FIXTURE_H

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
static const int64_t hour_ms = 3600000;

static inline int64_t at(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(calendar_parse_utc(text, &ms), ERR_NONE);
    return ms;
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(site.currency, sizeof(site.currency), "USD");
    site.n_prices = 1;
    snprintf(site.prices[0].market, SITE_NAME_MAX, "day_ahead");
    site.n_pods = 1;
    site.pods[0].power_max_w = 1e6;
    return 0;
}

static inline struct mqtt_message message(const char *text, const char *now)
{
    return (struct mqtt_message){text, strlen(text), MONO, at(now), false};
}

#endif
