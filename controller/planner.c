/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/planner.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/clock.h"
#include "controller/log.h"
#include "controller/plan_words.h"
#include "policies/plan.h"

static const double LOOK_EVERY_S = 1.0; /* where nobody rings */

struct planner {
    struct planner_cfg cfg;
    struct plan_solver *solver;
    int64_t status;  /* of the last plan, enum plan_status */
    int64_t stop_ns; /* of the plan in the making, monotonic */
    int64_t soon_ns; /* of its solver */
    struct waker wake;
    pthread_t thread;
    atomic_bool stop;
};

static bool time_is_up(void *context)
{
    const struct planner *p = context;
    const struct planner_faults *f = &p->cfg.faults;
    return f->stop != NULL ? f->stop(f->context)
                           : clock_mono_ns() >= p->stop_ns;
}

static bool refused(const struct plan *plan)
{
    for (int64_t i = 0; i < plan->n_tries && i < PLAN_TRIES_MAX; i++) {
        if (plan->tries[i].verdict == LADDER_REFUSED) {
            return true;
        }
    }
    return false;
}

/* A line for the log, if there is one; the key "" means none. */
struct news {
    enum log_level level;
    char key[80];
    char text[640];
};

/* In words: a plan that the check refused, one that is worse than the last, one
 * that something called for. */
static void describe(const struct plan *plan, int64_t last, struct news *out)
{
    char causes[64];
    char why[512];
    plan_causes_text(plan->causes, causes, sizeof(causes));
    plan_why_text(plan, why, sizeof(why));
    bool worse = plan->status > PLAN_FEASIBLE;
    bool by_time = plan->causes == UINT64_C(1) << PLAN_BY_TIME;
    *out = (struct news){.level = LOG_INFO};
    const char *what = NULL;
    if (refused(plan)) {
        out->level = LOG_ERROR;
        what = "refused";
    } else if (worse && plan->status != last) {
        out->level = LOG_WARN;
        what = "worse";
    } else if (!by_time || (last > PLAN_FEASIBLE && !worse)) {
        what = "made";
    }
    if (what != NULL) {
        snprintf(out->key, sizeof(out->key), "plan-%s-%s", what, causes);
    }
    snprintf(out->text, sizeof(out->text), "plan for %s: %s%s%s", causes,
             plan_status_name((enum plan_status)plan->status),
             why[0] != '\0' ? ": " : "", why);
}

static bool solver_is_over(void *context)
{
    const struct planner *p = context;
    const struct planner_faults *f = &p->cfg.faults;
    return f->stop != NULL ? f->stop(f->context)
                           : clock_mono_ns() >= p->soon_ns;
}

static void make_plan(struct planner *p, const struct problem *problem)
{
    struct mailbox *box = &p->cfg.ports->planner.plan;
    struct plan_request request = {
        .problem = problem,
        .stop = time_is_up,
        .soon = solver_is_over,
        .context = p,
        .spoil = p->cfg.faults.spoil,
        .spoil_context = p->cfg.faults.context,
    };
    double part = p->cfg.deadline_s / PLAN_DEADLINE_S;
    int64_t now_ns = clock_mono_ns();
    p->stop_ns = now_ns + (int64_t)(part * PLAN_SEARCH_S * 1e9);
    p->soon_ns = now_ns + (int64_t)(part * PLAN_SOLVER_S * 1e9);
    struct plan *plan = mailbox_slot(box);
    plan_solve(p->solver, &request, plan);
    struct news news;
    describe(plan, p->status, &news);
    p->status = plan->status;
    mailbox_post(box); /* before a log that may be slow */
    if (news.key[0] != '\0') {
        log_line(news.level, news.key, "%s", news.text);
    }
}

static void *run(void *arg)
{
    struct planner *p = arg;
    struct planner_port *port = &p->cfg.ports->planner;
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

enum err planner_open(const struct planner_cfg *cfg, struct planner **out)
{
    struct planner *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        return ERR_MEMORY;
    }
    p->cfg = *cfg;
    p->solver = malloc(plan_solver_size(cfg->site));
    if (p->solver == NULL) {
        free(p);
        return ERR_MEMORY;
    }
    plan_solver_init(p->solver, cfg->site);
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
    cfg->ports->planner.wake = &p->wake;
    *out = p;
    return ERR_NONE;
}

void planner_close(struct planner *p)
{
    atomic_store(&p->stop, true);
    waker_ring(&p->wake);
    pthread_join(p->thread, NULL);
    p->cfg.ports->planner.wake = NULL;
    waker_clear(&p->wake);
    discard(p);
}
