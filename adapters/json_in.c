/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/json_in.h"

#include <math.h>
#include <string.h>

#include "models/calendar.h"

/* Length of the UTF-8 sequence at 'p' (RFC 3629: no surrogates, no overlong
 * forms, at most U+10FFFF), 0 where it is not one. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char lo, hi;           /* first byte */
        unsigned char next_lo, next_hi; /* second byte */
        size_t length;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (p[0] < 0x80) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (p[0] < rows[i].lo || p[0] > rows[i].hi) {
            continue;
        }
        if (left < rows[i].length || p[1] < rows[i].next_lo ||
            p[1] > rows[i].next_hi) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].length; k++) {
            if (p[k] < 0x80 || p[k] > 0xBF) {
                return 0;
            }
        }
        return rows[i].length;
    }
    return 0;
}

static bool is_control(unsigned char c)
{
    return c == 0x7F || (c < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

/* Where the look over the bytes stands. */
struct look {
    const struct json_in_limits *limits;
    int depth;
    int n_values;
    bool in_text;
    bool escaped;
};

/* One ASCII byte; NULL while all is well. */
static const char *look_at(struct look *l, unsigned char c)
{
    if (is_control(c)) {
        return "has a control character";
    }
    if (l->in_text) {
        l->in_text = l->escaped || c != '"';
        l->escaped = !l->escaped && c == '\\';
        return NULL;
    }
    l->in_text = c == '"';
    l->depth += c == '{' || c == '[';
    l->depth -= c == '}' || c == ']';
    l->n_values += c == ',' || c == ':';
    if (l->depth > l->limits->depth_max) {
        return "is nested too deep";
    }
    return l->n_values > l->limits->values_max ? "has too many values" : NULL;
}

/* NULL where all is well, else what is wrong at byte '*place'. */
static const char *look_over(const unsigned char *bytes, size_t size,
                             const struct json_in_limits *limits, size_t *place)
{
    struct look look = {.limits = limits};
    size_t at = 0;
    while (at < size) {
        size_t n = utf8_length(bytes + at, size - at);
        *place = at;
        if (n == 0) {
            return "is not UTF-8";
        }
        const char *why = n == 1 ? look_at(&look, bytes[at]) : NULL;
        if (why != NULL) {
            return why;
        }
        at += n;
    }
    return NULL;
}

/* NULL where no object in the tree repeats a key.  The tree is no deeper than
 * JSON_IN_DEPTH_MAX, so the recursion is bounded. */
static const char *find_repeated(const cJSON *item)
{
    const char *keys[JSON_IN_KEYS_MAX];
    int n_keys = 0;
    const cJSON *child = NULL;
    cJSON_ArrayForEach(child, item)
    {
        if (cJSON_IsObject(item)) {
            if (n_keys == JSON_IN_KEYS_MAX) {
                return "has too many keys";
            }
            for (int i = 0; i < n_keys; i++) {
                if (strcmp(keys[i], child->string) == 0) {
                    return "repeats a key";
                }
            }
            keys[n_keys++] = child->string;
        }
        const char *why = find_repeated(child);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

cJSON *json_in_parse_within(const void *bytes, size_t size,
                            const struct json_in_limits *limits,
                            struct json_in_fault *fault)
{
    const unsigned char *text = bytes;
    *fault = (struct json_in_fault){NULL, 0};
    while (size > 0 && is_space(text[size - 1])) {
        size--;
    }
    fault->why = size == 0 ? "is empty"
                 : size > limits->bytes_max
                     ? "is too long"
                     : look_over(text, size, limits, &fault->at);
    if (fault->why != NULL) {
        return NULL;
    }
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(bytes, size, &end, 0);
    if (tree == NULL || end != (const char *)bytes + size) {
        fault->why = "is not JSON";
        fault->at = end != NULL ? (size_t)(end - (const char *)bytes) : 0;
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}

cJSON *json_in_parse(const void *bytes, size_t size, const char **why)
{
    static const struct json_in_limits limits = {
        .bytes_max = JSON_IN_BYTES_MAX,
        .depth_max = JSON_IN_DEPTH_MAX,
        .values_max = JSON_IN_VALUES_MAX,
    };
    struct json_in_fault fault;
    cJSON *tree = json_in_parse_within(bytes, size, &limits, &fault);
    *why = fault.why;
    if (tree == NULL) {
        return NULL;
    }
    *why = find_repeated(tree);
    if (*why != NULL) {
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}

/* The member, with what can be said without knowing its type. */
static const cJSON *member(const cJSON *object, const char *key,
                           enum json_in_field *found)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    *found = item == NULL         ? JSON_IN_ABSENT
             : cJSON_IsNull(item) ? JSON_IN_NULL
                                  : JSON_IN_BAD;
    return item;
}

enum json_in_field json_in_number(const cJSON *object, const char *key,
                                  struct json_in_range range, double *value)
{
    enum json_in_field found;
    const cJSON *item = member(object, key, &found);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) ||
        item->valuedouble < range.lo || item->valuedouble > range.hi) {
        return found;
    }
    *value = item->valuedouble;
    return JSON_IN_OK;
}

enum json_in_field json_in_integer(const cJSON *object, const char *key,
                                   struct json_in_range range, int64_t *value)
{
    double x = 0.0;
    enum json_in_field found = json_in_number(object, key, range, &x);
    if (found != JSON_IN_OK) {
        return found;
    }
    if (x != floor(x) || fabs(x) > 9007199254740992.0) {
        return JSON_IN_BAD;
    }
    *value = (int64_t)x;
    return JSON_IN_OK;
}

enum json_in_field json_in_bool(const cJSON *object, const char *key,
                                bool *value)
{
    enum json_in_field found;
    const cJSON *item = member(object, key, &found);
    if (!cJSON_IsBool(item)) {
        return found;
    }
    *value = cJSON_IsTrue(item);
    return JSON_IN_OK;
}

enum json_in_field json_in_text(const cJSON *object, const char *key,
                                const char **value)
{
    enum json_in_field found;
    const cJSON *item = member(object, key, &found);
    if (!cJSON_IsString(item)) {
        return found;
    }
    *value = item->valuestring;
    return JSON_IN_OK;
}

enum json_in_field json_in_instant(const cJSON *object, const char *key,
                                   int64_t *utc_ms)
{
    const char *text = NULL;
    enum json_in_field found = json_in_text(object, key, &text);
    if (found != JSON_IN_OK) {
        return found;
    }
    return calendar_parse_utc(text, utc_ms) == ERR_NONE ? JSON_IN_OK
                                                        : JSON_IN_BAD;
}

bool json_in_is_text(const cJSON *object, const char *key, const char *text)
{
    const char *found = NULL;
    return json_in_text(object, key, &found) == JSON_IN_OK &&
           strcmp(found, text) == 0;
}
