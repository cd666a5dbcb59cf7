/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness_ring - events of the witness on their way from the control thread to
 * the evidence log.  One writer, one reader, nobody waits; full: the event is
 * dropped and counted.
 */
#ifndef CONTROLLER_WITNESS_RING_H
#define CONTROLLER_WITNESS_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/witness.h"

enum { WITNESS_RING_SLOTS = 256 };

struct witness_ring {
    struct witness_event *slots; /* owned */
    atomic_size_t pushed;
    atomic_size_t popped;
    atomic_uint_fast64_t n_dropped;
};

CHECKED enum err witness_ring_init(struct witness_ring *r);
void witness_ring_clear(struct witness_ring *r);

/* Writer: take all events of 'w'. */
void witness_ring_push(struct witness_ring *r, struct witness *w);

/* Reader: the oldest; false for none. */
bool witness_ring_pop(struct witness_ring *r, struct witness_event *out);

/* Events dropped so far. */
uint64_t witness_ring_dropped(struct witness_ring *r);

#endif
