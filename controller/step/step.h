/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * step - the controller: one pure function from snapshot to commands.
 *
 * No clock, no I/O, no allocation, no log.  Live operation, replay, shadow
 * mode, verify and every test call this same object code.
 *
 *   estimate  what is true: fresh values, worst cases for the others
 *   smooth    policies/: where the grid power shall be
 *   share     policies/: which battery gives how much
 *   shed      policies/: what the pods must hold back
 *   fleet     policies/: what each parked vehicle may do
 *   limits    the last gate
 *   reasons   what bound
 */
#ifndef CONTROLLER_STEP_STEP_H
#define CONTROLLER_STEP_STEP_H

#include <stddef.h>

#include "models/command.h"
#include "models/err.h"
#include "models/plan.h"
#include "models/site.h"
#include "models/snapshot.h"
#include "policies/guard.h"
#include "policies/policy.h"

struct step_cfg;     /* site + policy + what follows from them; constant */
struct step_state;   /* pointer-free; a copy is a checkpoint */
struct step_scratch; /* holds nothing that outlives a call */

/*
 * Derive the constants of the step from a site.
 *
 * 'cfg' is caller-owned, sizeof(struct step_cfg) from step_cfg_size().
 * Returns ERR_RANGE where the site contradicts itself (site_file has told the
 * user before).
 */
size_t step_cfg_size(void);
CHECKED enum err step_cfg_init(struct step_cfg *cfg, const struct site *site,
                               enum policy policy);

/* Bytes of a state, nodes included, and its start: nothing known yet. */
size_t step_state_size(const struct step_cfg *cfg);
void step_state_init(const struct step_cfg *cfg, struct step_state *state);

size_t step_scratch_size(const struct step_cfg *cfg);

/*
 * One tick.  'in' and 'out' have room for the site's nodes; 'plan' may have
 * status PLAN_NONE but is not NULL.  Cannot fail: commands come out in every
 * tick, finite and within limits.
 */
void step(const struct step_cfg *cfg, struct step_state *state,
          struct step_scratch *scratch, const struct snapshot *in,
          const struct plan *plan, struct step_out *out);

/* What a parked vehicle gave, and the last answer to it. */
struct step_car {
    struct guard_ledger ledger;
    int64_t reason; /* enum reason; REASON_NONE before the first */
};

/* Copy those of nodes [from, from + n), which are within the site. */
void step_cars(const struct step_state *state, int64_t from, int64_t n,
               struct step_car *out);

/*
 * The planner's problem as it stands after this tick.  Pure and bounded;
 * called every plan_every_s and on events.
 */
void step_problem(const struct step_cfg *cfg, const struct step_state *state,
                  const struct snapshot *in, struct problem *problem);

#endif
