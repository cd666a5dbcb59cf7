/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ladder_mend - a planner's problem made of finite numbers. */
#ifndef POLICIES_LADDER_MEND_H
#define POLICIES_LADDER_MEND_H

#include <stdbool.h>

#include "models/schedule.h"

/*
 * Copy 'p' to 'out' and replace there what is no number: of a load, price or
 * demand by the one before it (0 at first), of a limit by 0, of a state of
 * charge by the least allowed.  True where there was any.  INFINITY as a limit
 * and NAN where schedule.h allows it are left alone.
 */
bool ladder_mend(const struct schedule_problem *p,
                 struct schedule_problem *out);

#endif
