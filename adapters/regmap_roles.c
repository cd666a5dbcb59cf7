/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The roles and sequences of a register map. */
#include <math.h>
#include <string.h>

#include "adapters/regmap_parts.h"

/* The point that 'item' names. */
static bool named(struct regjson *j, const cJSON *item,
                  const struct regmap *map, int *out)
{
    if (!cJSON_IsString(item)) {
        return regjson_fail(j, NULL, "expected the id of a point");
    }
    *out = regmap_find(map, item->valuestring);
    if (*out < 0 || map->points[*out].hidden) {
        return regjson_fail(j, NULL, "no point \"%s\"", item->valuestring);
    }
    return true;
}

/* {"ratio": ["a", "b" | number]} or {"product": ["amperes", "volts"]} */
static bool read_pair(struct regjson *j, const cJSON *o,
                      const struct regmap *map, struct regmap_term *t)
{
    static const char *const keys[] = {"ratio", "product", NULL};
    if (!regjson_object(j, o, keys)) {
        return false;
    }
    const cJSON *pair = cJSON_GetObjectItemCaseSensitive(o, "ratio");
    t->op = pair != NULL ? REG_OP_RATIO : REG_OP_PRODUCT;
    if (pair == NULL) {
        pair = cJSON_GetObjectItemCaseSensitive(o, "product");
    }
    if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2 ||
        cJSON_GetArraySize(o) != 1) {
        return regjson_fail(j, NULL, "expected a ratio or a product of two");
    }
    const cJSON *b = cJSON_GetArrayItem(pair, 1);
    if (!named(j, cJSON_GetArrayItem(pair, 0), map, &t->a)) {
        return false;
    }
    if (t->op == REG_OP_RATIO && cJSON_IsNumber(b)) {
        t->divisor = b->valuedouble;
        t->b = -1;
        return (isfinite(t->divisor) && t->divisor > 0.0) ||
               regjson_fail(j, NULL, "expected a divisor above 0");
    }
    return named(j, b, map, &t->b);
}

static bool fits_role(struct regjson *j, const struct regmap *map,
                      enum reg_role role, const struct regmap_term *t)
{
    enum reg_dimension want = regmap_role_dimension(role);
    const struct regmap_point *a = &map->points[t->a];
    const struct regmap_point *b = t->b >= 0 ? &map->points[t->b] : NULL;
    bool fits = false;
    switch (t->op) {
    case REG_OP_POINT:
        fits = want == REG_DIMENSION_TEXT
                   ? a->codec.type == REG_STR
                   : a->codec.type != REG_STR &&
                         (want == REG_DIMENSION_ANY || want == a->dimension);
        break;
    case REG_OP_RATIO:
        fits = want == REG_DIMENSION_FRACTION && a->codec.type != REG_STR &&
               (b == NULL ||
                (b->codec.type != REG_STR && a->dimension == b->dimension));
        break;
    case REG_OP_PRODUCT:
        fits = want == REG_DIMENSION_POWER && b != NULL &&
               ((a->dimension == REG_DIMENSION_CURRENT &&
                 b->dimension == REG_DIMENSION_VOLTAGE) ||
                (b->dimension == REG_DIMENSION_CURRENT &&
                 a->dimension == REG_DIMENSION_VOLTAGE));
        break;
    }
    if (!fits) {
        return regjson_fail(j, NULL, "type or unit is not that of %s",
                            regmap_dimension_text(want));
    }
    if (regmap_role_is_written(role) && !a->writable) {
        return regjson_fail(j, NULL, "\"%s\" needs access rw", a->id);
    }
    if (t->op != REG_OP_POINT && regmap_role_is_list(role)) {
        return regjson_fail(j, NULL, "expected points");
    }
    return true;
}

static bool read_term(struct regjson *j, const cJSON *item,
                      const struct regmap *map, enum reg_role role,
                      struct regmap_term *t)
{
    *t = (struct regmap_term){.op = REG_OP_POINT, .b = -1};
    bool ok = cJSON_IsObject(item) ? read_pair(j, item, map, t)
                                   : named(j, item, map, &t->a);
    return ok && fits_role(j, map, role, t);
}

static bool read_role(struct regjson *j, const cJSON *item, struct regmap *map,
                      enum reg_role role)
{
    struct regmap_role *r = &map->roles[role];
    if (!cJSON_IsArray(item)) {
        r->n_terms = 1;
        return read_term(j, item, map, role, &r->terms[0]);
    }
    int n = cJSON_GetArraySize(item);
    bool one = regmap_role_is_written(role) && !regmap_role_is_list(role);
    int max = one ? 1 : REGMAP_TERMS_MAX;
    if (n < 1 || n > max) {
        return regjson_fail(j, NULL, "expected 1 to %d points", max);
    }
    for (int i = 0; i < n; i++) {
        size_t mark = regjson_index(j, i);
        if (!read_term(j, cJSON_GetArrayItem(item, i), map, role,
                       &r->terms[r->n_terms++])) {
            return false;
        }
        regjson_up(j, mark);
    }
    return true;
}

bool regmap_roles(struct regjson *j, const cJSON *root, struct regmap *map)
{
    const cJSON *roles = cJSON_GetObjectItemCaseSensitive(root, "roles");
    if (roles == NULL) {
        return regjson_fail(j, "roles", "expected an object");
    }
    const char *keys[REG_ROLE_COUNT + 1] = {NULL};
    for (enum reg_role r = 0; r < REG_ROLE_COUNT; r++) {
        keys[r] = regmap_role_word(r);
    }
    size_t mark = regjson_key(j, "roles");
    if (!regjson_object(j, roles, keys)) {
        return false;
    }
    for (enum reg_role r = 0; r < REG_ROLE_COUNT; r++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(roles, keys[r]);
        size_t role = regjson_key(j, keys[r]);
        if (item != NULL && !read_role(j, item, map, r)) {
            return false;
        }
        regjson_up(j, role);
    }
    regjson_up(j, mark);
    return true;
}

static const struct {
    const char *word;
    enum reg_dimension dimension;
} vars[REG_VAR_COUNT] = {
#define VAR_ROW(name, text, dim) \
    [REG_VAR_##name] = {.word = text, .dimension = REG_DIMENSION_##dim},
    REG_VAR_LIST(VAR_ROW)
#undef VAR_ROW
};

/* A number, a name of the point's enum, or a "$variable". */
static bool read_value(struct regjson *j, const cJSON *item,
                       const struct regmap_point *p, struct regmap_step *s)
{
    if (cJSON_IsNumber(item) && isfinite(item->valuedouble)) {
        s->number = item->valuedouble;
        return true;
    }
    const char *text = cJSON_GetStringValue(item);
    for (int i = 0; text != NULL && i < p->n_names; i++) {
        if (strcmp(text, p->names[i]) == 0) {
            s->number = (double)p->name_values[i];
            return true;
        }
    }
    for (enum reg_var v = REG_VAR_W; text != NULL && v < REG_VAR_COUNT; v++) {
        if (strcmp(text, vars[v].word) != 0) {
            continue;
        }
        s->var = v;
        if (vars[v].dimension != REG_DIMENSION_ANY &&
            vars[v].dimension != p->dimension) {
            return regjson_fail(j, NULL, "%s is %s, \"%s\" is not", text,
                                regmap_dimension_text(vars[v].dimension),
                                p->id);
        }
        return v != REG_VAR_HEARTBEAT || p->beat != REG_BEAT_NONE ||
               regjson_fail(j, NULL, "\"%s\" has no heartbeat", p->id);
    }
    return regjson_fail(j, NULL,
                        "expected a finite number, a name of the point's "
                        "enum, or $w, $fallback_w, $fallback_enable, "
                        "$fallback_ramp_w_per_s, "
                        "$fallback_ramp_pu_per_s, $expiry_s, $heartbeat, "
                        "$keep");
}

static bool read_wait(struct regjson *j, const cJSON *o, struct regmap_step *s)
{
    static const char *const keys[] = {"wait_s", "quiet_s", NULL};
    if (!regjson_object(j, o, keys) || cJSON_GetArraySize(o) != 1) {
        return regjson_fail(j, NULL, "expected wait_s or quiet_s");
    }
    bool quiet = cJSON_GetObjectItemCaseSensitive(o, "quiet_s") != NULL;
    const char *key = quiet ? "quiet_s" : "wait_s";
    s->kind = quiet ? REG_STEP_QUIET : REG_STEP_WAIT;
    if (!regjson_number(j, o, key, &s->wait_s, NULL)) {
        return false;
    }
    return (s->wait_s > 0.0 && s->wait_s <= 600.0) ||
           regjson_fail(j, key, "expected up to 600 s");
}

/* ["id", value], ["id", value, "optional"], {"wait_s": 5} */
static bool read_step(struct regjson *j, const cJSON *item,
                      const struct regmap *map, struct regmap_step *s)
{
    *s = (struct regmap_step){.kind = REG_STEP_WRITE};
    if (cJSON_IsObject(item)) {
        return read_wait(j, item, s);
    }
    int n = cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 0;
    if (n != 2 && n != 3) {
        return regjson_fail(j, NULL, "expected [point, value] or a wait");
    }
    if (!named(j, cJSON_GetArrayItem(item, 0), map, &s->point)) {
        return false;
    }
    const struct regmap_point *p = &map->points[s->point];
    if (!p->writable) {
        return regjson_fail(j, NULL, "\"%s\" needs access rw", p->id);
    }
    if (n == 3) {
        const char *word = cJSON_GetStringValue(cJSON_GetArrayItem(item, 2));
        s->optional = word != NULL && strcmp(word, "optional") == 0;
        if (!s->optional) {
            return regjson_fail(j, NULL, "expected \"optional\" or nothing");
        }
    }
    return read_value(j, cJSON_GetArrayItem(item, 1), p, s);
}

static bool read_sequence(struct regjson *j, const cJSON *list,
                          const struct regmap *map, struct regmap_sequence *q)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        size_t mark = regjson_index(j, q->n_steps);
        if (!read_step(j, item, map, &q->steps[q->n_steps])) {
            return false;
        }
        q->n_steps++;
        regjson_up(j, mark);
    }
    return true;
}

bool regmap_sequences(struct regjson *j, const cJSON *root, struct regmap *map)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, "sequences");
    if (o == NULL) {
        return true;
    }
    const char *keys[REG_SEQUENCE_COUNT + 1] = {NULL};
    for (enum reg_sequence s = 0; s < REG_SEQUENCE_COUNT; s++) {
        keys[s] = regmap_sequence_word(s);
    }
    size_t mark = regjson_key(j, "sequences");
    if (!regjson_object(j, o, keys)) {
        return false;
    }
    for (enum reg_sequence s = 0; s < REG_SEQUENCE_COUNT; s++) {
        const cJSON *list = NULL;
        if (!regjson_array(j, o, keys[s], REGMAP_STEPS_MAX, &list)) {
            return false;
        }
        size_t key = regjson_key(j, keys[s]);
        if (!read_sequence(j, list, map, &map->sequences[s])) {
            return false;
        }
        regjson_up(j, key);
    }
    regjson_up(j, mark);
    return true;
}
