/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/ledger_keep.h"

#include "controller/clock.h"

enum { ROWS = 256 };

static const int64_t ROUND_MIN_MS = 10000;
static const int64_t ROUND_MAX_MS = 60000;
static const int64_t CAR_MS = 6; /* in the mean, so few rows a second */
static const int64_t END_MS = 5000;

struct ledger_keep ledger_keep_begin(struct ledger_book *book,
                                     struct historian *h,
                                     const struct site *site)
{
    int64_t every_ms = CAR_MS * site->n_nodes;
    every_ms = every_ms < ROUND_MIN_MS ? ROUND_MIN_MS : every_ms;
    return (struct ledger_keep){
        .book = book,
        .historian = h,
        .n_cars = site->n_nodes,
        .every_ms = every_ms > ROUND_MAX_MS ? ROUND_MAX_MS : every_ms,
        .next = site->n_nodes,
    };
}

/* Some rows; false where there was no room for all of them. */
static bool keep_some(struct ledger_keep *k, int64_t utc_ms)
{
    struct ledger_day rows[ROWS];
    int n = ledger_book_unsaved(k->book, &k->next, utc_ms, rows, ROWS);
    int taken = n > 0 ? historian_cars(k->historian, rows, n) : 0;
    ledger_book_saved(k->book, rows, taken);
    if (taken < n) {
        k->next = rows[taken].node;
    }
    return taken == n;
}

void ledger_keep_look(struct ledger_keep *k, int64_t mono_ms, int64_t utc_ms)
{
    if (k->next >= k->n_cars) {
        if (mono_ms - k->round_mono_ms < k->every_ms) {
            return;
        }
        k->round_mono_ms = mono_ms;
        k->next = 0;
    }
    keep_some(k, utc_ms);
}

bool ledger_keep_end(struct ledger_keep *k, int64_t utc_ms)
{
    int64_t end_ms = clock_mono_ms() + END_MS;
    k->next = 0;
    while (k->next < k->n_cars && clock_mono_ms() < end_ms) {
        if (!keep_some(k, utc_ms)) {
            clock_sleep_until(clock_mono_ns() + 10 * CLOCK_NS_PER_MS);
        }
    }
    return k->next >= k->n_cars;
}
