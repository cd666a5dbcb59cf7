/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export_history - the historian's seconds as CSV. */
#include <inttypes.h>
#include <math.h>

#include "controller/cli.h"
#include "controller/export.h"
#include "controller/history_read.h"
#include "controller/history_where.h"
#include "models/calendar.h"

/* Seconds on their way into one row. */
struct export
{
    const struct export_cfg *cfg;
    int64_t every_ms;
    int64_t begin_ms; /* of the row */
    int64_t n_ticks;
    int64_t degraded;
    double values[SECOND_COLUMNS];
    double weights[SECOND_COLUMNS]; /* ticks that know the value */
    int64_t n_rows;
};

static const enum aggregate aggregates[SECOND_COLUMNS] = {
#define HOW(column, member, how) [SECOND_##column] = AGGREGATE_##how,
    SECOND_LIST(HOW)
#undef HOW
};

static void print_header(FILE *out)
{
#define NAME(column, member, how) "," #column
    fprintf(out, "time_utc,n_ticks,degraded" SECOND_LIST(NAME) "\n");
#undef NAME
}

static void flush_row(struct export *x)
{
    if (x->n_ticks == 0) {
        return;
    }
    char at[CALENDAR_TEXT_MAX];
    FILE *out = x->cfg->out;
    if (x->n_rows == 0) {
        print_header(out);
    }
    fprintf(out, "%s,%" PRId64 ",%" PRId64,
            calendar_format_utc(x->begin_ms, at), x->n_ticks, x->degraded);
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        if (x->weights[i] > 0.0) {
            fprintf(out, ",%.9g", x->values[i]);
        } else {
            fputc(',', out);
        }
    }
    fputc('\n', out);
    x->n_rows++;
    x->n_ticks = 0;
}

static double combine(enum aggregate how, const double *was, double now,
                      const double weights[2])
{
    if (weights[0] == 0.0) {
        return now;
    }
    switch (how) {
    case AGGREGATE_MEAN:
        return (*was * weights[0] + now * weights[1]) /
               (weights[0] + weights[1]);
    case AGGREGATE_MIN:
        return fmin(*was, now);
    case AGGREGATE_MAX:
        return fmax(*was, now);
    case AGGREGATE_PEAK:
        return fabs(now) > fabs(*was) ? now : *was;
    case AGGREGATE_LAST:
        return now;
    }
    return now;
}

static void begin_row(struct export *x, int64_t at_ms)
{
    flush_row(x);
    x->begin_ms = at_ms;
    x->degraded = 0;
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        x->weights[i] = 0.0;
    }
}

static void take(void *user, const struct second_row *row)
{
    struct export *x = user;
    int64_t at_ms = row->at_ms - row->at_ms % x->every_ms;
    if (x->n_ticks == 0 || at_ms != x->begin_ms) {
        begin_row(x, at_ms);
    }
    double n = (double)(row->n_ticks > 0 ? row->n_ticks : 1);
    x->n_ticks += (int64_t)n;
    x->degraded = row->degraded > x->degraded ? row->degraded : x->degraded;
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        if (isfinite(row->values[i])) {
            const double weights[2] = {x->weights[i], n};
            x->values[i] =
                combine(aggregates[i], &x->values[i], row->values[i], weights);
            x->weights[i] += n;
        }
    }
}

int export_history(const struct export_cfg *cfg)
{
    char path[4096];
    char why[200] = "";
    struct history_reader *r = NULL;
    if (!history_where(cfg->given, path, sizeof(path))) {
        return EXIT_USAGE;
    }
    if (history_read_open(path, &r, why, sizeof(why)) != ERR_NONE) {
        history_where_missing("export", path, why, "for its DATABASE");
        return EXIT_USAGE;
    }
    struct export x = {.cfg = cfg, .every_ms = 1000};
    if (cfg->every_s > 1.0) {
        x.every_ms = (int64_t)llround(cfg->every_s) * 1000;
    }
    history_read_seconds(r, (struct history_span){cfg->from_ms, cfg->to_ms},
                         take, &x);
    flush_row(&x);
    int code = EXIT_DONE;
    if (history_read_error(r)[0] != '\0') {
        cli_error("export", "%s: %s", path, history_read_error(r));
        code = EXIT_USAGE;
    } else if (x.n_rows == 0) {
        cli_error("export", "%s: nothing is kept of that time", path);
        code = EXIT_NO;
    }
    history_read_close(r);
    return code;
}
