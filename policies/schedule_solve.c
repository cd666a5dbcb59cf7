/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_search.h"

#include <math.h>
#include <string.h>

static const double gap_target_pu = 5e-7; /* at which it stops */
const double schedule_gap_optimal_pu = 1e-6;
static const double gap_rough_pu = 0.1; /* from here on a bound may do */
static const double gap_look_pu = 1e-5; /* from here on the gap is certified */

/* Where windows give way: what is violated costs so much that a coarser gap
 * would hide everything else. */
static const double gap_give_pu = 1e-10;
static const double gap_solved_pu = 1e-9;
static const double gap_rest_pu = 1e-7; /* that rest may cost */

static size_t header_doubles(void)
{
    return (sizeof(struct schedule_solver) + sizeof(double) - 1) /
               sizeof(double) +
           8;
}

size_t schedule_memory(const struct schedule_shape *shape)
{
    size_t n = (size_t)shape->n_steps + 8;
    size_t b = (size_t)shape->n_batteries;
    size_t s = (size_t)shape->n_segments;
    size_t k = (size_t)shape->n_classes;
    size_t coupled = 2 + k + b * s;
    size_t local = 1 + 6 * b;
    size_t sides = 2 * b * s;
    size_t rows = coupled + local + sides;
    size_t cols = 9 + 3 * k + b * (5 * s + 7);
    size_t width = coupled + s + 1;
    size_t pairs = coupled * (coupled + 1) / 2 + local * (s + 3) +
                   2 * local * coupled + 2 * coupled + b * s * s + 24 * sides;
    size_t vectors =
        17 * cols + 5 * rows + 7 + 18 * b + pairs + local + 4 * sides + coupled;
    return header_doubles() + vectors * n +
           (n * coupled + width + 16) * (width + 13) + 16 * cols;
}

struct schedule_solver *schedule_solver(double *base, size_t n)
{
    if (!base || n <= header_doubles()) {
        return NULL;
    }
    struct schedule_solver *s = (struct schedule_solver *)(void *)base;
    s->memory.base = base + header_doubles();
    s->memory.n = n - header_doubles();
    s->memory.n_used = 0;
    return s;
}

static double gap_to(const struct schedule_search *at, double bound_cur)
{
    return fmax(at->best_cur - bound_cur, 0.0) / fmax(1.0, fabs(at->best_cur));
}

double schedule_search_gap(const struct schedule_search *at)
{
    return gap_to(at, at->bound_cur);
}

static int64_t n_listed(const struct schedule *s)
{
    return s->n_violations < SCHEDULE_VIOLATIONS_MAX ? s->n_violations
                                                     : SCHEDULE_VIOLATIONS_MAX;
}

/* The rows in use only: the whole is some MB. */
static void copy(const struct schedule_problem *p, const struct schedule *from,
                 struct schedule *to)
{
    size_t bytes = (size_t)p->n_steps * sizeof(double);
    to->n_violations = from->n_violations;
    to->objective_cur = from->objective_cur;
    to->peak_value_per_kw = from->peak_value_per_kw;
    memcpy(to->violations, from->violations,
           (size_t)n_listed(from) * sizeof(to->violations[0]));
    memcpy(to->grid_w, from->grid_w, bytes);
    memcpy(to->grid_value_per_kwh, from->grid_value_per_kwh, bytes);
    memcpy(to->cap_value_per_kwh, from->cap_value_per_kwh, bytes);
    for (int64_t i = 0; i < p->n_batteries; i++) {
        memcpy(to->battery_w[i], from->battery_w[i], bytes);
        memcpy(to->soc_pu[i], from->soc_pu[i], bytes);
        memcpy(to->energy_value_per_kwh[i], from->energy_value_per_kwh[i],
               bytes);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        memcpy(to->served_w[k], from->served_w[k], bytes);
    }
}

/* The bound of the programme as it is. */
static double look(struct schedule_search *at)
{
    struct schedule_solver *s = at->s;
    schedule_lp_powers(&s->lp, at->p, &s->trial);
    if (!s->lp.give) {
        schedule_hold_windows(at->p, &s->trial);
    }
    double cur = schedule_settle(at->p, &s->lp.penalties, &s->trial);
    if (cur < at->best_cur) {
        schedule_lp_values(&s->lp, &s->trial);
        copy(at->p, &s->trial, at->best);
        at->best_cur = cur;
    }
    return schedule_lp_bound(&s->lp);
}

static schedule_stop_fn *stop_of(const struct schedule_search *at)
{
    const struct schedule_budget *b = at->budget;
    return !b ? NULL : b->soon ? b->soon : b->stop;
}

static bool time_is_up(const struct schedule_search *at)
{
    schedule_stop_fn *stop = stop_of(at);
    return stop != NULL && stop(at->budget->context);
}

bool schedule_search_over(const struct schedule_search *at)
{
    return at->n_left <= 0 || time_is_up(at);
}

/* The programme's own gap, by complementarity alone. */
static bool near(const struct schedule_lp *lp)
{
    double cost = fabs(ipm_cost(&lp->ipm) + lp->offset);
    double gap_sum = 2.0 * lp->ipm.n_on * lp->ipm.mu;
    return gap_sum <= gap_look_pu * fmax(1.0 / lp->unit_cur, cost) &&
           lp->ipm.primal_pu < 1e-4;
}

/* While directions are searched, what is only half solved may be a good
 * schedule once it is net, and its bound may do. */
static bool coarse(const struct schedule_lp *lp)
{
    double cost = fabs(ipm_cost(&lp->ipm) + lp->offset);
    double gap_sum = 2.0 * lp->ipm.n_on * lp->ipm.mu;
    return gap_sum <= gap_rough_pu * fmax(1.0 / lp->unit_cur, cost);
}

double schedule_search_relaxed_gap(const struct schedule_lp *lp)
{
    double cost = (ipm_cost(&lp->ipm) + lp->offset) * lp->unit_cur;
    double open = cost - lp->missed_cur - schedule_lp_bound(lp);
    return fabs(open) / fmax(1.0, fabs(cost));
}

/* The programme is solved; what is left is what netting costs. */
static bool solved(const struct schedule_lp *lp)
{
    double enough = lp->give ? gap_give_pu : gap_solved_pu;
    return schedule_search_relaxed_gap(lp) <= enough &&
           lp->ipm.primal_pu < 1e-8;
}

/* Some step clearly does both, so that the programme needs no more than to be
 * branched on; or its bound shows that nothing better is to be found in it. */
static bool enough_to_branch(struct schedule_search *at, double *bound_cur)
{
    static const double both_pu = 1e-2;
    const struct schedule_lp *lp = &at->s->lp;
    double cost = fabs(ipm_cost(&lp->ipm) + lp->offset);
    double size = fmax(1.0 / lp->unit_cur, cost);
    double open = 2.0 * lp->ipm.n_on * lp->ipm.mu;
    if (!coarse(lp)) {
        return false;
    }
    *bound_cur = fmax(*bound_cur, schedule_lp_bound(lp));
    if (gap_to(at, *bound_cur) <= gap_target_pu) {
        return true;
    }
    bool near_enough = open <= at->rough_pu * size && lp->ipm.primal_pu < 1e-3;
    for (int i = 0; i < lp->n_batteries && near_enough; i++) {
        for (int t = 0; t < lp->n; t++) {
            if (schedule_flow(lp, i, t).both_pu > both_pu) {
                look(at); /* its net may be the best yet */
                return true;
            }
        }
    }
    return false;
}

/* One iteration; where none goes on and the programme is open, once from
 * another start. */
static bool go_on(struct schedule_search *at, bool *anew)
{
    struct ipm *ipm = &at->s->lp.ipm;
    if (ipm_iterate(ipm)) {
        return true;
    }
    double gap = schedule_search_relaxed_gap(&at->s->lp);
    if (*anew || gap <= schedule_gap_optimal_pu || schedule_search_over(at)) {
        return false;
    }
    *anew = true;
    ipm_start_anew(ipm);
    return ipm_iterate(ipm);
}

double schedule_search_run(struct schedule_search *at, double bound_cur)
{
    struct ipm *ipm = &at->s->lp.ipm;
    bool looked = false;
    bool anew = false;
    int n = 0;
    ipm->stop = stop_of(at);
    ipm->stop_context = at->budget ? at->budget->context : NULL;
    ipm_start(ipm);
    while (!schedule_search_over(at) && go_on(at, &anew)) {
        n++;
        at->n_iterations++;
        at->n_left--;
        if (at->rough_pu > 0.0 && enough_to_branch(at, &bound_cur)) {
            return bound_cur;
        }
        looked = near(&at->s->lp) || (at->n_nodes > 0 && coarse(&at->s->lp));
        if (looked) {
            bound_cur = fmax(bound_cur, look(at));
            double enough = at->s->lp.give ? gap_give_pu : gap_target_pu;
            if (gap_to(at, bound_cur) <= enough || solved(&at->s->lp)) {
                return bound_cur;
            }
        }
    }
    if (!looked && n > 0) {
        bound_cur = fmax(bound_cur, look(at));
    }
    return bound_cur;
}

static bool finite(const double *a, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * 0.0;
    }
    return sum == 0.0;
}

/* What the programme is built from; limits may be infinite. */
static bool usable(const struct schedule_problem *p)
{
    bool ok = p->n_steps > 0 && finite(p->step_s, p->n_steps) &&
              finite(p->load_w, p->n_steps) &&
              finite(p->import_per_kwh, p->n_steps) &&
              finite(p->export_per_kwh, p->n_steps) &&
              !isnan(p->ramp_max_w_per_s) && p->ramp_max_w_per_s >= 0.0 &&
              isfinite(p->peak_per_kw);
    for (int64_t t = 0; t < p->n_steps; t++) {
        ok = ok && p->step_s[t] > 0.0 && !isnan(p->import_max_w[t]) &&
             !isnan(p->export_max_w[t]);
    }
    for (int64_t i = 0; i < p->n_batteries; i++) {
        const struct schedule_battery *b = &p->batteries[i];
        ok = ok && b->energy_wh > 0.0 && isfinite(b->energy_wh) &&
             finite(b->charge_max_w, p->n_steps) &&
             finite(b->discharge_max_w, p->n_steps) &&
             finite(b->soc_floor_pu, p->n_steps) &&
             finite(b->soc_ceiling_pu, p->n_steps) && b->charge_eff_pu > 0.0 &&
             b->discharge_eff_pu > 0.0 && isfinite(b->terminal_value_per_kwh) &&
             isfinite(b->soc_start_pu);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        const struct schedule_class *c = &p->classes[k];
        ok = ok && finite(c->demand_w, p->n_steps) &&
             isfinite(c->value_per_kwh) &&
             (c->deferrable
                  ? isfinite(c->max_w) && isfinite(c->delay_per_kwh_h) &&
                        isfinite(c->late_per_kwh_h) &&
                        finite(c->queue_max_wh, p->n_steps)
                  : isfinite(c->min_pu));
    }
    return ok;
}

/* Where it costs the same, batteries rest: all of them, else one by one.  The
 * inside of an optimal face has them move for nothing. */
static void rest(struct schedule_search *at)
{
    struct schedule *trial = &at->s->trial;
    double most = at->best_cur + gap_rest_pu * fmax(1.0, fabs(at->best_cur));
    int64_t n = at->p->n_batteries;
    for (int64_t i = n > 1 ? -1 : 0; i < n && !time_is_up(at); i++) {
        copy(at->p, at->best, trial);
        for (int64_t b = i < 0 ? 0 : i; b < (i < 0 ? n : i + 1); b++) {
            memset(trial->battery_w[b], 0,
                   (size_t)at->p->n_steps * sizeof(double));
        }
        if (!at->s->root.give) {
            schedule_hold_windows(at->p, trial);
        }
        double cur = schedule_settle(at->p, &at->s->lp.penalties, trial);
        if (cur <= most) {
            copy(at->p, trial, at->best);
            at->best_cur = cur;
            i = i < 0 ? n : i;
        }
    }
}

bool schedule_solve(struct schedule_solver *s,
                    const struct schedule_problem *problem,
                    const struct schedule_budget *budget, struct schedule *out)
{
    struct schedule_search at = {.s = s,
                                 .p = problem,
                                 .budget = budget,
                                 .best = out,
                                 .best_cur = INFINITY,
                                 .bound_cur = -INFINITY,
                                 .relaxed_gap_pu = NAN,
                                 .n_left = SCHEDULE_ITERATIONS_MAX};
    if (budget && budget->n_iterations > 0) {
        at.n_left = budget->n_iterations < SCHEDULE_ITERATIONS_LIMIT
                        ? budget->n_iterations
                        : SCHEDULE_ITERATIONS_LIMIT;
    }
    if (!usable(problem)) {
        return false;
    }
    schedule_search_ways(&at);
    if (!isfinite(at.best_cur)) {
        return false;
    }
    rest(&at);
    out->gap_pu = schedule_search_gap(&at);
    out->relaxed_gap_pu = at.relaxed_gap_pu;
    out->n_iterations = at.n_iterations;
    out->status =
        out->gap_pu <= schedule_gap_optimal_pu ? PLAN_OPTIMAL : PLAN_FEASIBLE;
    return true;
}
