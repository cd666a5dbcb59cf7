/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify - runs a recording's snapshots again; the commands must come out bit
 * for bit.
 *
 * The recording brings its site file, policy and the step's state along.  Bits
 * only come out the same on the same binary, C library and class of CPU: a
 * recording of another build is refused unless it is asked for.
 */
#ifndef REPLAY_VERIFY_H
#define REPLAY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/recording.h"
#include "replay/fields.h"

enum verify_result {
    VERIFY_SAME,
    VERIFY_DIFFERS,   /* 'diff' of tick 'tick' */
    VERIFY_DAMAGED,   /* 'why' says where */
    VERIFY_UNREADABLE /* not a recording, another build: 'why' */
};

struct verify_cfg {
    const char *path;
    bool any_build;
    bool show_progress; /* on stderr */
};

struct verify_report {
    uint64_t n_ticks;    /* whose commands came out the same */
    uint64_t after_tick; /* where it goes on; 0: it begins a run */
    bool is_cut; /* the writer was stopped; the whole ticks are the same */
    char why[512];
    uint64_t tick; /* number and instant of the tick that differs */
    int64_t utc_ms;
    struct field_diff diff;
};

enum verify_result verify_recording(const struct verify_cfg *cfg,
                                    struct verify_report *report);

/* `ballast verify RECORDING`. */
int verify_main(int argc, char **argv);

#endif
