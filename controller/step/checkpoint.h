/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpoint - whether bytes from a disk are a state that a run can have
 * reached.
 *
 * What passes holds counts and indices within their arrays and finite numbers
 * where the step relies on them, so that going on from it is safe.  That the
 * run did reach it is another question.
 */
#ifndef CONTROLLER_STEP_CHECKPOINT_H
#define CONTROLLER_STEP_CHECKPOINT_H

#include <stdbool.h>

#include "controller/step/step.h"

/* 'state' has step_state_size() bytes. */
bool checkpoint_valid(const struct step_cfg *cfg,
                      const struct step_state *state);

/* What of an output outlives its tick, as it was when 'state' was: the
 * commands of the nodes that have no turn. */
void checkpoint_out(const struct step_cfg *cfg, const struct step_state *state,
                    struct step_out *out);

#endif
