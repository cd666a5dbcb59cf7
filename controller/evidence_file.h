/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence_file - an append-only log of chained lines on disk.
 *
 * What a killed process left is continued: bytes after the last whole line
 * stay where they are, and a line "torn" says how many and their hash.  A full
 * file is renamed to FILE-000001, FILE-000002 ... and the chain goes on in a
 * new one.  Not for the control thread.
 */
#ifndef CONTROLLER_EVIDENCE_FILE_H
#define CONTROLLER_EVIDENCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/evidence_line.h"
#include "models/err.h"

enum { EVIDENCE_PATH_MAX = 512 };

#define EVIDENCE_SIZE_MAX INT64_C(33554432) /* of one part */

struct evidence_file {
    char path[EVIDENCE_PATH_MAX];
    int fd; /* -1: not open; the next append tries to */
    struct evidence_chain chain;
    int64_t size; /* of the whole lines */
    int64_t size_max;
    int64_t part;        /* from 1 */
    bool sync;           /* every line to the disk */
    int64_t at_ms;       /* UTC; of what opening itself writes */
    bool is_new;         /* no line in this part yet */
    const char *because; /* a head must come first; NULL: it is there */
    const char *head;    /* fields of the line "head", not owned; NULL: none */
};

/*
 * Open or create 'path', or go on with it; f->size_max, f->sync and f->at_ms
 * are set before.  ERR_IO, ERR_MISMATCH (not an evidence log, or held by
 * another process); 'why' says which.
 */
CHECKED enum err evidence_file_open(struct evidence_file *f, const char *path,
                                    char *why, size_t why_size);
void evidence_file_close(struct evidence_file *f);

/*
 * Append a line; 'fields' as in evidence_seal(), beside "at".  ERR_IO with
 * errno where it could not be written whole; then nothing of it counts, and
 * the next call begins by opening the file again.  ERR_RANGE: too long.
 */
CHECKED enum err evidence_file_append(struct evidence_file *f, int64_t at_ms,
                                      const char *kind, const char *fields);

/* FILE-000001 for part 1; returns 'out'. */
const char *evidence_part_path(const char *path, int64_t part, char *out,
                               size_t size);

/* How many full parts lie beside 'path'. */
int64_t evidence_parts(const char *path);

#endif
