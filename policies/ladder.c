/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ladder.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "policies/ladder_mend.h"
#include "policies/schedule_rule.h"
#include "policies/schedule_settle.h"

/* A larger gap makes a schedule compete with the heuristic's, whose own is
 * mostly below it. */
static const double gap_good_pu = 1e-3;

const char *ladder_verdict_text(enum ladder_verdict v)
{
#define VERDICT_TEXT(name, text) text,
    static const char *const texts[LADDER_VERDICTS] = {
        LADDER_VERDICT_LIST(VERDICT_TEXT)};
#undef VERDICT_TEXT
    assert((unsigned)v < LADDER_VERDICTS);
    return texts[v];
}

size_t ladder_memory(const struct schedule_shape *shape)
{
    return schedule_heuristic_memory(shape->n_steps) + schedule_memory(shape);
}

void ladder_init(struct ladder *l, const struct ladder_memory *memory)
{
    size_t n = schedule_heuristic_memory(memory->shape.n_steps);
    memset(l, 0, sizeof(*l));
    l->age_max_s = LADDER_AGE_MAX_S;
    if (memory->n >= n) {
        l->heuristic = memory->base;
        l->n_heuristic = n;
        l->solver = schedule_solver(memory->base + n, memory->n - n);
    }
}

/* One call. */
struct climb {
    struct ladder *l;
    const struct ladder_request *r;
    const struct schedule_problem *p; /* mended where it had to be */
    struct schedule_penalties penalties;
    bool mended;
    struct schedule *out;
};

static struct ladder_try *note(struct climb *c, enum plan_status rung,
                               enum ladder_verdict verdict)
{
    assert(c->l->n_tries < LADDER_TRIES_MAX);
    struct ladder_try *t = &c->l->tries[c->l->n_tries++];
    *t =
        (struct ladder_try){.rung = (int64_t)rung, .verdict = (int64_t)verdict};
    return t;
}

/* What every answer must pass.  The check and the cost with penalties are of
 * the schedule as it is now, whatever happened to it since. */
static bool judge(struct climb *c, struct schedule *s)
{
    enum plan_status rung = (enum plan_status)s->status;
    if (c->r->spoil != NULL) {
        c->r->spoil(c->r->spoil_context, rung, s);
    }
    struct ladder_try *t = note(c, rung, LADDER_TAKEN);
    if (!schedule_check(c->p, s, &t->check)) {
        t->verdict = LADDER_REFUSED;
        return false;
    }
    return true;
}

static bool time_is_up(const struct climb *c)
{
    const struct schedule_budget *b = &c->r->budget;
    return b->stop != NULL && b->stop(b->context);
}

static bool rung_solver(struct climb *c)
{
    if (c->mended) {
        note(c, PLAN_FEASIBLE, LADDER_NUMBER);
        return false;
    }
    if (c->l->solver == NULL ||
        !schedule_solve(c->l->solver, c->p, &c->r->budget, c->out)) {
        note(c, PLAN_FEASIBLE, LADDER_UNSOLVED);
        return false;
    }
    return judge(c, c->out);
}

static bool rung_heuristic(struct climb *c, struct schedule *s)
{
    if (c->mended) {
        note(c, PLAN_HEURISTIC, LADDER_NUMBER);
        return false;
    }
    const struct schedule_heuristic_room room = {
        .base = c->l->heuristic,
        .n = c->l->n_heuristic,
        .stop = c->r->budget.stop,
        .context = c->r->budget.context,
    };
    if (!schedule_heuristic(c->p, &room, s)) {
        note(c, PLAN_HEURISTIC,
             time_is_up(c) ? LADDER_TOO_LATE : LADDER_UNSOLVED);
        return false;
    }
    return judge(c, s);
}

/* Where each store is in the last schedule; -1: it was not there. */
struct origin {
    int64_t of[SCHEDULE_BATTERIES_MAX];
};

static bool only_charges(const struct schedule_battery *b, int64_t n)
{
    for (int64_t t = 0; t < n; t++) {
        if (b->discharge_max_w[t] > 0.0) {
            return false;
        }
    }
    return true;
}

/* The first of its name and kind that is none of those before it. */
static int64_t find(const struct ladder_last *last, const char *name, bool cars,
                    const bool *taken)
{
    for (int64_t i = 0; i < last->n_batteries; i++) {
        if (!taken[i] && last->cars[i] == cars &&
            strcmp(last->names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

/* True where the batteries and classes are those of the last schedule; cars
 * need not be. */
static bool same_assets(const struct ladder_last *last,
                        const struct schedule_problem *p, struct origin *from)
{
    bool taken[SCHEDULE_BATTERIES_MAX] = {false};
    bool same = last->n_classes == p->n_classes;
    for (int64_t b = 0; b < p->n_batteries; b++) {
        bool cars = only_charges(&p->batteries[b], p->n_steps);
        int64_t i = find(last, p->batteries[b].name, cars, taken);
        from->of[b] = i;
        if (i >= 0) {
            taken[i] = true;
        }
        same = same && (i >= 0 || cars);
    }
    for (int64_t i = 0; i < last->n_batteries; i++) {
        same = same && (taken[i] || last->cars[i]);
    }
    for (int64_t k = 0; k < p->n_classes && same; k++) {
        same =
            strcmp(last->names[last->n_batteries + k], p->classes[k].name) == 0;
    }
    return same;
}

/* A time of the last schedule, from its start on, and the step that it is in.
 */
struct place {
    double from_s;
    double to_s;
    int64_t step;
    double step_at_s;
};

static void advance(const struct ladder_last *last, struct place *at)
{
    while (at->step < last->n_steps &&
           at->step_at_s + last->step_s[at->step] <= at->from_s) {
        at->step_at_s += last->step_s[at->step];
        at->step++;
    }
}

/* Mean of the last schedule's 'power_w', NAN where it does not reach. */
static double mean_w(const struct ladder_last *last, const double *power_w,
                     const struct place *at)
{
    double at_s = at->step_at_s;
    double sum_j = 0.0;
    double sum_s = 0.0;
    for (int64_t t = at->step; t < last->n_steps && at_s < at->to_s; t++) {
        double next_s = at_s + last->step_s[t];
        double both_s = fmin(next_s, at->to_s) - fmax(at_s, at->from_s);
        if (both_s > 0.0) {
            sum_j += power_w[t] * both_s;
            sum_s += both_s;
        }
        at_s = next_s;
    }
    return sum_s > 0.0 ? sum_j / sum_s : NAN;
}

/* The rows in use only: the whole is some MB, and time is up. */
static void clear(const struct schedule_problem *p, struct schedule *s)
{
    size_t bytes = (size_t)p->n_steps * sizeof(double);
    memset(s, 0, offsetof(struct schedule, violations));
    memset(s->grid_w, 0, bytes);
    memset(s->grid_value_per_kwh, 0, bytes);
    memset(s->cap_value_per_kwh, 0, bytes);
    for (int64_t b = 0; b < p->n_batteries; b++) {
        memset(s->battery_w[b], 0, bytes);
        memset(s->soc_pu[b], 0, bytes);
        memset(s->energy_value_per_kwh[b], 0, bytes);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        memset(s->served_w[k], 0, bytes);
    }
    s->peak_value_per_kw = 0.0;
}

/* Batteries do what they were to do at that time, and rest behind the end of
 * the last schedule; queues likewise.  Of new cars nothing is known: they
 * charge as by the rule. */
static void move_on(const struct climb *c, double age_s,
                    const struct origin *from, struct schedule *s)
{
    const struct ladder_last *last = &c->l->last;
    struct place at = {.from_s = age_s};
    for (int64_t t = 0; t < c->p->n_steps; t++) {
        at.to_s = at.from_s + c->p->step_s[t];
        advance(last, &at);
        for (int64_t b = 0; b < c->p->n_batteries; b++) {
            int64_t i = from->of[b];
            double was_w = i >= 0 ? mean_w(last, last->battery_w[i], &at) : NAN;
            s->battery_w[b][t] = isfinite(was_w) || i < 0 ? was_w : 0.0;
        }
        for (int64_t k = 0; k < c->p->n_classes; k++) {
            double was_w = mean_w(last, last->served_w[k], &at);
            s->served_w[k][t] =
                isfinite(was_w) ? was_w : c->p->classes[k].demand_w[t];
        }
        at.from_s = at.to_s;
    }
}

/* Powers are there: the rest of the schedule. */
static void complete(const struct climb *c, enum plan_status status,
                     struct schedule *s)
{
    schedule_settle(c->p, &c->penalties, s);
    s->status = (int64_t)status;
    s->gap_pu = NAN;
    s->relaxed_gap_pu = NAN;
}

static bool rung_shifted(struct climb *c)
{
    const struct ladder_last *last = &c->l->last;
    double age_s = (double)(c->r->at_ms - last->at_ms) / 1e3;
    enum ladder_verdict v = LADDER_TAKEN;
    struct origin from;
    if (!last->there) {
        v = LADDER_NO_LAST;
    } else if (!(age_s >= 0.0 && age_s <= c->l->age_max_s)) {
        v = LADDER_TOO_OLD;
    } else if (!same_assets(last, c->p, &from)) {
        v = LADDER_OTHER_ASSETS;
    }
    if (v != LADDER_TAKEN) {
        note(c, PLAN_SHIFTED, v);
        return false;
    }
    clear(c->p, c->out);
    move_on(c, age_s, &from, c->out);
    schedule_rule(c->p, true, c->out);
    complete(c, PLAN_SHIFTED, c->out);
    return judge(c, c->out);
}

/* Made of one pass of bounded arithmetic on finite numbers.  It is checked
 * like the others, for the record, and stands in any case. */
static void rung_rule(struct climb *c)
{
    clear(c->p, c->out);
    schedule_rule(c->p, false, c->out);
    complete(c, PLAN_RULE, c->out);
    if (judge(c, c->out)) {
        return;
    }
    clear(c->p, c->out);
    schedule_rule(c->p, false, c->out);
    complete(c, PLAN_RULE, c->out);
}

/* A schedule of the solver that is far from its bound against one of the
 * heuristic; both have passed the check. */
static void choose(struct climb *c)
{
    struct schedule *other = &c->l->trial;
    int64_t first = c->l->n_tries - 1;
    if (!rung_heuristic(c, other)) {
        return;
    }
    double cost = schedule_settle(c->p, &c->penalties, c->out);
    double other_cost = schedule_settle(c->p, &c->penalties, other);
    int64_t loser = other_cost < cost ? first : c->l->n_tries - 1;
    c->l->tries[loser].verdict = LADDER_DEARER;
    if (other_cost < cost) {
        double bound = cost - c->out->gap_pu * fmax(1.0, fabs(cost));
        double relaxed_pu = c->out->relaxed_gap_pu;
        *c->out = *other;
        c->out->relaxed_gap_pu = relaxed_pu;
        c->out->gap_pu =
            fmax(other_cost - bound, 0.0) / fmax(1.0, fabs(other_cost));
    }
}

static void remember(struct ladder *l, const struct climb *c)
{
    struct ladder_last *last = &l->last;
    const struct schedule_problem *p = c->p;
    last->there = true;
    last->at_ms = c->r->at_ms;
    last->n_steps = p->n_steps;
    last->n_batteries = p->n_batteries;
    last->n_classes = p->n_classes;
    memcpy(last->step_s, p->step_s, sizeof(last->step_s));
    for (int64_t b = 0; b < p->n_batteries; b++) {
        memcpy(last->names[b], p->batteries[b].name, SITE_NAME_MAX);
        last->cars[b] = only_charges(&p->batteries[b], p->n_steps);
    }
    for (int64_t k = 0; k < p->n_classes; k++) {
        memcpy(last->names[p->n_batteries + k], p->classes[k].name,
               SITE_NAME_MAX);
    }
    memcpy(last->battery_w, c->out->battery_w, sizeof(last->battery_w));
    memcpy(last->served_w, c->out->served_w, sizeof(last->served_w));
}

static bool look_ahead(struct climb *c)
{
    if (time_is_up(c)) {
        note(c, PLAN_FEASIBLE, LADDER_TOO_LATE);
        note(c, PLAN_HEURISTIC, LADDER_TOO_LATE);
        return false;
    }
    if (rung_solver(c)) {
        if (c->out->status == PLAN_FEASIBLE &&
            !(c->out->gap_pu < gap_good_pu)) {
            choose(c);
        }
        return true;
    }
    return rung_heuristic(c, c->out);
}

void ladder_solve(struct ladder *l, const struct ladder_request *r,
                  struct schedule *out)
{
    struct climb c = {.l = l, .r = r, .p = &l->mended, .out = out};
    l->n_tries = 0;
    c.mended = ladder_mend(r->problem, &l->mended);
    schedule_penalties(c.p, &c.penalties);
    if (look_ahead(&c)) {
        remember(l, &c);
    } else if (!rung_shifted(&c)) {
        rung_rule(&c);
    }
    if (c.mended) {
        out->objective_cur = NAN;
    }
}
