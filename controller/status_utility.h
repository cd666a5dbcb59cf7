/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_utility - what the utility asks for, in the status. */
#ifndef CONTROLLER_STATUS_UTILITY_H
#define CONTROLLER_STATUS_UTILITY_H

#include <cjson/cJSON.h>

#include "controller/watch.h"

/* "utility": the instructions that hold or will, whoever gave them; "openadr":
 * the link, the events and what they ask for, of sites that have such a
 * utility. */
void status_utility_add(cJSON *to, const struct watched *w);

/* Lines for people: what holds now and comes next.  'status' is the JSON. */
void status_utility_print(const cJSON *status);

#endif
