/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shed_class - budgets of classes whose work can wait, for shed.c only. */
#ifndef POLICIES_SHED_CLASS_H
#define POLICIES_SHED_CLASS_H

#include <stdbool.h>

#include "policies/shed.h"

/* True while a class has a budget, or comes back from one. */
bool shed_class_due(const struct shed_cfg *cfg, const struct shed_state *s,
                    const struct shed_in *in);

/* Moves the budgets at the ramp and shares each out over its pods, by their
 * wishes in 'lots'; what a class leaves a pod bounds its lot. */
void shed_class_step(const struct shed_cfg *cfg, struct shed_state *s,
                     const struct shed_in *in, struct shed_lot *lots);

#endif
