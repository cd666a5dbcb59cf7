/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/mps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "replay/mps_parts.h"

static void clean_name(const char *name, char *out)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    snprintf(out, MPS_NAME_MAX, "%s", name);
    for (char *c = out; *c != '\0'; c++) {
        if (strchr(word, *c) == NULL) {
            *c = '_';
        }
    }
}

/* The name 'i' of 'names', made different from those before it. */
static void make_name(char (*names)[MPS_NAME_MAX], int64_t i, const char *name)
{
    clean_name(name, names[i]);
    for (int64_t k = 0; k < i; k++) {
        if (strcmp(names[k], names[i]) == 0) {
            size_t n = strlen(names[i]);
            snprintf(names[i] + n, MPS_NAME_MAX - n, "~%d", (int)(i % 100));
        }
    }
}

static void row(const struct mps_writer *w, char kind, struct mps_label l)
{
    fprintf(w->out, " %c %s\n", kind, l.text);
}

/* An entry of a column; the objective where 'to' is "cost". */
static void entry(const struct mps_writer *w, struct mps_label column,
                  struct mps_label to, double value)
{
    if (value != 0.0) {
        fprintf(w->out, " %s %s %.15g\n", column.text, to.text, value);
    }
}

static void cost(const struct mps_writer *w, struct mps_label column,
                 double value)
{
    fprintf(w->out, " %s cost %.15g\n", column.text, value);
}

static void write_rows(const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    fprintf(w->out, "NAME ballast FREE\nROWS\n N cost\n");
    for (int64_t t = 0; t < p->n_steps; t++) {
        row(w, 'E', mps_at("bal", "", t));
        if (mps_has_ramp(w, t)) {
            row(w, 'L', mps_at("ramp", "", t));
        }
        if (mps_has_peak(w)) {
            row(w, 'L', mps_at("top", "", t));
        }
        for (int64_t b = 0; b < p->n_batteries; b++) {
            for (int64_t s = 0; s < w->stores[b].n_segments; s++) {
                row(w, 'E', mps_segment(w, "soc", (struct mps_store){b, s}, t));
            }
            if (mps_has_level(w, b, t)) {
                row(w, 'G', mps_at("level", w->batteries[b], t));
            }
            if (mps_has_segments(w, b)) {
                row(w, 'L', mps_at("chmax", w->batteries[b], t));
                row(w, 'L', mps_at("dismax", w->batteries[b], t));
            }
        }
        for (int64_t k = 0; k < p->n_classes; k++) {
            if (p->classes[k].deferrable) {
                row(w, 'E', mps_at("queue", w->classes[k], t));
            }
        }
    }
}

/* sign: +1 import, -1 export. */
static void grid_column(const struct mps_writer *w, struct mps_label column,
                        int64_t t, double sign)
{
    entry(w, column, mps_at("bal", "", t), sign);
    if (mps_has_ramp(w, t)) {
        entry(w, column, mps_at("ramp", "", t), sign);
    }
    if (t + 1 < w->p->n_steps && mps_has_ramp(w, t + 1)) {
        entry(w, column, mps_at("ramp", "", t + 1), -sign);
    }
}

static void write_grid(const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    for (int64_t t = 0; t < p->n_steps; t++) {
        double mwh_price = mps_hours(w, t) * MPS_KWH_PER_MWH;
        struct mps_label imp = mps_at("imp", "", t);
        cost(w, imp, p->import_per_kwh[t] * mwh_price);
        grid_column(w, imp, t, 1.0);
        if (mps_has_peak(w)) {
            entry(w, imp, mps_at("top", "", t), 1.0);
        }
        struct mps_label exp = mps_at("exp", "", t);
        cost(w, exp, -p->export_per_kwh[t] * mwh_price);
        grid_column(w, exp, t, -1.0);
    }
}

static void write_power(const struct mps_writer *w, int64_t b, int64_t s)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    bool several = mps_has_segments(w, b);
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        double h = mps_hours(w, t);
        struct mps_label soc =
            mps_segment(w, "soc", (struct mps_store){b, s}, t);
        struct mps_label ch = mps_segment(w, "ch", (struct mps_store){b, s}, t);
        entry(w, ch, mps_at("bal", "", t), -1.0);
        entry(w, ch, soc, -a->charge_eff_pu * h);
        if (several) {
            entry(w, ch, mps_at("chmax", w->batteries[b], t), 1.0);
        }
        struct mps_label dis =
            mps_segment(w, "dis", (struct mps_store){b, s}, t);
        cost(w, dis, w->stores[b].per_kwh[s] * MPS_KWH_PER_MWH * h);
        entry(w, dis, mps_at("bal", "", t), 1.0);
        entry(w, dis, soc, h / a->discharge_eff_pu);
        if (several) {
            entry(w, dis, mps_at("dismax", w->batteries[b], t), 1.0);
        }
    }
}

static void write_energy(const struct mps_writer *w, int64_t b, int64_t s)
{
    int64_t n = w->p->n_steps;
    for (int64_t t = 0; t < n; t++) {
        struct mps_label e = mps_segment(w, "e", (struct mps_store){b, s}, t);
        entry(w, e, mps_segment(w, "soc", (struct mps_store){b, s}, t), 1.0);
        if (t + 1 < n) {
            entry(w, e, mps_segment(w, "soc", (struct mps_store){b, s}, t + 1),
                  -1.0);
        } else {
            cost(w, e,
                 -w->p->batteries[b].terminal_value_per_kwh * MPS_KWH_PER_MWH);
        }
        if (mps_has_level(w, b, t)) {
            entry(w, e, mps_at("level", w->batteries[b], t), 1.0);
        }
    }
}

static void write_class(const struct mps_writer *w, int64_t k)
{
    const struct schedule_class *c = &w->p->classes[k];
    int64_t n = w->p->n_steps;
    for (int64_t t = 0; t < n; t++) {
        double h = mps_hours(w, t);
        struct mps_label served = mps_at("sv", w->classes[k], t);
        entry(w, served, mps_at("bal", "", t), -1.0);
        if (!c->deferrable) {
            cost(w, served, -c->value_per_kwh * MPS_KWH_PER_MWH * h);
            continue;
        }
        entry(w, served, mps_at("queue", w->classes[k], t), h);
        struct mps_label q = mps_at("q", w->classes[k], t);
        double left = t + 1 == n ? c->value_per_kwh : 0.0;
        cost(w, q, (c->delay_per_kwh_h * h + left) * MPS_KWH_PER_MWH);
        entry(w, q, mps_at("queue", w->classes[k], t), 1.0);
        if (t + 1 < n) {
            entry(w, q, mps_at("queue", w->classes[k], t + 1), -1.0);
        }
    }
}

/* What is in the objective whatever is decided. */
static double constant_cur(const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    double sum = -p->peak_per_kw * p->peak_w / 1e3;
    for (int64_t k = 0; k < p->n_classes; k++) {
        const struct schedule_class *c = &p->classes[k];
        for (int64_t t = 0; t < p->n_steps && !c->deferrable; t++) {
            sum += c->value_per_kwh * c->demand_w[t] * mps_hours(w, t) / 1e3;
        }
    }
    return sum;
}

static void write_columns(const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    fprintf(w->out, "COLUMNS\n");
    write_grid(w);
    for (int64_t b = 0; b < p->n_batteries; b++) {
        for (int64_t s = 0; s < w->stores[b].n_segments; s++) {
            write_power(w, b, s);
            write_energy(w, b, s);
        }
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        write_class(w, k);
    }
    struct mps_label peak = {"peak"};
    for (int64_t t = 0; t < p->n_steps && mps_has_peak(w); t++) {
        entry(w, peak, mps_at("top", "", t), -1.0);
    }
    if (mps_has_peak(w)) {
        cost(w, peak, p->peak_per_kw * MPS_W_PER_MW / 1e3);
    }
    cost(w, (struct mps_label){"one"}, constant_cur(w));
}

/* Windows as far as they can be reached, the end's least included. */
static void set_windows(struct mps_writer *w, int64_t b)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    int64_t n = w->p->n_steps;
    struct schedule_tube tube = schedule_tube(a);
    for (int64_t t = 0; t < n; t++) {
        schedule_tube_step(&tube, a, t, mps_hours(w, t));
        w->windows[b * n + t] = (struct mps_window){tube.lo_wh / MPS_W_PER_MW,
                                                    tube.hi_wh / MPS_W_PER_MW};
    }
    struct mps_window *last = &w->windows[b * n + n - 1];
    if (isfinite(a->soc_end_min_pu)) {
        double end_wh = (a->soc_end_min_pu - a->soc_min_pu) * a->energy_wh;
        last->lo_mwh = fmax(last->lo_mwh, end_wh / MPS_W_PER_MW);
    }
}

enum err mps_write(FILE *out, const struct schedule_problem *p)
{
    struct mps_writer w = {.out = out, .p = p};
    size_t n = (size_t)(p->n_batteries * p->n_steps);
    w.windows = calloc(n + 1, sizeof(*w.windows));
    if (w.windows == NULL) {
        return ERR_MEMORY;
    }
    for (int64_t b = 0; b < p->n_batteries; b++) {
        make_name(w.batteries, b, p->batteries[b].name);
        schedule_store(&p->batteries[b], &w.stores[b]);
        set_windows(&w, b);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        make_name(w.classes, k, p->classes[k].name);
    }
    write_rows(&w);
    write_columns(&w);
    mps_write_sides(&w);
    fprintf(out, "ENDATA\n");
    free(w.windows);
    return fflush(out) == 0 && ferror(out) == 0 ? ERR_NONE : ERR_IO;
}
