/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/plan.h"

#include <assert.h>
#include <string.h>

#include "policies/plan_parts.h"

static struct schedule_shape shape_of(const struct site *site)
{
    return (struct schedule_shape){
        .n_steps = PLAN_SLOTS_MAX,
        .n_batteries = PLAN_GROUPS_MAX + PLAN_BUCKETS_MAX,
        .n_segments = PLAN_SEGMENTS_MAX,
        .n_classes = site->n_classes,
    };
}

size_t plan_solver_size(const struct site *site)
{
    struct schedule_shape shape = shape_of(site);
    return sizeof(struct plan_solver) + ladder_memory(&shape) * sizeof(double);
}

void plan_solver_init(struct plan_solver *s, const struct site *site)
{
    struct ladder_memory memory = {.shape = shape_of(site), .base = s->memory};
    memory.n = ladder_memory(&memory.shape);
    memset(s, 0, plan_solver_size(site)); /* touches the pages, too */
    s->site = site;
    ladder_init(&s->ladder, &memory);
}

void plan_solve(struct plan_solver *s, const struct plan_request *request,
                struct plan *plan)
{
    const struct problem *p = request->problem;
    assert(p->n_slots > 0 && p->n_slots <= PLAN_SLOTS_MAX);
    plan_past_see(&s->past, p);
    plan_pose(s, p);
    struct ladder_request r = {
        .problem = &s->problem,
        .at_ms = p->start_at_ms,
        .budget = {.n_iterations = PLAN_ITERATIONS,
                   .stop = request->stop,
                   .soon = request->soon,
                   .context = request->context},
        .spoil = request->spoil,
        .spoil_context = request->spoil_context,
    };
    ladder_solve(&s->ladder, &r, &s->schedule);
    memset(plan, 0, sizeof(*plan));
    plan->kept = plan_keep(s, p);
    schedule_stop_fn *cut = request->soon ? request->soon : request->stop;
    plan->cut = cut != NULL && cut(request->context);
    plan_read(s, p, plan);
    s->last = *plan;
}
