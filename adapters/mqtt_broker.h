/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_broker - where the broker is, what it is shown, and what it says no
 * with.
 */
#ifndef ADAPTERS_MQTT_BROKER_H
#define ADAPTERS_MQTT_BROKER_H

#include <stddef.h>

#include "models/err.h"
#include "models/site.h"

enum { MQTT_PASSWORD_MAX = 256 };

struct mqtt_broker {
    char uri[SITE_TEXT_MAX + 32];
    char password[MQTT_PASSWORD_MAX]; /* "" for none; never printed */
};

/*
 * Address and secrets of 'at'.  ERR_RANGE where a file cannot be read, or a
 * password or key is open to others; 'why' says which.
 */
CHECKED enum err mqtt_broker_open(const struct site_mqtt *at,
                                  struct mqtt_broker *out, char *why,
                                  size_t why_size);
void mqtt_broker_wipe(struct mqtt_broker *b);

/* What a failed connect of that code means, "" for 0.  Static text. */
const char *mqtt_broker_trouble(const struct site_mqtt *at, int code);

#endif
