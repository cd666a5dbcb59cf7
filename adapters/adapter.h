/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * adapter - the contract between a worker thread and a way to talk.
 *
 * An adapter belongs to one thread.  It does one bounded pass at a time,
 * never exits, never waits longer than its time-outs, and says stale at the
 * first failure: a value that could not be read keeps the mono_ms it had.
 */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/command.h"
#include "models/err.h"
#include "models/site.h"
#include "models/snapshot.h"

enum { ADAPTER_TEXT_MAX = 160 };

/* How a link fares; for status, alarms and metrics. */
struct link_state {
    bool up;
    uint64_t n_passes;
    uint64_t n_errors;
    uint64_t n_reconnects;
    uint64_t n_writes;
    uint64_t n_mismatches;             /* writes that did not read back */
    double pass_s;                     /* how long the last pass took */
    int64_t write_mono_ms;             /* last write, 0 for never */
    char last_error[ADAPTER_TEXT_MAX]; /* "" while all is well */
};

enum device_role { DEVICE_BATTERY, DEVICE_METER };

/* A device behind a register map, as the worker opens it. */
struct device_cfg {
    enum device_role role;
    struct site_modbus at;
    const char *map_dir; /* where shipped maps lie */
    bool read_only;      /* shadow, probe: nothing is ever written */
    double response_s;   /* time-out of one reply, default 1 */
    double charge_max_w; /* a set-point beyond is refused, never sent */
    double discharge_max_w;
};

/* What the device shall do until the lease ends. */
struct device_lease {
    struct battery_command command;
    uint64_t seq;    /* rises with every command; 0: none yet */
    int64_t mono_ms; /* when it was decided */
};

/* What one pass found; only the member of the role is filled. */
struct device_values {
    struct battery_in battery;
    struct meter_in meter;
};

struct device; /* one connection, opaque */

/* One kind of device protocol.  adapters/modbus.c exports one. */
struct device_ops {
    const char *name;
    /*
     * Load and check the map, resolve the address; does not connect.
     * Errors: ERR_IO, ERR_SYNTAX, ERR_UNKNOWN (no such map), ERR_RANGE;
     * 'why' says which, with file and place.
     */
    enum err (*open)(const struct device_cfg *cfg, struct device **out,
                     char *why, size_t why_size);
    /*
     * One bounded pass: connect or discover where needed (with back-off),
     * write the lease if it is new, changed or due for renewal, heartbeat,
     * read what is due.  Updates 'values' and 'link' in place.
     * Returns ERR_NONE, or what went wrong first.
     */
    enum err (*pass)(struct device *device, int64_t mono_ms,
                     const struct device_lease *lease,
                     struct device_values *values, struct link_state *link);
    /* Leaves the device's leases to run out by themselves. */
    void (*close)(struct device *device);
};

extern const struct device_ops modbus_device;

#endif
