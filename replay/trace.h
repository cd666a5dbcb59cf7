/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace - a load over time, from a CSV file or the built-in generator.
 *
 * A file has a time column t_s, unix_ms or time_utc (the first of them that is
 * there; where t_s is accompanied by another, that one gives the start) and
 * power columns, whose last '_'-separated word is w, kw or mw.  Times must
 * rise from row to row (without mend_time), powers be finite and not negative.
 * A sample holds until the next one; the last one holds for the median step.
 */
#ifndef REPLAY_TRACE_H
#define REPLAY_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

struct generator;
struct job_in;

enum {
    TRACE_NAME_MAX = 256,
    TRACE_SAMPLES_MAX = 50000000,
    TRACE_WHERE_MAX = 16,
    TRACE_PARTS_MAX = 64,
};

struct trace_cfg {
    const char *load;         /* path, or "gen:..." (replay/generator.h) */
    const char *column;       /* NULL: the first power column */
    const char *const *where; /* "COL=VALUE"; all must hold */
    int n_where;              /* at most TRACE_WHERE_MAX */
    double scale;             /* > 0 */
    long repeat;              /* >= 1 */
    double peak_w;            /* of the generator, > 0 where it is used */
    bool keep_going;          /* drop and count faulty rows */
    bool mend_time;           /* times need not rise: replay/trace_time.h */
};

/* What a person should know about the file although it can be used. */
struct trace_report {
    size_t n_rows;       /* that --where left */
    size_t n_dropped;    /* faulty, only with keep_going */
    size_t n_repeated;   /* left out, only with mend_time: not a later time */
    size_t n_ahead;      /* likewise: stamped ahead of the rows around it */
    size_t n_gaps;       /* steps over ten times the median; held */
    double longest_s;    /* of them */
    long longest_line;   /* behind it */
    char first_why[512]; /* of the dropped */
};

struct trace {
    char name[TRACE_NAME_MAX]; /* for reports; says so where synthetic */
    bool synthetic;
    size_t n;              /* samples of one pass; 0 for the generator */
    double *t_s;           /* from 0, rising; owned */
    double *power_w;       /* scaled; owned */
    struct generator *gen; /* owned; NULL for a file */
    double scale;
    int64_t start_utc_ms; /* -1 where the file has only t_s */
    double step_s;        /* median; of the generator 0.1 */
    double pass_s;        /* one pass */
    double duration_s;    /* all passes */
    size_t n_parts;       /* only with mend_time: how often time went back */
    size_t parts[TRACE_PARTS_MAX]; /* first sample behind each */
    struct trace_report report;
};

/*
 * Load what 'cfg' says.  On failure 'out' needs no clearing and 'why' says
 * FILE:LINE: what: expected.  Returns ERR_IO, ERR_MEMORY, ERR_SYNTAX,
 * ERR_RANGE, ERR_UNKNOWN (a column or generator) or ERR_FULL.
 */
CHECKED enum err trace_load(const struct trace_cfg *cfg, struct trace *out,
                            char *why, size_t why_size);
void trace_clear(struct trace *t);

/*
 * Power at 't_s'; before 0 the first sample, past the duration the last one.
 * A sample counts from 1 us before its instant.
 * 'cursor' starts at 0 and belongs to one reader; going forward costs O(1)
 * amortised, going back is allowed.
 */
double trace_at(const struct trace *t, double t_s, size_t *cursor);

/*
 * What the generator's scheduler announces for from_s <= t < to_s, at most
 * 'max', in the passes of the trace and beyond them as if they went on;
 * at_ms counts from 0 s.  None from a file.  Returns how many.
 */
int trace_markers(const struct trace *t, double from_s, double to_s,
                  struct job_in *out, int max);

#endif
