/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dr_event - a demand-response event as it was read, and what several of them
 * together ask for.
 *
 * OpenADR's payload types are gathered into subjects: what an instruction is
 * about.  Of two events about one subject the lower priority number wins, then
 * the one changed last, then the greater id (OpenADR leaves ties open); alerts
 * do not compete.  Of intervals of one event that overlap the stricter limit
 * holds, of anything else what begins later.  A type that we do not know is
 * kept and shown, never acted on.
 *
 * Plain data; the arrays of an event are its reader's.  Pure.
 */
#ifndef MODELS_DR_EVENT_H
#define MODELS_DR_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "models/dr_report.h"
#include "models/dr_timing.h"

enum {
    DR_ID_MAX = 132, /* objectID has up to 128 characters */
    DR_TEXT_MAX = 128,
};

/* What its values are, in the units that we keep. */
#define DR_SENSE_LIST(X)                              \
    X(POWER)  /* W, >= 0 */                           \
    X(PRICE)  /* site currency per kWh */             \
    X(CARBON) /* g per kWh */                         \
    X(LEVEL)  /* 0 to 3 */                            \
    X(ALERT)  /* a text for people; the value is 1 */ \
    X(SHARE)  /* fraction */
#define DR_SENSE_ENUM(name) DR_SENSE_##name,
enum dr_sense { DR_SENSE_LIST(DR_SENSE_ENUM) DR_SENSE_COUNT };
#undef DR_SENSE_ENUM

#define DR_SUBJECT_LIST(X)                               \
    X(IMPORT_MAX, "import limit", POWER)                 \
    X(EXPORT_MAX, "export limit", POWER)                 \
    X(SETPOINT, "set-point", POWER)                      \
    X(IMPORT_SUBSCRIPTION, "import subscription", POWER) \
    X(EXPORT_SUBSCRIPTION, "export subscription", POWER) \
    X(IMPORT_RESERVATION, "import reservation", POWER)   \
    X(EXPORT_RESERVATION, "export reservation", POWER)   \
    X(PRICE, "price", PRICE)                             \
    X(EXPORT_PRICE, "export price", PRICE)               \
    X(GHG, "carbon", CARBON)                             \
    X(SHED_LEVEL, "shed level", LEVEL)                   \
    X(CHARGE_STATE, "charge state", SHARE)               \
    X(EMERGENCY, "emergency", ALERT)                     \
    X(BLACK_START, "black start", ALERT)                 \
    X(OUTAGE, "possible outage", ALERT)                  \
    X(FLEX, "flex alert", ALERT)                         \
    X(NOTICE, "notice", ALERT)                           \
    X(UNKNOWN, "unknown", ALERT)
#define DR_SUBJECT_ENUM(name, text, sense) DR_##name,
enum dr_subject { DR_SUBJECT_LIST(DR_SUBJECT_ENUM) DR_SUBJECTS };
#undef DR_SUBJECT_ENUM

/* Where no priority is said: behind all others. */
#define DR_NO_PRIORITY INT64_MAX

/* What one interval says of one subject. */
struct dr_payload {
    int64_t subject;  /* enum dr_subject */
    int64_t interval; /* index */
    int64_t first;    /* index of its values; several share the interval */
    int64_t n;        /* >= 1 */
};

struct dr_event {
    char id[DR_ID_MAX];
    char name[DR_TEXT_MAX];
    char program[DR_ID_MAX];
    char notice[DR_TEXT_MAX];  /* text of its first alert, or "" */
    char unknown[DR_TEXT_MAX]; /* first payload type that is not known */
    char fault[DR_TEXT_MAX];   /* why it is not acted on; "": it is */
    int64_t priority;          /* >= 0; DR_NO_PRIORITY */
    int64_t modified_ms;
    uint64_t digest; /* of all that it says */
    struct dr_timing timing;
    int64_t n_payloads;
    const struct dr_payload *payloads;
    int64_t n_values;
    const double *values; /* finite */
    const int64_t *ids;   /* of the intervals, timing.n */
    int64_t n_reports;
    struct dr_report reports[DR_REPORTS_MAX];
};

/* What holds about a subject for a while. */
struct dr_row {
    int64_t subject; /* enum dr_subject */
    int64_t start_ms;
    int64_t end_ms; /* DR_FOREVER_MS: open-ended */
    double value;
    int64_t event; /* index */
};

struct dr_window {
    int64_t from_ms;
    int64_t to_ms;
};

/* The caller's memory for dr_rows(). */
struct dr_rows {
    struct dr_row *rows;
    int64_t max;
    int64_t n;              /* in order of subject and start */
    bool full;              /* some did not fit */
    struct dr_row *scratch; /* max of them */
};

/*
 * What 'events' (n) ask for anywhere in the window, the winner at each time;
 * events with a fault are left out.  Rows of one subject do not overlap, but
 * those of alerts, of which all are kept.  Limits come before prices and
 * alerts are few, so a table that is full lacks prices first.
 */
void dr_rows_make(struct dr_rows *r, const struct dr_event *const *events,
                  int64_t n, struct dr_window window);

/* The row about 'subject' that holds at 'at_ms', or NULL. */
const struct dr_row *dr_rows_at(const struct dr_rows *r,
                                enum dr_subject subject, int64_t at_ms);

enum dr_sense dr_subject_sense(enum dr_subject subject);
const char *dr_subject_text(enum dr_subject subject);

#endif
