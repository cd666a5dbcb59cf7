/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_rule.h"

#include <math.h>

#include "models/clamp.h"
#include "policies/schedule_lp.h"

/* Where the walk through the steps stands. */
struct walk {
    const struct schedule_problem *p;
    struct schedule *s;
    bool follow;
    int64_t t;
    double h;
    double grid_w;  /* so far */
    double above_w; /* limits of the step */
    double below_w;
    double before_w; /* of the step before; NAN: not known */
    struct schedule_tube tubes[SCHEDULE_BATTERIES_MAX];
    double energy_wh[SCHEDULE_BATTERIES_MAX]; /* above soc_min */
    double queue_wh[SCHEDULE_CLASSES_MAX];
};

static double known(double x)
{
    return isfinite(x) ? x : 0.0;
}

/* The charge that later floors ask for, at the end of each step. */
static void set_goals(const struct schedule_problem *p, int64_t b,
                      double *goal_pu)
{
    const struct schedule_battery *a = &p->batteries[b];
    double goal = known(a->soc_end_min_pu);
    for (int64_t t = p->n_steps - 1; t >= 0; t--) {
        goal = fmax(goal, known(a->soc_floor_pu[t]));
        goal_pu[t] = goal;
        goal = fmin(goal, t > 0 ? a->soc_ceiling_pu[t - 1] : 1.0);
    }
}

/* What battery 'b' can at most take and give in the step. */
static double charge_max_w(const struct walk *w, int64_t b)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    double room_wh = fmax(w->tubes[b].hi_wh - w->energy_wh[b], 0.0);
    double most_w = room_wh / (a->charge_eff_pu * w->h);
    return known(fmin(fmax(a->charge_max_w[w->t], 0.0), most_w));
}

static double discharge_max_w(const struct walk *w, int64_t b, double keep_wh)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    double room_wh = fmax(w->energy_wh[b] - keep_wh, 0.0);
    double most_w = room_wh * a->discharge_eff_pu / w->h;
    return known(fmin(fmax(a->discharge_max_w[w->t], 0.0), most_w));
}

static double goal_wh(const struct walk *w, int64_t b)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    return (w->s->soc_pu[b][w->t] - a->soc_min_pu) * a->energy_wh;
}

static void want_battery(struct walk *w, int64_t b)
{
    const struct schedule_battery *a = &w->p->batteries[b];
    double *power_w = &w->s->battery_w[b][w->t];
    bool led = w->follow && !isnan(*power_w);
    double want_w = led ? known(*power_w) : 0.0;
    /* What the window leaves, a start outside it included. */
    double least_w = -discharge_max_w(w, b, w->tubes[b].lo_wh);
    double most_w = charge_max_w(w, b);
    double short_wh = fmin(goal_wh(w, b), w->tubes[b].hi_wh) - w->energy_wh[b];
    if (!led && short_wh > 0.0) {
        want_w = short_wh / (a->charge_eff_pu * w->h);
    }
    double excess_wh = w->energy_wh[b] - w->tubes[b].hi_wh;
    if (excess_wh > 0.0) {
        want_w = fmin(want_w, -excess_wh * a->discharge_eff_pu / w->h);
    }
    *power_w = fmax(least_w, fmin(want_w, most_w));
    w->grid_w += *power_w;
}

static void want_class(struct walk *w, int64_t k)
{
    const struct schedule_class *c = &w->p->classes[k];
    double *served_w = &w->s->served_w[k][w->t];
    double demand_w = fmax(known(c->demand_w[w->t]), 0.0);
    if (c->deferrable) {
        double most_w =
            fmin(fmax(known(c->max_w), 0.0), demand_w + w->queue_wh[k] / w->h);
        double want_w = w->follow ? known(*served_w) : most_w;
        *served_w = fmax(0.0, fmin(want_w, most_w));
    } else {
        *served_w = demand_w;
    }
    w->grid_w += *served_w;
}

/* The limits of the grid's power; the import limit is above the ramp. */
static void set_limits(struct walk *w)
{
    const struct schedule_problem *p = w->p;
    double cap_w = isnan(p->import_max_w[w->t]) ? 0.0 : p->import_max_w[w->t];
    double low_w = isnan(p->export_max_w[w->t]) ? 0.0 : -p->export_max_w[w->t];
    w->above_w = cap_w;
    w->below_w = low_w;
    if (isfinite(w->before_w) && isfinite(p->ramp_max_w_per_s)) {
        double ramp_w = p->ramp_max_w_per_s * p->step_s[w->t];
        w->above_w = fmax(fmin(cap_w, w->before_w + ramp_w), low_w);
        w->below_w = fmin(fmax(low_w, w->before_w - ramp_w), cap_w);
    }
}

/* Lower 'power_w' to no less than 'least_w' while the grid is above. */
static void lower(struct walk *w, double above_w, double *power_w,
                  double least_w)
{
    double cut_w = fmin(w->grid_w - above_w, *power_w - least_w);
    if (cut_w > 0.0) {
        *power_w -= cut_w;
        w->grid_w -= cut_w;
    }
}

/* What batteries keep when the grid's power has to come down. */
enum keep {
    KEEP_FOR_LATER, /* what is needed later; no queue waits either */
    KEEP_WINDOW,
    KEEP_NOTHING,
};

static double keep_wh(const struct walk *w, int64_t b, enum keep keep)
{
    double lo_wh = w->tubes[b].lo_wh;
    if (keep == KEEP_NOTHING) {
        return schedule_window_hard(&w->p->batteries[b]).lo_wh;
    }
    return keep == KEEP_FOR_LATER ? fmax(goal_wh(w, b), lo_wh) : lo_wh;
}

/* Charging stops, queues wait, batteries give. */
static void come_down(struct walk *w, double above_w, enum keep keep)
{
    const struct schedule_problem *p = w->p;
    for (int64_t b = 0; b < p->n_batteries; b++) {
        lower(w, above_w, &w->s->battery_w[b][w->t],
              fmin(w->s->battery_w[b][w->t], 0.0));
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        if (keep != KEEP_FOR_LATER && p->classes[k].deferrable) {
            lower(w, above_w, &w->s->served_w[k][w->t], 0.0);
        }
    }
    for (int64_t b = 0; b < p->n_batteries; b++) {
        double *power_w = &w->s->battery_w[b][w->t];
        double least_w = -discharge_max_w(w, b, keep_wh(w, b, keep));
        lower(w, above_w, power_w, fmin(*power_w, least_w));
    }
}

/* Firm classes down to their least, or to nothing, the cheapest first. */
static void shed(struct walk *w, bool all)
{
    const struct schedule_problem *p = w->p;
    bool done[SCHEDULE_CLASSES_MAX] = {false};
    for (int64_t i = 0; i < p->n_classes && w->grid_w > w->above_w; i++) {
        int64_t next = -1;
        for (int64_t k = 0; k < p->n_classes; k++) {
            if (!done[k] && !p->classes[k].deferrable &&
                (next < 0 || known(p->classes[k].value_per_kwh) <
                                 known(p->classes[next].value_per_kwh))) {
                next = k;
            }
        }
        if (next < 0) {
            return;
        }
        done[next] = true;
        double least_pu = clamp(known(p->classes[next].min_pu), 0.0, 1.0);
        double *served_w = &w->s->served_w[next][w->t];
        lower(w, w->above_w, served_w, all ? 0.0 : least_pu * *served_w);
    }
}

static void go_up(struct walk *w)
{
    for (int64_t b = 0; b < w->p->n_batteries; b++) {
        double *power_w = &w->s->battery_w[b][w->t];
        double add_w =
            fmin(w->below_w - w->grid_w, charge_max_w(w, b) - *power_w);
        if (add_w > 0.0) {
            *power_w += add_w;
            w->grid_w += add_w;
        }
    }
}

static void book(struct walk *w)
{
    const struct schedule_problem *p = w->p;
    for (int64_t b = 0; b < p->n_batteries; b++) {
        const struct schedule_battery *a = &p->batteries[b];
        double power_w = w->s->battery_w[b][w->t];
        w->energy_wh[b] +=
            w->h * (power_w > 0.0 ? power_w * a->charge_eff_pu
                                  : power_w / a->discharge_eff_pu);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        if (p->classes[k].deferrable) {
            double left_w =
                known(p->classes[k].demand_w[w->t]) - w->s->served_w[k][w->t];
            w->queue_wh[k] = fmax(w->queue_wh[k] + w->h * left_w, 0.0);
        }
    }
    w->before_w = w->grid_w;
}

static void walk_step(struct walk *w)
{
    const struct schedule_problem *p = w->p;
    w->h = p->step_s[w->t] / 3600.0;
    w->grid_w = known(p->load_w[w->t]);
    for (int64_t b = 0; b < p->n_batteries; b++) {
        schedule_tube_step(&w->tubes[b], &p->batteries[b], w->t, w->h);
        want_battery(w, b);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        want_class(w, k);
    }
    set_limits(w);
    if (!w->follow && p->peak_per_kw > 0.0 && isfinite(p->peak_w)) {
        come_down(w, fmin(w->above_w, fmax(p->peak_w, w->below_w)),
                  KEEP_FOR_LATER);
    }
    come_down(w, w->above_w, KEEP_WINDOW);
    shed(w, false);
    come_down(w, w->above_w, KEEP_NOTHING);
    shed(w, true);
    go_up(w);
    book(w);
}

void schedule_rule(const struct schedule_problem *p, bool follow,
                   struct schedule *s)
{
    struct walk w = {
        .p = p, .s = s, .follow = follow, .before_w = p->grid_start_w};
    for (int64_t b = 0; b < p->n_batteries; b++) {
        const struct schedule_battery *a = &p->batteries[b];
        w.tubes[b] = schedule_tube(a);
        w.energy_wh[b] = (a->soc_start_pu - a->soc_min_pu) * a->energy_wh;
        set_goals(p, b, s->soc_pu[b]);
    }
    for (w.t = 0; w.t < p->n_steps; w.t++) {
        walk_step(&w);
    }
}
