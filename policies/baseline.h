/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * baseline - what a site would have drawn without a demand-response event.
 *
 *   high of most    the mean, at the same local times, of the 'high' days that
 *                   drew most of the 'most' latest eligible ones.  Eligible is
 *                   a day of the same class (working day; weekend or holiday)
 *                   within 'look_back' days, without an event of its own, with
 *                   few gaps, and not below 'low_pu' of what the others drew
 *   day-of          that mean moved to what the site drew on the day itself in
 *                   a window before the start: multiplied or added to, by no
 *                   more than 'cap_pu'
 *   meter before    the mean of a while before the start; also where there are
 *                   too few eligible days, and then it says so
 *
 * The presets are in the manner of the New York ISO's customer baseline load,
 * the 5 highest of 10 days with a window from 4 h to 2 h before the start; that
 * days below 25 % are left out and that the cap is 20 % is our choice.  Others
 * differ in days, window and cap, not in the form: the California ISO's proxy
 * demand resources took 10 of 10 days and moved them by at most 20 %
 * (California ISO Baseline Accuracy Work Group Proposal, draft of 4 April 2017,
 * section 1).  None is followed to the letter: what counts is the programme's
 * own manual, and the site file says it (utility.baseline).
 *
 * Powers are of the grid, W, import positive; NAN is not known.  Pure.
 */
#ifndef POLICIES_BASELINE_H
#define POLICIES_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/err.h"
#include "models/zone.h"

enum {
    BASELINE_LOOK_BACK_MAX = 90, /* days */
    BASELINE_HOLIDAYS_MAX = 64,
};

#define BASELINE_ADJUST_LIST(X) \
    X(NONE, "none")             \
    X(MULTIPLY, "multiply")     \
    X(ADD, "add")
#define BASELINE_ADJUST_ENUM(name, text) BASELINE_ADJUST_##name,
enum baseline_adjust {
    BASELINE_ADJUST_LIST(BASELINE_ADJUST_ENUM) BASELINE_ADJUSTS
};
#undef BASELINE_ADJUST_ENUM

#define BASELINE_METHOD_LIST(X) \
    X(UNKNOWN, "unknown")       \
    X(HIGH_DAYS, "high days")   \
    X(METER_BEFORE, "meter before")
#define BASELINE_METHOD_ENUM(name, text) BASELINE_##name,
enum baseline_method {
    BASELINE_METHOD_LIST(BASELINE_METHOD_ENUM) BASELINE_METHODS
};
#undef BASELINE_METHOD_ENUM

/* Why a day is used, or not. */
#define BASELINE_DAY_LIST(X)              \
    X(USED, "used")                       \
    X(LOWER, "drew less than those used") \
    X(OLDER, "older than those compared") \
    X(CLASS, "another class of day")      \
    X(EVENT, "had an event")              \
    X(GAPS, "too much is not known")      \
    X(LOW, "drew far less than the others")
#define BASELINE_DAY_ENUM(name, text) BASELINE_DAY_##name,
enum baseline_fate { BASELINE_DAY_LIST(BASELINE_DAY_ENUM) BASELINE_FATES };
#undef BASELINE_DAY_ENUM

struct baseline_terms {
    int64_t method;       /* enum baseline_method asked for; not UNKNOWN */
    int64_t high;         /* days that are used, 1 .. most */
    int64_t most;         /* eligible days they are taken from */
    int64_t look_back;    /* days, 1 .. BASELINE_LOOK_BACK_MAX */
    double gap_max_pu;    /* of the event's time on a day, not known */
    double low_pu;        /* of the mean of all eligible days */
    int64_t adjust;       /* enum baseline_adjust */
    double adjust_from_s; /* before the start */
    double adjust_to_s;   /* nearer to it */
    double cap_pu;        /* of the baseline; INFINITY: none */
    double before_s;      /* meter before: its length */
};

/* 5 of 10, 45 days, multiplied within 20 %; a quarter hour before. */
struct baseline_terms baseline_preset(void);

/* ERR_RANGE for terms that make no sense; 'why' says which, static. */
CHECKED enum err baseline_check(const struct baseline_terms *t,
                                const char **why);

struct baseline_span {
    int64_t from_ms; /* UTC */
    int64_t to_ms;
};

/* What the meter said: cell k is the mean from start_ms + k cell_ms on. */
struct baseline_load {
    int64_t start_ms;
    int64_t cell_ms; /* > 0 */
    int64_t n;
    const double *w; /* NAN: not known */
};

struct baseline_in {
    const struct baseline_terms *terms;
    const struct baseline_load *load;
    const struct zone *zone;
    struct baseline_span event;
    int64_t n_others; /* other events: their local days are left out */
    const struct baseline_span *others;
    int64_t n_holidays;
    const int64_t *holidays; /* local days since 1970 */
};

struct baseline_day {
    int64_t day;   /* local, since 1970 */
    int64_t fate;  /* enum baseline_fate */
    double mean_w; /* over the event's time of day; NAN where not known */
};

struct baseline {
    int64_t method; /* enum baseline_method; UNKNOWN: nothing to go by */
    bool fell_back; /* too few days: meter before, although not asked for */
    int64_t n_eligible;
    int64_t n_used; /* 0 where it fell back */
    int64_t n_days; /* looked at, latest first */
    struct baseline_day days[BASELINE_LOOK_BACK_MAX];
    bool adjusted;    /* the window before is known and was used */
    bool capped;      /* the cap bound */
    double asked;     /* by the window: a factor, or W to add; NAN */
    double factor_pu; /* 1: none */
    double offset_w;  /* 0: none */
    double before_w;  /* meter before; NAN */
};

/* Terms must have passed baseline_check(). */
void baseline_make(const struct baseline_in *in, struct baseline *out);

/* Mean of the baseline over a span inside the event (or near it); NAN where
 * nothing is known. */
double baseline_w(const struct baseline *b, const struct baseline_in *in,
                  struct baseline_span span);

/* Mean of what is known of the load in a span, NAN for nothing; the share that
 * is known in 'known_pu' where that is not NULL. */
double baseline_load_w(const struct baseline_load *load,
                       struct baseline_span span, double *known_pu);

/* Words for people and JSON; static storage. */
const char *baseline_method_name(enum baseline_method method);
const char *baseline_fate_name(enum baseline_fate fate);
const char *baseline_adjust_name(enum baseline_adjust adjust);

#endif
