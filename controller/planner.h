/* SPDX-License-Identifier: GPL-3.0-or-later */
/* planner - the thread that turns problems into plans, beside the control
 * thread; the plan comes back like a measurement. */
#ifndef CONTROLLER_PLANNER_H
#define CONTROLLER_PLANNER_H

#include "controller/ports.h"

struct planner; /* opaque */

/* Start the thread; ERR_MEMORY, ERR_IO. */
CHECKED enum err planner_open(const struct site *site, struct ports *ports,
                              struct planner **out);
void planner_close(struct planner *p);

#endif
