/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/loop: the control thread driven tick by tick through its
 * mailboxes, with the simulated plant behind them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/clock.h"
#include "policies/plan.h"
#include "tests/controller/history_sample.h"
#include "tests/controller/driven_fixture.h"

#if defined(__has_feature)
#define FEATURE(x) __has_feature(x)
#else
#define FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || FEATURE(address_sanitizer)
#define COUNTS_ALLOCATIONS 0
#else
#define COUNTS_ALLOCATIONS 1
#endif

static _Thread_local bool counting;
static _Thread_local long n_allocations;

#if COUNTS_ALLOCATIONS
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    n_allocations += counting;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    n_allocations += counting;
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    n_allocations += counting;
    return __libc_realloc(old, size);
}
#endif

enum { N_BATTERIES = 3, N_PODS = 4, N_NODES = 10 };

static struct driven *world_open(bool shadow)
{
    struct driven *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    driven_open(w, fixture_site(N_BATTERIES, N_PODS, N_NODES), shadow);
    return w;
}

static void world_close(struct driven *w)
{
    driven_close(w);
    free(w);
}

static void world_tick(struct driven *w, int64_t passed_ns)
{
    w->mono_ns += passed_ns;
    w->utc_ms += passed_ns / 1000000;
    driven_speak(w);
    counting = true;
    loop_tick(w->loop, w->mono_ns, w->utc_ms);
    counting = false;
    driven_obey(w);
}

static void run(struct driven *w, int n)
{
    for (int i = 0; i < n; i++) {
        world_tick(w, PERIOD_NS);
    }
}

static bool says(const struct watched *s, enum reason code, int64_t index)
{
    const struct tick_record *r = &s->out->record;
    for (int64_t i = 0; i < r->n_why; i++) {
        if (r->why[i].code == code && r->why[i].index == index) {
            return true;
        }
    }
    return false;
}

static void test_posts_a_command_in_every_tick(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    run(w, 30);
    for (int i = 0; i < N_BATTERIES; i++) {
        assert_int_equal(w->lease_seq[i], 30);
        assert_int_equal(w->done->batteries[i].valid, 1);
        assert_true(isfinite(w->done->batteries[i].set_w));
        assert_true(w->done->batteries[i].expiry_s >= 10.0);
    }
    for (int i = 0; i < N_PODS; i++) {
        assert_true(w->done->pods[i].ttl_s > 0.0);
    }
    const struct watched *s = driven_look(w);
    assert_int_equal(s->loop.n_overruns, 0);
    assert_true(s->out->record.grid_w > 50e6);
    world_close(w);
}

static void test_a_silent_battery_becomes_its_worst_case(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    run(w, 50);
    assert_false(says(driven_look(w), REASON_STALE, 1));
    w->silent = 1;
    run(w, 30); /* stale after max(3 periods, 2 s) */
    const struct watched *s = driven_look(w);
    assert_true(says(s, REASON_STALE, 1));
    assert_true(s->out->record.degraded > 0);
    assert_int_equal(w->done->batteries[0].valid, 1);
    w->silent = -1;
    run(w, 10);
    assert_false(says(driven_look(w), REASON_STALE, 1));
    world_close(w);
}

static void test_what_is_not_finite_is_not_used(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    run(w, 50);
    w->liar = 2;
    run(w, 10);
    const struct watched *s = driven_look(w);
    assert_true(s->out->record.degraded > 0);
    assert_true(isfinite(s->out->record.battery_w));
    assert_true(isfinite(s->out->record.grid_w));
    for (int i = 0; i < N_BATTERIES; i++) {
        assert_true(isfinite(w->done->batteries[i].set_w));
    }
    world_close(w);
}

static void test_late_ticks_are_counted_and_not_caught_up(void **state)
{
    (void)state;
    static const struct {
        int64_t passed_ms;
        uint64_t n_overruns;
        double dt_s;
    } ticks[] = {
        {100, 0, 0.1}, {100, 0, 0.1}, {300, 2, 0.3}, {50, 2, 0.1},
        {100, 2, 0.1}, {99, 2, 0.1},  {1, 2, 0.1},   {1000, 11, 1.0},
    };
    struct driven *w = world_open(false);
    world_tick(w, PERIOD_NS); /* sets the phase */
    uint64_t tick = 1;
    int64_t at_ms = 0;
    for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
        if (at_ms / 100 == (at_ms + ticks[i].passed_ms) / 100) {
            w->mono_ns += ticks[i].passed_ms * 1000000; /* not due yet */
            at_ms += ticks[i].passed_ms;
            continue;
        }
        at_ms += ticks[i].passed_ms;
        world_tick(w, ticks[i].passed_ms * 1000000);
        tick++;
        const struct watched *s = driven_look(w);
        if (s->loop.tick == tick) { /* not every tick has a view */
            assert_int_equal(s->loop.n_overruns, ticks[i].n_overruns);
            assert_true(fabs(s->in->dt_s - ticks[i].dt_s) < 1e-9);
        }
    }
    run(w, 3);
    assert_int_equal(driven_look(w)->loop.n_overruns, 11);
    world_close(w);
}

static void test_next_deadline_keeps_the_phase(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    int64_t next_ns = loop_tick(w->loop, START_NS, START_UTC_MS);
    assert_true(next_ns == START_NS + PERIOD_NS);
    next_ns = loop_tick(w->loop, next_ns + 30000000, START_UTC_MS + 130);
    assert_true(next_ns == START_NS + 2 * PERIOD_NS);
    next_ns = loop_tick(w->loop, next_ns + 250000000, START_UTC_MS + 450);
    assert_true(next_ns == START_NS + 5 * PERIOD_NS);
    world_close(w);
}

static void test_a_jump_of_the_wall_clock_is_an_event(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    run(w, 50);
    w->utc_ms += 3600 * 1000;
    run(w, 5);
    const struct watched *s = driven_look(w);
    assert_int_equal(s->loop.n_clock_jumps, 1);
    assert_true(fabs(s->loop.clock_jump_s - 3600.0) < 1.0);
    assert_true(fabs(s->in->dt_s - 0.1) < 1e-9);
    assert_int_equal(s->out->record.degraded, 0);
    w->utc_ms -= 7200 * 1000;
    run(w, 5);
    s = driven_look(w);
    assert_int_equal(s->loop.n_clock_jumps, 2);
    assert_int_equal(s->out->record.degraded, 0);
    world_close(w);
}

/* Solve what was asked, 'late' ticks after it was. */
static void answer_problem(struct driven *w)
{
    const struct problem *p = mailbox_fetch(&w->ports->planner.problem);
    assert_non_null(p);
    struct plan_solver *solver = malloc(plan_solver_size(w->site));
    assert_non_null(solver);
    plan_solver_init(solver, w->site);
    struct plan_request request = {.problem = p};
    plan_solve(solver, &request, mailbox_slot(&w->ports->planner.plan));
    mailbox_post(&w->ports->planner.plan);
    free(solver);
}

static void test_a_plan_enters_when_it_was_declared(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    run(w, 1);
    answer_problem(w); /* built at tick 1 */
    run(w, PLAN_DELAY_TICKS - 1);
    assert_int_equal(driven_look(w)->plan.status, PLAN_NONE);
    run(w, 3);
    const struct watched *s = driven_look(w);
    assert_int_equal(s->plan.status, PLAN_OPTIMAL);
    assert_int_equal(s->plan.from_tick, 1 + PLAN_DELAY_TICKS);
    assert_int_equal(s->loop.n_late_plans, 0);
    world_close(w);
}

static void test_a_late_plan_enters_in_the_next_tick(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    run(w, PLAN_DELAY_TICKS + 20);
    answer_problem(w);
    run(w, 3);
    const struct watched *s = driven_look(w);
    assert_int_equal(s->plan.from_tick, PLAN_DELAY_TICKS + 21);
    assert_int_equal(s->loop.n_late_plans, 1);
    world_close(w);
}

/* The next billing month begins in UTC, or in the zone that the loop has. */
static void test_a_new_month_is_told_and_planned_for(void **state)
{
    (void)state;
    struct driven *w = world_open(false);
    w->utc_ms = 1764547194000; /* 2025-11-30T23:59:54Z */
    run(w, 50);
    const struct problem *p = mailbox_fetch(&w->ports->planner.problem);
    assert_int_equal(p->causes, 1u << PLAN_BY_START);
    assert_true(p->billed_s > 0.0 && p->billed_s < 6.0);
    run(w, 20);
    const struct watched *s = driven_look(w);
    assert_int_equal(s->in->month_from_ms, 1764547200000);
    assert_int_equal(s->in->month_to_ms, 1767225600000);
    p = mailbox_fetch(&w->ports->planner.problem);
    assert_non_null(p);
    assert_int_equal(p->causes, 1u << PLAN_BY_MONTH);
    assert_true(p->billed_s > 30.9 * 86400.0);
    world_close(w);
}

static void test_shadow_computes_and_posts_nothing(void **state)
{
    (void)state;
    struct driven *w = world_open(true);
    run(w, 50);
    for (int i = 0; i < N_BATTERIES; i++) {
        assert_int_equal(w->lease_seq[i], 0);
    }
    assert_null(mailbox_fetch(&w->ports->mqtt.commands));
    const struct watched *s = driven_look(w);
    assert_int_equal(s->out->batteries[0].valid, 1);
    world_close(w);
}

static struct historian *open_history(struct driven *w, char folder[64])
{
    char db[96];
    char rec[96];
    char why[200] = "";
    sample_folder(folder);
    snprintf(db, sizeof(db), "%s/h.db", folder);
    snprintf(rec, sizeof(rec), "%s/h.rec", folder);
    struct historian_cfg cfg = {
        .site = w->site,
        .site_text = "",
        .site_path = "site.yaml",
        .db_path = db,
        .record_path = rec,
        .policy = POLICY_BALLAST,
        .utc_ms = START_UTC_MS,
    };
    cfg.state = loop_state(w->loop, &cfg.state_size);
    struct historian *h = NULL;
    if (historian_open(&cfg, &h, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    return h;
}

static void test_allocates_nothing_after_start(void **state)
{
    (void)state;
    if (!COUNTS_ALLOCATIONS) {
        print_message("skip: the sanitizer owns malloc\n");
        skip();
    }
    struct driven *w = world_open(false);
    char folder[64];
    struct historian *h = open_history(w, folder);
    loop_record(w->loop, h);
    counting = true;
    free(malloc(1));
    counting = false;
    assert_int_equal(n_allocations, 1); /* the counter counts */
    n_allocations = 0;
    run(w, 300);
    assert_int_equal(n_allocations, 0);
    historian_close(h);
    sample_folder_remove(folder);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_a_command_in_every_tick),
        cmocka_unit_test(test_a_silent_battery_becomes_its_worst_case),
        cmocka_unit_test(test_what_is_not_finite_is_not_used),
        cmocka_unit_test(test_late_ticks_are_counted_and_not_caught_up),
        cmocka_unit_test(test_next_deadline_keeps_the_phase),
        cmocka_unit_test(test_a_jump_of_the_wall_clock_is_an_event),
        cmocka_unit_test(test_a_plan_enters_when_it_was_declared),
        cmocka_unit_test(test_a_late_plan_enters_in_the_next_tick),
        cmocka_unit_test(test_a_new_month_is_told_and_planned_for),
        cmocka_unit_test(test_shadow_computes_and_posts_nothing),
        cmocka_unit_test(test_allocates_nothing_after_start),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
