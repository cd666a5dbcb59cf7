/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger_book - what every car of the site gave and is owed, as the supervisor
 * knows it: sums per fleet, single cars, and what has yet to be written to the
 * history, per car and day.
 *
 * The supervisor fills it from the control thread's slices; any thread may
 * read.  Its lock is never held during input or output.
 */
#ifndef CONTROLLER_LEDGER_BOOK_H
#define CONTROLLER_LEDGER_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/ledger_ring.h"
#include "models/reason.h"
#include "models/site.h"

enum { LEDGER_TOP = 5 };

/* One car. */
struct ledger_car {
    int64_t index;              /* in its fleet, from 0 */
    struct guard_ledger ledger; /* since it is known */
    enum reason reason;         /* the last answer */
    double held_s;              /* willing and plugged in, but refused */
};

/* A fleet, all its cars together but for loss_ppm_max. */
struct ledger_fleet {
    struct guard_ledger sum;
    double loss_ppm_max;
    int64_t n_by_reason[REASON_COUNT]; /* cars, by their last answer */
    double refused_s[REASON_COUNT];    /* car seconds, since the start */
    struct ledger_car most_owed[LEDGER_TOP];
    int n_most_owed;
    struct ledger_car most_held[LEDGER_TOP];
    int n_most_held;
};

/* What a car added to a day. */
struct ledger_day {
    int64_t at_ms; /* UTC: when the day began, in the site's time zone */
    char day[16];  /* "2026-11-21" there */
    int64_t fleet;
    int64_t node; /* of the site */
    struct guard_ledger added;
    struct guard_ledger until; /* its ledger then */
};

struct ledger_book; /* opaque */

/* With what is in 'state' before the first tick: earlier runs have seen to its
 * place in the history.  ERR_MEMORY. */
CHECKED enum err ledger_book_open(const struct site *site,
                                  const struct step_state *state,
                                  struct ledger_book **out);
void ledger_book_close(struct ledger_book *b);

/* Take over what is new. */
void ledger_book_fetch(struct ledger_book *b, struct ledger_ring *ring);

/* After the last tick: take over the rest. */
void ledger_book_finish(struct ledger_book *b, const struct step_state *state,
                        int64_t mono_ms);

void ledger_book_fleet(struct ledger_book *b, int fleet,
                       struct ledger_fleet *out);

/* Cars [from, from + n) of a fleet, both within it. */
void ledger_book_cars(struct ledger_book *b, int fleet, int64_t from, int64_t n,
                      struct ledger_car *out);

/*
 * What is to be written to the history on the day of 'utc_ms': at most 'max'
 * rows, for the cars from 'next' on that have given something since.  'next'
 * moves on to where to go on looking, n_nodes of the site at the end.  It
 * counts as written once ledger_book_saved() is told so.
 */
int ledger_book_unsaved(struct ledger_book *b, int64_t *next, int64_t utc_ms,
                        struct ledger_day *out, int max);
void ledger_book_saved(struct ledger_book *b, const struct ledger_day *rows,
                       int n);

#endif
