/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products with one column of the programme, along time. */
#include "policies/ipm.h"

#include <string.h>

#include "policies/ipm_vector.h"

static size_t stages(const struct ipm *p)
{
    return (size_t)p->n_stages;
}

struct ipm_part ipm_part_of(const struct ipm *p, int c)
{
    struct ipm_span on = p->cols[c].on;
    return (struct ipm_part){.at = (size_t)c * stages(p) + (size_t)on.from,
                             .t = (size_t)on.from,
                             .n = (size_t)(on.to - on.from)};
}

/* out += column c of A, in these stages, times v. */
static void times(const struct ipm *p, int c, const double *v, double *out,
                  struct ipm_span on)
{
    const struct ipm_col *col = &p->cols[c];
    for (int e = 0; e < col->n_entries; e++) {
        const struct ipm_entry *at = &col->entries[e];
        struct ipm_span in = ipm_span_both(on, col->there[e]);
        size_t n = (size_t)(in.to - in.from);
        double *to = out + (size_t)at->row * stages(p) + at->lag + in.from;
        const double *from = v + in.from;
        if (at->shape) {
            ipm_add_shaped(n, at->k,
                           (const double *[]){from, at->shape + in.from}, to);
        } else {
            ipm_add(n, at->k, from, to);
        }
    }
}

void ipm_times(const struct ipm *p, const double *v, double *out)
{
    struct ipm_span all = {0, p->n_stages};
    memset(out, 0, (size_t)p->n_rows * stages(p) * sizeof(double));
    for (int c = 0; c < p->n_cols; c++) {
        times(p, c, v + (size_t)c * stages(p), out, all);
    }
}

void ipm_column_times(const struct ipm *p, int c, const double *v, double *out)
{
    times(p, c, v, out, p->cols[c].on);
}

/* out += entry e of a column times v, of its row. */
static void add_entry(const struct ipm *p, const struct ipm_col *col, int e,
                      const double *v, double *out)
{
    const struct ipm_entry *at = &col->entries[e];
    struct ipm_span in = ipm_span_both(col->on, col->there[e]);
    size_t n = (size_t)(in.to - in.from);
    const double *from = v + (size_t)at->row * stages(p) + at->lag + in.from;
    if (at->shape) {
        ipm_add_shaped(n, at->k, (const double *[]){from, at->shape + in.from},
                       out + in.from);
    } else {
        ipm_add(n, at->k, from, out + in.from);
    }
}

/* The same where it is there wherever the column is, into what is not set. */
static bool set_entry(const struct ipm *p, const struct ipm_col *col,
                      const double *v, double *out)
{
    const struct ipm_entry *at = &col->entries[0];
    struct ipm_span on = col->on;
    struct ipm_span in = ipm_span_both(on, col->there[0]);
    size_t n = (size_t)(on.to - on.from);
    const double *from = v + (size_t)at->row * stages(p) + at->lag + on.from;
    if (in.from != on.from || in.to != on.to) {
        return false;
    }
    if (at->shape) {
        ipm_set_shaped(n, at->k, (const double *[]){from, at->shape + on.from},
                       out + on.from);
    } else {
        ipm_set(n, at->k, from, out + on.from);
    }
    return true;
}

void ipm_column_dot(const struct ipm *p, int c, const double *v, double *out)
{
    const struct ipm_col *col = &p->cols[c];
    int e = 0;
    if (col->n_entries > 0 && set_entry(p, col, v, out)) {
        e = 1;
    } else {
        memset(out, 0, stages(p) * sizeof(double));
    }
    for (; e < col->n_entries; e++) {
        add_entry(p, col, e, v, out);
    }
}

void ipm_column_slope(struct ipm *p, int c)
{
    const struct ipm_col *col = &p->cols[c];
    struct ipm_part part = ipm_part_of(p, c);
    ipm_set(part.n, -1.0, p->cost + part.at, p->grad + part.at);
    for (int e = 0; e < col->n_entries; e++) {
        add_entry(p, col, e, p->y, p->grad + (size_t)c * stages(p));
    }
}
