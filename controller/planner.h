/* SPDX-License-Identifier: GPL-3.0-or-later */
/* planner - the thread that turns problems into plans, beside the control
 * thread; the plan comes back like a measurement. */
#ifndef CONTROLLER_PLANNER_H
#define CONTROLLER_PLANNER_H

#include "controller/ports.h"
#include "policies/plan.h"

struct planner; /* opaque */

/* For tests: what goes wrong with the plans of a thread that runs.  They are
 * called in it. */
struct planner_faults {
    schedule_stop_fn *stop; /* instead of the clock; NULL: the clock */
    ladder_spoil_fn *spoil; /* NULL: nothing is spoilt */
    void *context;          /* of both */
};

struct planner_cfg {
    const struct site *site;
    struct ports *ports;
    double deadline_s;            /* of a plan: PLAN_DEADLINE_S */
    struct planner_faults faults; /* zero in production */
};

/* Start the thread; ERR_MEMORY, ERR_IO.  It logs plans that were made because
 * something happened, that the check refused, that are worse than the last. */
CHECKED enum err planner_open(const struct planner_cfg *cfg,
                              struct planner **out);
void planner_close(struct planner *p);

#endif
