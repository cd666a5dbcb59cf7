/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evidence_out - the evidence log of a replay: DIR/POLICY/evidence.log. */
#ifndef REPLAY_EVIDENCE_OUT_H
#define REPLAY_EVIDENCE_OUT_H

#include <stdbool.h>

#include "controller/evidence_text.h"

struct evidence_out {
    struct evidence_file file; /* fd -1 at first */
    char *head;                /* owned */
};

/* A new log in place of what lies at 'path'; false after a message. */
bool evidence_out_open(struct evidence_out *o, const char *path,
                       const struct evidence_writer *writer, int64_t at_ms);

/* Its last line, where 'ok', and the end of it; false after a message, or
 * where 'ok' is.  Takes one that was never opened. */
bool evidence_out_end(struct evidence_out *o, int64_t at_ms, bool ok);

#endif
