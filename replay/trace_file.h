/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace_file - the CSV part of replay/trace: which columns, which rows.
 */
#ifndef REPLAY_TRACE_FILE_H
#define REPLAY_TRACE_FILE_H

#include "replay/trace.h"

/*
 * Fill samples, start, step, pass, name and report of 'out', whose scale is
 * set.  On failure 'out' may hold arrays, for trace_clear() to free; errors as
 * trace_load().
 */
CHECKED enum err trace_file_load(const struct trace_cfg *cfg, struct trace *out,
                                 char *why, size_t why_size);

#endif
