/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_cars - what cars gave, on its way to the table car_day.
 *
 * A bounded queue: the supervisor puts rows in, the historian's thread writes
 * them along with each commit.  What is in it stays there until its commit has
 * succeeded.  A row adds to what the database has of that car and day.
 */
#ifndef CONTROLLER_HISTORY_CARS_H
#define CONTROLLER_HISTORY_CARS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/history_db.h"
#include "controller/ledger_book.h"
#include "models/err.h"

struct history_cars {
    pthread_mutex_t lock;
    struct ledger_day *rows; /* a ring, owned */
    size_t first;
    size_t n;
};

CHECKED enum err history_cars_init(struct history_cars *c);
void history_cars_clear(struct history_cars *c);

/* Any thread.  How many of the 'n' there was room for, the first ones. */
int history_cars_put(struct history_cars *c, const struct ledger_day *rows,
                     int n);

/* The historian's thread.  How many wait; write that many inside a batch; once
 * it is committed, forget them. */
size_t history_cars_wait(struct history_cars *c);
CHECKED enum err history_cars_write(struct history_cars *c, size_t n,
                                    struct history_db *db,
                                    const struct site *site);
void history_cars_done(struct history_cars *c, size_t n);

#endif
