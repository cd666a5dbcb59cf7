/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recording - snapshots, plans and commands of a run, for `ballast verify`.
 *
 * One append-only file: a header (magic, format and struct sizes, build, the
 * site file's text, the policy, the step's state at the first tick), then one
 * record a tick with what changed since the tick before in the parts of
 * snapshot, plan and output that the site uses.  Every record carries its
 * length and a checksum chained over all before it: a changed byte anywhere is
 * found, a record cut short by a kill is told apart from damage.
 */
#ifndef CONTROLLER_RECORDING_H
#define CONTROLLER_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/build_id.h"
#include "controller/step/step.h"

struct recorder;  /* writes, opaque */
struct recording; /* reads, opaque */

/* What the header says. */
struct recording_head {
    const char *site_text; /* the site file, NUL-terminated */
    size_t site_text_size; /* without the NUL */
    char site_path[256];   /* for messages and for relative paths */
    int64_t policy;
    uint64_t after_tick; /* 0: a run begins; else it goes on after that one */
    const void *state;   /* step_state at the first tick */
    size_t state_size;
    char build[BUILD_ID_MAX]; /* what wrote it; the recorder fills it in */
};

/*
 * Create 'path' (an older file is moved to PATH.1) and write the header.
 * ERR_IO with errno; 'why' says what.
 */
CHECKED enum err recorder_open(const char *path,
                               const struct recording_head *head,
                               const struct site *site, struct recorder **out,
                               char *why, size_t why_size);

/* Append one tick.  ERR_IO with errno once the disk fails: the recorder then
 * writes nothing more, and what it wrote reads as a recording cut short. */
CHECKED enum err recorder_tick(struct recorder *r, const struct snapshot *in,
                               const struct plan *plan,
                               const struct step_out *out);

/* Written so far, header included. */
uint64_t recorder_bytes(const struct recorder *r);

/* Hand what is buffered to the system, so that a killed process loses none. */
CHECKED enum err recorder_flush(struct recorder *r);

/* Write the end, wait until the disk has it, free 'r' in any case.  ERR_IO
 * with errno where this or an earlier write failed. */
CHECKED enum err recorder_close(struct recorder *r);

/*
 * Open for reading; 'site' is what the embedded site text gives (the caller
 * parses it between recording_head_of() and recording_start()).
 * ERR_IO, ERR_SYNTAX (not a recording), ERR_MISMATCH (other format, byte order
 * or struct sizes: another version of the program), ERR_RANGE (the header is
 * damaged or cut), ERR_MEMORY; 'why' says which, without the path.  Whether the
 * same build wrote it is for the caller to compare with build_id().
 */
CHECKED enum err recording_open(const char *path, struct recording **out,
                                char *why, size_t why_size);
const struct recording_head *recording_head_of(const struct recording *r);
CHECKED enum err recording_start(struct recording *r, const struct site *site);

enum recording_next {
    RECORDING_TICK,  /* the three are filled in */
    RECORDING_END,   /* ended in good order */
    RECORDING_CUT,   /* the last record is incomplete: the writer was killed */
    RECORDING_DAMAGE /* checksum or structure is wrong: 'why' says where */
};

/* The next tick; the pointers stay valid until the next call. */
enum recording_next recording_next(struct recording *r,
                                   const struct snapshot **in,
                                   const struct plan **plan,
                                   const struct step_out **out, char *why,
                                   size_t why_size);

/* Ticks read so far, and how much of the file that is, 0..1. */
uint64_t recording_ticks(const struct recording *r);
double recording_read_pu(const struct recording *r);

void recording_close(struct recording *r);

#endif
