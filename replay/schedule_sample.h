/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_sample - a planner's problem that is made up: a site of 60 to 85 MW
 * with training jobs, prices by the time of day with noise, a demand-response
 * cap in the evening, ramps, a demand charge, batteries and two classes of
 * compute.  For the benchmark and the shipped example; labelled synthetic
 * wherever it is shown.
 */
#ifndef REPLAY_SCHEDULE_SAMPLE_H
#define REPLAY_SCHEDULE_SAMPLE_H

#include <stdint.h>
#include <stdio.h>

#include "models/schedule.h"

/* How two days are cut. */
enum schedule_sample_grid {
    SCHEDULE_SAMPLE_EVEN,     /* 576 steps of 5 min */
    SCHEDULE_SAMPLE_TIERED,   /* 100: 2 h at 5, to 12 h at 15, then 60 min */
    SCHEDULE_SAMPLE_QUARTERS, /* 96 of 15 min: one day */
};

/* What the last minute brought. */
enum schedule_sample_shock {
    SCHEDULE_SAMPLE_CALM,
    SCHEDULE_SAMPLE_JOB,   /* 12 MW more for four hours, from the first step */
    SCHEDULE_SAMPLE_CAP,   /* import down to 60 MW in the next two hours */
    SCHEDULE_SAMPLE_PRICE, /* 250 per MWh more for an hour */
    SCHEDULE_SAMPLE_SHOCKS,
};

struct schedule_sample {
    enum schedule_sample_grid grid;
    enum schedule_sample_shock shock;
    int n_batteries; /* up to 4 */
    int n_segments;  /* of each, up to 8 */
    uint64_t seed;
};

void schedule_sample(const struct schedule_sample *cfg,
                     struct schedule_problem *out);

/* 'p' as a file that schedule_file reads, 'about' as its label. */
void schedule_sample_write(FILE *out, const struct schedule_problem *p,
                           const char *about);

#endif
