/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger_keep - writes what the cars gave to the history, per car and day.
 *
 * In rounds, every ten seconds of up to some 1,700 cars, every minute of ten
 * thousand, and a bounded number of cars at a time: what a round has not
 * written is lost where the controller is killed.  What the historian has no
 * room for waits for the next look.
 */
#ifndef CONTROLLER_LEDGER_KEEP_H
#define CONTROLLER_LEDGER_KEEP_H

#include "controller/historian.h"
#include "controller/ledger_book.h"

struct ledger_keep {
    struct ledger_book *book;
    struct historian *historian;
    int64_t n_cars;
    int64_t every_ms;      /* a round begins */
    int64_t next;          /* car; n_cars: the round is over */
    int64_t round_mono_ms; /* when it began */
};

/* Owns neither. */
struct ledger_keep ledger_keep_begin(struct ledger_book *book,
                                     struct historian *h,
                                     const struct site *site);

/* A few times a second. */
void ledger_keep_look(struct ledger_keep *k, int64_t mono_ms, int64_t utc_ms);

/* All that is left; waits for the disk, at most some seconds.  False where it
 * did not take all. */
bool ledger_keep_end(struct ledger_keep *k, int64_t utc_ms);

#endif
