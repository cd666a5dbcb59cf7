/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mps_sides - the sections of an MPS file behind COLUMNS. */
#include <math.h>

#include "replay/mps_parts.h"

/* None where it is infinite. */
static void bound(const struct mps_writer *w, const char *kind,
                  struct mps_label column, double value)
{
    if (isfinite(value)) {
        fprintf(w->out, " %s BND %s %.15g\n", kind, column.text, value);
    }
}

static void rhs(const struct mps_writer *w, struct mps_label l, double value)
{
    if (value != 0.0) {
        fprintf(w->out, " RHS %s %.15g\n", l.text, value);
    }
}

static void write_battery_rhs(const struct mps_writer *w, int64_t b)
{
    for (int64_t s = 0; s < w->stores[b].n_segments; s++) {
        rhs(w, mps_segment(w, "soc", (struct mps_store){b, s}, 0),
            w->stores[b].start_wh[s] / MPS_W_PER_MW);
    }
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        const char *name = w->batteries[b];
        if (mps_has_level(w, b, t)) {
            rhs(w, mps_at("level", name, t), mps_window(w, b, t).lo_mwh);
        }
        if (mps_has_segments(w, b)) {
            rhs(w, mps_at("chmax", name, t), mps_charge_mw(w, b, t));
            rhs(w, mps_at("dismax", name, t), mps_discharge_mw(w, b, t));
        }
        if (mps_has_one(w, b, t)) {
            rhs(w, mps_at("one", name, t), 1.0);
        }
    }
}

static double floor_mw(const struct mps_writer *w, int64_t k, int64_t t)
{
    const struct schedule_class *c = &w->p->classes[k];
    return c->min_pu * c->demand_w[t] / MPS_W_PER_MW;
}

static void write_rhs(const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    fprintf(w->out, "RHS\n");
    for (int64_t t = 0; t < p->n_steps; t++) {
        rhs(w, mps_at("bal", "", t), p->load_w[t] / MPS_W_PER_MW);
        if (mps_has_ramp(w, t)) {
            double from_mw = t == 0 ? p->grid_start_w / MPS_W_PER_MW : 0.0;
            rhs(w, mps_at("ramp", "", t), from_mw + mps_ramp_mw(w, t));
        }
        for (int64_t k = 0; k < p->n_classes; k++) {
            if (p->classes[k].deferrable) {
                rhs(w, mps_at("queue", w->classes[k], t),
                    mps_hours(w, t) * p->classes[k].demand_w[t] / MPS_W_PER_MW);
            } else if (w->least != NULL) {
                rhs(w, mps_at("floor", w->classes[k], t), floor_mw(w, k, t));
            }
        }
    }
    for (int tier = 0; tier < SCHEDULE_TIERS; tier++) {
        if (mps_has_total(w, (enum schedule_tier)tier)) {
            rhs(w, mps_total((enum schedule_tier)tier), w->least->most[tier]);
        }
    }
    for (int64_t b = 0; b < p->n_batteries; b++) {
        write_battery_rhs(w, b);
    }
}

static void write_ranges(const struct mps_writer *w)
{
    fprintf(w->out, "RANGES\n");
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        if (mps_has_ramp(w, t)) {
            fprintf(w->out, " RNG %s %.15g\n", mps_at("ramp", "", t).text,
                    2.0 * mps_ramp_mw(w, t));
        }
        for (int64_t b = 0; b < w->p->n_batteries; b++) {
            if (!mps_has_level(w, b, t)) {
                continue;
            }
            struct mps_window window = mps_window(w, b, t);
            fprintf(w->out, " RNG %s %.15g\n",
                    mps_at("level", w->batteries[b], t).text,
                    fmax(window.hi_mwh - window.lo_mwh, 0.0));
        }
    }
}

/* A battery of one segment needs no rows for its limits. */
static void bound_only(const struct mps_writer *w, int64_t b, int64_t t)
{
    struct mps_store store = {b, 0};
    struct mps_window window =
        w->least != NULL ? mps_hard(w, b) : mps_window(w, b, t);
    struct mps_label e = mps_segment(w, "e", store, t);
    if (window.lo_mwh != 0.0) {
        bound(w, "LO", e, window.lo_mwh);
    }
    bound(w, "UP", e, window.hi_mwh);
    bound(w, "UP", mps_segment(w, "ch", store, t), mps_charge_mw(w, b, t));
    bound(w, "UP", mps_segment(w, "dis", store, t), mps_discharge_mw(w, b, t));
}

/* What lies outside all widths lies in the first or the last segment. */
static void bound_segment(const struct mps_writer *w, struct mps_store store,
                          int64_t t)
{
    const struct schedule_store *a = &w->stores[store.b];
    struct mps_window window =
        w->least != NULL ? mps_hard(w, store.b) : mps_window(w, store.b, t);
    struct mps_label e = mps_segment(w, "e", store, t);
    double hi_mwh = a->width_wh[store.s] / MPS_W_PER_MW;
    if (store.s + 1 == a->n_segments) {
        hi_mwh = fmax(hi_mwh, a->start_wh[store.s] / MPS_W_PER_MW);
        hi_mwh += fmax(window.hi_mwh - a->whole_wh / MPS_W_PER_MW, 0.0);
    }
    if (store.s == 0 && window.lo_mwh < 0.0) {
        bound(w, "LO", e, window.lo_mwh);
    }
    bound(w, "UP", e, hi_mwh);
}

static void bound_battery(const struct mps_writer *w, int64_t b)
{
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        if (!mps_has_segments(w, b)) {
            bound_only(w, b, t);
            continue;
        }
        for (int64_t s = 0; s < w->stores[b].n_segments; s++) {
            bound_segment(w, (struct mps_store){b, s}, t);
        }
    }
}

static void bound_class(const struct mps_writer *w, int64_t k)
{
    const struct schedule_class *c = &w->p->classes[k];
    for (int64_t t = 0; t < w->p->n_steps; t++) {
        struct mps_label served = mps_at("sv", w->classes[k], t);
        double max_w = c->deferrable ? c->max_w : c->demand_w[t];
        if (!c->deferrable) {
            bound(w, "LO", served, w->least != NULL ? 0.0 : floor_mw(w, k, t));
        }
        bound(w, "UP", served, max_w / MPS_W_PER_MW);
        if (c->deferrable && c->late_per_kwh_h > 0.0) {
            bound(w, "UP", mps_at("q", w->classes[k], t),
                  c->queue_max_wh[t] / MPS_W_PER_MW);
        }
    }
}

static void write_bounds(const struct mps_writer *w)
{
    const struct schedule_problem *p = w->p;
    fprintf(w->out, "BOUNDS\n");
    for (int64_t t = 0; t < p->n_steps; t++) {
        bound(w, "UP", mps_at("imp", "", t), p->import_max_w[t] / MPS_W_PER_MW);
        bound(w, "UP", mps_at("exp", "", t), p->export_max_w[t] / MPS_W_PER_MW);
    }
    for (int64_t b = 0; b < p->n_batteries; b++) {
        bound_battery(w, b);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        bound_class(w, k);
    }
    if (mps_has_peak(w)) {
        bound(w, "LO", (struct mps_label){"peak"}, p->peak_w / MPS_W_PER_MW);
    }
    bound(w, "FX", (struct mps_label){"one"}, 1.0);
}

void mps_write_sides(const struct mps_writer *w)
{
    write_rhs(w);
    write_ranges(w);
    write_bounds(w);
}
