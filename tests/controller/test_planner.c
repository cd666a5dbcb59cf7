/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/planner: its thread beside a control thread driven tick
 * by tick, with faults in what it gets, in its time and in what it makes. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/planner.h"
#include "tests/controller/history_sample.h"
#include "tests/controller/driven_fixture.h"

enum { N_BATTERIES = 2, N_PODS = 2, HOURS = 48, ANSWER_MS = 20000 };

/* What the planner's thread finds; changed only while it waits. */
struct faults {
    enum plan_status spoil_to; /* rungs up to that one; NONE: none */
    int64_t stop_at;           /* which question ends it, -1: none */
    int64_t asked;
    bool nan_price;
};

/* The loop has its own ports, and what it and the planner say to each other
 * goes through our hands. */
struct world {
    struct driven d;
    struct ports *planning; /* the planner's */
    struct planner *planner;
    struct problem *problem;
    uint64_t n_ticks;
    struct faults faults;
};

static bool time_is_up(void *context)
{
    struct faults *f = context;
    return f->stop_at >= 0 && f->asked++ >= f->stop_at;
}

static void spoil(void *context, enum plan_status rung, struct schedule *s)
{
    const struct faults *f = context;
    if (rung <= f->spoil_to) {
        s->battery_w[0][3] = 1e12;
    }
}

/* Cheap nights, dear evenings. */
static void tell_prices(struct world *w, double shift)
{
    struct price_in *p = &w->d.seen->prices[0];
    *p = (struct price_in){.start_at_ms = START_UTC_MS,
                           .step_s = 3600.0,
                           .n_slots = HOURS,
                           .mono_ms = w->d.mono_ns / 1000000,
                           .expires_at_ms = INT64_MAX};
    for (int i = 0; i < HOURS; i++) {
        p->per_kwh[i] = (i % 24 < 8 ? 0.02 : i % 24 < 17 ? 0.06 : 0.3) + shift;
    }
}

static void open_planner(struct world *w, double deadline_s, bool faulty)
{
    struct planner_cfg cfg = {
        .site = w->d.site, .ports = w->planning, .deadline_s = deadline_s};
    if (faulty) {
        cfg.faults = (struct planner_faults){
            .stop = time_is_up, .spoil = spoil, .context = &w->faults};
    }
    assert_int_equal(planner_open(&cfg, &w->planner), ERR_NONE);
}

static struct world *world_open(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    struct site *site = fixture_site(N_BATTERIES, N_PODS, 0);
    site->n_prices = 1;
    site->prices[0].fallback_per_kwh = 0.05;
    driven_open(&w->d, site, false);
    w->planning = driven_ports(site);
    w->problem = calloc(1, sizeof(*w->problem));
    w->faults.stop_at = -1;
    tell_prices(w, 0.0);
    return w;
}

static void world_close(struct world *w)
{
    planner_close(w->planner);
    driven_close(&w->d);
    ports_clear(w->planning);
    free(w->planning);
    free(w->problem);
    free(w);
}

/* Every battery has a new and sound command in every tick. */
static void obey(struct world *w)
{
    driven_obey(&w->d);
    w->n_ticks++;
    for (int i = 0; i < N_BATTERIES; i++) {
        assert_true(w->d.lease_seq[i] == w->n_ticks);
        assert_true(fabs(w->d.done->batteries[i].set_w) <= 10e6);
    }
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Hands a problem over, and the plan back; the thread has all the time that
 * this machine makes it need. */
static void hand_over(struct world *w)
{
    const struct problem *p = mailbox_fetch(&w->d.ports->planner.problem);
    if (p == NULL) {
        return;
    }
    *w->problem = *p;
    if (w->faults.nan_price) {
        w->problem->import_per_kwh[7] = NAN;
    }
    w->faults.asked = 0;
    mailbox_send(&w->planning->planner.problem, w->problem);
    waker_ring(w->planning->planner.wake);
    const struct plan *plan = NULL;
    for (int ms = 0; ms < ANSWER_MS && plan == NULL; ms++) {
        nap();
        plan = mailbox_fetch(&w->planning->planner.plan);
    }
    assert_non_null(plan);
    mailbox_send(&w->d.ports->planner.plan, plan);
}

static void run(struct world *w, int n)
{
    for (int i = 0; i < n; i++) {
        w->d.mono_ns += PERIOD_NS;
        w->d.utc_ms += PERIOD_NS / 1000000;
        driven_speak(&w->d);
        loop_tick(w->d.loop, w->d.mono_ns, w->d.utc_ms);
        obey(w);
        hand_over(w);
    }
}

/* Everything that is logged, to a file. */
struct log_file {
    char folder[64];
    char path[80];
    int stderr_fd;
};

static struct log_file log_begin(void)
{
    struct log_file f = {.stderr_fd = dup(STDERR_FILENO)};
    sample_folder(f.folder);
    snprintf(f.path, sizeof(f.path), "%s/log", f.folder);
    int fd = open(f.path, O_CREAT | O_WRONLY | O_APPEND, 0600);
    assert_true(fd >= 0 && f.stderr_fd >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    return f;
}

static void log_end(struct log_file *f, char *text, size_t size)
{
    assert_true(dup2(f->stderr_fd, STDERR_FILENO) >= 0);
    close(f->stderr_fd);
    FILE *in = fopen(f->path, "r");
    assert_non_null(in);
    text[fread(text, 1, size - 1, in)] = '\0';
    fclose(in);
    sample_folder_remove(f->folder);
}

enum {
    OPTIMAL = 1 << PLAN_OPTIMAL,
    FEASIBLE = 1 << PLAN_FEASIBLE,
    HEURISTIC = 1 << PLAN_HEURISTIC,
    SHIFTED = 1 << PLAN_SHIFTED,
    RULE = 1 << PLAN_RULE,
    ANY = -1,
};

/* In this order: what comes behind a good plan can be moved on from it. */
static const struct fault_case {
    const char *what;
    enum plan_status spoil_to;
    int64_t stop_at;
    bool nan_price;
    unsigned status; /* bits of those that it may be */
    int first;       /* enum ladder_verdict of the first rung */
} cases[] = {
    {"none", PLAN_NONE, -1, false, OPTIMAL, LADDER_TAKEN},
    {"plan spoilt", PLAN_FEASIBLE, -1, false, HEURISTIC, LADDER_REFUSED},
    {"heuristic too", PLAN_HEURISTIC, -1, false, SHIFTED, LADDER_REFUSED},
    {"last one too", PLAN_SHIFTED, -1, false, RULE, LADDER_REFUSED},
    {"all spoilt", PLAN_RULE, -1, false, RULE, LADDER_REFUSED},
    {"stopped at once", PLAN_NONE, 0, false, SHIFTED, LADDER_TOO_LATE},
    {"stopped early", PLAN_NONE, 4, false, FEASIBLE | SHIFTED, ANY},
    {"no price", PLAN_NONE, -1, true, SHIFTED, LADDER_NUMBER},
    {"none again", PLAN_NONE, -1, false, OPTIMAL, LADDER_TAKEN},
};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static void check_case(struct world *w, const struct fault_case *c, int i)
{
    w->faults = (struct faults){.spoil_to = c->spoil_to,
                                .stop_at = c->stop_at,
                                .nan_price = c->nan_price};
    tell_prices(w, 1e-3 * i); /* which calls for a plan */
    run(w, 70);
    const struct watched *s = driven_look(&w->d);
    if (!(c->status >> s->plan.status & 1u)) {
        fail_msg("%s: %s", c->what,
                 plan_status_name((enum plan_status)s->plan.status));
    }
    if (c->first != ANY) {
        assert_int_equal(s->plan.tries[0].verdict, c->first);
    }
    assert_int_equal(s->plan.cut, c->stop_at >= 0);
    assert_int_equal(s->loop.n_plans, i + 1);
    assert_int_equal(s->loop.plans.n_by[PLAN_BY_PRICE], i);
    assert_true(s->plan.from_tick == s->plan.built_tick + PLAN_DELAY_TICKS);
    assert_int_equal(s->loop.n_late_plans, 0);
    assert_true(w->n_ticks == (uint64_t)(70 * (i + 1)));
    for (int64_t t = 0; t < s->plan.n_slots; t++) {
        assert_true(isfinite(s->plan.battery_w[t]));
    }
}

static void every_fault_ends_on_its_rung_and_the_loop_goes_on(void **state)
{
    (void)state;
    static char text[16384];
    struct world *w = world_open();
    struct log_file log = log_begin();
    open_planner(w, PLAN_DEADLINE_S, true);
    for (int i = 0; i < N_CASES; i++) {
        check_case(w, &cases[i], i);
    }
    log_end(&log, text, sizeof(text));
    const char *line = strstr(text, "the check refused it");
    assert_non_null(line);
    assert_non_null(strstr(text, "plan for price: HEURISTIC: OPTIMAL: the "
                                 "check refused it, "));
    world_close(w);
}

static void without_time_there_is_a_rule(void **state)
{
    (void)state;
    static char text[16384];
    struct world *w = world_open();
    struct log_file log = log_begin();
    open_planner(w, 0.0, false);
    run(w, 30);
    struct plan plan = driven_look(&w->d)->plan;
    assert_int_equal(plan.status, PLAN_RULE);
    assert_int_equal(plan.tries[0].verdict, LADDER_TOO_LATE);
    assert_int_equal(plan.cut, 1);
    assert_int_equal(plan.causes, 1u << PLAN_BY_START);
    planner_close(w->planner);
    open_planner(w, 10.0, false);
    tell_prices(w, 0.01);
    run(w, 70);
    assert_int_equal(driven_look(&w->d)->plan.status, PLAN_OPTIMAL);
    log_end(&log, text, sizeof(text));
    assert_non_null(strstr(text, "plan for start: RULE: FEASIBLE: time was "
                                 "up; HEURISTIC: time was up; SHIFTED: there "
                                 "is no last schedule; time was up"));
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_ends_on_its_rung_and_the_loop_goes_on),
        cmocka_unit_test(without_time_there_is_a_rule),
    };
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
