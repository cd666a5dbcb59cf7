/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker - the threads that own Modbus connections.
 *
 * One thread per host and port; devices behind the same gateway take turns.
 * A worker makes a pass shortly before the loop's tick, so that the tick sees
 * fresh values, and another as soon as a new set-point is posted.  When the
 * control thread is silent it moves the set-point to its fallback by itself
 * (controller/lease).  A device that is dead costs its own thread only.
 */
#ifndef CONTROLLER_WORKER_H
#define CONTROLLER_WORKER_H

#include <stddef.h>

#include "adapters/adapter.h"
#include "controller/ports.h"

struct workers; /* all of them, opaque */

struct workers_cfg {
    const struct site *site;
    struct ports *ports;
    const struct device_ops *ops; /* &modbus_device, or a test's */
    const char *map_dir;
    bool shadow; /* nothing is written */
};

/*
 * Load the maps and check them, without contacting a device; start nothing.
 * Errors are those of device_ops.open and ERR_MEMORY; 'why' names the device.
 */
CHECKED enum err workers_open(const struct workers_cfg *cfg,
                              struct workers **out, char *why, size_t why_size);

/* ERR_IO where the system gives no thread; what was started then runs until
 * workers_close(). */
CHECKED enum err workers_start(struct workers *w);

/* Join the threads and close the devices; their leases run out by
 * themselves.  The ports must outlive this. */
void workers_close(struct workers *w);

#endif
