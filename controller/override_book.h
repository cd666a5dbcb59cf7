/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * override_book - what an operator has set by hand, each until it ends: limits
 * of the site's own beside the utility's, of which the tighter holds, and
 * events of the utility in which the site does not take part.
 *
 * An opt-out wins where it is stricter and never loosens what protects the
 * grid: of an event's capacity limits (with and without the event) the tighter
 * holds, and its emergencies stay.  What an event only asks for - set-points,
 * shed levels 1 and 2, prices, a reserve - is dropped.
 *
 * Plain data, kept across a restart.  Pure.
 */
#ifndef CONTROLLER_OVERRIDE_BOOK_H
#define CONTROLLER_OVERRIDE_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "models/err.h"
#include "models/snapshot.h"

enum { OVERRIDE_OUTS_MAX = 16, OVERRIDE_NAME_MAX = 132 };

/* Longest that anything may be set for. */
#define OVERRIDE_MOST_S (30.0 * 86400.0)

struct override_out {
    char event[OVERRIDE_NAME_MAX]; /* its id */
    int64_t until_ms;              /* UTC */
};

struct override_book {
    int64_t version;
    struct utility_in limits[UTILITY_LOCAL]; /* id "": not set */
    int64_t n_outs;
    struct override_out outs[OVERRIDE_OUTS_MAX];
};

/* Nothing set. */
void override_book_init(struct override_book *b);

/* Whether a book that was kept can be believed. */
bool override_book_sound(const struct override_book *b);

/* What can be set, by its index 0 .. UTILITY_LOCAL - 1. */
enum utility_kind override_kind(int index);

/* The index of "import_max" and so on; -1 for none of these. */
int override_index(const char *name);

/* ERR_RANGE where 'value' (W; of a reserve 0 .. 1) cannot be one. */
CHECKED enum err override_book_limit(struct override_book *b, int index,
                                     double value, int64_t from_ms,
                                     int64_t until_ms);

/* ERR_FULL where there are too many; one that is known gets a new end. */
CHECKED enum err override_book_opt_out(struct override_book *b,
                                       const char *event, int64_t until_ms);

/* Take back what is called 'name' ("import_max", an event's id, "all"); false
 * where nothing is. */
bool override_book_clear(struct override_book *b, const char *name);

/* Take out one that has ended at 'utc_ms' and write its name to 'name'; false
 * where none has. */
bool override_book_expire(struct override_book *b, int64_t utc_ms,
                          char name[OVERRIDE_NAME_MAX]);

/* Whether an opt-out drops an instruction of that kind. */
bool override_drops(enum utility_kind kind);

bool override_opted_out(const struct override_book *b, const char *event,
                        int64_t utc_ms);

/* Bring the places of 'in': the operator's own limits, and out go those of
 * 'told' (UTILITY_MQTT) that are opted out of and may be. */
void override_apply(const struct override_book *b,
                    const struct utility_in *told, struct snapshot *in);

#endif
