/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/witness_ring.h"

#include <stdlib.h>

enum err witness_ring_init(struct witness_ring *r)
{
    r->slots = calloc(WITNESS_RING_SLOTS, sizeof(*r->slots));
    atomic_init(&r->pushed, 0);
    atomic_init(&r->popped, 0);
    atomic_init(&r->n_dropped, 0);
    return r->slots != NULL ? ERR_NONE : ERR_MEMORY;
}

void witness_ring_clear(struct witness_ring *r)
{
    free(r->slots);
    r->slots = NULL;
}

void witness_ring_push(struct witness_ring *r, struct witness *w)
{
    struct witness_event event;
    while (w->n_events > 0 && witness_take(w, &event)) {
        size_t at = atomic_load_explicit(&r->pushed, memory_order_relaxed);
        size_t done = atomic_load_explicit(&r->popped, memory_order_acquire);
        if (at - done >= WITNESS_RING_SLOTS) {
            atomic_fetch_add(&r->n_dropped, 1);
            continue;
        }
        r->slots[at % WITNESS_RING_SLOTS] = event;
        atomic_store_explicit(&r->pushed, at + 1, memory_order_release);
    }
}

bool witness_ring_pop(struct witness_ring *r, struct witness_event *out)
{
    size_t at = atomic_load_explicit(&r->popped, memory_order_relaxed);
    if (at == atomic_load_explicit(&r->pushed, memory_order_acquire)) {
        return false;
    }
    *out = r->slots[at % WITNESS_RING_SLOTS];
    atomic_store_explicit(&r->popped, at + 1, memory_order_release);
    return true;
}

uint64_t witness_ring_dropped(struct witness_ring *r)
{
    return atomic_load(&r->n_dropped);
}
