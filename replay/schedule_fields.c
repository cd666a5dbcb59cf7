/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/schedule_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SHOWN = 40, VALUE_SHOWN = 40, KEYS_SHOWN = 400 };

/* Hostile text on a terminal: no control bytes. */
static void show(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c > 0x7E) {
            *text = '?';
        }
    }
}

size_t schedule_down(struct schedule_reader *r, const char *key, int64_t index)
{
    size_t before = r->n_path;
    char *at = r->path + before;
    size_t room = sizeof(r->path) - before;
    int n = 0;
    if (key == NULL) {
        n = snprintf(at, room, "[%lld]", (long long)index);
    } else {
        n = snprintf(at, room, "%s%.*s", before > 0 ? "." : "", KEY_SHOWN, key);
        show(at);
    }
    if (n > 0 && (size_t)n < room) {
        r->n_path += (size_t)n;
    }
    return before;
}

void schedule_up(struct schedule_reader *r, size_t n_path)
{
    r->n_path = n_path;
    r->path[n_path] = '\0';
}

static void tell_value(const cJSON *item, char *out, size_t size)
{
    if (item == NULL) {
        snprintf(out, size, "missing");
    } else if (cJSON_IsNumber(item)) {
        snprintf(out, size, "%.10g", item->valuedouble);
    } else if (cJSON_IsString(item)) {
        snprintf(out, size, "\"%.30s\"", item->valuestring);
        show(out);
    } else if (cJSON_IsArray(item)) {
        snprintf(out, size, "an array of %d", cJSON_GetArraySize(item));
    } else {
        snprintf(out, size, "%s",
                 cJSON_IsNull(item)    ? "null"
                 : cJSON_IsTrue(item)  ? "true"
                 : cJSON_IsFalse(item) ? "false"
                                       : "an object");
    }
}

enum err schedule_bad(struct schedule_reader *r, const cJSON *item,
                      const char *expected)
{
    char value[VALUE_SHOWN];
    tell_value(item, value, sizeof(value));
    snprintf(r->why, r->why_size, "%s%s%s: expected %s", r->path,
             r->n_path > 0 ? ": " : "", value, expected);
    return ERR_RANGE;
}

static bool in_range(const cJSON *item, const struct schedule_field *f)
{
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) &&
           item->valuedouble >= f->lo && item->valuedouble <= f->hi;
}

static enum err read_array(struct schedule_reader *r, const cJSON *item,
                           const struct schedule_field *f, double *out)
{
    int64_t n = cJSON_GetArraySize(item);
    if (n != r->n_steps) {
        char expected[80];
        snprintf(expected, sizeof(expected),
                 "one number per step, and load_w has %lld",
                 (long long)r->n_steps);
        return schedule_bad(r, item, expected);
    }
    int64_t t = 0;
    const cJSON *x = NULL;
    cJSON_ArrayForEach(x, item)
    {
        if (!in_range(x, f)) {
            schedule_down(r, NULL, t);
            return schedule_bad(r, x, f->expected);
        }
        out[t++] = x->valuedouble;
    }
    return ERR_NONE;
}

static enum err read_series(struct schedule_reader *r, const cJSON *item,
                            const struct schedule_field *f, double *out)
{
    if (cJSON_IsArray(item)) {
        return read_array(r, item, f, out);
    }
    if (item != NULL && !cJSON_IsNull(item) && !in_range(item, f)) {
        return schedule_bad(r, item, f->expected);
    }
    bool given = cJSON_IsNumber(item);
    for (int64_t t = 0; t < r->n_steps; t++) {
        out[t] = given ? item->valuedouble : f->absent;
    }
    return ERR_NONE;
}

static enum err read_number(struct schedule_reader *r, const cJSON *item,
                            const struct schedule_field *f, double *out)
{
    *out = f->absent;
    if (item == NULL || cJSON_IsNull(item)) {
        return ERR_NONE;
    }
    if (!in_range(item, f)) {
        return schedule_bad(r, item, f->expected);
    }
    *out = item->valuedouble;
    return ERR_NONE;
}

/* So that it can be printed, into a JSON answer too. */
static bool is_name(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F ||
            (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0)) {
            return false;
        }
    }
    return n > 0 && n < SITE_NAME_MAX;
}

static enum err read_name(struct schedule_reader *r, const cJSON *item,
                          char *out)
{
    if (!cJSON_IsString(item) || !is_name(item->valuestring)) {
        return schedule_bad(r, item,
                            "a name of 1 to 47 bytes without quotes, "
                            "backslashes and control characters");
    }
    snprintf(out, SITE_NAME_MAX, "%s", item->valuestring);
    return ERR_NONE;
}

static enum err read_bool(struct schedule_reader *r, const cJSON *item,
                          bool *out)
{
    if (item != NULL && !cJSON_IsNull(item) && !cJSON_IsBool(item)) {
        return schedule_bad(r, item, "true or false");
    }
    *out = cJSON_IsTrue(item);
    return ERR_NONE;
}

static enum err read_field(struct schedule_reader *r, const cJSON *object,
                           const struct schedule_field *f, char *into)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, f->key);
    size_t up = schedule_down(r, f->key, 0);
    if (f->required && (item == NULL || cJSON_IsNull(item))) {
        return schedule_bad(r, item, f->expected);
    }
    enum err e = ERR_NONE;
    void *out = into + f->offset;
    switch (f->kind) {
    case SCHEDULE_NUMBER:
        e = read_number(r, item, f, out);
        break;
    case SCHEDULE_SERIES:
        e = read_series(r, item, f, out);
        break;
    case SCHEDULE_NAME:
        e = read_name(r, item, out);
        break;
    case SCHEDULE_BOOL:
        e = read_bool(r, item, out);
        break;
    case SCHEDULE_OTHER:
        break;
    }
    if (e == ERR_NONE) {
        schedule_up(r, up);
    }
    return e;
}

static enum err unknown(struct schedule_reader *r,
                        const struct schedule_field *fields, const char *key)
{
    schedule_down(r, key, 0);
    char list[KEYS_SHOWN] = "";
    size_t n = 0;
    for (const struct schedule_field *f = fields; f->key != NULL; f++) {
        int k = snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "",
                         f->key);
        n += k > 0 && (size_t)k < sizeof(list) - n ? (size_t)k : 0;
    }
    snprintf(r->why, r->why_size, "%s: no such key: expected %s", r->path,
             list);
    return ERR_UNKNOWN;
}

static enum err check_keys(struct schedule_reader *r, const cJSON *object,
                           const struct schedule_field *fields)
{
    uint64_t seen = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        unsigned i = 0;
        while (fields[i].key != NULL &&
               strcmp(fields[i].key, item->string) != 0) {
            i++;
        }
        if (fields[i].key == NULL) {
            return unknown(r, fields, item->string);
        }
        if ((seen >> i & 1) != 0) {
            schedule_down(r, item->string, 0);
            return schedule_bad(r, item, "this key once, and it is repeated");
        }
        seen |= (uint64_t)1 << i;
    }
    return ERR_NONE;
}

enum err schedule_fields_read(struct schedule_reader *r, const cJSON *object,
                              const struct schedule_field *fields, void *into)
{
    if (!cJSON_IsObject(object)) {
        return schedule_bad(r, object, "an object");
    }
    enum err e = check_keys(r, object, fields);
    for (const struct schedule_field *f = fields;
         f->key != NULL && e == ERR_NONE; f++) {
        e = read_field(r, object, f, into);
    }
    return e;
}
