/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_agents - the MQTT side of the simulated site, in a thread of its own:
 * the pods' and cars' agents, the scheduler's job markers, the price feed, and
 * the topic ballast/v1/SITE/sim/set for faults (see sim_site_fault()).
 */
#ifndef REPLAY_SIM_AGENTS_H
#define REPLAY_SIM_AGENTS_H

#include "replay/sim_site.h"

struct sim_agents;

struct sim_agents_counts {
    int n_links;
    int n_links_up;
    unsigned long n_dropped;
    unsigned long n_orders;
    unsigned long n_refused; /* of them */
};

/* Errors: ERR_IO, ERR_MEMORY; 'why' says. */
CHECKED enum err sim_agents_open(struct sim_site *s, uint64_t seed,
                                 struct sim_agents **out, char *why,
                                 size_t why_size);
void sim_agents_counts(struct sim_agents *a, struct sim_agents_counts *out);
void sim_agents_close(struct sim_agents *a);

#endif
