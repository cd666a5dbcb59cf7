/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * historian - keeps what happened: SQLite in WAL mode and the recording.
 *
 * Its own thread; the control thread only pushes into a ring and never waits.
 * Tables have units in their column names; one-second aggregates are kept for
 * history.keep, decisions with their reasons and alarms as well.
 */
#ifndef CONTROLLER_HISTORIAN_H
#define CONTROLLER_HISTORIAN_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/history_carry.h"
#include "controller/ledger_book.h"
#include "controller/step/step.h"

struct historian; /* opaque, owns the thread, the database, the recorder */

struct historian_cfg {
    const struct site *site;
    const char *site_text; /* of the site file, for the recording */
    const char *site_path;
    const char *db_path;     /* history.file */
    const char *record_path; /* NULL: no recording */
    enum policy policy;
    const void *state; /* step_state before the first tick */
    size_t state_size;
    history_carried_fn *carried; /* told what outlived the last run, before
                                    'state' is recorded; may be NULL */
    void *carried_user;
    int64_t utc_ms; /* now */
};

struct historian_counts {
    uint64_t n_ticks;   /* pushed */
    uint64_t n_dropped; /* ring full: disk or processor are too slow */
    uint64_t n_commits;
    uint64_t n_failed;          /* commits that failed (disk full, I/O) */
    uint64_t n_seconds_dropped; /* the oldest, while no commit succeeded */
    uint64_t n_events_dropped;
    uint64_t committed_tick; /* up to it all is in database and recording */
    bool degraded;           /* the last commit failed */
    bool recording;          /* the recording goes on */
    char last_error[160];
};

/* Open or create, check the schema's version, start the thread.  A damaged
 * database is kept as FILE.corrupt-UTC, said on stderr, and a new one begun.
 * ERR_IO, ERR_MISMATCH (newer schema), ERR_MEMORY; 'why' says which. */
CHECKED enum err historian_open(const struct historian_cfg *cfg,
                                struct historian **out, char *why,
                                size_t why_size);

/* Control thread, every tick: copies, never waits; false where it was dropped
 * because the ring is full. */
bool historian_push(struct historian *h, const struct snapshot *in,
                    const struct plan *plan, const struct step_out *out);

/* Any thread but the control thread: an alarm was raised or cleared, or a
 * person or the program did something worth keeping.  Does not wait for the
 * disk; committed at once, with the disk's word for it (synchronous FULL).
 * Whoever acknowledges it to a person asks historian_sync() first. */
void historian_event(struct historian *h, int64_t utc_ms, const char *kind,
                     const char *asset, const char *text);

/* What cars gave, as rows for their days; any thread but the control thread.
 * How many of the 'n' there was room for, the first ones: the disk may be
 * behind. */
int historian_cars(struct historian *h, const struct ledger_day *rows, int n);

/* True once all that was told before is committed; waits for it at most
 * 'timeout_s'. */
bool historian_sync(struct historian *h, double timeout_s);

/*
 * Keep up to 64 KiB under 'key' across a restart, in place of what was kept
 * there; any thread but the control thread.  False where it is too long.
 * historian_kept() copies at most 'max' bytes of it and returns its size, 0
 * where there is none.
 */
bool historian_keep(struct historian *h, const char *key, const void *blob,
                    size_t size);
size_t historian_kept(struct historian *h, const char *key, void *blob,
                      size_t max);

/* A price, and when it was heard: mono_ms of another run says nothing. */
struct kept_price {
    struct price_in price;
    int64_t heard_at_ms; /* UTC; 0 where it is not known */
};

/*
 * Control thread: where to write the next state that shall outlive the run
 * ('size' bytes, by carry_save()), NULL while the disk is behind; then hand it
 * over.  'is_last': the run is over.
 */
unsigned char *historian_carry_slot(struct historian *h, size_t size);
void historian_carry_post(struct historian *h, size_t size, bool is_last);

/* Prices are kept across a restart until they expire. */
void historian_keep_price(struct historian *h, const char *market,
                          const struct kept_price *price);
/* Fills 'price' from the last run where it has not expired at 'utc_ms'; its
 * mono_ms is set to 'mono_ms'.  False where there is none. */
bool historian_kept_price(struct historian *h, const char *market,
                          int64_t mono_ms, int64_t utc_ms,
                          struct kept_price *price);

void historian_counts(struct historian *h, struct historian_counts *out);

/* Writes out what the ring holds, closes all, ends the thread, frees 'h'. */
void historian_close(struct historian *h);

#endif
