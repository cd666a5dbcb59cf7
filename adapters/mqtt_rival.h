/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_rival - another controller of the same site.
 *
 * Whoever steers a site says so on ballast/v1/SITE/status every
 * MQTT_HEARTBEAT_S, retained, with an instance of its own, and its last will
 * takes it back.  Two that steer one site undo each other's commands; they may
 * run in different folders or on different machines, where no lock tells.
 */
#ifndef ADAPTERS_MQTT_RIVAL_H
#define ADAPTERS_MQTT_RIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/mqtt_codec.h"
#include "models/err.h"
#include "models/site.h"

enum {
    MQTT_HEARTBEAT_S = 2,
    MQTT_RIVAL_MAX_AGE_MS = 3 * MQTT_HEARTBEAT_S * 1000,
    MQTT_INSTANCE_MAX = 24,
};

struct mqtt_rival {
    char instance[MQTT_INSTANCE_MAX]; /* "unknown" where it gives none */
    int64_t ts_ms;                    /* UTC by its own clock, 0 for none */
};

/* True where a status says that another instance than 'own' steers the site. */
bool mqtt_rival_read(const struct mqtt_message *msg, const char *own,
                     struct mqtt_rival *out);

/*
 * Ask the broker of 'site' (site->mqtt.present) who steers it; publishes
 * nothing.  ERR_NONE: nobody.  ERR_REFUSED: 'out' does, and was heard within
 * the last seconds: by its clock, or, where that cannot be believed, by
 * listening for its next heartbeat.  ERR_TIMEOUT: the broker is not reached.
 * ERR_RANGE, ERR_IO, ERR_MEMORY as of mqtt_open().  Takes 0.3 s, at most 6 s.
 */
CHECKED enum err mqtt_rival_find(const struct site *site,
                                 struct mqtt_rival *out, char *why,
                                 size_t why_size);

#endif
