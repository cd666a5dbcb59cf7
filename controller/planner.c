/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/planner.h"

#include <pthread.h>
#include <stdlib.h>

#include "controller/clock.h"
#include "policies/plan.h"

static const double LOOK_EVERY_S = 1.0; /* where nobody rings */

struct planner {
    struct ports *ports;
    struct plan_solver *solver;
    int64_t stop_ns; /* of the plan in the making, monotonic */
    struct waker wake;
    pthread_t thread;
    atomic_bool stop;
};

static bool time_is_up(void *context)
{
    const struct planner *p = context;
    return clock_mono_ns() >= p->stop_ns;
}

static void make_plan(struct planner *p, const struct problem *problem)
{
    struct mailbox *box = &p->ports->planner.plan;
    struct plan_request request = {
        .problem = problem, .stop = time_is_up, .context = p};
    p->stop_ns = clock_mono_ns() + (int64_t)(PLAN_DEADLINE_S * 1e9);
    plan_solve(p->solver, &request, mailbox_slot(box));
    mailbox_post(box);
}

static void *run(void *arg)
{
    struct planner *p = arg;
    struct planner_port *port = &p->ports->planner;
    while (!atomic_load(&p->stop)) {
        waker_wait(&p->wake, LOOK_EVERY_S);
        const struct problem *problem = mailbox_fetch(&port->problem);
        if (problem != NULL) {
            make_plan(p, problem);
        }
    }
    return NULL;
}

static void discard(struct planner *p)
{
    free(p->solver);
    free(p);
}

enum err planner_open(const struct site *site, struct ports *ports,
                      struct planner **out)
{
    struct planner *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        return ERR_MEMORY;
    }
    p->ports = ports;
    p->solver = malloc(plan_solver_size(site));
    if (p->solver == NULL) {
        free(p);
        return ERR_MEMORY;
    }
    plan_solver_init(p->solver, site);
    atomic_init(&p->stop, false);
    if (waker_init(&p->wake) != ERR_NONE) {
        discard(p);
        return ERR_IO;
    }
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        waker_clear(&p->wake);
        discard(p);
        return ERR_IO;
    }
    ports->planner.wake = &p->wake;
    *out = p;
    return ERR_NONE;
}

void planner_close(struct planner *p)
{
    atomic_store(&p->stop, true);
    waker_ring(&p->wake);
    pthread_join(p->thread, NULL);
    p->ports->planner.wake = NULL;
    waker_clear(&p->wake);
    discard(p);
}
