/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_load - the load that the simulated pods play, without an end: a trace
 * from a file begins again when it is over.
 */
#ifndef REPLAY_SIM_LOAD_H
#define REPLAY_SIM_LOAD_H

#include "models/snapshot.h"
#include "replay/trace.h"

struct sim_load {
    struct trace trace;
    size_t cursor;
};

/* As trace_load(); sim_load_close() only after ERR_NONE. */
CHECKED enum err sim_load_open(struct sim_load *l, const struct trace_cfg *cfg,
                               char *why, size_t why_size);
void sim_load_close(struct sim_load *l);

/* Uncapped power of all pods, W. */
double sim_load_at(struct sim_load *l, double t_s);

/* As trace_markers(). */
int sim_load_markers(struct sim_load *l, double from_s, double to_s,
                     struct job_in *out, int max);

#endif
