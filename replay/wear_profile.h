/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear_profile - state of charge and temperature of a battery over time: from
 * a CSV file with the columns time_s, soc and temperature_C, or made up
 * ("gen:commuter,draw=1.15 kW", replay/commuter.h).
 */
#ifndef REPLAY_WEAR_PROFILE_H
#define REPLAY_WEAR_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "models/err.h"

struct wear_sample {
    double time_s; /* rising; the first row is 0 */
    double soc_pu; /* 0..1 */
    double temp_c;
};

struct wear_profile {
    struct wear_sample *samples;
    size_t n;        /* >= 2 */
    double period_s; /* of the last sample; the profile repeats from there */
    bool synthetic;  /* made up: whoever shows its results says so */
};

/* 'path' is a file or "gen:...".  On failure nothing is left allocated and
 * 'why' says FILE:LINE: what, or gen: what.
 * ERR_IO, ERR_MEMORY, ERR_SYNTAX, ERR_UNKNOWN (a column), ERR_RANGE. */
CHECKED enum err wear_profile_load(const char *path, struct wear_profile *out,
                                   char *why, size_t why_size);
void wear_profile_clear(struct wear_profile *p);

#endif
