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

/*
 * On stderr, for 'command': that 'path' cannot be read and 'why'; where there
 * is none, in which folder it was sought and what to do, "ask from ..." and
 * 'or_for', such as "for its DATABASE" (NULL: nothing else helps).
 */
void history_where_missing(const char *command, const char *path,
                           const char *why, const char *or_for);

/* Whether there is a database at 'path', of whatever program. */
bool history_is_database(const char *path);

#endif
