/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/wear_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/life.h"
#include "replay/commuter.h"
#include "replay/csv.h"

enum { ROWS_MIN = 4096, ROWS_MAX = ROWS_MIN * 4096, COLUMNS = 3 };

/* Closer rows are no profile, and a jump between them no rate. */
static const double STEP_MIN_S = 1e-3;

static const char *const columns[COLUMNS] = {"time_s", "soc", "temperature_C"};

struct loading {
    const char *path;
    struct csv *csv;
    int column[COLUMNS];
    struct wear_profile *profile;
    size_t capacity;
    double from_s; /* time_s of the first row */
    char *why;
    size_t why_size;
};

static enum err find_columns(struct loading *l)
{
    for (int i = 0; i < COLUMNS; i++) {
        l->column[i] = csv_column(l->csv, columns[i]);
        if (l->column[i] < 0) {
            char names[256];
            snprintf(l->why, l->why_size,
                     "%s:1: no column \"%s\"; the file has %s", l->path,
                     columns[i], csv_names(l->csv, names, sizeof(names)));
            return ERR_UNKNOWN;
        }
    }
    return ERR_NONE;
}

static enum err bad(struct loading *l, enum err e, int column,
                    const char *expected)
{
    snprintf(l->why, l->why_size, "%s:%ld: %s \"%.40s\": expected %s", l->path,
             csv_line(l->csv), columns[column],
             csv_cell(l->csv, l->column[column]), expected);
    return e;
}

static enum err check_row(struct loading *l, const struct wear_sample *s)
{
    const struct wear_profile *p = l->profile;
    if (p->n > 0 && !(s->time_s > p->samples[p->n - 1].time_s)) {
        return bad(l, ERR_RANGE, 0,
                   "a later time than in the row before: time goes forward");
    }
    if (p->n > 0 && s->time_s - p->samples[p->n - 1].time_s > LIFE_GAP_MAX_S) {
        return bad(l, ERR_RANGE, 0, "at most a year after the row before");
    }
    if (p->n > 0 && s->time_s - p->samples[p->n - 1].time_s < STEP_MIN_S) {
        return bad(l, ERR_RANGE, 0, "at least 1 ms after the row before");
    }
    if (!(s->soc_pu >= 0.0 && s->soc_pu <= 1.0)) {
        return bad(l, ERR_RANGE, 1, "a state of charge from 0 to 1");
    }
    if (!(s->temp_c >= LIFE_TEMP_MIN_C && s->temp_c <= LIFE_TEMP_MAX_C)) {
        return bad(l, ERR_RANGE, 2, "a temperature from -60 to 150 C");
    }
    return ERR_NONE;
}

static enum err keep(struct loading *l, const struct wear_sample *s)
{
    struct wear_profile *p = l->profile;
    if (p->n == ROWS_MAX) {
        snprintf(l->why, l->why_size, "%s:%ld: expected at most %d rows",
                 l->path, csv_line(l->csv), ROWS_MAX);
        return ERR_RANGE;
    }
    if (p->n == l->capacity) {
        size_t capacity = l->capacity > 0 ? 2 * l->capacity : ROWS_MIN;
        struct wear_sample *more =
            realloc(p->samples, capacity * sizeof(*more));
        if (more == NULL) {
            snprintf(l->why, l->why_size, "%s:%ld: too long for the memory",
                     l->path, csv_line(l->csv));
            return ERR_MEMORY;
        }
        p->samples = more;
        l->capacity = capacity;
    }
    p->samples[p->n++] = *s;
    return ERR_NONE;
}

static enum err read_row(struct loading *l)
{
    double value[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        enum err e = csv_number(csv_cell(l->csv, l->column[i]), &value[i]);
        if (e != ERR_NONE) {
            return bad(l, e, i, "a finite number");
        }
    }
    if (l->profile->n == 0) {
        l->from_s = value[0];
    }
    struct wear_sample s = {value[0] - l->from_s, value[1], value[2]};
    enum err e = check_row(l, &s);
    return e == ERR_NONE ? keep(l, &s) : e;
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
        enum err e = read_row(l);
        if (e != ERR_NONE) {
            return e;
        }
    }
    struct wear_profile *p = l->profile;
    if (p->n < 2) {
        snprintf(l->why, l->why_size,
                 "%s:%ld: the profile ends here: expected two rows or more",
                 l->path, csv_line(l->csv));
        return ERR_RANGE;
    }
    p->period_s = p->samples[p->n - 1].time_s;
    return ERR_NONE;
}

static enum err make_up(const char *spec, struct wear_profile *out, char *why,
                        size_t why_size)
{
    struct commuter_cfg cfg;
    enum err e = commuter_parse(spec, &cfg, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    struct wear_sample *week = calloc(COMMUTER_SAMPLES, sizeof(*week));
    if (week == NULL) {
        snprintf(why, why_size, "gen: %s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    e = commuter_week(&cfg, week, why, why_size);
    if (e != ERR_NONE) {
        free(week);
        return e;
    }
    *out = (struct wear_profile){
        .samples = week,
        .n = COMMUTER_SAMPLES,
        .period_s = week[COMMUTER_SAMPLES - 1].time_s,
        .synthetic = true,
    };
    return ERR_NONE;
}

enum err wear_profile_load(const char *path, struct wear_profile *out,
                           char *why, size_t why_size)
{
    *out = (struct wear_profile){.n = 0};
    if (strncmp(path, "gen:", 4) == 0) {
        return make_up(path + 4, out, why, why_size);
    }
    struct loading l = {
        .path = path, .profile = out, .why = why, .why_size = why_size};
    enum err e = csv_open(path, &l.csv, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    e = find_columns(&l);
    if (e == ERR_NONE) {
        e = read_rows(&l);
    }
    csv_close(l.csv);
    if (e != ERR_NONE) {
        wear_profile_clear(out);
    }
    return e;
}

void wear_profile_clear(struct wear_profile *p)
{
    free(p->samples);
    *p = (struct wear_profile){.n = 0};
}
