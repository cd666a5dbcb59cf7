/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report - the results of a replay as JSON (CONTRACT.md) and as a table. */
#ifndef REPLAY_REPORT_H
#define REPLAY_REPORT_H

#include <stdio.h>

#include "replay/replay.h"

/* What can stand in a column: a policy of the step, or the bound. */
enum { REPLAY_HINDSIGHT = POLICY_COUNT, REPLAY_POLICIES };

/* Results of several policies over one trace. */
struct report {
    const struct site *site;
    const struct trace *trace;
    const struct replay_result *results; /* n of them */
    const int *policies;                 /* enum policy, or REPLAY_HINDSIGHT */
    int n;
};

/* One JSON object and a newline; ERR_MEMORY or ERR_IO. */
CHECKED enum err report_json(const struct report *r, FILE *out);

/* For people, a column a policy. */
void report_text(const struct report *r, FILE *out);

/* "ballast"; static storage. */
const char *policy_name(int policy);

#endif
