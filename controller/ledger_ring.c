/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/ledger_ring.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* At the shortest period the supervisor looks every 13 ticks. */
enum { SLOTS = 32, SLICE_MIN = 16 };

static const double ROUND_S = 60.0;

enum err ledger_ring_init(struct ledger_ring *r, const struct site *site)
{
    memset(r, 0, sizeof(*r));
    double share = fmin(site->control.period_s / ROUND_S, 1.0);
    double most = fmax(ceil(site->n_nodes * share), SLICE_MIN);
    r->n_cars = site->n_nodes;
    r->per_slice = (int64_t)fmin(most, site->n_nodes);
    r->slot_size = sizeof(struct ledger_slice) +
                   (size_t)r->per_slice * sizeof(struct step_car);
    atomic_init(&r->pushed, 0);
    atomic_init(&r->popped, 0);
    if (r->n_cars == 0) {
        return ERR_NONE;
    }
    r->slots = malloc(SLOTS * r->slot_size);
    if (r->slots == NULL) {
        return ERR_MEMORY;
    }
    /* the pages are touched here, not in the control thread */
    memset(r->slots, 0, SLOTS * r->slot_size);
    return ERR_NONE;
}

void ledger_ring_clear(struct ledger_ring *r)
{
    free(r->slots);
    r->slots = NULL;
    r->n_cars = 0;
}

static struct ledger_slice *slot_at(const struct ledger_ring *r, size_t i)
{
    return (struct ledger_slice *)(void *)(r->slots + i % SLOTS * r->slot_size);
}

void ledger_ring_push(struct ledger_ring *r, const struct step_state *state,
                      int64_t mono_ms)
{
    size_t at = atomic_load_explicit(&r->pushed, memory_order_relaxed);
    size_t done = atomic_load_explicit(&r->popped, memory_order_acquire);
    if (r->n_cars == 0 || at - done >= SLOTS) {
        return;
    }
    struct ledger_slice *s = slot_at(r, at);
    int64_t left = r->n_cars - r->next;
    s->mono_ms = mono_ms;
    s->from = r->next;
    s->n = left < r->per_slice ? left : r->per_slice;
    step_cars(state, s->from, s->n, s->cars);
    r->next = (s->from + s->n) % r->n_cars;
    atomic_store_explicit(&r->pushed, at + 1, memory_order_release);
}

const struct ledger_slice *ledger_ring_front(struct ledger_ring *r)
{
    size_t at = atomic_load_explicit(&r->popped, memory_order_relaxed);
    bool any = at != atomic_load_explicit(&r->pushed, memory_order_acquire);
    return any ? slot_at(r, at) : NULL;
}

void ledger_ring_pop(struct ledger_ring *r)
{
    size_t at = atomic_load_explicit(&r->popped, memory_order_relaxed);
    atomic_store_explicit(&r->popped, at + 1, memory_order_release);
}
