/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * temp_folder - a folder of our own, mode 0700, in $TMPDIR or /tmp, for what a
 * library takes only as a file.  Its name carries our process id, so that what
 * a killed process left there can be told and removed.
 */
#ifndef ADAPTERS_TEMP_FOLDER_H
#define ADAPTERS_TEMP_FOLDER_H

#include "models/err.h"

enum { TEMP_PATH_MAX = 256, TEMP_NAME_MAX = 32 };

/* Of a file in a folder, 'name' is at most TEMP_NAME_MAX - 1 long. */
struct temp_folder {
    char path[TEMP_PATH_MAX - TEMP_NAME_MAX]; /* "": none */
};

/* ERR_IO with errno; ENAMETOOLONG where $TMPDIR is too long. */
CHECKED enum err temp_folder_make(struct temp_folder *f);
/* A new file in it, mode 0600; 'path' is its own in any case. */
CHECKED enum err temp_folder_write(const struct temp_folder *f,
                                   const char *name, const char *text,
                                   char path[TEMP_PATH_MAX]);
/* Removes the folder with its files, and forgets it. */
void temp_folder_remove(struct temp_folder *f);

/* Removes those of this user's that belong to no living process.  A folder that
 * is a link, another's or open to others is left alone. */
void temp_folder_sweep(void);

#endif
