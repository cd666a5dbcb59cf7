/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan_random - a planner's problem drawn at random, any seed the same on every
 * machine: negative and flat prices, batteries that are empty, overfull, lost
 * or without power, caps that cannot be kept, ramps, demand charges and
 * classes.
 */
#ifndef REPLAY_PLAN_RANDOM_H
#define REPLAY_PLAN_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "models/schedule.h"

/* What a random problem may have. */
struct plan_random {
    int n_steps_max;
    int n_batteries_max;
    bool exclusive; /* prices that never pay for charging and discharging */
};

void plan_random(uint64_t seed, const struct plan_random *may,
                 struct schedule_problem *out);

#endif
