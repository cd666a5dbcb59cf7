/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reel_files - the closed parts of a recording on the disk, by their names.
 * Only names that reel_files_aside() gives are ever looked at or deleted. */
#ifndef CONTROLLER_REEL_FILES_H
#define CONTROLLER_REEL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

/* What may stay. */
struct reel_limits {
    double bytes_max;
    int64_t oldest_ms; /* UTC of a last tick */
};

/*
 * Rename the plain file 'path' to PATH.20261121T140300Z, 'at_ms' in words;
 * where that name is taken, to the next second's that is not.  Nothing to do
 * where there is no such file.  ERR_IO; 'why' says what.
 */
CHECKED enum err reel_files_aside(const char *path, int64_t at_ms, char *why,
                                  size_t why_size);

/* When 'path' was written to last, UTC; 0 where there is no such file. */
int64_t reel_files_written_ms(const char *path);

/* Delete the oldest parts of 'path' until the limits hold: all that are too
 * many, but of those that are too old two at a time, as the clock may be
 * wrong. */
void reel_files_prune(const char *path, const struct reel_limits *limits);

/* Delete the oldest one; false where there is none. */
bool reel_files_drop(const char *path);

#endif
