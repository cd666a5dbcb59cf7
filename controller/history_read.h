/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_read - asks the historian's database, beside a running controller or
 * without one.  Read-only.
 */
#ifndef CONTROLLER_HISTORY_READ_H
#define CONTROLLER_HISTORY_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/history_db.h"
#include "controller/history_rows.h"
#include "models/err.h"

struct history_reader; /* opaque */

/* ERR_IO where there is none or it cannot be read, ERR_MISMATCH where it is
 * another program's or a newer version's; 'why' says which. */
CHECKED enum err history_read_open(const char *path,
                                   struct history_reader **out, char *why,
                                   size_t why_size);
void history_read_close(struct history_reader *r);

/* One line of a decision, as it was kept.  Numbers NAN where unknown. */
struct history_line {
    char code[32];
    char asset[HISTORY_NAME_MAX];
    double value;
    double limit;
    double need;
    char text[HISTORY_TEXT_MAX];
};

struct history_decision {
    int64_t at_ms;    /* of these numbers */
    int64_t since_ms; /* since then the same reason bound most */
    int64_t tick;
    int64_t n_suppressed;
    int n_lines;
    struct history_line lines[REASON_LINES];
};

/* The last decision at or before 'at_ms'; false where there is none. */
bool history_read_decision(struct history_reader *r, int64_t at_ms,
                           struct history_decision *out);

/* The last second that began at or before 'at_ms', without its batteries;
 * false where there is none. */
bool history_read_second(struct history_reader *r, int64_t at_ms,
                         struct second_row *out);

/* Calls 'fn' with every second that began in [from, to], in order, without its
 * batteries. */
typedef void history_second_fn(void *user, const struct second_row *row);
struct history_span {
    int64_t from_ms;
    int64_t to_ms;
};
void history_read_seconds(struct history_reader *r, struct history_span span,
                          history_second_fn *fn, void *user);

/* Calls 'fn' with the mean of the grid power in every cell of 'cell_ms' that
 * began in [from, to] (of the clock, in order), and how many seconds of it are
 * known. */
typedef void history_load_fn(void *user, int64_t at_ms, double grid_w,
                             int64_t known_s);
void history_read_load(struct history_reader *r, struct history_span span,
                       int64_t cell_ms, history_load_fn *fn, void *user);

/* Calls 'fn' with the events of the kinds 'a' and 'b' in [from, to], in
 * order. */
typedef void history_event_fn(void *user, const struct history_event *event);
struct history_kinds {
    const char *a;
    const char *b;
};
void history_read_events(struct history_reader *r, struct history_span span,
                         struct history_kinds kinds, history_event_fn *fn,
                         void *user);

/* What failed, if the answers above were false for another cause than that
 * there is nothing; "" otherwise. */
const char *history_read_error(const struct history_reader *r);

#endif
