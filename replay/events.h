/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events - instructions of the utility, job markers and faults from a file.
 *
 * JSON Lines: each line an object as on MQTT (CONTRACT.md), told apart by
 * "kind" (utility/limit) and "event" (job), or a fault of the plant, told by
 * "battery": its name, with "trip" true or false, "at" a time.  Times are
 * RFC 3339 instants or "+600", seconds from the start.  A line is known from
 * the start, or from its "ts"; a later one with the same "id" replaces it from
 * when it is known. "pod" is a pod's name; without one a job concerns the whole
 * site.  Without "id" an instruction is called line-N, without "start" it
 * starts when it is known, without "end" it stays.  Unknown keys are errors.
 */
#ifndef REPLAY_EVENTS_H
#define REPLAY_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"
#include "models/site.h"
#include "models/snapshot.h"

enum {
    EVENTS_MAX = 10000,
    EVENTS_AHEAD_MS = 3600000, /* a marker is posted at most this early */
};

struct events_utility {
    struct utility_in in;
    int64_t known_ms;
    int64_t replaced_ms; /* INT64_MAX for never */
    long line;
};

struct events_job {
    struct job_in in; /* seq 0 */
    int64_t post_ms;
    long line;
};

struct events_fault {
    int64_t at_ms;
    int64_t battery;
    int64_t trips; /* 1: its contactors open; 0: it is back */
    long line;
};

struct events {
    struct events_utility *utility; /* owned, by start */
    size_t n_utility;
    struct events_job *jobs; /* owned, by post_ms */
    size_t n_jobs;
    struct events_fault *faults; /* owned, by at_ms */
    size_t n_faults;
};

struct events_cfg {
    const char *path;
    const struct site *site;
    int64_t start_utc_ms;
};

/* How far one run has come; starts as all zero. */
struct events_cursor {
    size_t next_job;
    size_t next_fault;
    int64_t again_ms; /* when the utility's slots change next */
};

/*
 * Load 'cfg' for a run that starts at its 'start_utc_ms'.  On failure 'out'
 * needs no clearing and 'why' says FILE:LINE: what: expected.  Returns ERR_IO,
 * ERR_MEMORY, ERR_SYNTAX or ERR_FULL.
 */
CHECKED enum err events_load(const struct events_cfg *cfg, struct events *out,
                             char *why, size_t why_size);
void events_clear(struct events *e);

/*
 * Bring 'utility' and 'jobs' of a snapshot to what is known at 'utc_ms', which
 * never goes back between calls.  Where more than UTILITY_LOCAL_AT
 * instructions are open, the first to start are in.
 */
void events_apply(const struct events *e, struct events_cursor *cursor,
                  int64_t utc_ms, struct snapshot *s);

/* The next fault whose time has come, once each; NULL: none. */
const struct events_fault *events_fault(const struct events *e,
                                        struct events_cursor *cursor,
                                        int64_t utc_ms);

/* Post a marker as the next of the ring. */
void events_post_job(struct snapshot *s, const struct job_in *job);

#endif
