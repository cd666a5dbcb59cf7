/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settlement - the file that says what a site delivered in an event: baseline,
 * meter, delivered energy per interval, how well it was held, and where the
 * chain of the evidence log stood before and after.
 *
 * JSON.  Its last member "sha256" is the hash of all that comes before the
 * comma in front of it, so that it cannot be changed unseen once its hash is
 * noted elsewhere; its figures are checked against the evidence log, whose
 * chain has them by the minute.  Numbers have nine digits; what is not known
 * is null.  Powers are of the grid, import positive.
 */
#ifndef CONTROLLER_SETTLEMENT_H
#define CONTROLLER_SETTLEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/evidence_file.h"
#include "controller/evidence_span.h"
#include "models/site.h"
#include "policies/baseline.h"
#include "policies/settle.h"

struct settlement_terms {
    struct baseline_terms baseline;
    double interval_s;
    int64_t n_holidays;
    int64_t holidays[BASELINE_HOLIDAYS_MAX]; /* local days since 1970 */
};

/* What the site file says (utility.baseline), else baseline_preset(); intervals
 * of five minutes. */
struct settlement_terms settlement_terms_of(const struct site *site);

/* Holidays such as "2026-11-26,2026-12-25" in place of those of 't'; false
 * where it is none of that form or too many. */
bool settlement_holidays(const char *text, struct settlement_terms *t);

struct settlement {
    const struct site *site;
    const char *event;  /* its id; "": a span of time */
    const char *source; /* "history", "replay" */
    int64_t made_ms;    /* UTC */
    struct settlement_terms terms;
    struct baseline_in in;
    struct settle_piece pieces[SETTLE_PIECES_MAX];
    int64_t n_pieces;
    struct settle settle;
    struct baseline baseline;
    bool has_evidence;
    char evidence_path[EVIDENCE_PATH_MAX];
    struct evidence_span evidence;
    double evidence_wh; /* net, metered in the evidence's minutes */
};

/*
 * Begin: site, event, source, terms, pieces and 'in' but its terms are set.
 * With a path in evidence_path it is read as well; false where it cannot be.
 */
bool settlement_begin(struct settlement *s);

/* A row of what was metered, in order. */
void settlement_row(struct settlement *s, const struct settle_row *row);

/* After the last row. */
void settlement_end(struct settlement *s);

/* The whole text with its newline; free() it.  NULL without memory. */
char *settlement_text(const struct settlement *s);

#endif
