/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailbox - the newest value from one thread to another, nobody ever waits.
 *
 * One writer, one reader, three slots.  The writer fills its slot and swaps
 * it with the middle one; the reader swaps the middle one for its own where
 * it is newer.  Values that were not fetched in time are overwritten.
 */
#ifndef CONTROLLER_MAILBOX_H
#define CONTROLLER_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "models/err.h"

struct mailbox {
    size_t size;
    unsigned char *slots[3]; /* one allocation, owned */
    atomic_uint middle;      /* slot index, MAILBOX_NEW where unread */
    unsigned back;           /* the writer's */
    unsigned front;          /* the reader's */
};

/* A mailbox for values of 'size' bytes, all slots zero.  ERR_MEMORY. */
CHECKED enum err mailbox_init(struct mailbox *m, size_t size);
void mailbox_clear(struct mailbox *m);

/* Writer: the slot to fill (its old content is undefined), then post it. */
void *mailbox_slot(struct mailbox *m);
void mailbox_post(struct mailbox *m);

/* Writer: copy 'value' in and post it. */
void mailbox_send(struct mailbox *m, const void *value);

/* Reader: the newest value, valid until the next call; NULL where nothing has
 * come since the call before. */
const void *mailbox_fetch(struct mailbox *m);

#endif
