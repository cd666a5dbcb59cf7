/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_expire - deletes what of the history is too old, slowly: at most four
 * minutes of it per minute that the controller runs, and of the cars' days one
 * in six hours.  A wall clock that is far ahead for an hour costs the oldest
 * four hours, not all; and no batch becomes long.
 */
#ifndef CONTROLLER_HISTORY_EXPIRE_H
#define CONTROLLER_HISTORY_EXPIRE_H

#include <stdint.h>

#include "controller/history_db.h"
#include "models/err.h"

/* All zero but for keep_ms at first. */
struct history_expire {
    int64_t keep_ms;
    int64_t due_ms;      /* monotonic; 0: not yet known */
    int64_t cars_due_ms; /* likewise */
};

/* Inside a batch: delete what is due; 'mono_ms' is 0 before the first tick. */
CHECKED enum err history_expire(struct history_expire *x, struct history_db *db,
                                int64_t utc_ms, int64_t mono_ms);

#endif
