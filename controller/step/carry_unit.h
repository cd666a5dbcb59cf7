/* SPDX-License-Identifier: GPL-3.0-or-later */
/* carry_unit - what the units of a site are that carry.c saves one by one, in
 * their order; for controller/step/carry alone. */
#ifndef CONTROLLER_STEP_CARRY_UNIT_H
#define CONTROLLER_STEP_CARRY_UNIT_H

#include "controller/step/carry_layout.h"

struct carry_unit {
    enum carry_kind kind;
    int battery;
    int fleet;
    int class_id;
    int64_t series;
    int64_t first; /* of the fleet's cars */
    int64_t n;     /* cars */
    enum chemistry chemistry;
};

/* 0 <= unit < carry_units() */
struct carry_unit carry_unit_at(const struct step_cfg *cfg, int64_t unit);

#endif
