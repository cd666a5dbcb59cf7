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
    fprintf(w->out, " %s cost %.15g\n", column.text,
            w->least != NULL ? 0.0 : value);
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
            if (mps_has_one(w, b, t)) {
                row(w, 'L', mps_at("one", w->batteries[b], t));
            }
        }
        for (int64_t k = 0; k < p->n_classes; k++) {
            if (p->classes[k].deferrable) {
                row(w, 'E', mps_at("queue", w->classes[k], t));
            } else if (w->least != NULL) {
                row(w, 'G', mps_at("floor", w->classes[k], t));
            }
        }
    }
    for (int tier = 0; tier < SCHEDULE_TIERS; tier++) {
        if (mps_has_total(w, (enum schedule_tier)tier)) {
            row(w, 'L', mps_total((enum schedule_tier)tier));
        }
    }
}

/* What 'column' adds to the violation of its tier. */
static void give(const struct mps_writer *w, struct mps_label column,
                 enum schedule_tier tier, double per_unit)
{
    if (w->least->tier == tier) {
        fprintf(w->out, " %s cost %.15g\n", column.text, per_unit);
    } else if (mps_has_total(w, tier)) {
        entry(w, column, mps_total(tier), per_unit);
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

/* Beyond the grid's limits, and beyond the ramp either way. */
static void write_grid_gives(const struct mps_writer *w)
{
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        double h = mps_hours(w, t);
        struct mps_label imp = mps_at("imp+", "", t);
        give(w, imp, SCHEDULE_IMPORT, h);
        grid_column(w, imp, t, 1.0);
        struct mps_label exp = mps_at("exp+", "", t);
        give(w, exp, SCHEDULE_IMPORT, h);
        grid_column(w, exp, t, -1.0);
        if (mps_has_ramp(w, t)) {
            struct mps_label up = mps_at("up+", "", t);
            give(w, up, SCHEDULE_RAMP, 1.0);
            entry(w, up, mps_at("ramp", "", t), -1.0);
            struct mps_label down = mps_at("down+", "", t);
            give(w, down, SCHEDULE_RAMP, 1.0);
            entry(w, down, mps_at("ramp", "", t), 1.0);
        }
    }
}

static void write_window_gives(const struct mps_writer *w, int64_t b)
{
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        struct mps_label level = mps_at("level", w->batteries[b], t);
        struct mps_label below = mps_at("below", w->batteries[b], t);
        give(w, below, SCHEDULE_SOC_END, 1.0);
        entry(w, below, level, 1.0);
        struct mps_label above = mps_at("above", w->batteries[b], t);
        give(w, above, SCHEDULE_SOC_END, 1.0);
        entry(w, above, level, -1.0);
    }
}

static void write_power(const struct mps_writer *w, int64_t b, int64_t s)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    bool several = mps_has_segments(w, b);
    double per_mw = MPS_W_PER_MW / w->lp->unit_w;
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
        if (mps_has_one(w, b, t)) {
            entry(w, ch, mps_at("one", w->batteries[b], t),
                  w->lp->batteries[b].in_share[t] * per_mw);
        }
        struct mps_label dis =
            mps_segment(w, "dis", (struct mps_store){b, s}, t);
        cost(w, dis, w->stores[b].per_kwh[s] * MPS_KWH_PER_MWH * h);
        entry(w, dis, mps_at("bal", "", t), 1.0);
        entry(w, dis, soc, h / a->discharge_eff_pu);
        if (several) {
            entry(w, dis, mps_at("dismax", w->batteries[b], t), 1.0);
        }
        if (mps_has_one(w, b, t)) {
            entry(w, dis, mps_at("one", w->batteries[b], t),
                  w->lp->batteries[b].out_share[t] * per_mw);
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

static void write_shed(const struct mps_writer *w, int64_t k, int64_t t)
{
    if (w->least != NULL) {
        struct mps_label floor = mps_at("floor", w->classes[k], t);
        struct mps_label shed = mps_at("shed", w->classes[k], t);
        entry(w, mps_at("sv", w->classes[k], t), floor, 1.0);
        give(w, shed, SCHEDULE_FLOOR, mps_hours(w, t));
        entry(w, shed, floor, 1.0);
    }
}

/* What waits at the end of a step and goes into the next. */
static void write_queue(const struct mps_writer *w, int64_t k, int64_t t,
                        struct mps_label q, double per_kwh)
{
    cost(w, q, per_kwh * MPS_KWH_PER_MWH);
    entry(w, q, mps_at("queue", w->classes[k], t), 1.0);
    if (t + 1 < w->p->n_steps) {
        entry(w, q, mps_at("queue", w->classes[k], t + 1), -1.0);
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
            write_shed(w, k, t);
            continue;
        }
        entry(w, served, mps_at("queue", w->classes[k], t), h);
        double left = t + 1 == n ? c->value_per_kwh : 0.0;
        double delay = c->delay_per_kwh_h * h + left;
        write_queue(w, k, t, mps_at("q", w->classes[k], t), delay);
        if (c->late_per_kwh_h > 0.0) {
            write_queue(w, k, t, mps_at("late", w->classes[k], t),
                        delay + c->late_per_kwh_h * h);
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
    if (w->least != NULL) {
        write_grid_gives(w);
    }
    for (int64_t b = 0; b < p->n_batteries; b++) {
        for (int64_t s = 0; s < w->stores[b].n_segments; s++) {
            write_power(w, b, s);
            write_energy(w, b, s);
        }
    }
    for (int64_t b = 0; b < p->n_batteries && w->least != NULL; b++) {
        write_window_gives(w, b);
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

/* Windows as far as they can be reached, or as they are asked for where they
 * give way; the end's least included. */
static void set_windows(struct mps_writer *w, int64_t b)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    int64_t n = w->p->n_steps;
    struct schedule_tube tube = schedule_tube(a);
    for (int64_t t = 0; t < n; t++) {
        struct schedule_window wish = schedule_window_wish(a, t, t == n - 1);
        schedule_tube_step(&tube, a, t, mps_hours(w, t));
        double lo_wh = w->least != NULL ? wish.lo_wh : tube.lo_wh;
        double hi_wh = w->least != NULL ? wish.hi_wh : tube.hi_wh;
        w->windows[b * n + t] =
            (struct mps_window){lo_wh / MPS_W_PER_MW, hi_wh / MPS_W_PER_MW};
    }
    struct mps_window *last = &w->windows[b * n + n - 1];
    if (isfinite(a->soc_end_min_pu) && w->least == NULL) {
        double end_wh = (a->soc_end_min_pu - a->soc_min_pu) * a->energy_wh;
        last->lo_mwh = fmax(last->lo_mwh, end_wh / MPS_W_PER_MW);
    }
}

static void set_names(struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    for (int64_t b = 0; b < p->n_batteries; b++) {
        make_name(w->batteries, b, p->batteries[b].name);
        schedule_store(&p->batteries[b], &w->stores[b]);
        set_windows(w, b);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        make_name(w->classes, k, p->classes[k].name);
    }
}

/* The solver's own programme, for the rows that it adds. */
struct rows {
    struct schedule_lp lp;
    struct schedule_ways ways;
    struct ipm_memory memory;
};

static bool open_rows(struct rows *r, const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    struct schedule_shape shape = {(int)p->n_steps, (int)p->n_batteries, 1,
                                   (int)p->n_classes};
    for (int64_t b = 0; b < p->n_batteries; b++) {
        int n = (int)p->batteries[b].n_segments;
        shape.n_segments = n > shape.n_segments ? n : shape.n_segments;
    }
    r->memory.n = schedule_memory(&shape);
    r->memory.base = malloc(r->memory.n * sizeof(double));
    schedule_share_where_losses_pay(p, &r->ways);
    if (w->least != NULL) {
        /* Losses pay wherever they spare a violation. */
        r->ways.give = true;
        memset(r->ways.at, SCHEDULE_WAY_SHARED, sizeof(r->ways.at));
    }
    return r->memory.base != NULL &&
           schedule_lp_open(&r->lp, p, &r->ways, &r->memory);
}

static enum err write_file(struct mps_writer *w)
{
    size_t n = (size_t)(w->p->n_batteries * w->p->n_steps);
    struct rows *rows = calloc(1, sizeof(*rows));
    w->windows = calloc(n + 1, sizeof(*w->windows));
    bool ok = rows != NULL && w->windows != NULL && open_rows(rows, w);
    if (ok) {
        w->lp = &rows->lp;
        set_names(w);
        write_rows(w);
        write_columns(w);
        mps_write_sides(w);
        fprintf(w->out, "ENDATA\n");
    }
    if (rows != NULL) {
        free(rows->memory.base);
    }
    free(rows);
    free(w->windows);
    if (!ok) {
        return ERR_MEMORY;
    }
    return fflush(w->out) == 0 && ferror(w->out) == 0 ? ERR_NONE : ERR_IO;
}

enum err mps_write(FILE *out, const struct schedule_problem *p)
{
    struct mps_writer w = {.out = out, .p = p};
    return write_file(&w);
}

enum err mps_write_least(FILE *out, const struct schedule_problem *p,
                         const struct mps_least *least)
{
    struct mps_writer w = {.out = out, .p = p, .least = least};
    return write_file(&w);
}
