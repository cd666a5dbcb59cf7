/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/regjson.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t extend(struct regjson *j, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static size_t extend(struct regjson *j, const char *format, ...)
{
    size_t mark = strlen(j->path);
    va_list args;
    va_start(args, format);
    vsnprintf(j->path + mark, sizeof(j->path) - mark, format, args);
    va_end(args);
    return mark;
}

size_t regjson_key(struct regjson *j, const char *key)
{
    return extend(j, ".%s", key);
}

size_t regjson_index(struct regjson *j, int index)
{
    return extend(j, "[%d]", index);
}

void regjson_up(struct regjson *j, size_t mark)
{
    j->path[mark] = '\0';
}

bool regjson_fail(struct regjson *j, const char *key, const char *format, ...)
{
    if (j->failed) {
        return false;
    }
    j->failed = true;
    int n = snprintf(j->why, j->why_size, "%s: %s%s%s: ", j->file, j->path,
                     key != NULL ? "." : "", key != NULL ? key : "");
    if (n >= 0 && (size_t)n < j->why_size) {
        va_list args;
        va_start(args, format);
        vsnprintf(j->why + n, j->why_size - (size_t)n, format, args);
        va_end(args);
    }
    return false;
}

/* Says line and column of 'at' in place of a path. */
static void syntax(struct regjson *j, const char *text, const char *at,
                   const char *what)
{
    int line = 1;
    int column = 1;
    for (const char *p = text; p < at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    j->failed = true;
    snprintf(j->why, j->why_size, "%s:%d:%d: %s", j->file, line, column, what);
}

cJSON *regjson_parse(struct regjson *j, const char *text, size_t size)
{
    snprintf(j->path, sizeof(j->path), "$");
    const char *end = text;
    cJSON *root = cJSON_ParseWithLengthOpts(text, size, &end, 0);
    if (root == NULL) {
        syntax(j, text, end, "not JSON");
        return NULL;
    }
    while (end < text + size && isspace((unsigned char)*end)) {
        end++;
    }
    if (end < text + size) {
        syntax(j, text, end, "text after the end of the map");
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

static bool known(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0) {
            return true;
        }
    }
    return key[0] == '_';
}

bool regjson_object(struct regjson *j, const cJSON *o, const char *const *keys)
{
    if (!cJSON_IsObject(o)) {
        return regjson_fail(j, NULL, "expected an object");
    }
    for (const cJSON *a = o->child; a != NULL; a = a->next) {
        if (!known(a->string, keys)) {
            return regjson_fail(j, a->string, "no such key");
        }
        for (const cJSON *b = a->next; b != NULL; b = b->next) {
            if (strcmp(a->string, b->string) == 0) {
                return regjson_fail(j, a->string, "given twice");
            }
        }
    }
    return true;
}

bool regjson_array(struct regjson *j, const cJSON *o, const char *key, int max,
                   const cJSON **out)
{
    *out = cJSON_GetObjectItemCaseSensitive(o, key);
    if (*out == NULL) {
        return true;
    }
    if (!cJSON_IsArray(*out)) {
        return regjson_fail(j, key, "expected an array");
    }
    if (cJSON_GetArraySize(*out) > max) {
        return regjson_fail(j, key, "more than %d entries", max);
    }
    return true;
}

bool regjson_text(struct regjson *j, const cJSON *o, const char *key, char *out,
                  size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsString(item)) {
        return regjson_fail(j, key, "expected a text");
    }
    if (strlen(item->valuestring) >= size) {
        return regjson_fail(j, key, "longer than %zu bytes", size - 1);
    }
    snprintf(out, size, "%s", item->valuestring);
    return true;
}

bool regjson_number(struct regjson *j, const cJSON *o, const char *key,
                    double *out, bool *given)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);
    if (given != NULL) {
        *given = item != NULL;
    }
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) {
        return regjson_fail(j, key, "expected a finite number");
    }
    *out = item->valuedouble;
    return true;
}

bool regjson_bool(struct regjson *j, const cJSON *o, const char *key, bool *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsBool(item)) {
        return regjson_fail(j, key, "expected true or false");
    }
    *out = cJSON_IsTrue(item);
    return true;
}

bool regjson_is_int(const cJSON *item, int64_t min, int64_t max)
{
    if (!cJSON_IsNumber(item)) {
        return false;
    }
    double x = item->valuedouble;
    return x >= (double)min && x <= (double)max && x == nearbyint(x);
}

bool regjson_int(struct regjson *j, const cJSON *o, const char *key, int min,
                 int max, int *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);
    if (item == NULL) {
        return true;
    }
    if (!regjson_is_int(item, min, max)) {
        return regjson_fail(j, key, "expected a whole number %d to %d", min,
                            max);
    }
    *out = (int)item->valuedouble;
    return true;
}
