/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history_where - which history a command is asked about. */
#ifndef CONTROLLER_HISTORY_WHERE_H
#define CONTROLLER_HISTORY_WHERE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of the database of 'given' in 'out': 'given' itself where it is
 * one, else what it names as history.file, which is relative to the folder in
 * which the controller was started.  False after messages on stderr where it
 * is neither a database nor a site file.
 */
bool history_where(const char *given, char *out, size_t size);

/* Whether there is a database at 'path', of whatever program. */
bool history_is_database(const char *path);

#endif
