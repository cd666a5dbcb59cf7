/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_forecast - what the controller expects, in a status. */
#ifndef CONTROLLER_STATUS_FORECAST_H
#define CONTROLLER_STATUS_FORECAST_H

#include "controller/step/foresight.h"

struct cJSON;

/* Adds "forecast"; null while nothing is known. */
void status_forecast_add(struct cJSON *to, const struct site *site,
                         const struct foresight *f);

/* Prints it on stdout, from such a status; nothing where there is none. */
void status_forecast_print(const struct cJSON *status);

#endif
