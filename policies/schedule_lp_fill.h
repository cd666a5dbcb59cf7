/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule_lp_fill - the numbers of a declared programme; private to
 * schedule_lp. */
#ifndef POLICIES_SCHEDULE_LP_FILL_H
#define POLICIES_SCHEDULE_LP_FILL_H

#include "policies/schedule_lp.h"

/* Units, shapes, what the grid can reach and the windows; before the rows. */
bool schedule_lp_shapes(struct schedule_lp *lp,
                        const struct schedule_problem *p,
                        const struct schedule_ways *ways, struct ipm_memory *m);

/* Bounds, costs and right hand sides; after ipm_open. */
void schedule_lp_fill(struct schedule_lp *lp, const struct schedule_problem *p,
                      const struct schedule_ways *ways);

#endif
