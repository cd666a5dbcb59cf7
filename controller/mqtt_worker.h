/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mqtt_worker - the thread that owns the MQTT link: inputs to the control
 * thread, commands of pods and nodes out, prices kept across a restart.
 */
#ifndef CONTROLLER_MQTT_WORKER_H
#define CONTROLLER_MQTT_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/historian.h"
#include "controller/ports.h"

struct mqtt_worker; /* opaque */

struct mqtt_worker_cfg {
    const struct site *site; /* mqtt.present */
    struct ports *ports;
    struct historian *historian;   /* keeps prices; NULL: nobody does */
    const struct price_in *prices; /* of the last run, n_prices; NULL: none */
    bool shadow;                   /* no commands are sent */
};

/* Start client and thread.  Errors are those of mqtt_open(), ERR_MEMORY and
 * ERR_IO; 'why' says which. */
CHECKED enum err mqtt_worker_open(const struct mqtt_worker_cfg *cfg,
                                  struct mqtt_worker **out, char *why,
                                  size_t why_size);

/* Join the thread, say offline, disconnect. */
void mqtt_worker_close(struct mqtt_worker *w);

#endif
