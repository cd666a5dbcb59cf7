/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * site_schema - every key of the site file, as one table.
 *
 * A row says what a key may hold, where its value goes, its range, its
 * default and its meaning.  The parser, the range checks, `ballast check` and
 * `ballast help site` read nothing else.  Ranges and defaults are written as
 * they would stand in a file and go through the parser too.
 *
 * Rows are read in the order of their table, not of the file: what others
 * refer to (currency, classes, period) stands before them.
 */
#ifndef CONTROLLER_SITE_SCHEMA_H
#define CONTROLLER_SITE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "models/site.h"
#include "models/units.h"

/* name, what an error message says was expected.  Quantities, words and
 * classes say more than that, see site_value.c. */
#define KEY_LIST(X)                                                  \
    X(QUANTITY, "a quantity with its unit")                          \
    X(RATIO, "a plain number")                                       \
    X(COUNT, "a whole number")                                       \
    X(BOOL, "true or false")                                         \
    X(WORD, "one of the words")                                      \
    X(CLASS, "one of the classes")                                   \
    X(NAME, "a name of at most 47 letters, digits, _ or -")          \
    X(TEXT, "a printable text")                                      \
    X(CURRENCY, "a currency code of three capital letters")          \
    X(ZONE, "a time zone such as America/Chicago")                   \
    X(HOST, "a host name or address")                                \
    X(TOPIC, "an MQTT topic without + and #")                        \
    X(FILE, "a file name (relative: to the site file's folder)")     \
    X(MAP, "the name of a shipped register map, or a path with a /") \
    X(URL, "an address that begins with http:// or https://")        \
    X(LISTEN, "an address and a port such as 127.0.0.1:8080")        \
    X(SECTION, "a section of keys")                                  \
    X(LIST, "a list")

#define KEY_ENUM(name, text) KEY_##name,
enum key_kind { KEY_LIST(KEY_ENUM) KEY_KIND_COUNT };
#undef KEY_ENUM

struct site_table;

struct site_key {
    const char *key;
    enum key_kind kind;
    enum unit_kind unit; /* of a quantity */
    bool required;
    size_t offset;            /* of the value in the table's owner */
    size_t size;              /* of the value; of one item of a list */
    const char *lo;           /* least and largest value, both allowed */
    const char *hi;           /* NULL: not a number */
    const char *preset;       /* default; "none" is INFINITY */
    const char *computed;     /* a default in words: site_check fills it in */
    const char *const *words; /* of KEY_WORD, by enum value, NULL at the end */
    const struct site_table *table; /* of a section or a list's items */
    bool flagged;                   /* has a bool that says it was given */
    size_t flag_offset;
    size_t count_offset; /* of a list's n_*, in the table's owner */
    int max;             /* most items of a list */
    const char *item;    /* what messages call one item of a list */
    bool tuple;          /* items are [a, b, c] in the order of the table */
    const char *meaning;
};

struct site_table {
    const struct site_key *keys;
    size_t n;
};

/* A pod of the file before 'count' is expanded. */
struct pod_draft {
    struct site_pod pod;
    int count;
};

/* What the tables' offsets point into; owner of the root table. */
struct site_draft {
    struct site site;
    struct pod_draft pods[SITE_PODS_MAX];
    int n_pods;
};

extern const struct site_table site_schema;

#endif
