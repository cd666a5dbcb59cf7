/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/schedule_search.h"

#include <math.h>
#include <string.h>

#include "policies/schedule_rule.h"

enum { ROOTS_MAX = 4, DIVE_FIRST = 16, DIVE_EVERY = 4 };

/* Of the steps that have a choice. */
static const double part_min = 0.1;
static const double part_max = 0.7;
/* A schedule that is cheaper by less was not worth the search. */
static const double worth_pu = 1e-4;

/* A tenth of what is open is near enough to branch on. */
static const double rough_part = 0.1;

double schedule_search_solve(struct schedule_search *at, double bound_cur)
{
    struct schedule_solver *s = at->s;
    s->memory.n_used = 0;
    at->fits = false;
    if (schedule_search_over(at)) {
        return bound_cur;
    }
    if (!schedule_lp_open(&s->lp, at->p, &s->ways, &s->memory)) {
        at->n_left = 0; /* no memory for more */
        return bound_cur;
    }
    return schedule_search_run(at, bound_cur);
}

void schedule_share_where_losses_pay(const struct schedule_problem *p,
                                     struct schedule_ways *out)
{
    memset(out, 0, sizeof(*out));
    for (int64_t t = 0; t < p->n_steps; t++) {
        bool pays = fmin(p->import_per_kwh[t], p->export_per_kwh[t]) < 0.0;
        for (int64_t i = 0; i < p->n_batteries; i++) {
            out->at[i][t] = pays ? SCHEDULE_WAY_SHARED : 0;
        }
    }
}

/* And wherever the iterate does both, with what windows leave room for; false
 * where it was so already. */
static bool share_where_both(struct schedule_search *at)
{
    const struct schedule_lp *lp = &at->s->lp;
    bool any = !at->s->root.rooms;
    at->s->root.rooms = true;
    at->s->root.within = at->keeps_grid;
    for (int i = 0; i < lp->n_batteries; i++) {
        for (int t = 0; t < lp->n; t++) {
            int8_t *way = &at->s->root.at[i][t];
            if (*way == SCHEDULE_WAY_ANY &&
                schedule_flow(lp, i, t).both_pu > schedule_both_min_pu) {
                *way = SCHEDULE_WAY_SHARED;
                any = true;
            }
        }
    }
    return any;
}

static void take_node(struct schedule_search *at, int node)
{
    struct schedule_solver *s = at->s;
    s->ways = s->root;
    for (int k = node; k >= 0; k = s->nodes[k].parent) {
        s->ways.at[s->nodes[k].battery][s->nodes[k].step] = s->nodes[k].way;
    }
}

/* Two nodes for the step that does most of both; false where none does. */
static bool branch(struct schedule_search *at, int parent, double bound_cur)
{
    const struct schedule_lp *lp = &at->s->lp;
    struct schedule_node node = {.parent = parent, .open = true};
    double most = 0.0;
    for (int i = 0; i < lp->n_batteries; i++) {
        for (int t = 0; t < lp->n; t++) {
            struct schedule_flow f = schedule_flow(lp, i, t);
            double weight = fmin(f.in, f.out) * lp->h[t];
            if (f.both_pu > schedule_both_min_pu && weight > most) {
                most = weight;
                node.battery = i;
                node.step = t;
            }
        }
    }
    node.bound_cur = bound_cur;
    for (int k = 0; k < 2 && most > 0.0; k++) {
        node.way = k == 0 ? SCHEDULE_WAY_IN : SCHEDULE_WAY_OUT;
        at->s->nodes[at->n_nodes++] = node;
    }
    return most > 0.0;
}

/* The open node of the lowest bound, -1: none. */
static int lowest(const struct schedule_search *at)
{
    int found = -1;
    for (int k = 0; k < at->n_nodes; k++) {
        const struct schedule_node *n = &at->s->nodes[k];
        if (n->open &&
            (found < 0 || n->bound_cur < at->s->nodes[found].bound_cur)) {
            found = k;
        }
    }
    return found;
}

static void set_bound(struct schedule_search *at)
{
    int k = lowest(at);
    double bound = fmin(at->leaf_cur, at->best_cur);
    bound = k >= 0 ? fmin(bound, at->s->nodes[k].bound_cur) : bound;
    at->bound_cur = fmax(at->bound_cur, bound);
}

static bool done(const struct schedule_search *at)
{
    return schedule_search_gap(at) <= schedule_gap_optimal_pu ||
           schedule_search_over(at);
}

static bool violates(const struct schedule_search *at)
{
    return isfinite(at->best_cur) && at->best->n_violations > 0;
}

/* Something is violated, and half of the budget is left to see whether it has
 * to be. */
static bool pressing(const struct schedule_search *at)
{
    return violates(at) && at->n_left > at->n_iterations;
}

/* Around the best schedule, in more and more of its steps as long as that is
 * worth it; anew where it came from elsewhere since. */
static void improve(struct schedule_search *at)
{
    if (at->best_cur < at->improved_cur) {
        at->part = part_min;
    }
    double won = INFINITY;
    while (isfinite(at->best_cur) && at->part < part_max && won > worth_pu &&
           !done(at)) {
        double before = at->best_cur;
        schedule_improve(at, at->part);
        won = (before - at->best_cur) / fmax(1.0, fabs(at->best_cur));
        won = pressing(at) ? INFINITY : won;
        at->part *= 2.0;
    }
    at->improved_cur = at->best_cur;
}

/* The bound of the programme at hand, or of its batteries one by one; that of
 * schedules which violate nothing, as the best one does. */
static double apart(struct schedule_search *at, double bound_cur)
{
    struct schedule_solver *s = at->s;
    if (!isfinite(at->best_cur) || violates(at) || s->root.give ||
        schedule_search_over(at)) {
        return bound_cur;
    }
    double bound = schedule_apart_bound(&s->apart, &s->lp, at->p, &s->ways);
    return fmax(bound_cur, fmin(bound, at->best_cur));
}

/* The node's programme, what it leaves open and, now and then, a schedule
 * rounded from it. */
static void visit(struct schedule_search *at, int k)
{
    struct schedule_node *node = &at->s->nodes[k];
    take_node(at, k);
    bool dives = at->n_nodes >= at->dive_next;
    at->dive_next *= dives ? DIVE_EVERY : 1;
    at->rough_pu = dives ? 0.0 : rough_part * schedule_search_gap(at);
    node->bound_cur = schedule_search_solve(at, node->bound_cur);
    at->rough_pu = 0.0;
    node->bound_cur = apart(at, node->bound_cur);
    if (schedule_search_over(at)) {
        return;
    }
    node->open = false;
    if (!branch(at, k, node->bound_cur)) {
        at->leaf_cur = fmin(at->leaf_cur, node->bound_cur);
    } else if (dives) {
        schedule_dive(at);
        improve(at);
    }
}

/* A schedule without looking for the best one shows which tiers are kept. */
static void keep_tiers(struct schedule_search *at)
{
    struct schedule_solver *s = at->s;
    struct schedule_penalties penalties;
    schedule_penalties(at->p, &penalties);
    memset(s->root.kept, 0, sizeof(s->root.kept));
    schedule_rule(at->p, false, &s->trial);
    schedule_settle(at->p, &penalties, &s->trial);
    int64_t first = SCHEDULE_TIERS; /* that gives way */
    for (int64_t i = 0; i < s->trial.n_violations; i++) {
        bool listed = i < SCHEDULE_VIOLATIONS_MAX;
        int64_t tier = listed ? s->trial.violations[i].tier : 0;
        first = tier < first ? tier : first;
    }
    for (int64_t i = 0; i < first; i++) {
        s->root.kept[i] = true;
    }
    at->keeps_grid = first > SCHEDULE_IMPORT && !s->root.give;
}

/* With directions given, those tiers may have to give way after all. */
static void keep_none(struct schedule_search *at)
{
    memset(at->s->root.kept, 0, sizeof(at->s->root.kept));
    memset(at->s->ways.kept, 0, sizeof(at->s->ways.kept));
}

static bool does_both(const struct schedule_search *at)
{
    const struct schedule_lp *lp = &at->s->lp;
    for (int i = 0; i < lp->n_batteries; i++) {
        for (int t = 0; t < lp->n; t++) {
            if (schedule_flow(lp, i, t).both_pu > schedule_both_min_pu) {
                return true;
            }
        }
    }
    return false;
}

/* The programme without branches, its steps shared wherever it does both. */
static void solve_root(struct schedule_search *at)
{
    keep_tiers(at);
    for (int i = 0; i < ROOTS_MAX; i++) {
        at->s->ways = at->s->root;
        at->bound_cur = schedule_search_solve(at, at->bound_cur);
        if (at->n_left > 0) {
            double gap = schedule_search_relaxed_gap(&at->s->lp);
            gap = fmin(gap, schedule_search_gap(at));
            at->relaxed_gap_pu = fmin(at->relaxed_gap_pu, gap);
        }
        if (schedule_search_gap(at) <= schedule_gap_optimal_pu ||
            schedule_search_over(at)) {
            break;
        }
        if (!share_where_both(at)) {
            if (!at->s->root.kept[0] || does_both(at)) {
                break;
            }
            keep_none(at);
        }
    }
    keep_none(at);
}

/* What is known counts for windows that are kept; where something is violated
 * for them, they have to give way first. */
static void let_windows_give(struct schedule_search *at)
{
    struct schedule_penalties penalties;
    at->s->root.give = true;
    at->bound_cur = -INFINITY;
    at->improved_cur = INFINITY;
    at->s->root.within = false;
    at->relaxed_gap_pu = NAN;
    if (isfinite(at->best_cur)) {
        schedule_penalties(at->p, &penalties);
        at->best_cur = schedule_settle(at->p, &penalties, at->best);
    }
}

static bool is_used(const struct schedule_lp *lp, int col)
{
    static const double least = 1e-6; /* scaled */
    double most = 0.0;
    for (int t = 0; t < lp->n && col >= 0; t++) {
        most = fmax(most, lp->ipm.xl[(size_t)col * (size_t)lp->n + (size_t)t]);
    }
    return most > least;
}

/* Even the programme at hand, which may do both at once, violates a limit. */
static bool gives_way(const struct schedule_lp *lp)
{
    bool any = is_used(lp, lp->import_over) || is_used(lp, lp->export_over) ||
               is_used(lp, lp->ramp_over) || is_used(lp, lp->ramp_under);
    for (int k = 0; k < lp->n_classes; k++) {
        any = any || is_used(lp, lp->shed[k]);
    }
    for (int i = 0; i < lp->n_batteries; i++) {
        any = any || is_used(lp, lp->batteries[i].missing);
    }
    return any;
}

/* The root, what it leaves open and a schedule rounded from it; where windows
 * have to give way in any case, not yet. */
static void begin(struct schedule_search *at)
{
    solve_root(at);
    if (!at->s->root.give && violates(at) && !schedule_search_over(at) &&
        gives_way(&at->s->lp)) {
        return;
    }
    if (!done(at)) {
        at->bound_cur = apart(at, at->bound_cur);
    }
    if (!done(at) && branch(at, -1, at->bound_cur)) {
        at->s->ways = at->s->root;
        schedule_dive(at);
        improve(at);
    }
}

void schedule_search_ways(struct schedule_search *at)
{
    at->leaf_cur = at->improved_cur = INFINITY;
    at->dive_next = DIVE_FIRST;
    schedule_share_where_losses_pay(at->p, &at->s->root);
    if (schedule_out_of_reach(at->p)) {
        let_windows_give(at);
    }
    begin(at);
    if (!at->s->root.give && violates(at)) {
        at->n_nodes = 0;
        let_windows_give(at);
        begin(at);
    }
    while (!done(at) && at->n_nodes + 2 <= SCHEDULE_NODES_MAX) {
        int k = lowest(at);
        if (k < 0) {
            break;
        }
        visit(at, k);
        set_bound(at);
    }
}
