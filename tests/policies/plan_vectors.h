/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan_vectors - the planner's problems that come with their optimum, read
 * from ../shared/vectors/plan; random ones are replay/plan_random's. */
#ifndef TESTS_POLICIES_PLAN_VECTORS_H
#define TESTS_POLICIES_PLAN_VECTORS_H

#include <stdbool.h>

#include "models/schedule.h"
#include "replay/plan_random.h"

enum { PLAN_VECTORS_MAX = 32, PLAN_VECTOR_PATH_MAX = 512 };

struct plan_vectors {
    int n;
    char problem[PLAN_VECTORS_MAX][PLAN_VECTOR_PATH_MAX];
    char expected[PLAN_VECTORS_MAX][PLAN_VECTOR_PATH_MAX];
};

/* Those found; none where the folder is not there. */
struct plan_vectors plan_vectors(void);

bool plan_vector_read(const char *path, struct schedule_problem *out);

/* NAN where it cannot be read. */
double plan_vector_cost(const char *path);

#endif
