/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The points and read groups of a register map. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/regmap_parts.h"

bool regmap_place(struct regjson *j, const cJSON *o, int *models, int *n_models,
                  int *at)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(o, "model");
    const cJSON *addr = cJSON_GetObjectItemCaseSensitive(o, "addr");
    const cJSON *off = cJSON_GetObjectItemCaseSensitive(o, "off");
    *n_models = 0;
    *at = -1;
    if (model == NULL) {
        if (addr == NULL || off != NULL) {
            return regjson_fail(j, NULL, "expected addr, or model and off");
        }
        return regjson_int(j, o, "addr", 0, 65535, at);
    }
    if (addr != NULL || off == NULL) {
        return regjson_fail(j, NULL, "expected addr, or model and off");
    }
    int n = cJSON_IsArray(model) ? cJSON_GetArraySize(model) : 1;
    if (n < 1 || n > REGMAP_MODELS_MAX) {
        return regjson_fail(j, "model", "expected 1 to %d models",
                            REGMAP_MODELS_MAX);
    }
    for (int i = 0; i < n; i++) {
        const cJSON *m =
            cJSON_IsArray(model) ? cJSON_GetArrayItem(model, i) : model;
        if (!regjson_is_int(m, 1, 65534)) {
            return regjson_fail(j, "model", "expected numbers 1 to 65534");
        }
        models[(*n_models)++] = (int)m->valuedouble;
    }
    return regjson_int(j, o, "off", 0, 1001, at);
}

bool regmap_poll_word(struct regjson *j, const cJSON *o, enum reg_poll *poll)
{
    static const char *const words[] = {"fast", "slow", "once"};
    char word[16] = "";
    if (!regjson_text(j, o, "poll", word, sizeof(word))) {
        return false;
    }
    for (int i = 0; word[0] != '\0' && i < 3; i++) {
        if (strcmp(word, words[i]) == 0) {
            *poll = (enum reg_poll)i;
            return true;
        }
    }
    return word[0] == '\0' ||
           regjson_fail(j, "poll", "expected fast, slow or once");
}

/* Finds or appends the hidden point of a scale factor. */
static bool read_sf(struct regjson *j, const cJSON *o, struct regmap *map,
                    struct regmap_point *p)
{
    int at = -1;
    p->sf = -1;
    if (!regjson_int(j, o, "sf", 0, 65535, &at) || at < 0) {
        return !j->failed;
    }
    if (cJSON_GetObjectItemCaseSensitive(o, "scale") != NULL ||
        cJSON_GetObjectItemCaseSensitive(o, "offset") != NULL) {
        return regjson_fail(j, "sf", "excludes scale and offset");
    }
    if (p->codec.type == REG_BIT || p->codec.type == REG_STR) {
        return regjson_fail(j, "sf", "only for numbers");
    }
    p->sf_cached = p->n_models > 0 && p->models[0] / 100 == 7;
    struct regmap_point sf = {
        .n_models = p->n_models,
        .at = at,
        .read_fc = p->read_fc,
        .codec = {.type = REG_I16,
                  .n_regs = 1,
                  .has_absent = true,
                  .absent = 0x8000,
                  .low_word_first = p->codec.low_word_first,
                  .swap_bytes = p->codec.swap_bytes,
                  .scale = 1.0,
                  .min = -REG_SF_MAX,
                  .max = REG_SF_MAX,
                  .factor = 1.0},
        .sf = -1,
        .hidden = true,
        .poll = REG_POLL_ONCE,
        .echo_of = -1,
    };
    memcpy(sf.models, p->models, sizeof(sf.models));
    snprintf(sf.id, sizeof(sf.id), "#%d.%d.%d.%d", p->read_fc,
             p->n_models > 0 ? p->models[0] : 0, p->n_models, at);
    p->sf = regmap_find(map, sf.id);
    if (p->sf < 0) {
        if (map->n_points >= REGMAP_POINTS_MAX - 1) {
            return regjson_fail(j, NULL, "too many points");
        }
        p->sf = map->n_points;
        map->points[map->n_points++] = sf;
    }
    return true;
}

static bool read_id(struct regjson *j, const cJSON *o, const struct regmap *map,
                    struct regmap_point *p)
{
    if (!regjson_text(j, o, "id", p->id, sizeof(p->id))) {
        return false;
    }
    if (p->id[0] == '\0' ||
        strspn(p->id, "abcdefghijklmnopqrstuvwxyz0123456789_.") !=
            strlen(p->id)) {
        return regjson_fail(j, "id", "expected a name of a-z, 0-9, _ and .");
    }
    return regmap_find(map, p->id) < 0 ||
           regjson_fail(j, "id", "\"%s\" is given twice", p->id);
}

static bool read_point(struct regjson *j, const cJSON *o, struct regmap *map)
{
    static const char *const keys[] = {
        "id",         "model",     "off",       "addr",    "fc",
        "write_fc",   "type",      "sf",        "scale",   "offset",
        "unit",       "sign",      "ni",        "min",     "max",
        "access",     "confirm",   "poll",      "blocks",  "blocks_bits",
        "local",      "enum",      "heartbeat", "counter", "confidence",
        "word_order", "byte_swap", NULL,
    };
    struct regmap_point p = {
        .read_fc = map->read_fc,
        .write_fc = map->write_fc,
        .codec = {.low_word_first = map->low_word_first,
                  .swap_bytes = map->swap_bytes,
                  .scale = 1.0,
                  .min = -INFINITY,
                  .max = INFINITY},
        .poll = REG_POLL_SLOW,
        .echo_of = -1,
    };
    if (!regjson_object(j, o, keys) || !read_id(j, o, map, &p) ||
        !regmap_place(j, o, p.models, &p.n_models, &p.at) ||
        !regjson_int(j, o, "fc", 3, 4, &p.read_fc) ||
        !regjson_int(j, o, "write_fc", 6, 16, &p.write_fc) ||
        !regmap_number(j, o, map->sunspec, &p) ||
        !regmap_poll_word(j, o, &p.poll) || !regmap_marks(j, o, map, &p)) {
        return false;
    }
    if (p.write_fc != 6 && p.write_fc != 16) {
        return regjson_fail(j, "write_fc", "expected 6 or 16");
    }
    if (p.n_models > 0 && !map->sunspec) {
        return regjson_fail(j, "model", "needs \"discover\" in the map");
    }
    if (!read_sf(j, o, map, &p)) {
        return false;
    }
    if (map->n_points == REGMAP_POINTS_MAX) {
        return regjson_fail(j, NULL,
                            "more than %d points, scale factors "
                            "included",
                            REGMAP_POINTS_MAX);
    }
    map->points[map->n_points++] = p;
    return true;
}

bool regmap_points(struct regjson *j, const cJSON *root, struct regmap *map)
{
    const cJSON *points = NULL;
    if (!regjson_array(j, root, "points", REGMAP_POINTS_MAX, &points)) {
        return false;
    }
    if (points == NULL || points->child == NULL) {
        return regjson_fail(j, "points", "expected at least one point");
    }
    size_t list = regjson_key(j, "points");
    const cJSON *o = NULL;
    int i = 0;
    cJSON_ArrayForEach(o, points)
    {
        size_t mark = regjson_index(j, i++);
        if (!read_point(j, o, map)) {
            return false;
        }
        regjson_up(j, mark);
    }
    regjson_up(j, list);
    return true;
}

static bool read_group(struct regjson *j, const cJSON *o, struct regmap *map)
{
    static const char *const keys[] = {"model", "off",  "addr", "count",
                                       "fc",    "poll", NULL};
    struct regmap_group g = {.read_fc = map->read_fc, .poll = REG_POLL_SLOW};
    if (!regjson_object(j, o, keys) ||
        !regmap_place(j, o, g.models, &g.n_models, &g.at) ||
        !regjson_int(j, o, "count", 1, REG_READ_MAX, &g.count) ||
        !regjson_int(j, o, "fc", 3, 4, &g.read_fc) ||
        !regmap_poll_word(j, o, &g.poll)) {
        return false;
    }
    if (g.count == 0) {
        return regjson_fail(j, "count", "expected 1 to %d", REG_READ_MAX);
    }
    map->groups[map->n_groups++] = g;
    return true;
}

bool regmap_groups(struct regjson *j, const cJSON *root, struct regmap *map)
{
    const cJSON *groups = NULL;
    if (!regjson_array(j, root, "groups", REGMAP_GROUPS_MAX, &groups)) {
        return false;
    }
    size_t list = regjson_key(j, "groups");
    const cJSON *o = NULL;
    int i = 0;
    cJSON_ArrayForEach(o, groups)
    {
        size_t mark = regjson_index(j, i++);
        if (!read_group(j, o, map)) {
            return false;
        }
        regjson_up(j, mark);
    }
    regjson_up(j, list);
    return true;
}
