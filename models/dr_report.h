/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dr_report - the reports that a demand-response event asks for, and when they
 * are due (OpenADR 3.1 User Guide 7.5).
 *
 * Report k of a descriptor is made when interval startInterval + k frequency
 * is over (-1: the last), about that one and those before it, numIntervals in
 * all (-1: all).  With historical false it is made when that interval begins
 * (-1: the first), about that one and those behind it: a forecast (User Guide
 * 8.8).  An event without intervals has implied ones, each as long as its
 * duration, where the descriptor counts intervals (8.7).  Otherwise such an
 * event, frequency 0 and OPEN_INTERVALS leave the time to us: at once, and
 * every quarter hour where it repeats.
 *
 * Plain data.  Pure.
 */
#ifndef MODELS_DR_REPORT_H
#define MODELS_DR_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DR_REPORTS_MAX = 16,        /* descriptors of an event */
    DR_REPORT_SPANS_MAX = 1024, /* intervals that reports are made of */
    DR_REPORT_LENGTH_MAX = 288, /* intervals in one report, the latest */
};

/* What is reported, its type in OpenADR and its unit there ("": none). */
#define DR_REPORT_LIST(X)                                \
    X(UNKNOWN, "", "")                                   \
    X(USAGE, "USAGE", "KWH")                             \
    X(DEMAND, "DEMAND", "KW")                            \
    X(BASELINE, "BASELINE", "KW")                        \
    X(OPERATING_STATE, "OPERATING_STATE", "")            \
    X(CHARGE_LEVEL, "STORAGE_CHARGE_LEVEL", "PERCENT")   \
    X(USABLE_CAPACITY, "STORAGE_USABLE_CAPACITY", "KWH") \
    X(CHARGE_POWER, "STORAGE_MAX_CHARGE_POWER", "KW")    \
    X(DISCHARGE_POWER, "STORAGE_MAX_DISCHARGE_POWER", "KW")
#define DR_REPORT_ENUM(name, type, unit) DR_REPORT_##name,
enum dr_report_kind { DR_REPORT_LIST(DR_REPORT_ENUM) DR_REPORT_KINDS };
#undef DR_REPORT_ENUM

struct dr_report {
    int64_t kind;       /* enum dr_report_kind */
    int64_t peak;       /* 1: the highest reading, else the mean */
    int64_t start;      /* -1: the last */
    int64_t number;     /* -1: all */
    int64_t frequency;  /* -1: as number; 0: when we like */
    int64_t repeat;     /* -1: for as long as the event lasts */
    int64_t historical; /* 0: a forecast */
    int64_t open;       /* 1: intervals are ours */
    int64_t parts;      /* 1: of intervals as well */
    int64_t aggregate;
    int64_t energy; /* 1: a baseline in kWh */
};

struct dr_span;
struct dr_timing;

/* What a report is about. */
struct dr_report_due {
    int64_t at_ms; /* UTC */
    int64_t first; /* of event's spans[], its first */
    int64_t n;     /* 0: ours, the quarter hour before at_ms, or behind it */
};

/* An event as its reports see it: it begins at from_ms and is over at to_ms. */
struct dr_report_event {
    int64_t n;      /* intervals; 0: none are said */
    int64_t before; /* spans that lie too far back to be here */
    int64_t n_spans;
    const struct dr_span *spans; /* in order, repeats included */
    int64_t from_ms;
    int64_t to_ms;
};

/* The event of 't', its spans about 'utc_ms' into 'spans', of which there are
 * DR_REPORT_SPANS_MAX and which outlive
 * 'out'. */
void dr_report_about(const struct dr_timing *t, int64_t utc_ms,
                     struct dr_span *spans, struct dr_report_event *out);

/* Report 'k' (from 0) of 'r'; false where there is none of that number, or
 * none yet. */
bool dr_report_due(const struct dr_report *r, const struct dr_report_event *e,
                   int64_t k, struct dr_report_due *out);

/* The number of the latest that is due at 'utc_ms', or of the first one. */
int64_t dr_report_latest(const struct dr_report *r,
                         const struct dr_report_event *e, int64_t utc_ms);

/* The kind of a payload type; UNKNOWN for one that we do not report. */
enum dr_report_kind dr_report_kind(const char *type);
const char *dr_report_type(enum dr_report_kind kind);
const char *dr_report_unit(enum dr_report_kind kind);

#endif
