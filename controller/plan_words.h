/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan_words - which rung a plan is of and why, for people. */
#ifndef CONTROLLER_PLAN_WORDS_H
#define CONTROLLER_PLAN_WORDS_H

#include <stddef.h>

#include "models/plan.h"

/*
 * Why the plan is not the solver's best: the rungs above it, each with what
 * became of it, "FEASIBLE: no schedule came out within the budget"; that the
 * wall clock stopped it; that it continues the last one.  "" where it is.
 * Cut off where 'size' is too small.
 */
void plan_why_text(const struct plan *plan, char *out, size_t size);

/* "price, battery": what the plan was made for; "" without one. */
void plan_causes_text(uint64_t causes, char *out, size_t size);

/* "import by 2.10 MW, 45 min after its start" for violation 'i' of those
 * listed. */
void plan_violation_text(const struct plan *plan, int64_t i, char *out,
                         size_t size);

#endif
