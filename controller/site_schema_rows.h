/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vocabulary of the schema's rows, and the tables that lie in files of
 * their own.  For controller/site_schema*.c only. */
#ifndef CONTROLLER_SITE_SCHEMA_ROWS_H
#define CONTROLLER_SITE_SCHEMA_ROWS_H

#include "controller/site_schema.h"

#define TABLE(rows)                                         \
    {                                                       \
        .keys = (rows), .n = sizeof(rows) / sizeof(*(rows)) \
    }
#define AT(owner, member)                     \
    .offset = offsetof(struct owner, member), \
    .size = sizeof(((struct owner *)0)->member)
#define QUANTITY(name) .kind = KEY_QUANTITY, .unit = UNIT_##name
#define RANGE(least, most) .lo = (least), .hi = (most)
#define FLAG(owner, member) \
    .flagged = true, .flag_offset = offsetof(struct owner, member)
#define ITEMS(owner, member, counter)                           \
    .kind = KEY_LIST, .offset = offsetof(struct owner, member), \
    .size = sizeof(((struct owner *)0)->member[0]),             \
    .count_offset = offsetof(struct owner, counter)

/* site_schema_grid.c */
extern const struct site_table site_table_modbus;
extern const struct site_table site_table_grid;

/* site_schema_assets.c */
extern const struct site_table site_table_battery;
extern const struct site_table site_table_pod;
extern const struct site_table site_table_class;

/* site_schema_fleet.c; the words of chemistry are the batteries' as well */
extern const char *const site_chemistries[];
extern const struct site_table site_table_fleet;

/* site_schema_baseline.c */
extern const struct site_table site_table_baseline;

#endif
