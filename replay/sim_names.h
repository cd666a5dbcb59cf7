/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sim_names - topics and names of the simulated pods and cars. */
#ifndef REPLAY_SIM_NAMES_H
#define REPLAY_SIM_NAMES_H

#include "models/site.h"

enum { SIM_TOPIC_MAX = 224, SIM_CAR_NAME_MAX = SITE_NAME_MAX + 16 };

/* "ballast/v1/SITE/PATH". */
void sim_topic(const struct site *site, const char *path,
               char out[SIM_TOPIC_MAX]);

/* "ballast/v1/SITE/KIND/NAME/LEAF". */
void sim_member_topic(const struct site *site, const char *kind,
                      const char *name, const char *leaf,
                      char out[SIM_TOPIC_MAX]);

/* Name of car 'car' (over all fleets) of 'fleet': FLEET-0001. */
void sim_car_name(const struct site *site, int fleet, int car,
                  char out[SIM_CAR_NAME_MAX]);
int sim_fleet_of(const struct site *site, int car);

/* Index by name, -1 where there is none such. */
int sim_find_car(const struct site *site, const char *name);
int sim_find_pod(const struct site *site, const char *name);

#endif
