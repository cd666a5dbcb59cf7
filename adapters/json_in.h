/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_in - JSON that strangers wrote.
 *
 * cJSON takes trailing text, repeated keys, broken UTF-8, 1e999 as infinity
 * and "500" as the number 0.  Here a text is looked over before cJSON sees it
 * (size, depth, UTF-8, control characters, number of values), parsed to its
 * very end, and refused where an object repeats a key; numbers are read with
 * type, finiteness and range checked.
 */
#ifndef ADAPTERS_JSON_IN_H
#define ADAPTERS_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum {
    JSON_IN_BYTES_MAX = 65536,
    JSON_IN_DEPTH_MAX = 8,
    JSON_IN_VALUES_MAX = 8192, /* counted by commas and colons */
    JSON_IN_KEYS_MAX = 96,     /* of one object */
};

/*
 * Parse 'size' bytes (no NUL needed) as one JSON value.  Returns the tree,
 * which the caller gives to cJSON_Delete(), or NULL; 'why' is then a static
 * text that says what is wrong.
 */
cJSON *json_in_parse(const void *bytes, size_t size, const char **why);

/* How much of a text is taken. */
struct json_in_limits {
    size_t bytes_max;
    int depth_max;
    int values_max;
};

/* What is wrong, and at which byte. */
struct json_in_fault {
    const char *why; /* static */
    size_t at;
};

/*
 * As json_in_parse() with limits of one's own, but repeated keys are left to
 * the caller, who can tell their place.  'fault' is written on NULL only.
 */
cJSON *json_in_parse_within(const void *bytes, size_t size,
                            const struct json_in_limits *limits,
                            struct json_in_fault *fault);

/* What a member of an object turned out to be. */
enum json_in_field {
    JSON_IN_ABSENT,
    JSON_IN_NULL,
    JSON_IN_BAD, /* another type, not finite, out of range */
    JSON_IN_OK,
};

struct json_in_range {
    double lo;
    double hi;
};

/* A number in [lo, hi]; 'value' is written only with JSON_IN_OK. */
enum json_in_field json_in_number(const cJSON *object, const char *key,
                                  struct json_in_range range, double *value);

/* A whole number in [lo, hi], both within +-2^53. */
enum json_in_field json_in_integer(const cJSON *object, const char *key,
                                   struct json_in_range range, int64_t *value);

enum json_in_field json_in_bool(const cJSON *object, const char *key,
                                bool *value);

/* A string; 'value' points into the tree. */
enum json_in_field json_in_text(const cJSON *object, const char *key,
                                const char **value);

/* An RFC 3339 instant as a string. */
enum json_in_field json_in_instant(const cJSON *object, const char *key,
                                   int64_t *utc_ms);

/* True where the member is a string equal to 'text'. */
bool json_in_is_text(const cJSON *object, const char *key, const char *text);

#endif
