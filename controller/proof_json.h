/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proof_json - what the compliance meter found, as JSON: for the status of a
 * running controller and for the report of a replay.  What is not known is
 * null. */
#ifndef CONTROLLER_PROOF_JSON_H
#define CONTROLLER_PROOF_JSON_H

#include "models/witness.h"

struct cJSON;

/* "bands": rms of each, beside what it would be without the batteries. */
void proof_json_bands(struct cJSON *to, const struct witness_report *r);

/* "without": what the meter says of the load alone. */
void proof_json_without(struct cJSON *to, const struct witness_report *r);

/* "edges": how many, the highest, and the histogram. */
void proof_json_edges(struct cJSON *to, const struct witness_report *r,
                      double period_s);

/* "recovery": how long until inside again, by rule. */
void proof_json_recovery(struct cJSON *to, const struct witness_report *r);

/* "recent": violations and exempt times, newest first. */
void proof_json_recent(struct cJSON *to, const struct site *site,
                       const struct witness_report *r);

#endif
