/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reel - the recording of a run in parts of bounded size and age.
 *
 * The part under way is at PATH.  When it is full, or a UTC day ends, it is
 * closed in good order and renamed to PATH.20261121T140300Z after its last
 * tick, as what an earlier run left there is; the oldest of those go when all
 * together would take more than what is allowed, or are too old.  Every part
 * begins with the step's state at its first tick, so that `ballast verify`
 * takes each alone: the reel runs the step on what it records.
 */
#ifndef CONTROLLER_REEL_H
#define CONTROLLER_REEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/recording.h"

enum { REEL_PATH_MAX = 600 };

struct reel_cfg {
    const char *path;
    struct recording_head head; /* its texts and state are copied */
    const struct site *site;    /* outlives the reel */
    double bytes_max;           /* of all parts together, the site's record */
    double keep_s;              /* oldest last tick of a part */
    int64_t utc_ms;             /* now */
};

struct reel; /* opaque */

/* As recorder_open(), ERR_MEMORY too. */
CHECKED enum err reel_open(const struct reel_cfg *cfg, struct reel **out,
                           char *why, size_t why_size);

/* As recorder_tick(): after a failure nothing more is written. */
CHECKED enum err reel_tick(struct reel *r, const struct snapshot *in,
                           const struct plan *plan, const struct step_out *out);
CHECKED enum err reel_flush(struct reel *r);

/* Written for a tick in the mean of the part under way, its head included; 0
 * where there is none. */
double reel_tick_bytes(const struct reel *r);

/* Delete the oldest closed part, for a disk that is full; false where there is
 * none. */
bool reel_drop_oldest(struct reel *r);

/* As recorder_close(): the part under way stays at PATH. */
CHECKED enum err reel_close(struct reel *r);

#endif
