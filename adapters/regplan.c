/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/regplan.h"

#include <stdbool.h>

/* The registers one point needs in one request. */
struct span {
    int point;
    int from;
    int to; /* one past */
    int fc;
    int space;
    enum reg_poll poll;
};

/* Address of 'at' in the first of 'models' that the device has, -1 without or
 * where the device's model ends before. */
static int place(const struct sunspec *found, const int *models, int n_models,
                 int at, int n_regs, int *space)
{
    *space = -1;
    if (n_models == 0) {
        return at;
    }
    for (int i = 0; found != NULL && i < n_models; i++) {
        const struct sunspec_model *m = sunspec_find(found, models[i]);
        if (m != NULL) {
            *space = m->addr;
            return at + n_regs <= 2 + m->length ? m->addr + at : -1;
        }
    }
    return -1;
}

static bool term_there(const struct regplan *plan, const struct regmap_term *t)
{
    return plan->addr[t->a] >= 0 && (t->b < 0 || plan->addr[t->b] >= 0);
}

/* Alternatives behind the first one that the device has need no fast read:
 * 103.W is not asked for ten times a second where 701.W answers. */
static void demote(const struct regmap *map, const struct regplan *plan,
                   enum reg_poll *poll)
{
    bool wanted[REGMAP_POINTS_MAX] = {false};
    bool spare[REGMAP_POINTS_MAX] = {false};
    for (enum reg_role r = 0; r < REG_ROLE_COUNT; r++) {
        bool first = true;
        for (int i = 0; i < map->roles[r].n_terms; i++) {
            const struct regmap_term *t = &map->roles[r].terms[i];
            bool *mark = first ? wanted : spare;
            mark[t->a] = true;
            if (t->b >= 0) {
                mark[t->b] = true;
            }
            first = first && (regmap_role_is_list((enum reg_role)r) ||
                              !term_there(plan, t));
        }
    }
    for (int i = 0; i < map->n_points; i++) {
        if (spare[i] && !wanted[i] && poll[i] == REG_POLL_FAST) {
            poll[i] = REG_POLL_SLOW;
        }
    }
}

static void set_polls(const struct regmap *map, const struct regplan *plan,
                      enum reg_poll *poll)
{
    for (int i = 0; i < map->n_points; i++) {
        poll[i] = map->points[i].poll;
    }
    demote(map, plan, poll);
    /* What the set-point writes is compared in every pass. */
    const struct regmap_sequence *q = &map->sequences[REG_SEQUENCE_SETPOINT];
    for (int i = 0; i < q->n_steps; i++) {
        if (q->steps[i].kind == REG_STEP_WRITE &&
            map->points[q->steps[i].point].confirm) {
            poll[q->steps[i].point] = REG_POLL_FAST;
        }
    }
}

static struct span span_of(const struct regmap *map, const struct regplan *plan,
                           int point, int space, enum reg_poll poll)
{
    const struct regmap_point *p = &map->points[point];
    struct span s = {
        .point = point,
        .from = plan->addr[point],
        .to = plan->addr[point] + p->codec.n_regs,
        .fc = p->read_fc,
        .space = space,
        .poll = poll,
    };
    if (p->sf >= 0 && !p->sf_cached && plan->addr[p->sf] >= 0) {
        int sf = plan->addr[p->sf];
        s.from = sf < s.from ? sf : s.from;
        s.to = sf + 1 > s.to ? sf + 1 : s.to;
    }
    return s;
}

static bool before(const struct span *a, const struct span *b)
{
    if (a->poll != b->poll) {
        return a->poll < b->poll;
    }
    if (a->fc != b->fc) {
        return a->fc < b->fc;
    }
    return a->from < b->from;
}

static void sort_spans(struct span *spans, int n)
{
    for (int i = 1; i < n; i++) {
        struct span s = spans[i];
        int k = i;
        for (; k > 0 && before(&s, &spans[k - 1]); k--) {
            spans[k] = spans[k - 1];
        }
        spans[k] = s;
    }
}

/* Whether 'g' may grow to hold 's'. */
static bool joins(const struct regmap *map, const struct regplan_group *g,
                  const struct span *s)
{
    int end = g->addr + g->count;
    int to = s->to > end ? s->to : end;
    return g->poll == s->poll && g->fc == s->fc && g->space == s->space &&
           s->from >= g->addr && s->from <= end + map->max_gap &&
           to - g->addr <= REG_READ_MAX;
}

static bool holds(const struct regplan_group *g, const struct span *s)
{
    return g->fc == s->fc && g->space == s->space && g->addr <= s->from &&
           s->to <= g->addr + g->count && g->poll <= s->poll;
}

static void add_given(const struct regmap *map, const struct sunspec *found,
                      struct regplan *plan)
{
    for (int i = 0; i < map->n_groups; i++) {
        const struct regmap_group *g = &map->groups[i];
        int space = -1;
        int addr =
            place(found, g->models, g->n_models, g->at, g->count, &space);
        if (addr >= 0) {
            plan->groups[plan->n_groups++] = (struct regplan_group){
                .addr = addr,
                .count = g->count,
                .fc = g->read_fc,
                .space = space,
                .poll = g->poll,
            };
        }
    }
}

static enum err add_span(const struct regmap *map, struct regplan *plan,
                         int n_given, const struct span *s)
{
    for (int i = 0; i < plan->n_groups; i++) {
        if (holds(&plan->groups[i], s)) {
            plan->group[s->point] = i;
            return ERR_NONE;
        }
    }
    struct regplan_group *last =
        plan->n_groups > n_given ? &plan->groups[plan->n_groups - 1] : NULL;
    if (last != NULL && joins(map, last, s)) {
        int end = last->addr + last->count;
        last->count = (s->to > end ? s->to : end) - last->addr;
        plan->group[s->point] = plan->n_groups - 1;
        return ERR_NONE;
    }
    if (plan->n_groups == REGPLAN_GROUPS_MAX) {
        return ERR_FULL;
    }
    plan->group[s->point] = plan->n_groups;
    plan->groups[plan->n_groups++] = (struct regplan_group){
        .addr = s->from,
        .count = s->to - s->from,
        .fc = s->fc,
        .space = s->space,
        .poll = s->poll,
    };
    return ERR_NONE;
}

/* A cached scale factor is read by itself; one that travels with its value
 * needs no request of its own. */
static bool needs_read(const struct regmap *map, int point)
{
    if (!map->points[point].hidden) {
        return true;
    }
    for (int i = 0; i < map->n_points; i++) {
        if (map->points[i].sf == point && map->points[i].sf_cached) {
            return true;
        }
    }
    return false;
}

enum err regplan_make(const struct regmap *map, const struct sunspec *found,
                      struct regplan *plan)
{
    struct span spans[REGMAP_POINTS_MAX];
    int spaces[REGMAP_POINTS_MAX];
    enum reg_poll poll[REGMAP_POINTS_MAX];
    int n = 0;
    *plan = (struct regplan){.n_groups = 0};
    for (int i = 0; i < map->n_points; i++) {
        const struct regmap_point *p = &map->points[i];
        plan->group[i] = -1;
        plan->addr[i] = place(found, p->models, p->n_models, p->at,
                              p->codec.n_regs, &spaces[i]);
    }
    set_polls(map, plan, poll);
    for (int i = 0; i < map->n_points; i++) {
        if (plan->addr[i] >= 0 && needs_read(map, i)) {
            spans[n++] = span_of(map, plan, i, spaces[i], poll[i]);
        }
    }
    sort_spans(spans, n);
    add_given(map, found, plan);
    int n_given = plan->n_groups;
    enum err e = ERR_NONE;
    for (int i = 0; i < n && e == ERR_NONE; i++) {
        e = add_span(map, plan, n_given, &spans[i]);
    }
    return e;
}
