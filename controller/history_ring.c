/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/history_ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16, SLOTS_MAX = 1200 };

/* What the slots may take together, where SLOTS_MIN do not need more. */
static const size_t ring_bytes = (size_t)64 << 20;

struct history_slot {
    uint64_t n_dropped; /* until this tick */
    uint64_t has_plan;
    uint64_t image[];
};

enum err history_ring_init(struct history_ring *ring, const struct site *site)
{
    memset(ring, 0, sizeof(*ring));
    parts_init(&ring->parts, site);
    ring->slot_size = sizeof(struct history_slot) +
                      ring->parts.total_words * sizeof(uint64_t);
    size_t n = ring_bytes / ring->slot_size;
    ring->n_slots = n < SLOTS_MIN ? SLOTS_MIN : n > SLOTS_MAX ? SLOTS_MAX : n;
    ring->slots = malloc(ring->n_slots * ring->slot_size);
    ring->last = calloc(1, sizeof(*ring->last));
    if (ring->slots == NULL || ring->last == NULL) {
        history_ring_clear(ring);
        return ERR_MEMORY;
    }
    /* the pages are touched here, not in the control thread */
    memset(ring->slots, 0, ring->n_slots * ring->slot_size);
    return ERR_NONE;
}

void history_ring_clear(struct history_ring *ring)
{
    free(ring->slots);
    free(ring->last);
    ring->slots = NULL;
    ring->last = NULL;
}

static struct history_slot *slot_at(const struct history_ring *ring, size_t i)
{
    return (struct history_slot *)(void *)(ring->slots +
                                           i % ring->n_slots * ring->slot_size);
}

bool history_ring_push(struct history_ring *ring, const struct snapshot *in,
                       const struct plan *plan, const struct step_out *out)
{
    assert(in->n_nodes == ring->parts.n_nodes && out->n_nodes == in->n_nodes);
    size_t at = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    size_t done = atomic_load_explicit(&ring->popped, memory_order_acquire);
    if (at - done >= ring->n_slots) {
        atomic_fetch_add_explicit(&ring->n_dropped, 1, memory_order_relaxed);
        return false;
    }
    struct history_slot *slot = slot_at(ring, at);
    slot->n_dropped =
        atomic_load_explicit(&ring->n_dropped, memory_order_relaxed);
    slot->has_plan = memcmp(plan, ring->last, sizeof(*plan)) != 0;
    parts_gather(&ring->parts, PART_SNAPSHOT, in, slot->image);
    parts_gather(&ring->parts, PART_OUT, out, slot->image);
    if (slot->has_plan != 0) {
        memcpy(ring->last, plan, sizeof(*plan));
        parts_gather(&ring->parts, PART_PLAN, plan, slot->image);
    }
    atomic_store_explicit(&ring->pushed, at + 1, memory_order_release);
    return true;
}

bool history_ring_pop(struct history_ring *ring, struct history_tick *tick)
{
    size_t at = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    if (at == atomic_load_explicit(&ring->pushed, memory_order_acquire)) {
        return false;
    }
    const struct history_slot *slot = slot_at(ring, at);
    tick->gap = slot->n_dropped != ring->seen_dropped;
    ring->seen_dropped = slot->n_dropped;
    parts_scatter(&ring->parts, PART_SNAPSHOT, slot->image, tick->in);
    parts_scatter(&ring->parts, PART_OUT, slot->image, tick->out);
    if (slot->has_plan != 0) {
        parts_scatter(&ring->parts, PART_PLAN, slot->image, &tick->plan);
    }
    atomic_store_explicit(&ring->popped, at + 1, memory_order_release);
    return true;
}

enum err history_tick_init(struct history_tick *tick,
                           const struct history_ring *ring)
{
    memset(tick, 0, sizeof(*tick));
    tick->in = parts_snapshot(&ring->parts);
    tick->out = parts_out(&ring->parts);
    if (tick->in == NULL || tick->out == NULL) {
        history_tick_clear(tick);
        return ERR_MEMORY;
    }
    return ERR_NONE;
}

void history_tick_clear(struct history_tick *tick)
{
    free(tick->in);
    free(tick->out);
    tick->in = NULL;
    tick->out = NULL;
}
