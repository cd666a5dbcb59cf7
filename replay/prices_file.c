/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prices_load(): the CSV part of replay/prices. */
#include "replay/prices.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/calendar.h"
#include "replay/csv.h"

enum { ROWS_MAX = 5000000 };

static const int64_t step_min_ms = 60000;
static const double price_max_per_kwh = 1e3;

struct row {
    int64_t utc_ms;
    long line;
    double per_kwh;
    double settle_per_kwh;
    double ahead_per_kwh;
};

/* A price column. */
struct column {
    int index;
    double per; /* what its values are divided by, to be per kWh */
};

struct loading {
    const struct prices_cfg *cfg;
    struct prices *prices;
    struct csv *csv;
    int time_column;
    bool is_local;
    struct column plan;
    struct column settle;
    struct column ahead;
    struct row *rows; /* owned */
    size_t n;
    size_t capacity;
    char *why;
    size_t why_size;
};

/* 1 for a price per kWh, 1,000 per MWh, 0 for any other column. */
static double column_per(const char *name)
{
    static const struct {
        const char *end;
        double per;
    } units[] = {{"_per_kwh", 1.0}, {"_per_mwh", 1e3}};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t k = strlen(units[i].end);
        if (n >= k && strcmp(name + n - k, units[i].end) == 0) {
            return units[i].per;
        }
    }
    return 0.0;
}

static enum err no_column(struct loading *l, const char *what)
{
    char names[256];
    snprintf(l->why, l->why_size, "%s:1: %s; the file has %s", l->cfg->file,
             what, csv_names(l->csv, names, sizeof(names)));
    return ERR_UNKNOWN;
}

static enum err choose_price(struct loading *l, const char *want,
                             struct column *out)
{
    for (int i = 0; i < csv_columns(l->csv); i++) {
        const char *name = csv_name(l->csv, i);
        double per = column_per(name);
        if (want == NULL ? per == 0.0 : strcmp(want, name) != 0) {
            continue;
        }
        *out = (struct column){i, per};
        return per > 0.0 ? ERR_NONE
                         : no_column(l, "the column is not a price: expected "
                                        "a name that ends in _per_mwh or "
                                        "_per_kwh");
    }
    char what[160];
    if (want == NULL) {
        snprintf(what, sizeof(what),
                 "no price column: expected a name that "
                 "ends in _per_mwh or _per_kwh");
    } else {
        snprintf(what, sizeof(what), "no column \"%.80s\"", want);
    }
    return no_column(l, what);
}

static enum err choose_columns(struct loading *l)
{
    l->time_column = csv_column(l->csv, "time_utc");
    l->is_local = l->time_column < 0;
    if (l->is_local) {
        l->time_column = csv_column(l->csv, "time_local");
    }
    if (l->time_column < 0) {
        return no_column(l, "no time column: expected time_utc or time_local");
    }
    enum err e = choose_price(l, l->cfg->column, &l->plan);
    l->settle = l->ahead = l->plan;
    if (e == ERR_NONE && l->cfg->settle_column != NULL) {
        e = choose_price(l, l->cfg->settle_column, &l->settle);
    }
    if (e == ERR_NONE && l->cfg->ahead_column != NULL) {
        e = choose_price(l, l->cfg->ahead_column, &l->ahead);
    }
    return e;
}

static enum err bad_cell(struct loading *l, int column, const char *expected)
{
    snprintf(l->why, l->why_size, "%s:%ld: %s \"%.60s\": expected %s",
             l->cfg->file, csv_line(l->csv), csv_name(l->csv, column),
             csv_cell(l->csv, column), expected);
    return ERR_SYNTAX;
}

/* The begin of the row's step; 'never' where the local time never was. */
static enum err read_time(struct loading *l, int64_t *utc_ms, bool *never)
{
    const char *cell = csv_cell(l->csv, l->time_column);
    *never = false;
    if (!l->is_local) {
        if (calendar_parse_utc(cell, utc_ms) != ERR_NONE) {
            return bad_cell(l, l->time_column,
                            "RFC 3339, such as 2026-11-21T00:00:00Z");
        }
        return ERR_NONE;
    }
    int64_t local_ms = 0;
    if (calendar_parse_local(cell, &local_ms) != ERR_NONE) {
        return bad_cell(l, l->time_column,
                        "a local time without a zone, such as "
                        "2026-11-21T00:00");
    }
    enum zone_fit fit =
        zone_local_to_utc(l->cfg->zone, local_ms, false, utc_ms);
    if (fit == ZONE_TWICE && l->n > 0 && *utc_ms <= l->rows[l->n - 1].utc_ms) {
        zone_local_to_utc(l->cfg->zone, local_ms, true, utc_ms);
    }
    *never = fit == ZONE_NEVER;
    return ERR_NONE;
}

/* An empty cell is a gap. */
static enum err read_price(struct loading *l, struct column column,
                           double *per_kwh)
{
    const char *cell = csv_cell(l->csv, column.index);
    double x = 0.0;
    *per_kwh = NAN;
    if (cell[0] == '\0') {
        return ERR_NONE;
    }
    if (csv_number(cell, &x) != ERR_NONE) {
        return bad_cell(l, column.index, "a finite number, or nothing");
    }
    if (fabs(x / column.per) > price_max_per_kwh) {
        return bad_cell(l, column.index, "at most 1000 per kWh");
    }
    *per_kwh = x / column.per;
    return ERR_NONE;
}

static enum err reserve(struct loading *l)
{
    if (l->n < l->capacity) {
        return ERR_NONE;
    }
    if (l->n >= ROWS_MAX) {
        snprintf(l->why, l->why_size, "%s: more than %d rows", l->cfg->file,
                 ROWS_MAX);
        return ERR_FULL;
    }
    size_t capacity = l->capacity == 0 ? 1024 : 2 * l->capacity;
    struct row *rows = realloc(l->rows, capacity * sizeof(*rows));
    if (rows == NULL) {
        snprintf(l->why, l->why_size, "%s: out of memory", l->cfg->file);
        return ERR_MEMORY;
    }
    l->rows = rows;
    l->capacity = capacity;
    return ERR_NONE;
}

static enum err read_row(struct loading *l)
{
    struct row row = {.line = csv_line(l->csv)};
    bool never = false;
    enum err e = read_time(l, &row.utc_ms, &never);
    if (e == ERR_NONE) {
        e = read_price(l, l->plan, &row.per_kwh);
    }
    if (e == ERR_NONE) {
        e = read_price(l, l->settle, &row.settle_per_kwh);
    }
    if (e == ERR_NONE) {
        e = read_price(l, l->ahead, &row.ahead_per_kwh);
    }
    if (e != ERR_NONE) {
        return e;
    }
    if (never) {
        l->prices->report.n_never++;
        return ERR_NONE;
    }
    if (l->n > 0 && row.utc_ms <= l->rows[l->n - 1].utc_ms) {
        return bad_cell(l, l->time_column,
                        "a later time than in the row before");
    }
    e = reserve(l);
    if (e == ERR_NONE) {
        l->rows[l->n++] = row;
    }
    return e;
}

static enum err read_rows(struct loading *l)
{
    for (;;) {
        enum csv_got got = csv_next(l->csv, l->why, l->why_size);
        if (got == CSV_BAD) {
            return ERR_SYNTAX;
        }
        if (got == CSV_END) {
            break;
        }
        l->prices->report.n_rows++;
        enum err e = read_row(l);
        if (e != ERR_NONE) {
            return e;
        }
    }
    if (l->n < 2) {
        snprintf(l->why, l->why_size, "%s: %zu row%s: expected at least 2",
                 l->cfg->file, l->n, l->n == 1 ? "" : "s");
        return ERR_SYNTAX;
    }
    return ERR_NONE;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median step is the step of the file. */
static enum err find_step(struct loading *l)
{
    int64_t *steps_ms = malloc((l->n - 1) * sizeof(*steps_ms));
    if (steps_ms == NULL) {
        snprintf(l->why, l->why_size, "%s: out of memory", l->cfg->file);
        return ERR_MEMORY;
    }
    for (size_t i = 1; i < l->n; i++) {
        steps_ms[i - 1] = l->rows[i].utc_ms - l->rows[i - 1].utc_ms;
    }
    qsort(steps_ms, l->n - 1, sizeof(*steps_ms), compare);
    l->prices->step_ms = steps_ms[(l->n - 2) / 2];
    free(steps_ms);
    if (l->prices->step_ms < step_min_ms ||
        l->prices->step_ms > CALENDAR_DAY_MS) {
        snprintf(l->why, l->why_size,
                 "%s: steps of %lld ms: expected 1 min to 1 day", l->cfg->file,
                 (long long)l->prices->step_ms);
        return ERR_RANGE;
    }
    return ERR_NONE;
}

/* 'n' steps without a price. */
static bool make_room(struct prices *p, size_t n, bool ahead)
{
    p->per_kwh = malloc(n * sizeof(*p->per_kwh));
    p->settle_per_kwh = malloc(n * sizeof(*p->settle_per_kwh));
    p->ahead_per_kwh = ahead ? malloc(n * sizeof(*p->ahead_per_kwh)) : NULL;
    if (p->per_kwh == NULL || p->settle_per_kwh == NULL ||
        (ahead && p->ahead_per_kwh == NULL)) {
        return false;
    }
    p->n = n;
    for (size_t i = 0; i < n; i++) {
        p->per_kwh[i] = p->settle_per_kwh[i] = NAN;
        if (ahead) {
            p->ahead_per_kwh[i] = NAN;
        }
    }
    return true;
}

/* Onto equal steps from the first row to the last, NAN where none lies. */
static enum err spread(struct loading *l)
{
    struct prices *p = l->prices;
    p->start_at_ms = l->rows[0].utc_ms;
    int64_t length_ms = l->rows[l->n - 1].utc_ms - p->start_at_ms;
    if (length_ms / p->step_ms >= 2 * (int64_t)ROWS_MAX) {
        snprintf(l->why, l->why_size, "%s: more than %d steps", l->cfg->file,
                 2 * ROWS_MAX);
        return ERR_FULL;
    }
    size_t n = (size_t)(length_ms / p->step_ms) + 1;
    if (!make_room(p, n, l->cfg->ahead_column != NULL)) {
        snprintf(l->why, l->why_size, "%s: out of memory", l->cfg->file);
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < l->n; i++) {
        int64_t at_ms = l->rows[i].utc_ms - p->start_at_ms;
        if (at_ms % p->step_ms != 0) {
            snprintf(l->why, l->why_size,
                     "%s:%ld: the time is off the grid: expected a multiple of "
                     "%lld min from the first row",
                     l->cfg->file, l->rows[i].line,
                     (long long)(p->step_ms / 60000));
            return ERR_SYNTAX;
        }
        int64_t k = at_ms / p->step_ms;
        p->per_kwh[k] = l->rows[i].per_kwh;
        p->settle_per_kwh[k] = l->rows[i].settle_per_kwh;
        if (p->ahead_per_kwh != NULL) {
            p->ahead_per_kwh[k] = l->rows[i].ahead_per_kwh;
        }
    }
    return ERR_NONE;
}

static void report_gaps(struct prices *p)
{
    struct prices_report *r = &p->report;
    int64_t run = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (!isnan(p->per_kwh[i])) {
            run = 0;
            continue;
        }
        r->n_missing++;
        r->n_gaps += run++ == 0;
        if (run * p->step_ms > r->longest_ms) {
            r->longest_ms = run * p->step_ms;
            r->longest_at_ms =
                p->start_at_ms + ((int64_t)i - run + 1) * p->step_ms;
        }
    }
}

enum err prices_load(const struct prices_cfg *cfg, struct prices *out,
                     char *why, size_t why_size)
{
    assert(cfg->zone != NULL && (unsigned)cfg->known < PRICES_KNOWN_COUNT);
    memset(out, 0, sizeof(*out));
    out->zone = *cfg->zone;
    out->known = cfg->known;
    struct loading l = {
        .cfg = cfg, .prices = out, .why = why, .why_size = why_size};
    enum err e = csv_open(cfg->file, &l.csv, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    e = choose_columns(&l);
    if (e == ERR_NONE) {
        e = read_rows(&l);
    }
    if (e == ERR_NONE) {
        e = find_step(&l);
    }
    if (e == ERR_NONE) {
        e = spread(&l);
    }
    if (e == ERR_NONE) {
        report_gaps(out);
    } else {
        prices_clear(out);
    }
    csv_close(l.csv);
    free(l.rows);
    return e;
}
