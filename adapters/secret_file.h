/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret_file - a password or key in a file that only its owner may read.
 */
#ifndef ADAPTERS_SECRET_FILE_H
#define ADAPTERS_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "models/err.h"

/* ERR_RANGE where 'path' cannot be read, is no plain file or, with
 * 'only_owner', is open to group or others; 'why' says which. */
CHECKED enum err secret_file_check(const char *path, bool only_owner, char *why,
                                   size_t why_size);

/* Where a secret is read from and to; the text has 'size' bytes. */
struct secret_file {
    const char *path;
    char *text;
    size_t size;
};

/* The first line, without its end.  ERR_RANGE as above, and where it is empty
 * or does not fit. */
CHECKED enum err secret_file_read(const struct secret_file *file, char *why,
                                  size_t why_size);

/* Overwrite a secret that is not needed any more. */
void secret_file_wipe(char *text, size_t size);

#endif
