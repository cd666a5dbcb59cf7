/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guard_resume - the guard of a pack goes on after its controller was away.
 *
 * A restart never grants more than none would have: the budget is not filled
 * meanwhile, the heat has not died away, and what a lease may have drawn since
 * is taken for drawn.  What a controller that was killed decided between its
 * last save and its end is not known: it is taken for the most there could be.
 */
#ifndef POLICIES_GUARD_RESUME_H
#define POLICIES_GUARD_RESUME_H

#include "policies/guard.h"

struct guard_gap {
    int64_t then_mono_ms; /* of the save, by the clock of that run */
    int64_t now_mono_ms;  /* > 0, by the clock of this one */
    double gap_s;         /* between them, >= 0 */
    double blind_s;       /* after the save the controller may still have
                             granted for that long; 0: it was its last act */
};

/* Finite numbers within what the guard can reach. */
bool guard_valid(const struct guard_cfg *cfg, const struct guard_state *state);

/* Of a state that was saved, before all else: where the site file allows less
 * now than it did, what is left of it shrinks; the ledger stays. */
void guard_refit(const struct guard_cfg *cfg, struct guard_state *state);

/* From a valid state as it was saved to one of this run. */
void guard_resume(const struct guard_cfg *cfg, struct guard_state *state,
                  const struct guard_gap *gap);

/* New, of a car whose state was lost: it begins without the first grant, and
 * with all the virtual km spent that can be saved up. */
void guard_distrust(const struct guard_cfg *cfg, struct guard_state *state);

#endif
