/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outputs - the files that a run of `ballast replay` writes: the series and the
 * evidence log below DIR/POLICY, and a recording.
 *
 * All tell on stderr what could not be done, and then return NULL or false.
 */
#ifndef REPLAY_OUTPUTS_H
#define REPLAY_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "controller/recording.h"
#include "replay/evidence_out.h"
#include "replay/settlement_out.h"
#include "replay/trace.h"

struct outputs {
    const char *dir; /* of --out */
    const struct site *site;
    const char *site_path;
    const struct trace *trace;
    int64_t start_utc_ms;
    int policy; /* enum policy, or REPLAY_HINDSIGHT */
};

FILE *outputs_series(const struct outputs *o);
bool outputs_evidence(const struct outputs *o, struct evidence_out *out);

/* For `ballast verify`; of a policy of the step. */
struct recorder *outputs_recorder(const struct outputs *o, const char *path);

/* The settlements of 'events', after the evidence log was closed. */
bool outputs_settlements(const struct outputs *o, const struct events *events,
                         const struct settlement_out *seen);

/* Series and recording, NULL where there is none. */
bool outputs_close(const struct outputs *o, FILE *series,
                   struct recorder *recorder);

#endif
