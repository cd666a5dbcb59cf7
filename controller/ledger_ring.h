/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger_ring - the cars' ledgers on their way from the control thread to the
 * supervisor.
 *
 * One writer, one reader, nobody waits.  In every tick the writer copies one
 * slice of the cars, so that each has its turn once a minute or sooner; while
 * the ring is full it copies nothing and goes on with that slice later, so
 * that none is left out.
 */
#ifndef CONTROLLER_LEDGER_RING_H
#define CONTROLLER_LEDGER_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/step/step.h"
#include "models/err.h"

/* Cars from .. from + n, as they were at one tick. */
struct ledger_slice {
    int64_t mono_ms;
    int64_t from;
    int64_t n;
    struct step_car cars[];
};

struct ledger_ring {
    unsigned char *slots; /* owned; NULL where there are no cars */
    size_t slot_size;
    int64_t n_cars;
    int64_t per_slice;
    int64_t next; /* the writer's: first car of the next slice */
    atomic_size_t pushed;
    atomic_size_t popped;
};

CHECKED enum err ledger_ring_init(struct ledger_ring *r,
                                  const struct site *site);
void ledger_ring_clear(struct ledger_ring *r);

/* Writer, after the step. */
void ledger_ring_push(struct ledger_ring *r, const struct step_state *state,
                      int64_t mono_ms);

/* Reader: the oldest slice, valid until ledger_ring_pop(); NULL for none. */
const struct ledger_slice *ledger_ring_front(struct ledger_ring *r);
void ledger_ring_pop(struct ledger_ring *r);

#endif
