/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settlement_check - whether a settlement file is as it was made, and whether
 * an evidence log says the same.  The file is read as hostile.
 */
#ifndef CONTROLLER_SETTLEMENT_CHECK_H
#define CONTROLLER_SETTLEMENT_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "controller/evidence_file.h"
#include "controller/evidence_span.h"

enum { SETTLEMENT_BYTES_MAX = 4 << 20 };

/* Energy of the history against that of the evidence, of the larger, and what
 * the seconds that lie across a minute's edge may differ by, Wh per W of the
 * mean. */
#define SETTLEMENT_ENERGY_PU 0.01

enum settlement_verdict {
    SETTLEMENT_WHOLE,
    SETTLEMENT_CHANGED,
    SETTLEMENT_UNREADABLE,
};

struct settlement_check {
    char why[320];
    char hash[EVIDENCE_HASH + 1]; /* its own */
    char site[128];
    char event[128];
    char from[32];
    char to[32];
    double delivered_wh; /* NAN: not known */
    double above_s;
    bool has_evidence;
    char evidence_path[EVIDENCE_PATH_MAX];
    struct evidence_span evidence; /* as the settlement has it */
    double settled_wh;
};

/* True where the file begins like a settlement; goes back to its start. */
bool settlement_is(FILE *file);

/* Read 'file' whole; 'c' is filled. */
enum settlement_verdict settlement_check(FILE *file,
                                         struct settlement_check *c);

/* Whether the evidence log 'path', whose chain is whole, has the lines that the
 * settlement names and the same sums; false with c->why. */
bool settlement_agrees(struct settlement_check *c, const char *path);

#endif
