/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_life - how old a battery is, in a status. */
#ifndef CONTROLLER_STATUS_LIFE_H
#define CONTROLLER_STATUS_LIFE_H

#include "controller/lives.h"

struct cJSON;

/* Adds "life" to the object of a battery; null where nothing is known. */
void status_life_add(struct cJSON *battery, const struct battery_life *life);

/* Prints it on stdout, from such an object; nothing where there is none. */
void status_life_print(const struct cJSON *battery);

#endif
