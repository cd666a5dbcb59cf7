/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_bus - the MQTT connections of the simulated agents.
 *
 * A last will belongs to a connection, so every pod has one of its own, as in
 * the field; one more, link 0, carries the cars, the prices and the faults.
 * MQTTAsync, MQTT 3.1.1, clean session; paho's callbacks only set a flag or
 * copy into a bounded queue, everything else is done in the thread that owns
 * the bus.
 */
#ifndef REPLAY_SIM_BUS_H
#define REPLAY_SIM_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include "models/err.h"
#include "models/site.h"
#include "replay/sim_names.h"

enum {
    SIM_PAYLOAD_MAX = 2048,
    SIM_LINK_TOPICS_MAX = 3,
};

struct sim_bus;

struct sim_link_cfg {
    char name[SITE_NAME_MAX];                        /* of the client */
    char topics[SIM_LINK_TOPICS_MAX][SIM_TOPIC_MAX]; /* to subscribe */
    char online[SIM_TOPIC_MAX]; /* retained birth and will; "" for none */
};

/* A message that has come. */
struct sim_message {
    int link;
    bool retained;
    char topic[SIM_TOPIC_MAX];
    size_t size;
    char payload[SIM_PAYLOAD_MAX]; /* NUL behind 'size' bytes */
};

/* How a message is sent. */
enum sim_send { SIM_QOS0, SIM_QOS1, SIM_RETAINED };

/*
 * Create 'n' links and begin to connect; that goes on in the background and
 * for ever.  Errors: ERR_IO (library, password file), ERR_MEMORY; 'why' says.
 */
CHECKED enum err sim_bus_open(const struct site_mqtt *at,
                              const struct sim_link_cfg *links, int n,
                              struct sim_bus **out, char *why, size_t why_size);

/* Subscribe on and announce every link that has come up since the last call;
 * returns how many have. */
int sim_bus_renew(struct sim_bus *bus);

/* Wait up to 'timeout_s' for a message; false where none came. */
bool sim_bus_take(struct sim_bus *bus, struct sim_message *out,
                  double timeout_s);

/* Publish; what cannot be sent now is dropped and counted. */
void sim_bus_send(struct sim_bus *bus, int link, const char *topic,
                  const char *payload, enum sim_send how);

int sim_bus_links_up(struct sim_bus *bus);
unsigned long sim_bus_dropped(struct sim_bus *bus);

/* Says offline on all links, disconnects (at most 3 s), frees. */
void sim_bus_close(struct sim_bus *bus);

#endif
