/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench_peers - other people's solvers on the same problem, as programs: `clp`
 * (Debian: coinor-clp) and the HiGHS that scipy brings (Debian:
 * python3-scipy), each on the same MPS file.
 *
 * Their time is processor time of the solution alone, without reading the
 * file: Clp's as it prints it (in hundredths of a second), HiGHS' around
 * scipy's call, in which the building of the model is about 1 %.  Clp runs
 * twice, its dual simplex with and without presolve, and the faster counts.
 */
#ifndef REPLAY_BENCH_PEERS_H
#define REPLAY_BENCH_PEERS_H

#include <stdbool.h>

#include "models/schedule.h"

enum { BENCH_PATH_MAX = 128 };

struct bench_peers {
    char mps[BENCH_PATH_MAX];    /* the problem; its name is kept */
    char script[BENCH_PATH_MAX]; /* for scipy */
    bool clp;                    /* installed */
    bool highs;
};

struct bench_peer {
    double solve_s;   /* NAN where it failed */
    double objective; /* likewise */
};

/* False where no temporary file can be made. */
bool bench_peers_open(struct bench_peers *b);
void bench_peers_close(struct bench_peers *b);

/* False where it cannot be written. */
bool bench_peers_pose(const struct bench_peers *b,
                      const struct schedule_problem *p);

struct bench_peer bench_clp(const struct bench_peers *b);
struct bench_peer bench_highs(const struct bench_peers *b);

#endif
