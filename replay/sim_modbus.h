/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_modbus - a small Modbus TCP server for the simulated devices.
 *
 * One thread serves all devices by poll().  Devices at the same host and port
 * share a listener and are told apart by unit id; a unit nobody has gets
 * exception 0x0B.  A client that breaks the framing, does not take its replies
 * or is silent for two minutes is dropped.
 *
 * Our own, and not libmodbus': the controller's library should not meet
 * itself on the other side of the wire.
 */
#ifndef REPLAY_SIM_MODBUS_H
#define REPLAY_SIM_MODBUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "replay/sim_pdu.h"

struct sim_modbus; /* the server, opaque */

/*
 * Listen on every slave's address and start the thread.  'lock' is taken
 * around each request, so that a reply never mixes two moments.
 * Errors: ERR_IO (cannot resolve or listen), ERR_MISMATCH (two devices with
 * one address), ERR_MEMORY; 'why' says which and what to do.
 */
CHECKED enum err sim_modbus_open(const struct sim_slave *slaves, int n,
                                 pthread_mutex_t *lock, struct sim_modbus **out,
                                 char *why, size_t why_size);

/* Ends the thread, closes all connections. */
void sim_modbus_close(struct sim_modbus *server);

/* Requests answered so far, by any device. */
uint64_t sim_modbus_requests(struct sim_modbus *server);

#endif
