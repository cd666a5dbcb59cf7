/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence_text - what the witness saw, as the fields of an evidence line.
 * Numbers have nine digits; what is not known is null.
 */
#ifndef CONTROLLER_EVIDENCE_TEXT_H
#define CONTROLLER_EVIDENCE_TEXT_H

#include "controller/evidence_file.h"
#include "models/witness.h"

/* Who writes a log. */
struct evidence_writer {
    const struct site *site;
    const char *site_text; /* of the site file; NULL: not known */
    const char *mode;      /* "run", "shadow", "replay" */
    const char *detail;    /* the policy and trace of a replay; "" */
    const char *meter;     /* what was judged; NULL: the site's meter */
};

/* Fields of the line "head": site, limits, program, meter.  free() it; NULL
 * without memory. */
char *evidence_head(const struct evidence_writer *w);

/* The line of 'e': its kind, and its fields in 'out' of 'size' bytes (8 KiB
 * are enough); NULL where they do not fit. */
const char *evidence_event(const struct site *site,
                           const struct witness_event *e, char *out,
                           size_t size);

/* Append the line of 'e'.  ERR_IO with errno, ERR_RANGE, ERR_MEMORY: it is not
 * in the log. */
CHECKED enum err evidence_write(struct evidence_file *f,
                                const struct site *site,
                                const struct witness_event *e);

#endif
