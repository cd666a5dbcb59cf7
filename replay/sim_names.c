/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_topic(const struct site *site, const char *path,
               char out[SIM_TOPIC_MAX])
{
    snprintf(out, SIM_TOPIC_MAX, "ballast/v1/%s/%s", site->name, path);
}

void sim_member_topic(const struct site *site, const char *kind,
                      const char *name, const char *leaf,
                      char out[SIM_TOPIC_MAX])
{
    snprintf(out, SIM_TOPIC_MAX, "ballast/v1/%s/%s/%s/%s", site->name, kind,
             name, leaf);
}

/* FLEET-0001 and so on. */
void sim_car_name(const struct site *site, int fleet, int car,
                  char out[SIM_CAR_NAME_MAX])
{
    snprintf(out, SIM_CAR_NAME_MAX, "%s-%04d", site->fleets[fleet].name,
             car - site->fleets[fleet].first_node + 1);
}

int sim_fleet_of(const struct site *site, int car)
{
    int f = 0;
    while (car >= site->fleets[f].first_node + site->fleets[f].nodes) {
        f++;
    }
    return f;
}

int sim_find_car(const struct site *site, const char *name)
{
    const char *dash = strrchr(name, '-');
    for (int f = 0; dash != NULL && f < site->n_fleets; f++) {
        long k = strtol(dash + 1, NULL, 10);
        if (k < 1 || k > site->fleets[f].nodes) {
            continue;
        }
        char canonical[SIM_CAR_NAME_MAX];
        int car = site->fleets[f].first_node + (int)k - 1;
        sim_car_name(site, f, car, canonical);
        if (strcmp(canonical, name) == 0) {
            return car;
        }
    }
    return -1;
}

int sim_find_pod(const struct site *site, const char *name)
{
    for (int i = 0; i < site->n_pods; i++) {
        if (strcmp(site->pods[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}
