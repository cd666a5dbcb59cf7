/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/planner.h"

#include <pthread.h>
#include <stdlib.h>

#include "policies/plan.h"

static const double LOOK_EVERY_S = 1.0; /* where nobody rings */

struct planner {
    const struct site *site;
    struct ports *ports;
    struct waker wake;
    pthread_t thread;
    atomic_bool stop;
};

static void *run(void *arg)
{
    struct planner *p = arg;
    struct planner_port *port = &p->ports->planner;
    while (!atomic_load(&p->stop)) {
        waker_wait(&p->wake, LOOK_EVERY_S);
        const struct problem *problem = mailbox_fetch(&port->problem);
        if (problem != NULL) {
            plan_solve(p->site, problem, mailbox_slot(&port->plan));
            mailbox_post(&port->plan);
        }
    }
    return NULL;
}

enum err planner_open(const struct site *site, struct ports *ports,
                      struct planner **out)
{
    struct planner *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        return ERR_MEMORY;
    }
    p->site = site;
    p->ports = ports;
    atomic_init(&p->stop, false);
    if (waker_init(&p->wake) != ERR_NONE) {
        free(p);
        return ERR_IO;
    }
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        waker_clear(&p->wake);
        free(p);
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
    free(p);
}
