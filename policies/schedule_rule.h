/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_rule - a schedule without looking for the best one.
 *
 * Step by step: everything is served, queues as fast as they can be, a battery
 * does what is wanted of it and charges toward the energy that it must have
 * later.  Where the grid's limits (import, export, ramp) are passed, in this
 * order: charging stops, queues wait, batteries discharge down to what they
 * must keep, classes go down to their least, the cheapest first; then batteries
 * go below what they must keep, and classes below their least.  Above the
 * peak that is paid for already charging stops and batteries give what no later
 * step needs.  It looks at no
 * price, cannot fail and is linear in the size of the problem.
 */
#ifndef POLICIES_SCHEDULE_RULE_H
#define POLICIES_SCHEDULE_RULE_H

#include <stdbool.h>

#include "models/schedule.h"

/*
 * Fills battery_w and served_w of 's'; schedule_settle() gives the rest.
 * 'follow': battery_w, and served_w of deferrable classes, hold what is wanted;
 * else, and for a battery where it is NAN, batteries hold and nothing waits.
 * Other numbers that are none count as 0.
 * Uses soc_pu as scratch.
 */
void schedule_rule(const struct schedule_problem *p, bool follow,
                   struct schedule *s);

#endif
