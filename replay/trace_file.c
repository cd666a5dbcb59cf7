/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/trace_file.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/calendar.h"
#include "replay/csv.h"
#include "replay/trace_time.h"

static const double power_max_w = 1e12;

/* How a time column is read; in the order of preference. */
enum clock { CLOCK_T_S, CLOCK_UNIX_MS, CLOCK_TIME_UTC, CLOCK_COUNT };

static const struct {
    const char *name;
    double per_s;
} clocks[CLOCK_COUNT] = {
    [CLOCK_T_S] = {"t_s", 1.0},
    [CLOCK_UNIX_MS] = {"unix_ms", 1e3},
    [CLOCK_TIME_UTC] = {"time_utc", 1e3},
};

struct filter {
    int column;
    const char *value;
};

/* The open file and what was chosen of it. */
struct loading {
    const struct trace_cfg *cfg;
    struct trace *trace;
    struct csv *csv;
    enum clock clock;
    int time_column;
    int start_column; /* of the calendar, or -1 */
    enum clock start_clock;
    int power_column;
    double factor; /* of the column's unit and the scale */
    struct filter filters[TRACE_WHERE_MAX];
    size_t capacity;
    double first;   /* time of the first row kept, in units of its clock */
    double shift_s; /* of the times behind a clock set back */
    long *lines;    /* of the samples, for the report of gaps */
    char *why;
    size_t why_size;
};

/* Watts per unit of a power column; 0 for any other. */
static double column_factor(const char *name)
{
    static const struct {
        const char *word;
        double factor;
    } units[] = {{"w", 1.0}, {"kw", 1e3}, {"mw", 1e6}};
    const char *last = strrchr(name, '_');
    last = last == NULL ? name : last + 1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(last, units[i].word) == 0) {
            return units[i].factor;
        }
    }
    return 0.0;
}

static enum err no_column(struct loading *l, const char *what)
{
    char names[256];
    snprintf(l->why, l->why_size, "%s:1: %s; the file has %s", l->cfg->load,
             what, csv_names(l->csv, names, sizeof(names)));
    return ERR_UNKNOWN;
}

static enum err choose_time(struct loading *l)
{
    l->time_column = -1;
    l->start_column = -1;
    for (int i = 0; i < CLOCK_COUNT; i++) {
        int column = csv_column(l->csv, clocks[i].name);
        if (column < 0) {
            continue;
        }
        if (l->time_column < 0) {
            l->time_column = column;
            l->clock = (enum clock)i;
        }
        if (l->start_column < 0 && i != CLOCK_T_S) {
            l->start_column = column;
            l->start_clock = (enum clock)i;
        }
    }
    if (l->time_column < 0) {
        return no_column(l, "no time column: expected t_s, unix_ms or "
                            "time_utc");
    }
    return ERR_NONE;
}

static enum err choose_power(struct loading *l)
{
    const char *want = l->cfg->column;
    for (int i = 0; i < csv_columns(l->csv); i++) {
        const char *name = csv_name(l->csv, i);
        double factor = column_factor(name);
        if (want == NULL ? factor > 0.0 : strcmp(want, name) == 0) {
            l->power_column = i;
            l->factor = factor * l->trace->scale;
            return factor > 0.0
                       ? ERR_NONE
                       : no_column(l, "the column is not a power: expected a "
                                      "name that ends in _w, _kw or _mw");
        }
    }
    char what[160];
    snprintf(what, sizeof(what),
             want == NULL ? "no power column: expected a name that ends in "
                            "_w, _kw or _mw"
                          : "no column \"%.80s\"",
             want);
    return no_column(l, what);
}

static enum err choose_filters(struct loading *l)
{
    for (int i = 0; i < l->cfg->n_where; i++) {
        const char *text = l->cfg->where[i];
        const char *equals = strchr(text, '=');
        char name[128];
        size_t n = equals == NULL ? 0 : (size_t)(equals - text);
        if (n == 0 || n >= sizeof(name)) {
            snprintf(l->why, l->why_size, "--where %s: expected COLUMN=VALUE",
                     text);
            return ERR_SYNTAX;
        }
        memcpy(name, text, n);
        name[n] = '\0';
        l->filters[i].column = csv_column(l->csv, name);
        l->filters[i].value = equals + 1;
        if (l->filters[i].column < 0) {
            char what[160];
            snprintf(what, sizeof(what), "no column \"%.80s\"", name);
            return no_column(l, what);
        }
    }
    return ERR_NONE;
}

static bool passes(const struct loading *l)
{
    for (int i = 0; i < l->cfg->n_where; i++) {
        const struct filter *f = &l->filters[i];
        if (strcmp(csv_cell(l->csv, f->column), f->value) != 0) {
            return false;
        }
    }
    return true;
}

/* FILE:LINE: COLUMN "CELL": expected ... */
static enum err bad_cell(struct loading *l, int column, const char *expected)
{
    snprintf(l->why, l->why_size, "%s:%ld: %s \"%.60s\": expected %s",
             l->cfg->load, csv_line(l->csv), csv_name(l->csv, column),
             csv_cell(l->csv, column), expected);
    return ERR_SYNTAX;
}

/* The time of the row in units of its clock, so that milliseconds since 1970
 * stay whole numbers. */
static enum err read_time(struct loading *l, int column, enum clock clock,
                          double *out)
{
    const char *cell = csv_cell(l->csv, column);
    int64_t utc_ms = 0;
    double x = 0.0;
    switch (clock) {
    case CLOCK_T_S:
        if (csv_number(cell, &x) != ERR_NONE || fabs(x) > 1e10) {
            return bad_cell(l, column, "seconds, at most 1e10");
        }
        *out = x;
        return ERR_NONE;
    case CLOCK_UNIX_MS:
        if (csv_number(cell, &x) != ERR_NONE ||
            !(x >= 0.0 && x < (double)CALENDAR_END_MS)) {
            return bad_cell(l, column, "milliseconds since 1970, before 2201");
        }
        *out = x;
        return ERR_NONE;
    case CLOCK_TIME_UTC:
        if (calendar_parse_utc(cell, &utc_ms) != ERR_NONE) {
            return bad_cell(l, column,
                            "RFC 3339, such as 2026-11-21T00:00:00Z");
        }
        *out = (double)utc_ms;
        return ERR_NONE;
    case CLOCK_COUNT:
        break;
    }
    assert(false);
    return ERR_SYNTAX;
}

static enum err read_power(struct loading *l, double *out_w)
{
    const char *cell = csv_cell(l->csv, l->power_column);
    double x = 0.0;
    if (csv_number(cell, &x) != ERR_NONE) {
        return bad_cell(l, l->power_column, "a finite number");
    }
    if (!(x >= 0.0 && x * l->factor <= power_max_w)) {
        return bad_cell(l, l->power_column,
                        "a power of 0 to 1 TW after scaling");
    }
    *out_w = x * l->factor;
    return ERR_NONE;
}

static enum err out_of_memory(struct loading *l)
{
    snprintf(l->why, l->why_size, "%s: out of memory", l->cfg->load);
    return ERR_MEMORY;
}

static enum err reserve(struct loading *l)
{
    struct trace *t = l->trace;
    if (t->n < l->capacity) {
        return ERR_NONE;
    }
    if (l->capacity >= TRACE_SAMPLES_MAX) {
        snprintf(l->why, l->why_size, "%s: more than %d rows", l->cfg->load,
                 TRACE_SAMPLES_MAX);
        return ERR_FULL;
    }
    size_t capacity = l->capacity == 0 ? 4096 : 2 * l->capacity;
    double *t_s = realloc(t->t_s, capacity * sizeof(*t_s));
    if (t_s == NULL) {
        return out_of_memory(l);
    }
    t->t_s = t_s;
    double *power_w = realloc(t->power_w, capacity * sizeof(*power_w));
    if (power_w == NULL) {
        return out_of_memory(l);
    }
    t->power_w = power_w;
    long *lines = realloc(l->lines, capacity * sizeof(*lines));
    if (lines == NULL) {
        return out_of_memory(l);
    }
    l->lines = lines;
    l->capacity = capacity;
    return ERR_NONE;
}

static enum err not_later(struct loading *l)
{
    return bad_cell(l, l->time_column,
                    l->cfg->n_where > 0
                        ? "a later time than in the row before"
                        : "a later time than in the row before (of several "
                          "runs pick one: --where COLUMN=VALUE)");
}

/* The row's time and power; the first row also sets where the trace starts. */
static enum err read_cells(struct loading *l, double *t_s, double *power_w)
{
    struct trace *t = l->trace;
    double time = 0.0;
    double start_ms = -1.0;
    enum err e = read_time(l, l->time_column, l->clock, &time);
    if (e == ERR_NONE) {
        e = read_power(l, power_w);
    }
    if (e == ERR_NONE && t->n == 0 && l->start_column >= 0) {
        e = read_time(l, l->start_column, l->start_clock, &start_ms);
    }
    if (e != ERR_NONE) {
        return e;
    }
    if (t->n == 0) {
        l->first = time;
        t->start_utc_ms = (int64_t)start_ms;
    }
    *t_s = (time - l->first) / clocks[l->clock].per_s;
    return ERR_NONE;
}

/* Takes the row over as a sample. */
static enum err read_row(struct loading *l)
{
    struct trace *t = l->trace;
    double t_s = 0.0;
    double power_w = 0.0;
    enum err e = read_cells(l, &t_s, &power_w);
    if (e != ERR_NONE) {
        return e;
    }
    if (l->cfg->mend_time && !trace_time_mend(t, &t_s, &l->shift_s)) {
        return ERR_NONE;
    }
    if (t->n > 0 && t_s <= t->t_s[t->n - 1]) {
        return not_later(l);
    }
    e = reserve(l);
    if (e == ERR_NONE) {
        t->t_s[t->n] = t_s;
        t->power_w[t->n] = power_w;
        l->lines[t->n] = csv_line(l->csv);
        t->n++;
    }
    return e;
}

/* Whether the file can be used although a row was faulty. */
static bool drop(struct loading *l, enum err e)
{
    if (!l->cfg->keep_going || (e != ERR_SYNTAX && e != ERR_RANGE)) {
        return false;
    }
    struct trace_report *r = &l->trace->report;
    if (r->n_dropped++ == 0) {
        snprintf(r->first_why, sizeof(r->first_why), "%s", l->why);
    }
    return true;
}

static enum err read_rows(struct loading *l)
{
    for (;;) {
        enum csv_got got = csv_next(l->csv, l->why, l->why_size);
        if (got == CSV_END) {
            break;
        }
        enum err e = ERR_SYNTAX;
        if (got == CSV_ROW) {
            if (!passes(l)) {
                continue;
            }
            l->trace->report.n_rows++;
            e = read_row(l);
        }
        if (e != ERR_NONE && !drop(l, e)) {
            return e;
        }
    }
    if (l->trace->n < 2) {
        snprintf(l->why, l->why_size,
                 "%s: %zu usable row%s%s: expected at least 2", l->cfg->load,
                 l->trace->n, l->trace->n == 1 ? "" : "s",
                 l->cfg->n_where > 0 ? " left by --where" : "");
        return ERR_SYNTAX;
    }
    return ERR_NONE;
}

static enum err load(struct loading *l)
{
    enum err e = choose_time(l);
    if (e == ERR_NONE) {
        e = choose_power(l);
    }
    if (e == ERR_NONE) {
        e = choose_filters(l);
    }
    if (e == ERR_NONE) {
        e = read_rows(l);
    }
    if (e == ERR_NONE) {
        e = trace_time_measure(l->trace, l->lines);
        if (e != ERR_NONE) {
            e = out_of_memory(l);
        }
    }
    return e;
}

enum err trace_file_load(const struct trace_cfg *cfg, struct trace *out,
                         char *why, size_t why_size)
{
    struct loading l = {
        .cfg = cfg, .trace = out, .why = why, .why_size = why_size};
    enum err e = csv_open(cfg->load, &l.csv, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    e = load(&l);
    if (e == ERR_NONE) {
        snprintf(out->name, TRACE_NAME_MAX, "%.180s %.64s", cfg->load,
                 csv_name(l.csv, l.power_column));
    }
    csv_close(l.csv);
    free(l.lines);
    return e;
}
