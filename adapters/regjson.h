/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * regjson - reads untrusted JSON objects and says where they are wrong.
 *
 * Every fault is told once, the first, as "FILE: $.points[3].type: what was
 * expected".  A function returns false after a fault; what it was to fill is
 * then undefined.  Keys beginning with '_' are comments.
 */
#ifndef ADAPTERS_REGJSON_H
#define ADAPTERS_REGJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum { REGJSON_PATH_MAX = 160 };

struct regjson {
    const char *file;
    char *why; /* of the caller */
    size_t why_size;
    bool failed;
    char path[REGJSON_PATH_MAX]; /* "$", "$.points[3]" */
};

/* Where the path ends now; give it back to regjson_up(). */
size_t regjson_key(struct regjson *j, const char *key);
size_t regjson_index(struct regjson *j, int index);
void regjson_up(struct regjson *j, size_t mark);

/* Note a fault at 'key' (NULL: at the object itself); returns false. */
bool regjson_fail(struct regjson *j, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Parse the whole text; NULL with 'why' filled on syntax errors (with line
 * and column) and on anything after the end.  Free with cJSON_Delete(). */
cJSON *regjson_parse(struct regjson *j, const char *text, size_t size);

/* 'o' is an object, and has no key twice and none outside 'keys' (ended by
 * NULL). */
bool regjson_object(struct regjson *j, const cJSON *o, const char *const *keys);

/* An optional array of at most 'max' items, or NULL where absent. */
bool regjson_array(struct regjson *j, const cJSON *o, const char *key, int max,
                   const cJSON **out);

/* Members.  Where the key is absent, 'out' keeps its value and 'given' (may
 * be NULL) is false. */
bool regjson_text(struct regjson *j, const cJSON *o, const char *key, char *out,
                  size_t size);
bool regjson_number(struct regjson *j, const cJSON *o, const char *key,
                    double *out, bool *given);
bool regjson_bool(struct regjson *j, const cJSON *o, const char *key,
                  bool *out);
bool regjson_int(struct regjson *j, const cJSON *o, const char *key, int min,
                 int max, int *out);

/* 'item' is a whole number within min..max. */
bool regjson_is_int(const cJSON *item, int64_t min, int64_t max);

#endif
