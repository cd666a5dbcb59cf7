/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hindsight_solve - the answer of the linear programme, step by step. */
#ifndef REPLAY_HINDSIGHT_SOLVE_H
#define REPLAY_HINDSIGHT_SOLVE_H

#include "replay/hindsight_lp.h"

/* Means over a step, of all batteries of a store and all pods of a class. */
struct hindsight_answer {
    double gap_pu;   /* of max(a unit's cost, |cost|) */
    double cost_cur; /* of the programme, from 0 energy stored */
    int n_iterations;
    int64_t n_ramps; /* steps that break the ramp, and the import limit */
    int64_t n_limits;
    double held_wh;
    double swing_wh; /* of all stores; only of the aim NEED */
    double saved_w[HINDSIGHT_STEPS_MAX]; /* of the other load */
    double store_w[HINDSIGHT_STORES_MAX][HINDSIGHT_STEPS_MAX];
    /* Held back (+); what waited is done (-). */
    double held_w[SITE_CLASSES_MAX][HINDSIGHT_STEPS_MAX];
};

/* ERR_MEMORY, or ERR_RANGE where no answer came out. */
CHECKED enum err hindsight_solve(const struct hindsight_truth *truth,
                                 enum hindsight_aim aim, bool progress,
                                 struct hindsight_answer *out);

#endif
