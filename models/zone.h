/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zone - local time of one place.
 *
 * Pure and pointer-free; controller/zone_file fills it from the system's time
 * zone files.  Transitions as listed (RFC 8536), after the last of them the
 * POSIX TZ rule of the file's footer.  Instants and local times are
 * milliseconds, see models/calendar; offsets are seconds east of Greenwich:
 * local = UTC + offset.
 */
#ifndef MODELS_ZONE_H
#define MODELS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

enum { ZONE_TRANSITIONS_MAX = 512 };

enum zone_day {
    ZONE_DAY_JULIAN, /* Jn: 1..365, never counting February 29 */
    ZONE_DAY_ZERO,   /* n: 0..365, counting it */
    ZONE_DAY_MONTH,  /* Mm.w.d: weekday d of week w (5: last) of month m */
};

/* When in a year the clock is changed. */
struct zone_change {
    int64_t kind; /* enum zone_day */
    int64_t day;  /* n, or the weekday (0 Sunday) */
    int64_t week;
    int64_t month;
    int64_t time_s; /* local time of the day, also negative or over 24 h */
};

/* What holds after the last listed transition. */
struct zone_rule {
    int64_t standard_s;
    int64_t summer_s;
    int64_t has_summer;
    struct zone_change to_summer;
    struct zone_change to_standard;
};

struct zone {
    int64_t n;       /* transitions */
    int64_t first_s; /* offset before the first */
    struct zone_rule rule;
    int64_t at_s[ZONE_TRANSITIONS_MAX];     /* UTC, rising */
    int64_t offset_s[ZONE_TRANSITIONS_MAX]; /* from then on */
};

/* What a local time stands for. */
enum zone_fit {
    ZONE_ONCE,
    ZONE_TWICE, /* the clock was set back over it */
    ZONE_NEVER, /* the clock was set forward over it */
};

/* UTC itself. */
void zone_utc(struct zone *z);

/* Parse a POSIX TZ string ("CST6CDT,M3.2.0,M11.1.0"), all of it.  ERR_SYNTAX
 * or ERR_RANGE, 'rule' untouched. */
CHECKED enum err zone_parse_rule(const char *text, struct zone_rule *rule);

/*
 * Parse a TZif file of version 2 or later, as hostile bytes.  Returns
 * ERR_SYNTAX, ERR_RANGE, ERR_FULL (too many transitions) or ERR_MISMATCH (it
 * counts leap seconds); 'z' is untouched then.
 */
CHECKED enum err zone_parse_tzif(const unsigned char *bytes, size_t n,
                                 struct zone *z);

/* Offset in force at an instant. */
int64_t zone_utc_offset_s(const struct zone *z, int64_t utc_ms);

int64_t zone_utc_to_local(const struct zone *z, int64_t utc_ms);

/*
 * The instant of a local time.  Of two the first, or with 'second' the second
 * one; for a time that never was, the instant as if the clock had not been
 * set forward (02:30 stands for 03:30).
 */
enum zone_fit zone_local_to_utc(const struct zone *z, int64_t local_ms,
                                bool second, int64_t *utc_ms);

#endif
