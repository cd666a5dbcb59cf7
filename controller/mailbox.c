/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/mailbox.h"

#include <stdlib.h>
#include <string.h>

enum { MAILBOX_NEW = 4, MAILBOX_INDEX = 3 };

enum err mailbox_init(struct mailbox *m, size_t size)
{
    *m = (struct mailbox){.size = size, .back = 1, .front = 2};
    size_t stride = (size + 63) / 64 * 64;
    unsigned char *all = calloc(3, stride);
    if (all == NULL) {
        return ERR_MEMORY;
    }
    for (unsigned i = 0; i < 3; i++) {
        m->slots[i] = all + i * stride;
    }
    atomic_init(&m->middle, 0);
    return ERR_NONE;
}

void mailbox_clear(struct mailbox *m)
{
    free(m->slots[0]);
    *m = (struct mailbox){0};
}

void *mailbox_slot(struct mailbox *m)
{
    return m->slots[m->back];
}

void mailbox_post(struct mailbox *m)
{
    unsigned old = atomic_exchange_explicit(&m->middle, m->back | MAILBOX_NEW,
                                            memory_order_acq_rel);
    m->back = old & MAILBOX_INDEX;
}

void mailbox_send(struct mailbox *m, const void *value)
{
    memcpy(mailbox_slot(m), value, m->size);
    mailbox_post(m);
}

const void *mailbox_fetch(struct mailbox *m)
{
    if (!(atomic_load_explicit(&m->middle, memory_order_relaxed) &
          MAILBOX_NEW)) {
        return NULL;
    }
    unsigned old =
        atomic_exchange_explicit(&m->middle, m->front, memory_order_acq_rel);
    m->front = old & MAILBOX_INDEX;
    return m->slots[m->front];
}
