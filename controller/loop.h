/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop - the control thread: snapshot, step, commands, at a fixed rate.
 *
 * It sleeps to absolute deadlines of the monotonic clock, copies what the
 * mailboxes hold, calls step(), posts the commands and pushes one record to
 * the historian.  No I/O, no allocation, no lock that can block.  A tick that
 * comes late covers the missed periods with its dt_s and is never run twice.
 */
#ifndef CONTROLLER_LOOP_H
#define CONTROLLER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/carrier.h"
#include "controller/historian.h"
#include "controller/ports.h"
#include "controller/step/step.h"

struct loop; /* opaque */

struct loop_cfg {
    const struct site *site;
    enum policy policy;
    bool shadow; /* commands are computed and recorded, not posted */
    struct ports *ports;
    const struct zone *zone; /* copied; NULL: UTC */
};

/* ERR_RANGE (the site contradicts itself), ERR_MEMORY. */
CHECKED enum err loop_open(const struct loop_cfg *cfg, struct loop **out);
void loop_close(struct loop *l);

/* The step's state before the first tick, for the recording. */
const void *loop_state(const struct loop *l, size_t *size);

/* Prices that still hold from the last run, n_prices of them.  Before the
 * thread starts only. */
void loop_prices(struct loop *l, const struct price_in *prices);

/* What brings the step's state over a restart.  Before the thread starts
 * only. */
struct carrier *loop_carrier(struct loop *l);

/* From the next tick on records go to 'h' (NULL: nowhere).  Before the thread
 * starts only. */
void loop_record(struct loop *l, struct historian *h);

/*
 * One tick at 'mono_ns' and 'utc_ms'; returns the monotonic instant of the
 * next.  The first call sets the phase of all later ones.  The thread calls
 * nothing else; tests call it with times of their own.
 */
int64_t loop_tick(struct loop *l, int64_t mono_ns, int64_t utc_ms);

/* Start the thread, and join it.  ERR_IO where the system gives none. */
CHECKED enum err loop_start(struct loop *l);
void loop_stop(struct loop *l);

/* Of a loop that has stopped: save what shall outlive the run.  Takes seconds
 * where there are many cars, so the workers shall be closed before: no command
 * reaches them any more, and at the end of its lease each would act alone. */
void loop_save(struct loop *l);

#endif
