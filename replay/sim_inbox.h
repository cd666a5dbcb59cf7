/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_inbox - what the simulated agents do with a message that has come: caps
 * for pods, settings for cars (both answered by an ack), faults.
 */
#ifndef REPLAY_SIM_INBOX_H
#define REPLAY_SIM_INBOX_H

#include "replay/sim_bus.h"
#include "replay/sim_site.h"

enum {
    SIM_LINK_SITE = 0,   /* cars, prices, faults */
    SIM_POD_LINKS = 200, /* pods beyond share link 0 and have no last will */
};

static inline int sim_pod_link(int pod)
{
    return pod < SIM_POD_LINKS ? 1 + pod : SIM_LINK_SITE;
}

enum sim_taken { SIM_IGNORED, SIM_TAKEN, SIM_REFUSED };

/* The message's topic is cut up. */
enum sim_taken sim_inbox_take(struct sim_site *s, struct sim_bus *bus,
                              struct sim_message *m);

/* Send a text that was allocated, and free it; NULL is passed over. */
void sim_send_text(struct sim_bus *bus, int link, const char *topic, char *text,
                   enum sim_send how);

#endif
