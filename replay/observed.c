/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/observed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/calendar.h"
#include "models/zone.h"
#include "replay/csv.h"
#include "replay/prices.h"
#include "replay/trace.h"

static const double generator_grid_s = 1.0;
static const double generator_peak_w = 150e6;
static const double generator_fine_s = 0.1;
static const double generator_samples = 60.0; /* of a step, at least */
static const double gap_steps = 10.0;
static const double rounding = 1e-6;

void observed_clear(struct observed *o)
{
    free(o->y);
    free(o->part);
    *o = (struct observed){.start_utc_ms = -1};
}

static enum err reserve(struct observed *o, double n, char *why, size_t size)
{
    if (!(n <= OBSERVED_MAX)) {
        snprintf(why, size,
                 "%s: %.0f steps of %g s: expected at most %d; a coarser grid "
                 "by --step, or a shorter load",
                 o->name, n, o->step_s, OBSERVED_MAX);
        return ERR_FULL;
    }
    o->n = (size_t)n;
    o->y = malloc(o->n * sizeof(*o->y));
    o->part = calloc(o->n, sizeof(*o->part));
    if (o->y == NULL || o->part == NULL) {
        snprintf(why, size, "%s: out of memory", o->name);
        return ERR_MEMORY;
    }
    return ERR_NONE;
}

static void count_gaps(struct observed *o)
{
    for (size_t k = 0; k < o->n; k++) {
        o->n_gaps += isnan(o->y[k]) && (k == 0 || !isnan(o->y[k - 1]));
    }
}

static void sample_file(const struct trace *t, struct observed *o)
{
    size_t i = 0;
    uint8_t part = 0;
    for (size_t k = 0; k < o->n; k++) {
        double at_s = ((double)k + rounding) * t->step_s;
        while (i + 1 < t->n && t->t_s[i + 1] <= at_s) {
            i++;
        }
        while (part < t->n_parts && t->parts[part] <= i) {
            part++;
        }
        bool gap = i + 1 < t->n &&
                   t->t_s[i + 1] - t->t_s[i] > gap_steps * t->step_s &&
                   at_s >= t->t_s[i] + t->step_s;
        o->y[k] = gap ? NAN : t->power_w[i];
        o->part[k] = part;
    }
}

static void sample_generator(const struct trace *t, struct observed *o)
{
    double every_s = fmax(generator_fine_s, o->step_s / generator_samples);
    int m = (int)fmax(1.0, round(o->step_s / every_s));
    size_t cursor = 0;
    for (size_t k = 0; k < o->n; k++) {
        double sum = 0.0;
        for (int j = 0; j < m; j++) {
            sum +=
                trace_at(t, ((double)k + (double)j / m) * o->step_s, &cursor);
        }
        o->y[k] = sum / m;
    }
}

static void tell_about_rows(const struct trace_report *r, const char *name)
{
    if (r->n_dropped > 0) {
        cli_error("forecast", "rows left out as faulty: %zu of %zu: %s",
                  r->n_dropped, r->n_rows, r->first_why);
    }
    if (r->n_ahead > 0) {
        cli_error("forecast",
                  "%s: rows left out, stamped later than the row after: %zu",
                  name, r->n_ahead);
    }
    if (r->n_repeated > 0) {
        cli_error("forecast",
                  "%s: rows left out, not later than the row before: %zu", name,
                  r->n_repeated);
    }
    if (r->n_gaps > 0) {
        cli_error("forecast",
                  "%s: gaps: %zu, the longest %.3g s before line %ld: neither "
                  "learned nor scored",
                  name, r->n_gaps, r->longest_s, r->longest_line);
    }
}

static void tell_about_parts(const struct trace *t)
{
    if (t->n_parts > 0) {
        cli_error("forecast",
                  "%s: the time goes back, %zu times, first after %.6g s: each "
                  "time a new part begins one step later, and no forecast is "
                  "scored across it. Of several runs pick one: --where "
                  "COLUMN=VALUE",
                  t->name, t->n_parts, t->t_s[t->parts[0] - 1]);
    }
}

static enum err take_trace(const struct observed_cfg *cfg,
                           const struct trace *t, struct observed *o, char *why,
                           size_t size)
{
    const struct trace_report *r = &t->report;
    o->unit = "W";
    size_t n = (size_t)snprintf(o->name, sizeof(o->name), "%s", t->name);
    for (int i = 0; i < cfg->where.n && n < sizeof(o->name); i++) {
        n += (size_t)snprintf(o->name + n, sizeof(o->name) - n, "%s %.60s",
                              i > 0 ? "" : ",", cfg->where.at[i]);
    }
    o->start_utc_ms = t->start_utc_ms;
    o->n_rows = r->n_rows;
    o->n_dropped = r->n_dropped + r->n_ahead + r->n_repeated;
    o->n_parts = t->n_parts;
    o->step_s = t->step_s;
    if (t->gen != NULL) {
        o->step_s = cfg->step_s > 0.0 ? cfg->step_s : generator_grid_s;
    }
    double last_s = t->gen != NULL ? t->pass_s - o->step_s : t->t_s[t->n - 1];
    enum err e = reserve(o, floor(fmax(0.0, last_s) / o->step_s + 1e-3) + 1.0,
                         why, size);
    if (e != ERR_NONE) {
        return e;
    }
    if (t->gen != NULL) {
        sample_generator(t, o);
    } else {
        sample_file(t, o);
        tell_about_rows(r, o->name);
        tell_about_parts(t);
    }
    return ERR_NONE;
}

static enum err load_trace(const struct observed_cfg *cfg, struct observed *o,
                           char *why, size_t size)
{
    struct trace trace;
    struct trace_cfg want = {
        .load = cfg->load,
        .column = cfg->column,
        .where = cfg->where.at,
        .n_where = cfg->where.n,
        .scale = cfg->scale,
        .repeat = 1,
        .peak_w = generator_peak_w,
        .keep_going = true,
        .mend_time = true,
    };
    enum err e = trace_load(&want, &trace, why, size);
    if (e == ERR_NONE) {
        e = take_trace(cfg, &trace, o, why, size);
        trace_clear(&trace);
    }
    return e;
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t k = strlen(end);
    return n >= k && strcmp(name + n - k, end) == 0;
}

static bool is_price(const char *column)
{
    return ends_in(column, "_per_mwh") || ends_in(column, "_per_kwh");
}

static bool is_power(const char *column)
{
    return ends_in(column, "_w") || ends_in(column, "_kw") ||
           ends_in(column, "_mw");
}

/* The price column that is meant, in 'out'; "" where a load is. */
static enum err find_price(const struct observed_cfg *cfg, char *out,
                           size_t out_size, char *why, size_t size)
{
    out[0] = '\0';
    if (strncmp(cfg->load, "gen:", 4) == 0) {
        return ERR_NONE;
    }
    struct csv *csv = NULL;
    enum err e = csv_open(cfg->load, &csv, why, size);
    if (e != ERR_NONE) {
        return e;
    }
    for (int i = csv_columns(csv) - 1; i >= 0; i--) {
        const char *name = csv_name(csv, i);
        if (cfg->column == NULL && is_power(name)) {
            out[0] = '\0';
            break;
        }
        bool meant = cfg->column == NULL || strcmp(cfg->column, name) == 0;
        if (meant && is_price(name) && strlen(name) < out_size) {
            snprintf(out, out_size, "%s", name);
        }
    }
    csv_close(csv);
    return ERR_NONE;
}

static enum err take_prices(const struct observed_cfg *cfg,
                            const struct prices *p, const char *column,
                            struct observed *o, char *why, size_t size)
{
    bool mwh = ends_in(column, "_per_mwh");
    snprintf(o->name, sizeof(o->name), "%.180s %.80s", cfg->load, column);
    o->unit = mwh ? "per_mwh" : "per_kwh";
    o->start_utc_ms = p->start_at_ms;
    o->n_rows = p->report.n_rows;
    o->n_dropped = p->report.n_never;
    o->step_s = (double)p->step_ms / 1e3;
    enum err e = reserve(o, (double)p->n, why, size);
    for (size_t k = 0; e == ERR_NONE && k < o->n; k++) {
        o->y[k] = p->per_kwh[k] * (mwh ? 1e3 : 1.0) * cfg->scale;
    }
    return e;
}

static enum err load_prices(const struct observed_cfg *cfg, const char *column,
                            struct observed *o, char *why, size_t size)
{
    if (cfg->where.n > 0) {
        snprintf(why, size, "--where %s: expected only with a load",
                 cfg->where.at[0]);
        return ERR_UNKNOWN;
    }
    struct zone *as_it_stands = malloc(sizeof(*as_it_stands));
    if (as_it_stands == NULL) {
        snprintf(why, size, "out of memory");
        return ERR_MEMORY;
    }
    zone_utc(as_it_stands);
    struct prices_cfg want = {
        .file = cfg->load, .column = column, .zone = as_it_stands};
    struct prices prices;
    enum err e = prices_load(&want, &prices, why, size);
    free(as_it_stands);
    if (e != ERR_NONE) {
        return e;
    }
    e = take_prices(cfg, &prices, column, o, why, size);
    const struct prices_report *r = &prices.report;
    char at[CALENDAR_TEXT_MAX];
    if (e == ERR_NONE && r->n_gaps > 0) {
        cli_error("forecast",
                  "%s: gaps: %zu with %zu values, the longest %.3g h from %s: "
                  "neither learned nor scored",
                  o->name, r->n_gaps, r->n_missing,
                  (double)r->longest_ms / 3.6e6,
                  calendar_format_utc(r->longest_at_ms, at));
    }
    prices_clear(&prices);
    return e;
}

enum err observed_coarsen(struct observed *o, double step_s)
{
    double ratio = step_s / o->step_s;
    if (!(ratio > 1.0 - 1e-3)) {
        return ERR_RANGE;
    }
    size_t n = (size_t)floor((double)o->n / ratio + 1e-3);
    size_t k = 0;
    for (size_t j = 0; j < n; j++) {
        double sum = 0.0;
        double good = 0.0;
        double all = 0.0;
        double end = ((double)(j + 1) - rounding) * ratio;
        for (; k < o->n && (double)k < end; k++) {
            all += 1.0;
            if (!isnan(o->y[k])) {
                good += 1.0;
                sum += o->y[k];
            }
            o->part[j] = o->part[k];
        }
        o->y[j] = good >= 0.5 * all && good > 0.0 ? sum / good : NAN;
    }
    o->n = n;
    o->step_s = step_s;
    o->n_gaps = 0;
    count_gaps(o);
    return ERR_NONE;
}

/* Onto the grid that was asked for. */
static enum err regrid(const struct observed_cfg *cfg, struct observed *o,
                       char *why, size_t size)
{
    bool even = fabs(cfg->step_s - o->step_s) <= 1e-3 * o->step_s;
    if (cfg->step_s <= 0.0 || even) {
        return ERR_NONE;
    }
    if (observed_coarsen(o, cfg->step_s) != ERR_NONE) {
        snprintf(why, size,
                 "--step: %g s: expected at least the step of %s, %g s",
                 cfg->step_s, o->name, o->step_s);
        return ERR_RANGE;
    }
    return ERR_NONE;
}

static enum err check_numbers(const struct observed_cfg *cfg, char *why,
                              size_t size)
{
    if (!(cfg->scale > 0.0 && cfg->scale <= 1e12)) {
        snprintf(why, size, "--scale %g: expected a number above 0",
                 cfg->scale);
        return ERR_RANGE;
    }
    if (cfg->step_s > 0.0 && !(cfg->step_s >= 1e-3 && cfg->step_s <= 86400.0)) {
        snprintf(why, size, "--step: %g s: expected 1 ms to 1 d", cfg->step_s);
        return ERR_RANGE;
    }
    return ERR_NONE;
}

enum err observed_load(const struct observed_cfg *cfg, struct observed *out,
                       char *why, size_t why_size)
{
    *out = (struct observed){.start_utc_ms = -1};
    char column[128];
    enum err e = check_numbers(cfg, why, why_size);
    if (e == ERR_NONE) {
        e = find_price(cfg, column, sizeof(column), why, why_size);
    }
    if (e == ERR_NONE) {
        e = column[0] != '\0' ? load_prices(cfg, column, out, why, why_size)
                              : load_trace(cfg, out, why, why_size);
    }
    if (e == ERR_NONE) {
        count_gaps(out);
        e = regrid(cfg, out, why, why_size);
    }
    if (e != ERR_NONE) {
        observed_clear(out);
    }
    return e;
}
