/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/regmap.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/regmap_parts.h"

const char *regmap_role_word(enum reg_role role)
{
    static const char *const words[REG_ROLE_COUNT] = {
#define ROLE_WORD(name, word, dimension, writable, list) \
    [REG_ROLE_##name] = word,
        REG_ROLE_LIST(ROLE_WORD)
#undef ROLE_WORD
    };
    assert((unsigned)role < REG_ROLE_COUNT);
    return words[role];
}

enum reg_dimension regmap_role_dimension(enum reg_role role)
{
    static const enum reg_dimension dimensions[REG_ROLE_COUNT] = {
#define ROLE_DIMENSION(name, word, dimension, writable, list) \
    [REG_ROLE_##name] = REG_DIMENSION_##dimension,
        REG_ROLE_LIST(ROLE_DIMENSION)
#undef ROLE_DIMENSION
    };
    assert((unsigned)role < REG_ROLE_COUNT);
    return dimensions[role];
}

bool regmap_role_is_list(enum reg_role role)
{
    static const bool lists[REG_ROLE_COUNT] = {
#define ROLE_IS_LIST(name, word, dimension, writable, list) \
    [REG_ROLE_##name] = list,
        REG_ROLE_LIST(ROLE_IS_LIST)
#undef ROLE_IS_LIST
    };
    return lists[role];
}

bool regmap_role_is_written(enum reg_role role)
{
    static const bool writables[REG_ROLE_COUNT] = {
#define ROLE_IS_WRITTEN(name, word, dimension, writable, list) \
    [REG_ROLE_##name] = writable,
        REG_ROLE_LIST(ROLE_IS_WRITTEN)
#undef ROLE_IS_WRITTEN
    };
    return writables[role];
}

const char *regmap_dimension_text(enum reg_dimension d)
{
    static const char *const texts[REG_DIMENSION_COUNT] = {
#define DIMENSION_TEXT(name, text) [REG_DIMENSION_##name] = text,
        REG_DIMENSION_LIST(DIMENSION_TEXT)
#undef DIMENSION_TEXT
    };
    assert((unsigned)d < REG_DIMENSION_COUNT);
    return texts[d];
}

const char *regmap_sequence_word(enum reg_sequence s)
{
    static const char *const words[REG_SEQUENCE_COUNT] = {
#define SEQUENCE_WORD(name, word) [REG_SEQUENCE_##name] = word,
        REG_SEQUENCE_LIST(SEQUENCE_WORD)
#undef SEQUENCE_WORD
    };
    assert((unsigned)s < REG_SEQUENCE_COUNT);
    return words[s];
}

int regmap_find(const struct regmap *map, const char *id)
{
    for (int i = 0; i < map->n_points; i++) {
        if (strcmp(map->points[i].id, id) == 0) {
            return i;
        }
    }
    return -1;
}

static bool read_device(struct regjson *j, const cJSON *root,
                        struct regmap *map)
{
    char word[16] = "battery";
    if (!regjson_text(j, root, "device", word, sizeof(word))) {
        return false;
    }
    if (strcmp(word, "battery") == 0) {
        map->device = DEVICE_BATTERY;
    } else if (strcmp(word, "meter") == 0) {
        map->device = DEVICE_METER;
    } else {
        return regjson_fail(j, "device", "expected battery or meter");
    }
    return true;
}

static bool read_bases(struct regjson *j, const cJSON *o, struct regmap *map)
{
    const cJSON *bases = NULL;
    if (!regjson_array(j, o, "bases", REGMAP_BASES_MAX, &bases)) {
        return false;
    }
    const cJSON *base = NULL;
    cJSON_ArrayForEach(base, bases)
    {
        if (!regjson_is_int(base, 0, 65535)) {
            return regjson_fail(j, "bases", "expected addresses 0 to 65535");
        }
        map->bases[map->n_bases++] = (int)base->valuedouble;
    }
    return map->n_bases > 0 ||
           regjson_fail(j, "bases", "expected at least one address");
}

static bool read_discover(struct regjson *j, const cJSON *root,
                          struct regmap *map)
{
    static const char *const keys[] = {"bases", NULL};
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "discover");
    if (o == NULL) {
        return true;
    }
    size_t mark = regjson_key(j, "discover");
    map->sunspec = true;
    bool ok = regjson_object(j, o, keys) && read_bases(j, o, map);
    regjson_up(j, mark);
    return ok;
}

static bool read_order(struct regjson *j, const cJSON *root, struct regmap *map)
{
    char word[16] = "big";
    if (!regjson_text(j, root, "word_order", word, sizeof(word)) ||
        !regjson_bool(j, root, "byte_swap", &map->swap_bytes)) {
        return false;
    }
    map->low_word_first = strcmp(word, "little") == 0;
    if (!map->low_word_first && strcmp(word, "big") != 0) {
        return regjson_fail(j, "word_order", "expected big or little");
    }
    return true;
}

static bool read_seconds(struct regjson *j, const cJSON *root, const char *key,
                         double *out)
{
    if (!regjson_number(j, root, key, out, NULL)) {
        return false;
    }
    return (*out >= 0.0 && *out <= 3600.0) ||
           regjson_fail(j, key, "expected 0 to 3600 s");
}

static bool read_head(struct regjson *j, const cJSON *root, struct regmap *map)
{
    if (!regjson_text(j, root, "name", map->name, sizeof(map->name)) ||
        !read_device(j, root, map) || !read_order(j, root, map) ||
        !read_discover(j, root, map) ||
        !regjson_bool(j, root, "commissioned", &map->commissioned) ||
        !regjson_int(j, root, "read_fc", 3, 4, &map->read_fc) ||
        !regjson_int(j, root, "write_fc", 6, 16, &map->write_fc) ||
        !regjson_int(j, root, "max_gap", 0, 124, &map->max_gap) ||
        !regjson_int(j, root, "max_clients", 0, 1000, &map->max_clients) ||
        !read_seconds(j, root, "poll_s", &map->poll_s) ||
        !read_seconds(j, root, "slow_s", &map->slow_s) ||
        !read_seconds(j, root, "quiet_s", &map->quiet_s)) {
        return false;
    }
    if (map->name[0] == '\0') {
        return regjson_fail(j, "name", "expected the map's name");
    }
    if (map->write_fc != 6 && map->write_fc != 16) {
        return regjson_fail(j, "write_fc", "expected 6 or 16");
    }
    return true;
}

static bool read_map(struct regjson *j, const cJSON *root, struct regmap *map)
{
    static const char *const keys[] = {
        "name",      "device",   "commissioned", "word_order",  "byte_swap",
        "read_fc",   "write_fc", "max_gap",      "max_clients", "poll_s",
        "slow_s",    "quiet_s",  "discover",     "points",      "roles",
        "sequences", "groups",   NULL,
    };
    *map = (struct regmap){
        .read_fc = 3,
        .write_fc = 16,
        .max_gap = 8,
        .slow_s = 1.0,
    };
    return regjson_object(j, root, keys) && read_head(j, root, map) &&
           regmap_points(j, root, map) && regmap_groups(j, root, map) &&
           regmap_roles(j, root, map) && regmap_sequences(j, root, map) &&
           regmap_check(j, map);
}

enum err regmap_parse(struct regmap *map, const char *file, const char *text,
                      size_t size, char *why, size_t why_size)
{
    struct regjson j = {.file = file, .why = why, .why_size = why_size};
    cJSON *root = regjson_parse(&j, text, size);
    if (root == NULL) {
        return ERR_SYNTAX;
    }
    bool ok = read_map(&j, root, map);
    cJSON_Delete(root);
    return ok ? ERR_NONE : ERR_RANGE;
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') != NULL ||
           (n > 5 && strcmp(name + n - 5, ".json") == 0);
}

static enum err load_file(struct regmap *map, const char *path, FILE *f,
                          char *why, size_t why_size)
{
    char *text = malloc(REGMAP_FILE_MAX + 1);
    if (text == NULL) {
        snprintf(why, why_size, "%s: out of memory", path);
        return ERR_MEMORY;
    }
    size_t n = fread(text, 1, REGMAP_FILE_MAX + 1, f);
    enum err e = ERR_NONE;
    if (ferror(f)) {
        snprintf(why, why_size, "%s: cannot be read", path);
        e = ERR_IO;
    } else if (n > REGMAP_FILE_MAX) {
        snprintf(why, why_size, "%s: larger than %d bytes", path,
                 REGMAP_FILE_MAX);
        e = ERR_RANGE;
    } else {
        e = regmap_parse(map, path, text, n, why, why_size);
    }
    free(text);
    return e;
}

enum err regmap_load(struct regmap *map, const char *dir, const char *name,
                     char *why, size_t why_size)
{
    char path[512];
    bool shipped = !is_path(name);
    if (shipped) {
        const char *file = strcmp(name, "sunspec") == 0 ? "sunspec-der" : name;
        snprintf(path, sizeof(path), "%s/%s.json", dir, file);
    } else {
        snprintf(path, sizeof(path), "%s", name);
    }
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        snprintf(why, why_size,
                 shipped ? "%s: no register map of this name is shipped (%s)"
                         : "%s: cannot be opened (%s)",
                 shipped ? name : path, shipped ? path : strerror(errno));
        return shipped ? ERR_UNKNOWN : ERR_IO;
    }
    enum err e = load_file(map, path, f, why, why_size);
    fclose(f);
    return e;
}
