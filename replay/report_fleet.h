/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_fleet - what a replay says of the vehicles. */
#ifndef REPLAY_REPORT_FLEET_H
#define REPLAY_REPORT_FLEET_H

#include "replay/replay.h"

struct cJSON;

/* Adds "fleets" to 'to': one object each, with the ledgers' sums, and under
 * "refused" for how many car seconds each reason held. */
void report_fleets(struct cJSON *to, const struct site *site,
                   const struct replay_result *x);

#endif
