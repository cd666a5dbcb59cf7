/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/shed.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A cap takes two or three ticks to show in the measurement; correcting all
 * of the error in each of them would shed three times too much. */
static const double CORRECT_S = 0.5;
static const double AT_CAP_PU = 0.97; /* draws this of its cap: wants more */
static const double DRIFT_PU = 0.01;  /* room of a pod that is not throttled */

/* Served first: higher priority, then higher value of its class. */
static double standing(const struct site *site, int64_t pod)
{
    const struct site_pod *p = &site->pods[pod];
    double value =
        site->n_classes > 0 ? site->classes[p->class_id].value_per_kwh : 0.0;
    return (double)p->priority * 1e6 + value;
}

/* Insertion sort: stable, once, at start. */
static void sort_in(struct shed_cfg *cfg, const struct site *site, int64_t i)
{
    int64_t at = i;
    while (at > 0 && standing(site, cfg->order[at - 1]) < standing(site, i)) {
        cfg->order[at] = cfg->order[at - 1];
        at--;
    }
    cfg->order[at] = i;
}

void shed_init(struct shed_cfg *cfg, const struct site *site)
{
    memset(cfg, 0, sizeof(*cfg));
    cfg->n = site->n_pods;
    cfg->return_w_per_s = site->grid.ramp_max_w_per_s;
    for (int i = 0; i < site->n_pods; i++) {
        cfg->cap_min_w[i] = site->pods[i].cap_min_w;
        cfg->power_max_w[i] = site->pods[i].power_max_w;
        cfg->floor_sum_w += site->pods[i].cap_min_w;
        cfg->power_max_sum_w += site->pods[i].power_max_w;
        sort_in(cfg, site, i);
    }
    for (int64_t k = 1; k < cfg->n; k++) {
        bool lower =
            standing(site, cfg->order[k]) < standing(site, cfg->order[k - 1]);
        cfg->rank[k] = cfg->rank[k - 1] + (lower ? 1 : 0);
    }
}

void shed_reset(const struct shed_cfg *cfg, struct shed_state *s)
{
    s->budget_w = cfg->power_max_sum_w;
    memcpy(s->cap_w, cfg->power_max_w, sizeof(s->cap_w));
}

static bool is_open(const struct shed_cfg *cfg, const struct shed_state *s)
{
    return s->budget_w >= cfg->power_max_sum_w;
}

/* Down at once when the first cap is needed, then by what the error still
 * shows; up at the ramp and no further than what is free. */
static void move_budget(const struct shed_cfg *cfg, struct shed_state *s,
                        const struct shed_in *in)
{
    double next_w = s->budget_w;
    if (in->over_w > 0.0) {
        double drawn_w = fmin(in->pods_w, s->budget_w);
        double part = is_open(cfg, s) ? 1.0 : fmin(in->dt_s / CORRECT_S, 1.0);
        next_w = drawn_w - in->over_w * part;
    } else if (!is_open(cfg, s)) {
        double free_w = fmax(in->pods_w, s->budget_w) - in->over_w;
        double back_w = s->budget_w + cfg->return_w_per_s * in->dt_s;
        next_w = fmin(free_w, back_w);
    }
    s->budget_w = fmax(cfg->floor_sum_w, fmin(next_w, cfg->power_max_sum_w));
}

/* What pod 'i' would draw if it were let. */
static double wanted_w(const struct shed_cfg *cfg, const struct shed_state *s,
                       int64_t i, double power_w)
{
    double max_w = cfg->power_max_w[i];
    bool capped = s->cap_w[i] < max_w;
    if (!isfinite(power_w) || (capped && power_w >= AT_CAP_PU * s->cap_w[i])) {
        return max_w;
    }
    return fmax(cfg->cap_min_w[i], fmin(power_w * (1.0 + DRIFT_PU), max_w));
}

double shed_wanted_w(const struct shed_cfg *cfg, const struct shed_state *s,
                     const double *power_w)
{
    double sum_w = 0.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        sum_w += wanted_w(cfg, s, i, power_w[i]);
    }
    return sum_w;
}

void shed_found(const struct shed_cfg *cfg, struct shed_state *s, int64_t i,
                double cap_w)
{
    double max_w = cfg->power_max_w[i];
    double w = isfinite(cap_w) ? cap_w : max_w;
    s->cap_w[i] = fmax(cfg->cap_min_w[i], fmin(w, max_w));
}

void shed_resume(const struct shed_cfg *cfg, struct shed_state *s,
                 const double *power_w)
{
    double budget_w = 0.0;
    bool capped = false;
    for (int64_t i = 0; i < cfg->n; i++) {
        bool open = s->cap_w[i] >= cfg->power_max_w[i];
        capped = capped || !open;
        budget_w += open ? wanted_w(cfg, s, i, power_w[i]) : s->cap_w[i];
    }
    if (capped) {
        s->budget_w = fmin(budget_w, cfg->power_max_sum_w);
    } else {
        shed_reset(cfg, s);
    }
}

/* Gives the pods order[from..to) of one rank what they want above their
 * floors, as far as 'left_w' goes. */
static void serve_rank(const struct shed_cfg *cfg, const double *want_w,
                       const int64_t range[2], double *cap_w, double *left_w)
{
    double sum_w = 0.0;
    for (int64_t k = range[0]; k < range[1]; k++) {
        int64_t i = cfg->order[k];
        sum_w += want_w[i] - cfg->cap_min_w[i];
    }
    double part = sum_w > *left_w ? *left_w / sum_w : 1.0;
    for (int64_t k = range[0]; k < range[1]; k++) {
        int64_t i = cfg->order[k];
        cap_w[i] = cfg->cap_min_w[i] + part * (want_w[i] - cfg->cap_min_w[i]);
    }
    *left_w = fmax(*left_w - part * sum_w, 0.0); /* rounding */
}

/* What nobody asked for is room for all, in proportion to what is missing. */
static void spread_rest(const struct shed_cfg *cfg, double *cap_w,
                        double left_w)
{
    double room_w = 0.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        room_w += cfg->power_max_w[i] - cap_w[i];
    }
    double part = room_w > left_w ? left_w / room_w : 1.0;
    for (int64_t i = 0; i < cfg->n; i++) {
        cap_w[i] += part * (cfg->power_max_w[i] - cap_w[i]);
    }
}

double shed_step(const struct shed_cfg *cfg, struct shed_state *s,
                 const struct shed_in *in, const double *power_w)
{
    bool was_open = is_open(cfg, s);
    move_budget(cfg, s, in);
    if (is_open(cfg, s)) {
        if (!was_open) {
            shed_reset(cfg, s);
        }
        return 0.0;
    }
    double want_w[SITE_PODS_MAX];
    for (int64_t i = 0; i < cfg->n; i++) {
        want_w[i] = wanted_w(cfg, s, i, power_w[i]);
    }
    double left_w = s->budget_w - cfg->floor_sum_w;
    int64_t range[2] = {0, 0};
    while (range[0] < cfg->n) {
        while (range[1] < cfg->n &&
               cfg->rank[range[1]] == cfg->rank[range[0]]) {
            range[1]++;
        }
        serve_rank(cfg, want_w, range, s->cap_w, &left_w);
        range[0] = range[1];
    }
    spread_rest(cfg, s->cap_w, left_w);
    bool at_floor = s->budget_w <= cfg->floor_sum_w;
    return at_floor ? fmax(in->over_w, 0.0) : 0.0;
}
