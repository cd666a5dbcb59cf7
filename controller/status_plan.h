/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_plan - the plan in force, in `ballast status`. */
#ifndef CONTROLLER_STATUS_PLAN_H
#define CONTROLLER_STATUS_PLAN_H

#include <cjson/cJSON.h>

#include "controller/watch.h"

/* "plan" of the status; and its lines for people. */
void status_plan_add(cJSON *to, const struct watched *w);
void status_plan_print(const cJSON *status);

#endif
