/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence_keeper - a thread that writes what the witness saw into the evidence
 * log, every line to the disk.
 *
 * While the disk refuses, events are counted and dropped, and the next line
 * that can be written is a "gap" that tells how many, from when and why.  Sums
 * over all runs are kept in the history.
 */
#ifndef CONTROLLER_EVIDENCE_KEEPER_H
#define CONTROLLER_EVIDENCE_KEEPER_H

#include "controller/evidence_text.h"
#include "controller/historian.h"
#include "controller/witness_ring.h"

/* Over all runs, by whole minutes. */
struct evidence_totals {
    int64_t version;  /* of this struct */
    int64_t since_ms; /* UTC of the first minute; 0: none yet */
    int64_t minutes;
    double seen_s;
    double missed_s;
    double import_wh;
    double export_wh;
    double shed_wh;
    double ramp_max_w_per_s; /* over ramp_average */
    double pp60_max_w;
    int64_t n_edges;
    int64_t violations[COMPLIANCE_RULE_COUNT]; /* ticks */
    int64_t exempt[COMPLIANCE_CAUSE_COUNT];    /* ticks */
};

struct evidence_counts {
    char path[EVIDENCE_PATH_MAX];
    struct evidence_chain last; /* line in the log */
    int64_t n_lost;             /* events, by full disk or ring */
    bool failing;
    char last_error[160];
    struct evidence_totals totals;
};

struct evidence_keeper; /* opaque, owns thread and file */

struct evidence_keeper_cfg {
    struct evidence_writer writer; /* outlives the keeper */
    const char *path;
    struct witness_ring *ring;
    struct historian *historian; /* outlives it; NULL: sums are not kept */
    int64_t utc_ms;              /* now */
};

/* ERR_IO, ERR_MISMATCH, ERR_MEMORY: 'why' says which. */
CHECKED enum err evidence_keeper_open(const struct evidence_keeper_cfg *cfg,
                                      struct evidence_keeper **out, char *why,
                                      size_t why_size);

enum { EVIDENCE_NOTES = 8, EVIDENCE_NOTE_MAX = 512 };

/* A line "override" about 'what' a person did, written within a second; any
 * thread.  Of more than EVIDENCE_NOTES in that time the rest is lost, and told
 * as a gap. */
void evidence_keeper_note(struct evidence_keeper *k, int64_t utc_ms,
                          const char *what, const char *text);

void evidence_keeper_counts(struct evidence_keeper *k,
                            struct evidence_counts *out);

/* Writes what is left and the line "stop", of which 'because' is the reason. */
void evidence_keeper_close(struct evidence_keeper *k, const char *because);

/* Where the evidence of 'site' goes, in 'out' of EVIDENCE_PATH_MAX bytes; false
 * where it keeps none. */
bool evidence_path(const struct site *site, char *out);

#endif
