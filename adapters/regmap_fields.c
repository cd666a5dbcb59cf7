/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a point of a register map says of its number, and what it marks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/regmap_parts.h"

struct unit_row {
    const char *word;
    enum reg_dimension dimension;
    double factor; /* into the base unit of STYLE.md */
};

static const struct unit_row units[] = {
    {"", REG_DIMENSION_ANY, 1.0},
    {"W", REG_DIMENSION_POWER, 1.0},
    {"kW", REG_DIMENSION_POWER, 1e3},
    {"MW", REG_DIMENSION_POWER, 1e6},
    {"Wh", REG_DIMENSION_ENERGY, 1.0},
    {"kWh", REG_DIMENSION_ENERGY, 1e3},
    {"MWh", REG_DIMENSION_ENERGY, 1e6},
    {"%", REG_DIMENSION_FRACTION, 0.01},
    {"pu", REG_DIMENSION_FRACTION, 1.0},
    {"C", REG_DIMENSION_TEMPERATURE, 1.0},
    {"V", REG_DIMENSION_VOLTAGE, 1.0},
    {"kV", REG_DIMENSION_VOLTAGE, 1e3},
    {"A", REG_DIMENSION_CURRENT, 1.0},
    {"Hz", REG_DIMENSION_FREQUENCY, 1.0},
    {"mHz", REG_DIMENSION_FREQUENCY, 1e-3},
    {"s", REG_DIMENSION_DURATION, 1.0},
    {"ms", REG_DIMENSION_DURATION, 1e-3},
    {"W/s", REG_DIMENSION_RAMP, 1.0},
    {"kW/s", REG_DIMENSION_RAMP, 1e3},
    {"%/s", REG_DIMENSION_RAMP_PU, 0.01},
};

static bool read_unit(struct regjson *j, const cJSON *o, struct regmap_point *p)
{
    if (!regjson_text(j, o, "unit", p->unit, sizeof(p->unit))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(p->unit, units[i].word) == 0) {
            p->dimension = units[i].dimension;
            p->codec.factor = units[i].factor;
            return true;
        }
    }
    return regjson_fail(j, "unit",
                        "expected W, kW, MW, Wh, kWh, MWh, %%, pu, C, V, kV, "
                        "A, Hz, mHz, s, ms, W/s, kW/s or %%/s");
}

static bool read_sign(struct regjson *j, const cJSON *o, struct regmap_point *p)
{
    static const struct {
        const char *word;
        double factor;
    } signs[] = {
        {"charge_positive", 1.0},
        {"discharge_positive", -1.0},
        {"import_positive", 1.0},
        {"export_positive", -1.0},
    };
    char word[24] = "";
    if (!regjson_text(j, o, "sign", word, sizeof(word))) {
        return false;
    }
    if (word[0] == '\0') {
        return true;
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (strcmp(word, signs[i].word) == 0) {
            p->codec.factor *= signs[i].factor;
            return p->dimension == REG_DIMENSION_POWER ||
                   p->dimension == REG_DIMENSION_CURRENT ||
                   regjson_fail(j, "sign",
                                "only a power or a current has a sign");
        }
    }
    return regjson_fail(j, "sign",
                        "expected charge_positive, discharge_positive, "
                        "import_positive or export_positive");
}

/* "u16", "bit(3)", "str32" (bytes). */
static bool read_type(struct regjson *j, const cJSON *o, struct reg_codec *c)
{
    char word[16] = "";
    if (!regjson_text(j, o, "type", word, sizeof(word))) {
        return false;
    }
    for (enum reg_type t = 0; t < REG_TYPE_COUNT; t++) {
        c->n_regs = regcodec_regs(t);
        c->type = t;
        if (t != REG_STR && t != REG_BIT &&
            strcmp(word, regcodec_word(t)) == 0) {
            return true;
        }
    }
    char tail = '\0';
    int n = 0;
    if (sscanf(word, "bit(%d%c", &n, &tail) == 2 && tail == ')' && n >= 0 &&
        n <= 15) {
        c->type = REG_BIT;
        c->bit = n;
        c->n_regs = 1;
        return true;
    }
    if (sscanf(word, "str%d%c", &n, &tail) == 1 && n >= 2 && n % 2 == 0 &&
        n <= 2 * REG_READ_MAX) {
        c->type = REG_STR;
        c->n_regs = n / 2;
        return true;
    }
    return regjson_fail(j, "type",
                        "expected u16, i16, enum, u32, i32, u64, i64, f32, "
                        "f64, bit(0..15) or strN (N bytes, even, to 250)");
}

static bool read_scale(struct regjson *j, const cJSON *o,
                       struct regmap_point *p)
{
    struct reg_codec *c = &p->codec;
    bool min_given = false;
    bool max_given = false;
    if (!regjson_number(j, o, "scale", &c->scale, NULL) ||
        !regjson_number(j, o, "offset", &c->offset, NULL) ||
        !regjson_number(j, o, "min", &c->min, &min_given) ||
        !regjson_number(j, o, "max", &c->max, &max_given)) {
        return false;
    }
    p->range_given = min_given && max_given;
    if (c->scale == 0.0) {
        return regjson_fail(j, "scale", "must not be 0");
    }
    if (c->min > c->max) {
        return regjson_fail(j, "min", "is above max");
    }
    return true;
}

/* "ni": a number, or null for none.  SunSpec maps have one by default. */
static bool read_absent(struct regjson *j, const cJSON *o, bool sunspec,
                        struct reg_codec *c)
{
    const cJSON *ni = cJSON_GetObjectItemCaseSensitive(o, "ni");
    bool integer = c->type != REG_STR && c->type != REG_F32 &&
                   c->type != REG_F64 && c->type != REG_BIT;
    if (ni == NULL || cJSON_IsNull(ni)) {
        c->has_absent = ni == NULL && sunspec && integer;
        c->absent = c->has_absent ? regcodec_absent(c->type) : 0;
        return true;
    }
    if (!integer) {
        return regjson_fail(j, "ni", "only for integers; NaN always counts");
    }
    double top = ldexp(1.0, 16 * c->n_regs);
    if (!cJSON_IsNumber(ni) || !(ni->valuedouble >= 0.0) ||
        !(ni->valuedouble < top) ||
        ni->valuedouble != nearbyint(ni->valuedouble)) {
        return regjson_fail(j, "ni",
                            "expected the bits as a whole number, "
                            "0 to %.0f, or null",
                            top - 1.0);
    }
    c->has_absent = true;
    c->absent = (uint64_t)ni->valuedouble;
    return true;
}

static bool read_values(struct regjson *j, const cJSON *o, const char *key,
                        int64_t *out, int *n)
{
    const cJSON *list = NULL;
    if (!regjson_array(j, o, key, REGMAP_VALUES_MAX, &list)) {
        return false;
    }
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!regjson_is_int(item, INT32_MIN, UINT32_MAX)) {
            return regjson_fail(j, key, "expected whole numbers");
        }
        out[(*n)++] = (int64_t)item->valuedouble;
    }
    return true;
}

static bool read_bits(struct regjson *j, const cJSON *o, struct regmap_point *p)
{
    int64_t bits[REGMAP_VALUES_MAX];
    int n = 0;
    if (!read_values(j, o, "blocks_bits", bits, &n)) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (bits[i] < 0 || bits[i] >= 16 * p->codec.n_regs || bits[i] > 63) {
            return regjson_fail(j, "blocks_bits", "bit %lld is outside %s",
                                (long long)bits[i],
                                regcodec_word(p->codec.type));
        }
        p->blocks_bits |= UINT64_C(1) << bits[i];
    }
    return true;
}

static bool read_names(struct regjson *j, const cJSON *o,
                       struct regmap_point *p)
{
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(o, "enum");
    if (names == NULL) {
        return true;
    }
    if (!cJSON_IsObject(names)) {
        return regjson_fail(j, "enum", "expected an object of numbers");
    }
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, names)
    {
        if (p->n_names == REGMAP_VALUES_MAX ||
            strlen(item->string) >= sizeof(p->names[0]) ||
            !regjson_is_int(item, INT32_MIN, UINT32_MAX)) {
            return regjson_fail(j, "enum",
                                "expected at most %d short names, each a "
                                "whole number",
                                REGMAP_VALUES_MAX);
        }
        snprintf(p->names[p->n_names], sizeof(p->names[0]), "%s", item->string);
        p->name_values[p->n_names++] = (int64_t)item->valuedouble;
    }
    return true;
}

/* {"kind": "count"}, {"kind": "toggle", "values": [0, 65535]} or
 * {"kind": "echo", "of": "hb.device"} */
static bool read_beat(struct regjson *j, const cJSON *o,
                      const struct regmap *map, struct regmap_point *p)
{
    static const char *const keys[] = {"kind", "values", "of", NULL};
    const cJSON *beat = cJSON_GetObjectItemCaseSensitive(o, "heartbeat");
    if (beat == NULL) {
        return true;
    }
    size_t mark = regjson_key(j, "heartbeat");
    char kind[8] = "";
    char of[REGMAP_ID_MAX] = "";
    int64_t values[REGMAP_VALUES_MAX] = {0};
    int n = 0;
    if (!regjson_object(j, beat, keys) ||
        !regjson_text(j, beat, "kind", kind, sizeof(kind)) ||
        !regjson_text(j, beat, "of", of, sizeof(of)) ||
        !read_values(j, beat, "values", values, &n)) {
        return false;
    }
    if (strcmp(kind, "count") == 0) {
        p->beat = REG_BEAT_COUNT;
    } else if (strcmp(kind, "toggle") == 0) {
        p->beat = REG_BEAT_TOGGLE;
        if (n != 2 || values[0] == values[1] || values[0] < 0 ||
            values[1] < 0) {
            return regjson_fail(j, "values", "expected two different values");
        }
        memcpy(p->toggle, values, sizeof(p->toggle));
    } else if (strcmp(kind, "echo") == 0) {
        p->beat = REG_BEAT_ECHO;
        p->echo_of = regmap_find(map, of);
        if (p->echo_of < 0) {
            return regjson_fail(j, "of", "no point \"%s\" before this", of);
        }
    } else {
        return regjson_fail(j, "kind", "expected count, toggle or echo");
    }
    regjson_up(j, mark);
    return true;
}

static bool read_access(struct regjson *j, const cJSON *o,
                        struct regmap_point *p)
{
    char access[4] = "r";
    char confirm[16] = "readback";
    char confidence[2] = "";
    if (!regjson_text(j, o, "access", access, sizeof(access)) ||
        !regjson_text(j, o, "confirm", confirm, sizeof(confirm)) ||
        !regjson_text(j, o, "confidence", confidence, sizeof(confidence)) ||
        !regjson_bool(j, o, "counter", &p->counter)) {
        return false;
    }
    p->writable = strcmp(access, "rw") == 0;
    p->confirm = strcmp(confirm, "readback") == 0;
    p->confidence = confidence[0];
    if (!p->writable && strcmp(access, "r") != 0) {
        return regjson_fail(j, "access", "expected r or rw");
    }
    if (!p->confirm && strcmp(confirm, "none") != 0) {
        return regjson_fail(j, "confirm", "expected readback or none");
    }
    if (p->confidence != '\0' && strchr("ABC", p->confidence) == NULL) {
        return regjson_fail(j, "confidence", "expected A, B or C");
    }
    enum reg_type t = p->codec.type;
    if (p->writable && (t == REG_STR || t == REG_BIT || p->read_fc == 4)) {
        return regjson_fail(j, "access",
                            "a string, a bit or an input register (fc 4) "
                            "cannot be written");
    }
    if (p->counter &&
        (p->codec.offset != 0.0 || (t != REG_U16 && t != REG_U32))) {
        return regjson_fail(j, "counter",
                            "only for u16 and u32 without offset, which wrap");
    }
    return true;
}

bool regmap_number(struct regjson *j, const cJSON *o, bool sunspec,
                   struct regmap_point *p)
{
    struct reg_codec *c = &p->codec;
    char order[8] = "";
    if (!read_type(j, o, c) || !read_unit(j, o, p) || !read_sign(j, o, p) ||
        !read_scale(j, o, p) || !read_absent(j, o, sunspec, c) ||
        !regjson_bool(j, o, "byte_swap", &c->swap_bytes) ||
        !regjson_text(j, o, "word_order", order, sizeof(order))) {
        return false;
    }
    if (order[0] != '\0') {
        c->low_word_first = strcmp(order, "little") == 0;
        if (!c->low_word_first && strcmp(order, "big") != 0) {
            return regjson_fail(j, "word_order", "expected big or little");
        }
    }
    return true;
}

bool regmap_marks(struct regjson *j, const cJSON *o, const struct regmap *map,
                  struct regmap_point *p)
{
    return read_access(j, o, p) &&
           read_values(j, o, "blocks", p->blocks, &p->n_blocks) &&
           read_values(j, o, "local", p->local, &p->n_local) &&
           read_bits(j, o, p) && read_names(j, o, p) && read_beat(j, o, map, p);
}
