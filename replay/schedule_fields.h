/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schedule_fields - the keys of a planner's problem: tables that read an
 * object, check it and name its faults by their JSON path.
 *
 * A message is "batteries[1].wear[0].width_pu: -1: expected ...".
 */
#ifndef REPLAY_SCHEDULE_FIELDS_H
#define REPLAY_SCHEDULE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "models/err.h"
#include "models/schedule.h"

enum { SCHEDULE_PATH_MAX = 160 };

/* Where the reading stands. */
struct schedule_reader {
    int64_t n_steps;
    char path[SCHEDULE_PATH_MAX];
    size_t n_path;
    char *why;
    size_t why_size;
};

enum schedule_kind {
    SCHEDULE_NUMBER, /* double */
    SCHEDULE_SERIES, /* a double per step, from an array or one number */
    SCHEDULE_NAME,   /* char[SITE_NAME_MAX] */
    SCHEDULE_BOOL,
    SCHEDULE_OTHER, /* a known key that the caller reads */
};

struct schedule_field {
    const char *key; /* NULL ends a table */
    enum schedule_kind kind;
    bool required; /* else it may be absent or null */
    size_t offset; /* in the structure that is filled */
    double lo, hi;
    const char *expected;
    double absent; /* what stands for an absent number */
};

extern const struct schedule_field schedule_fields_top[];
extern const struct schedule_field schedule_fields_charge[];
extern const struct schedule_field schedule_fields_battery[];
extern const struct schedule_field schedule_fields_segment[];
extern const struct schedule_field schedule_fields_firm[];
extern const struct schedule_field schedule_fields_deferrable[];

/* Go one level down, to a key or (key NULL) to an index; schedule_up() takes
 * the path back to what it was. */
size_t schedule_down(struct schedule_reader *r, const char *key, int64_t index);
void schedule_up(struct schedule_reader *r, size_t n_path);

/* Write "PATH: VALUE: expected EXPECTED" ('item' NULL: "missing") to r->why;
 * returns ERR_RANGE. */
enum err schedule_bad(struct schedule_reader *r, const cJSON *item,
                      const char *expected);

/*
 * Read 'object' into 'into' by 'fields'.  Refused: what is no object, a key
 * that is not in the table or there twice, one that is required and absent,
 * a value of another type, not finite or out of range, an array that is not
 * r->n_steps long.
 */
CHECKED enum err schedule_fields_read(struct schedule_reader *r,
                                      const cJSON *object,
                                      const struct schedule_field *fields,
                                      void *into);

#endif
