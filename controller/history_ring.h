/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_ring - ticks on their way from the control thread to the historian.
 *
 * One writer, one reader, a fixed number of slots, nobody waits.  A slot holds
 * what the site uses of snapshot and output, and the plan where it is another
 * than in the tick before.  Full: the tick is dropped and counted, and the
 * reader learns that there is a gap.
 */
#ifndef CONTROLLER_HISTORY_RING_H
#define CONTROLLER_HISTORY_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/parts.h"
#include "models/err.h"

struct history_slot; /* one tick in the ring */

struct history_ring {
    struct parts parts;
    unsigned char *slots; /* owned */
    size_t slot_size;
    size_t n_slots;
    struct plan *last;     /* the writer's, as it was pushed last */
    uint64_t seen_dropped; /* the reader's */
    atomic_size_t pushed;  /* by the writer */
    atomic_size_t popped;  /* by the reader */
    atomic_uint_fast64_t n_dropped;
};

/* A tick as the reader gets it. */
struct history_tick {
    struct snapshot *in; /* owned */
    struct plan plan;
    struct step_out *out; /* owned */
    bool gap;             /* ticks before this one were dropped */
};

CHECKED enum err history_ring_init(struct history_ring *ring,
                                   const struct site *site);
void history_ring_clear(struct history_ring *ring);

/* Writer.  Copies, allocates nothing; false where it was dropped. */
bool history_ring_push(struct history_ring *ring, const struct snapshot *in,
                       const struct plan *plan, const struct step_out *out);

/* Reader.  False where there is nothing; 'tick' keeps its content then. */
bool history_ring_pop(struct history_ring *ring, struct history_tick *tick);

CHECKED enum err history_tick_init(struct history_tick *tick,
                                   const struct history_ring *ring);
void history_tick_clear(struct history_tick *tick);

#endif
