/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dr_meaning - what the utility's events mean for this site: instructions and
 * prices that the planner and the step read.
 *
 *   import limit   hard while it holds.  Where none does, the subscription
 *                  and what is reserved on top of it; and where neither was
 *                  ever said and the link is lost, the site's own subscribed
 *                  import (Definition 3.1, dynamic operating envelopes)
 *   shed level     1 to 3: so much less than the site drew before
 *   emergency      as level 3, at once, whatever the ramp
 *   black start    draw as little as can be, at once
 *   set-point      consumption of the site
 *   outage         one that may come, or fire: a share of the batteries' window
 *                  is kept
 *   flex alert     shown, with all other notices; the prices move the plan
 *   price          a series; export price likewise
 *
 * Pure.
 */
#ifndef POLICIES_DR_MEANING_H
#define POLICIES_DR_MEANING_H

#include <stdbool.h>
#include <stdint.h>

#include "models/dr_event.h"
#include "models/snapshot.h"

enum { DR_LEVELS = 4 };

struct dr_meaning_terms {
    int64_t now_ms;
    int64_t until_ms;          /* end of what the planner looks at */
    double subscribed_w;       /* of the site file; INFINITY: none */
    bool lost;                 /* the link has been lost for too long */
    double shed_pu[DR_LEVELS]; /* 0 .. 1 of what was drawn; [0] is 0 */
    bool outage; /* of the grid, since which nothing was listed: of all limits
                  * only the subscription holds */
    double reserve_pu; /* 0 .. 1, kept while an outage may come; 0: none */
    /* rows of the events that the operator has not opted out of: what is only
     * asked for comes from them, and of limits the stricter; NULL: of all */
    const struct dr_rows *taken;
    const double *base_w; /* of each event: what the site drew before it;
                           * NAN where that is not known yet */
};

/* What came out. */
struct dr_meaning_out {
    struct utility_in *list; /* in order of start */
    int64_t max;
    int64_t n;
    bool cut; /* the farthest did not fit */
};

/* Whether no opt-out drops it: limits, emergencies, shed level 3. */
bool dr_meaning_binds(enum dr_subject subject, double value);

/* 'rows' of dr_rows_make() over now_ms .. until_ms and its events. */
void dr_meaning_instruct(const struct dr_rows *rows,
                         const struct dr_event *const *events,
                         const struct dr_meaning_terms *terms,
                         struct dr_meaning_out *out);

/*
 * The series of 'subject' (DR_PRICE, DR_EXPORT_PRICE) from the quarter hour
 * that holds now_ms, in the longest of 60, 15 and 5 min that its changes fit;
 * finer ones are averaged.  False, and 'out' untouched, where there is none.
 */
bool dr_meaning_price(const struct dr_rows *rows, enum dr_subject subject,
                      const struct dr_meaning_terms *terms, int64_t mono_ms,
                      struct price_in *out);

#endif
