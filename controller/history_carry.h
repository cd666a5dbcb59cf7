/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_carry - states that outlive a run, on their way to the database.
 *
 * A ring for one writer, the control thread, that never waits, and one reader,
 * the historian's thread, that writes what is there along with each commit.
 * What is in the ring stays there until its commit has succeeded.
 */
#ifndef CONTROLLER_HISTORY_CARRY_H
#define CONTROLLER_HISTORY_CARRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/history_db.h"
#include "models/err.h"

struct carry_slot; /* one state in the ring */

struct history_carry {
    struct carry_slot *slots; /* owned */
    unsigned char *bytes;     /* owned; the states, one after the other */
    size_t next;              /* writer: bytes ever taken */
    size_t place;             /* writer: where the next state was promised */
    atomic_size_t pushed;     /* by the writer */
    atomic_size_t popped;     /* by the reader */
    atomic_size_t freed;      /* by the reader: bytes ever given back */
};

/* The state of an asset as the database gives it: hostile. */
struct history_carried {
    const char *asset;
    const unsigned char *state; /* NULL where there is nothing */
    size_t size;
    int64_t n_since; /* runs that may have gone on from it unsaved: 0 where
                        its own ended in good order and none began since */
};

CHECKED enum err history_carry_init(struct history_carry *c);
void history_carry_clear(struct history_carry *c);

/* Writer.  Where 'size' bytes, at most CARRY_SIZE_MAX, may be written, NULL
 * while too much waits for the disk; then hand them over. */
unsigned char *history_carry_slot(struct history_carry *c, size_t size);
void history_carry_post(struct history_carry *c, size_t size, bool is_last);

/* Reader.  How many wait, and whether so many that a commit is due. */
size_t history_carry_waits(struct history_carry *c);
bool history_carry_is_due(struct history_carry *c);
/* Write the first 'n' inside a batch; after its commit forget them. */
CHECKED enum err history_carry_write(struct history_carry *c, size_t n,
                                     struct history_db *db);
void history_carry_done(struct history_carry *c, size_t n);

/* Every state that was carried, before the thread runs.  What 'fn' does not
 * take is put aside; a run that begins counts as one since all of them, until
 * they are saved anew. */
typedef bool history_carried_fn(void *user, const struct history_carried *c);
CHECKED enum err history_carry_load(struct history_db *db,
                                    history_carried_fn *fn, void *user);

#endif
