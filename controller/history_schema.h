/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history_schema - opens the historian's file: pragmas, version, soundness;
 * creates its tables where it is new.  For controller/history_db. */
#ifndef CONTROLLER_HISTORY_SCHEMA_H
#define CONTROLLER_HISTORY_SCHEMA_H

#include <stdbool.h>

struct sqlite3;

enum { HISTORY_ERROR_MAX = 160 };

/*
 * SQLITE_OK and a connection in 'out' to sqlite3_close(), or SQLite's code
 * with its message in 'error': SQLITE_CORRUPT or SQLITE_NOTADB for a damaged
 * file, SQLITE_SCHEMA where it belongs to a newer version or to another
 * program.  On failure 'out' is NULL.
 */
int history_schema_open(const char *path, struct sqlite3 **out,
                        char error[HISTORY_ERROR_MAX]);

/* The same for reading; SQLITE_CANTOPEN where there is none. */
int history_schema_read(const char *path, struct sqlite3 **out,
                        char error[HISTORY_ERROR_MAX]);

/* Move 'path' and its -wal to PATH.corrupt-UTC, named in 'aside'; the -shm
 * goes, it is only an index of the -wal.  False with errno. */
bool history_set_aside(const char *path, char aside[256]);

#endif
