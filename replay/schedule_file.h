/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_file - a planner's problem from a JSON file that nobody vouches for
 * (../shared/CONTRACT.md, "plan problem and answer").
 *
 * Per-step keys take an array or one number.  "about" may hold
 * anything, for the reader.  May be absent or null:
 * ramp_max_w_per_s, grid_start_w, demand_charge, batteries, classes, a
 * battery's soc_floor_pu, soc_ceiling_pu, soc_end_min_pu,
 * terminal_value_per_kwh (0) and wear (one segment that costs nothing), a
 * class' deferrable (false), min_pu (0), delay_per_kwh_h (0), queue_max_wh (0)
 * and late_per_kwh_h (0: nothing is late).  Segments are
 * put in the order of their price.  A state of charge outside its window is
 * taken: the segments' start says where it lies.
 */
#ifndef REPLAY_SCHEDULE_FILE_H
#define REPLAY_SCHEDULE_FILE_H

#include <stddef.h>

#include "models/err.h"
#include "models/schedule.h"

enum {
    SCHEDULE_FILE_MAX = 32 * 1024 * 1024, /* bytes that are read */
    SCHEDULE_WHY_MAX = 768,
};

/*
 * Read 'path' into 'out' (some MB, the caller's).  On failure 'why' says
 * "FILE: JSON.PATH: VALUE: expected ..." and 'out' is not to be used.
 * ERR_IO, ERR_MEMORY, ERR_SYNTAX, ERR_UNKNOWN (a key) or ERR_RANGE.
 */
CHECKED enum err schedule_file_load(const char *path,
                                    struct schedule_problem *out, char *why,
                                    size_t why_size);

/* The same from memory; 'why' begins with the JSON path. */
CHECKED enum err schedule_file_read(const char *text, size_t size,
                                    struct schedule_problem *out, char *why,
                                    size_t why_size);

#endif
