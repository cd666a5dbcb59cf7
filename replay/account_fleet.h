/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account_fleet - the books of a replay on its vehicles: how long each answer
 * held, and what the guard's ledgers add up to.
 */
#ifndef REPLAY_ACCOUNT_FLEET_H
#define REPLAY_ACCOUNT_FLEET_H

#include "controller/step/step_state.h"
#include "models/command.h"
#include "models/site.h"
#include "replay/replay.h"

/* What has just been decided holds for 'dt_s' more. */
void account_fleets(const struct site *site, const struct step_out *decided,
                    double dt_s, struct replay_result *out);

/* At the end: the ledgers' sums. */
void account_fleets_end(const struct site *site, const struct step_state *state,
                        struct replay_result *out);

#endif
