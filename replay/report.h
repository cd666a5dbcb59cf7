/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report - the results of a replay as JSON (CONTRACT.md) and as a table. */
#ifndef REPLAY_REPORT_H
#define REPLAY_REPORT_H

#include <stdio.h>

#include "replay/replay.h"

/* Results of several policies over one trace. */
struct report {
    const struct site *site;
    const struct trace *trace;
    const struct replay_result *results; /* n of them */
    const enum policy *policies;
    int n;
};

/* One JSON object and a newline; ERR_MEMORY or ERR_IO. */
CHECKED enum err report_json(const struct report *r, FILE *out);

/* For people, a column a policy. */
void report_text(const struct report *r, FILE *out);

/* "ballast"; static storage. */
const char *policy_name(enum policy p);

#endif
