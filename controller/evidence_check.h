/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence_check - whether an evidence log is whole, and if not, which line is
 * the first that is not, and what was done to it.  The file is read as
 * hostile; memory is bounded.
 */
#ifndef CONTROLLER_EVIDENCE_CHECK_H
#define CONTROLLER_EVIDENCE_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "controller/evidence_line.h"
#include "models/calendar.h"

enum evidence_verdict {
    EVIDENCE_WHOLE,
    EVIDENCE_BROKEN,
    EVIDENCE_NOT_ONE, /* no evidence log at all */
    EVIDENCE_UNREADABLE,
};

enum evidence_fault {
    EVIDENCE_NO_FAULT,
    EVIDENCE_CHANGED,
    EVIDENCE_MISSING,
    EVIDENCE_MOVED,
    EVIDENCE_CUT, /* the last line has no end */
    EVIDENCE_HEADLESS,
    EVIDENCE_NO_SUCH_HEAD, /* the hash asked for is not in it */
};

struct evidence_check {
    const char *head; /* asked for: a line must have this hash; NULL: none */
    int64_t fault;    /* enum evidence_fault */
    int64_t bad_line; /* in the file, from 1; 0 for none */
    char why[320];
    int64_t n_good; /* lines before it, or all */
    int64_t first_n;
    bool is_extract; /* a part of a log, cut out by `ballast export` */
    struct evidence_chain last;
    int64_t n_runs; /* heads of a start */
    int64_t n_minutes;
    int64_t n_violations;
    int64_t n_exempt;
    int64_t n_limits;
    int64_t n_gaps;
    int64_t n_torn;
    bool stopped;       /* the last line is that of an orderly end */
    int64_t after_head; /* lines after the one asked for */
    char first_at[CALENDAR_TEXT_MAX];
    char last_at[CALENDAR_TEXT_MAX];
};

/* True where the file begins like an evidence log; reads from its start and
 * goes back there. */
bool evidence_is_log(FILE *file);

/* Read 'file' to its end; c->head is set before, all else is set here. */
enum evidence_verdict evidence_check(FILE *file, struct evidence_check *c);

/* The word for JSON; static storage. */
const char *evidence_fault_name(enum evidence_fault fault);

#endif
