/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_backlog - rows that wait for a commit, in memory fixed at the start.
 *
 * Fifteen minutes of seconds and some hundred decisions; while no commit
 * succeeds the oldest make room for the newest and are counted.
 */
#ifndef CONTROLLER_HISTORY_BACKLOG_H
#define CONTROLLER_HISTORY_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/history_db.h"
#include "controller/history_rows.h"
#include "models/err.h"

struct history_backlog {
    unsigned char *rows; /* a ring of second_row, owned */
    size_t row_size;
    size_t first;
    size_t n_rows;
    struct second_row *open; /* the second that goes on, owned */
    int n_batteries;
    struct decision *decisions; /* a ring, owned */
    size_t first_decision;
    size_t n_decisions;
    struct decision_watch watch;
    uint64_t n_dropped;   /* seconds */
    uint64_t open_tick;   /* last one taken in */
    uint64_t closed_tick; /* last one of the last closed second */
};

CHECKED enum err backlog_init(struct history_backlog *b, int n_batteries);
void backlog_clear(struct history_backlog *b);

/* Take a tick in.  True where it began a new second. */
bool backlog_tick(struct history_backlog *b, const struct snapshot *in,
                  const struct step_out *out);

/* Make a row of the second that goes on, whole or not. */
void backlog_close_second(struct history_backlog *b);

/* True where something waits for a commit. */
bool backlog_waits(const struct history_backlog *b);

/* Write all that waits into the open batch; forget it once it is committed. */
CHECKED enum err backlog_write(const struct history_backlog *b,
                               struct history_db *db, const struct site *site);
void backlog_done(struct history_backlog *b);

#endif
