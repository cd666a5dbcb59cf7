/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo_setup - what the demo looks after before it starts anything: free
 * ports, a broker and its configuration, its folder.
 *
 * All functions tell a person on stderr what is wrong and what to do.
 */
#ifndef REPLAY_DEMO_SETUP_H
#define REPLAY_DEMO_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "models/site.h"

/* Make the folder where it is not there, and go into it. */
bool demo_enter(const char *folder);

/* True where every port of the site can be listened on. */
bool demo_ports_free(const struct site *site);

/* Where mosquitto is: in PATH or where Debian puts it for root. */
bool demo_find_mosquitto(char *out, size_t size);

/* Our own configuration: loopback, bounded, nothing kept. */
bool demo_write_mosquitto(const char *path, const struct site *site);

/* True as soon as something listens at 127.0.0.1 'port'. */
bool demo_port_answers(int port);

#endif
