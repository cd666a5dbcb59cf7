/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A solver for problems of eight batteries and a day, and as much memory again
 * for a programme of the test's own. */
#ifndef TESTS_POLICIES_SCHEDULE_FIXTURE_H
#define TESTS_POLICIES_SCHEDULE_FIXTURE_H

#include <stdbool.h>
#include <stdlib.h>

#include "policies/schedule_solve.h"

enum { STEPS = 96, BATTERIES = 8 };

struct bench {
    struct schedule_solver *solver;
    void *solver_memory;
    struct ipm_memory memory;
};

static inline bool bench_open(struct bench *b)
{
    static const struct schedule_shape shape = {
        STEPS, BATTERIES, SCHEDULE_SEGMENTS_MAX, SCHEDULE_CLASSES_MAX};
    b->memory.n = schedule_memory(&shape);
    b->memory.base = calloc(b->memory.n, sizeof(double));
    b->solver_memory = calloc(b->memory.n, sizeof(double));
    b->solver = schedule_solver(b->solver_memory, b->memory.n);
    return b->memory.base != NULL && b->solver != NULL;
}

static inline void bench_close(struct bench *b)
{
    free(b->memory.base);
    free(b->solver_memory);
}

#endif
