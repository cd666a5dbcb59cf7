/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence_span - what an evidence log says of a span of time: where its chain
 * stood before and after, and the sums of the whole minutes in between.  The
 * file is read as hostile; whether its chain is whole, evidence_check() tells.
 */
#ifndef CONTROLLER_EVIDENCE_SPAN_H
#define CONTROLLER_EVIDENCE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/evidence_line.h"
#include "models/compliance.h"
#include "models/err.h"

struct evidence_span {
    int64_t from_ms; /* UTC, asked for */
    int64_t to_ms;
    struct evidence_chain head; /* last line not after from_ms; n 0: none */
    struct evidence_chain tail; /* first line not before to_ms, else the last */
    bool over;                  /* there is a line not before to_ms */
    int64_t n_minutes;          /* whole ones inside the span */
    int64_t first_ms;           /* begin of the first, end of the last */
    int64_t last_ms;
    double seen_s; /* of the minutes, with a metered grid */
    double import_wh;
    double export_wh;
    double shed_wh;
    int64_t n_gaps; /* lines "gap" in the span: events were lost */
    int64_t violations[COMPLIANCE_RULE_COUNT]; /* ticks */
    int64_t exempt[COMPLIANCE_CAUSE_COUNT];    /* ticks */
};

/* Read the log 'path' and its full parts beside it; s->from_ms and s->to_ms
 * are set before.  ERR_IO with errno, ERR_MEMORY. */
CHECKED enum err evidence_span_read(struct evidence_span *s, const char *path);

#endif
