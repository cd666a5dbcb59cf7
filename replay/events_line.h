/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events_line - one line of an events file, see replay/events.
 */
#ifndef REPLAY_EVENTS_LINE_H
#define REPLAY_EVENTS_LINE_H

#include <stddef.h>

#include "replay/events.h"

struct events_line {
    const struct events_cfg *cfg;
    struct events *events; /* all arrays have room for EVENTS_MAX */
    long line;             /* from 1 */
    char *why;
    size_t why_size;
};

/* Add what the line says to the events.  ERR_SYNTAX or ERR_FULL, and why. */
CHECKED enum err events_line_read(struct events_line *l, const char *text,
                                  size_t size);

/* "FILE:LINE: what" to why; returns ERR_SYNTAX. */
enum err events_line_fault(struct events_line *l, const char *what);

#endif
