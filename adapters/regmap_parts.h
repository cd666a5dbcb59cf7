/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regmap_parts - the parts of the register map loader, for regmap.c only. */
#ifndef ADAPTERS_REGMAP_PARTS_H
#define ADAPTERS_REGMAP_PARTS_H

#include "adapters/regjson.h"
#include "adapters/regmap.h"

/* Each reads one member of the root object into 'map'; false after a fault,
 * which regjson_fail() has told. */
bool regmap_points(struct regjson *j, const cJSON *root, struct regmap *map);
bool regmap_groups(struct regjson *j, const cJSON *root, struct regmap *map);
bool regmap_roles(struct regjson *j, const cJSON *root, struct regmap *map);
bool regmap_sequences(struct regjson *j, const cJSON *root, struct regmap *map);

/* Of a point: type, unit, sign, scale, range, "not implemented"; and access,
 * states, names, heartbeat.  'p' has the map's defaults. */
bool regmap_number(struct regjson *j, const cJSON *o, bool sunspec,
                   struct regmap_point *p);
bool regmap_marks(struct regjson *j, const cJSON *o, const struct regmap *map,
                  struct regmap_point *p);

/* "model": 701 or [201, 202]; "off" or "addr". */
bool regmap_place(struct regjson *j, const cJSON *o, int *models, int *n_models,
                  int *at);
bool regmap_poll_word(struct regjson *j, const cJSON *o, enum reg_poll *poll);

/* What only the whole map shows: overlaps, the set-point's needs, reach. */
bool regmap_check(struct regjson *j, const struct regmap *map);

#endif
