/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ballast rainflow`: the cycles of a series as CSV. */
#include <math.h>
#include <stdio.h>

#include "controller/cli.h"
#include "models/rainflow.h"
#include "replay/csv.h"
#include "replay/wear_main.h"

enum { WHY_MAX = 512 };

/* The range of two such values is still a number. */
static const double VALUE_MAX = 1e300;

struct counting {
    const char *path;
    struct csv *csv;
    struct rainflow flow;
    int index_column;
    int value_column;
    double first; /* index of the first row */
    double n;
    char why[WHY_MAX];
};

static void print_cycle(const struct counting *c,
                        const struct rainflow_cycle *y)
{
    printf("%.17g,%.17g,%.1f,%.0f,%.0f\n", y->range, y->mean, y->count,
           c->first + (double)y->i_start, c->first + (double)y->i_end);
}

static enum err bad(struct counting *c, int column, const char *expected)
{
    snprintf(c->why, sizeof(c->why), "%s:%ld: %s \"%.40s\": expected %s",
             c->path, csv_line(c->csv), csv_name(c->csv, column),
             csv_cell(c->csv, column), expected);
    return ERR_SYNTAX;
}

static enum err check_index(struct counting *c, double index)
{
    if (c->n == 0.0) {
        c->first = index;
        if (index != floor(index) || fabs(index) > 1e15) {
            return bad(c, c->index_column, "a whole number");
        }
    }
    if (index != c->first + c->n) {
        char expected[64];
        snprintf(expected, sizeof(expected), "%.0f, one more than before",
                 c->first + c->n);
        return bad(c, c->index_column, expected);
    }
    return c->n < (double)UINT32_MAX ? ERR_NONE
                                     : bad(c, c->index_column, "fewer rows");
}

static enum err count_row(struct counting *c)
{
    double index = 0.0;
    struct rainflow_sample s = {.value = 0.0};
    if (csv_number(csv_cell(c->csv, c->index_column), &index) != ERR_NONE) {
        return bad(c, c->index_column, "a whole number");
    }
    if (csv_number(csv_cell(c->csv, c->value_column), &s.value) != ERR_NONE) {
        return bad(c, c->value_column, "a finite number");
    }
    if (fabs(s.value) > VALUE_MAX || rainflow_feed(&c->flow, &s) != ERR_NONE) {
        return bad(c, c->value_column, "a number from -1e300 to 1e300");
    }
    enum err e = check_index(c, index);
    c->n += 1.0;
    struct rainflow_cycle y;
    while (rainflow_take(&c->flow, &y)) {
        if (e == ERR_NONE) {
            print_cycle(c, &y);
        }
    }
    return e;
}

static enum err find_columns(struct counting *c)
{
    c->index_column = csv_column(c->csv, "index");
    c->value_column = csv_column(c->csv, "value");
    if (c->index_column >= 0 && c->value_column >= 0) {
        return ERR_NONE;
    }
    char names[256];
    snprintf(c->why, sizeof(c->why), "%s:1: no column \"%s\"; the file has %s",
             c->path, c->index_column < 0 ? "index" : "value",
             csv_names(c->csv, names, sizeof(names)));
    return ERR_UNKNOWN;
}

static enum err count(struct counting *c)
{
    enum err e = find_columns(c);
    if (e == ERR_NONE) {
        printf("range,mean,count,i_start,i_end\n");
    }
    while (e == ERR_NONE) {
        enum csv_got got = csv_next(c->csv, c->why, sizeof(c->why));
        if (got == CSV_END) {
            break;
        }
        e = got == CSV_ROW ? count_row(c) : ERR_SYNTAX;
    }
    if (e != ERR_NONE) {
        return e;
    }
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    int n = rainflow_open(&c->flow, open);
    for (int i = 0; i < n; i++) {
        print_cycle(c, &open[i]);
    }
    return ERR_NONE;
}

int rainflow_main(int argc, char **argv)
{
    const struct cli cli = {
        .command = "rainflow",
        .args = "FILE",
        .about = "The cycles of a series with the columns index and value, "
                 "counted by rainflow\n(ASTM E1049), as CSV: range, mean, "
                 "count, index of start and end.",
        .example = "  ballast rainflow soc.csv > cycles.csv\n",
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    static struct counting c;
    rainflow_init(&c.flow, 0.0, RAINFLOW_DEPTH);
    c.path = argv[1];
    enum err e = csv_open(c.path, &c.csv, c.why, sizeof(c.why));
    if (e == ERR_NONE) {
        e = count(&c);
        csv_close(c.csv);
    }
    if (e != ERR_NONE) {
        cli_error("rainflow", "%s", c.why);
    }
    return e == ERR_NONE ? EXIT_DONE : EXIT_USAGE;
}
