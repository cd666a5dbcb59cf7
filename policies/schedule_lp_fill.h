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

/* policies/schedule_lp_store.c: both for battery 'i'. */
bool schedule_lp_store_shape(struct schedule_lp *lp,
                             const struct schedule_problem *p, int i,
                             const struct schedule_ways *ways,
                             struct ipm_memory *m);
void schedule_lp_store_fill(struct schedule_lp *lp,
                            const struct schedule_battery *b, int i,
                            const struct schedule_ways *ways);

/* What segment 's' of a store can hold at the end of step 't', scaled. */
struct schedule_lp_room {
    double lo;
    double hi;
};

struct schedule_lp_room
schedule_lp_segment_room(const struct schedule_lp *lp,
                         const struct schedule_lp_battery *at, int s, int t);

/* policies/schedule_lp_ways.c: one direction at a time, for battery 'i'; after
 * its windows, and after its powers. */
bool schedule_lp_ways_shape(struct schedule_lp *lp,
                            const struct schedule_battery *b, int i,
                            const struct schedule_ways *ways,
                            struct ipm_memory *m);
void schedule_lp_ways_fill(struct schedule_lp *lp,
                           const struct schedule_lp_battery *at);

/* One value of a column: bounds in scaled units, cost per kWh or kW in site
 * currency times 'times' (hours where the column is a power). */
struct schedule_lp_value {
    double lo;
    double hi;
    double per_k;
    double times;
};

void schedule_lp_set(struct schedule_lp *lp, int col, int t,
                     struct schedule_lp_value v);
void schedule_lp_rhs(struct schedule_lp *lp, int row, int t, double value);

#endif
