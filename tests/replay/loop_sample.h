/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop_sample - the step and the simulated plant in a closed loop: the load
 * jumps every four seconds, a plan comes after a minute. */
#ifndef TESTS_REPLAY_LOOP_SAMPLE_H
#define TESTS_REPLAY_LOOP_SAMPLE_H

#include <stdint.h>

#include "controller/recording.h"
#include "controller/step/step.h"
#include "models/plant.h"

struct loop_sample {
    const struct site *site;
    struct step_cfg *cfg;
    struct step_state *state;
    struct step_scratch *scratch;
    struct plant *plant;
    struct snapshot *in;
    struct step_out *out;
    struct plan plan;
    uint64_t seed;
    int64_t start_ms; /* UTC of tick 0 */
};

void loop_sample_open(struct loop_sample *l, const struct site *site,
                      enum policy policy, int64_t start_ms);
void loop_sample_next(struct loop_sample *l);
void loop_sample_close(struct loop_sample *l);

#endif
