/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_reports - sends the utility the reports that its events ask for, when
 * they are due, each once.
 *
 * What was sent is kept across a restart, and before a report goes out the
 * server is asked whether it has it: nobody knows what became of one whose
 * answer was lost.  What fails is tried again with a back-off of 1 to 60 s;
 * what the server refuses is told once and left.  An event that is met late is
 * reported from its latest due report on (User Guide 7.5, 'do it now').  A
 * report of which nothing is known waits up to a minute for the meters, a
 * forecast up to ten for a plan, and is left out then.
 *
 * For one thread, the OpenADR worker's.
 */
#ifndef CONTROLLER_OPENADR_REPORTS_H
#define CONTROLLER_OPENADR_REPORTS_H

#include <stdint.h>

#include "adapters/openadr.h"
#include "controller/openadr_bases.h"
#include "controller/openadr_readings.h"

struct openadr_reports; /* opaque */

/* Both outlive it.  ERR_MEMORY. */
CHECKED enum err openadr_reports_open(const struct site *site,
                                      struct historian *historian,
                                      struct openadr_reports **out);
void openadr_reports_close(struct openadr_reports *r);

/* Once a second or so. */
void openadr_reports_sample(struct openadr_reports *r, int64_t utc_ms,
                            const struct openadr_sample *sample);

struct openadr_reports_now {
    int64_t utc_ms;
    int64_t mono_ms;
    const struct openadr_bases *bases;
};

/* Send at most one report that is due. */
void openadr_reports_pass(struct openadr_reports *r, struct openadr *ven,
                          const struct openadr_reports_now *now);

#endif
