/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ladder_mend.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* A step, what is left where all lengths are lost. */
static const double step_default_s = 300.0;

static bool mend_number(double *x, double instead)
{
    if (isfinite(*x)) {
        return false;
    }
    *x = instead;
    return true;
}

/* By the value before. */
static bool mend_series(double *x, int64_t n, double first)
{
    bool any = false;
    for (int64_t t = 0; t < n; t++) {
        any = mend_number(&x[t], t > 0 ? x[t - 1] : first) || any;
    }
    return any;
}

/* A limit, which may be infinite, not to be taken for granted. */
static bool mend_limit(double *x, int64_t n, double instead)
{
    bool any = false;
    for (int64_t t = 0; t < n; t++) {
        if (isnan(x[t])) {
            x[t] = instead;
            any = true;
        }
    }
    return any;
}

static bool mend_battery(struct schedule_battery *b, int64_t n)
{
    bool any = mend_number(&b->energy_wh, 1.0);
    any = mend_limit(b->charge_max_w, n, 0.0) || any;
    any = mend_limit(b->discharge_max_w, n, 0.0) || any;
    any = mend_limit(b->soc_floor_pu, n, 0.0) || any;
    any = mend_limit(b->soc_ceiling_pu, n, 1.0) || any;
    any = mend_number(&b->charge_eff_pu, 1.0) || any;
    any = mend_number(&b->discharge_eff_pu, 1.0) || any;
    any = mend_number(&b->soc_min_pu, 0.0) || any;
    any = mend_number(&b->soc_max_pu, 1.0) || any;
    any = mend_number(&b->soc_start_pu, b->soc_min_pu) || any;
    any = mend_number(&b->terminal_value_per_kwh, 0.0) || any;
    for (int64_t s = 0; s < b->n_segments; s++) {
        any = mend_number(&b->segments[s].width_pu, 0.0) || any;
        any = mend_number(&b->segments[s].start_pu, 0.0) || any;
        any = mend_number(&b->segments[s].per_kwh, 0.0) || any;
    }
    return any;
}

static bool mend_class(struct schedule_class *c, int64_t n)
{
    bool any = mend_series(c->demand_w, n, 0.0);
    any = mend_number(&c->value_per_kwh, 0.0) || any;
    if (!c->deferrable) {
        return mend_number(&c->min_pu, 0.0) || any;
    }
    any = mend_number(&c->max_w, 0.0) || any;
    any = mend_series(c->queue_max_wh, n, 0.0) || any;
    any = mend_number(&c->late_per_kwh_h, 0.0) || any;
    return mend_number(&c->delay_per_kwh_h, 0.0) || any;
}

static void copy(double *to, const double *from, int64_t n)
{
    memcpy(to, from, (size_t)n * sizeof(*to));
}

/* Only the steps that are there: the whole takes longer than a plan's check. */
static void copy_battery(struct schedule_battery *to,
                         const struct schedule_battery *from, int64_t n)
{
    size_t head = offsetof(struct schedule_battery, charge_max_w);
    size_t tail = offsetof(struct schedule_battery, charge_eff_pu);
    memcpy(to, from, head);
    copy(to->charge_max_w, from->charge_max_w, n);
    copy(to->discharge_max_w, from->discharge_max_w, n);
    copy(to->soc_floor_pu, from->soc_floor_pu, n);
    copy(to->soc_ceiling_pu, from->soc_ceiling_pu, n);
    memcpy((char *)to + tail, (const char *)from + tail, sizeof(*to) - tail);
}

static void copy_class(struct schedule_class *to,
                       const struct schedule_class *from, int64_t n)
{
    size_t head = offsetof(struct schedule_class, demand_w);
    size_t tail = offsetof(struct schedule_class, value_per_kwh);
    memcpy(to, from, head);
    copy(to->demand_w, from->demand_w, n);
    copy(to->queue_max_wh, from->queue_max_wh, n);
    memcpy((char *)to + tail, (const char *)from + tail, sizeof(*to) - tail);
}

static void copy_problem(struct schedule_problem *to,
                         const struct schedule_problem *from)
{
    int64_t n = from->n_steps;
    to->n_steps = n;
    copy(to->step_s, from->step_s, n);
    copy(to->load_w, from->load_w, n);
    copy(to->import_per_kwh, from->import_per_kwh, n);
    copy(to->export_per_kwh, from->export_per_kwh, n);
    copy(to->import_max_w, from->import_max_w, n);
    copy(to->export_max_w, from->export_max_w, n);
    to->ramp_max_w_per_s = from->ramp_max_w_per_s;
    to->grid_start_w = from->grid_start_w;
    to->peak_per_kw = from->peak_per_kw;
    to->peak_w = from->peak_w;
    to->n_batteries = from->n_batteries;
    for (int64_t b = 0; b < from->n_batteries; b++) {
        copy_battery(&to->batteries[b], &from->batteries[b], n);
    }
    to->n_classes = from->n_classes;
    for (int64_t k = 0; k < from->n_classes; k++) {
        copy_class(&to->classes[k], &from->classes[k], n);
    }
}

static bool mend_grid(struct schedule_problem *p)
{
    int64_t n = p->n_steps;
    bool any = mend_series(p->step_s, n, step_default_s);
    any = mend_series(p->load_w, n, 0.0) || any;
    any = mend_series(p->import_per_kwh, n, 0.0) || any;
    any = mend_series(p->export_per_kwh, n, 0.0) || any;
    any = mend_limit(p->import_max_w, n, 0.0) || any;
    any = mend_limit(p->export_max_w, n, 0.0) || any;
    any = mend_limit(&p->ramp_max_w_per_s, 1, INFINITY) || any;
    any = mend_number(&p->peak_per_kw, 0.0) || any;
    return (p->peak_per_kw > 0.0 && mend_number(&p->peak_w, 0.0)) || any;
}

bool ladder_mend(const struct schedule_problem *p, struct schedule_problem *out)
{
    copy_problem(out, p);
    bool any = mend_grid(out);
    for (int64_t b = 0; b < out->n_batteries; b++) {
        any = mend_battery(&out->batteries[b], out->n_steps) || any;
    }
    for (int64_t k = 0; k < out->n_classes; k++) {
        any = mend_class(&out->classes[k], out->n_steps) || any;
    }
    return any;
}
