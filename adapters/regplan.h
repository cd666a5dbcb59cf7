/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * regplan - where a map's points lie in one device, and which requests read
 * them.  Pure.
 *
 * Requests never cross a model's border, never ask for more than 125
 * registers, and hold a scale factor that may change together with its value.
 */
#ifndef ADAPTERS_REGPLAN_H
#define ADAPTERS_REGPLAN_H

#include "adapters/regmap.h"
#include "adapters/sunspec.h"

enum { REGPLAN_GROUPS_MAX = 64 };

struct regplan_group {
    int addr;
    int count;
    int fc;
    int space; /* address of the model, -1 for absolute ones */
    enum reg_poll poll;
};

struct regplan {
    int addr[REGMAP_POINTS_MAX];  /* -1: the device does not have it */
    int group[REGMAP_POINTS_MAX]; /* index, -1 with addr */
    int n_groups;
    struct regplan_group groups[REGPLAN_GROUPS_MAX];
};

/*
 * Plan 'map' for the models found; 'found' is NULL for a map without.
 * ERR_FULL where it would take more than REGPLAN_GROUPS_MAX requests.
 */
CHECKED enum err regplan_make(const struct regmap *map,
                              const struct sunspec *found,
                              struct regplan *plan);

#endif
