/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/ladder: every rung is proved by a fault that leads to
 * it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/policies/plan_vectors.h"
#include "policies/ladder.h"
#include "policies/schedule_rule.h"

enum { SEED = 77, PROBLEMS = 100, STEPS = 96 };

static const int64_t noon_ms = 1750000000000;

/* What the tests need, some MB. */
static struct {
    struct ladder ladder;
    struct schedule_problem problem;
    struct schedule answer;
    struct ladder_memory memory;
} * f;

static int set_up(void **state)
{
    (void)state;
    static const struct schedule_shape shape = {
        .n_steps = STEPS,
        .n_batteries = 8,
        .n_segments = SCHEDULE_SEGMENTS_MAX,
        .n_classes = 4,
    };
    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return -1;
    }
    f->memory.shape = shape;
    f->memory.n = ladder_memory(&shape);
    f->memory.base = calloc(f->memory.n, sizeof(*f->memory.base));
    return f->memory.base != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(f->memory.base);
    free(f);
    return 0;
}

static void fill(double *x, int64_t n, double value)
{
    for (int64_t t = 0; t < n; t++) {
        x[t] = value;
    }
}

/* A day in which storing pays: dear evenings, a limit that binds. */
static void make_day(struct schedule_problem *p)
{
    memset(p, 0, sizeof(*p));
    p->n_steps = STEPS;
    fill(p->step_s, STEPS, 900.0);
    fill(p->load_w, STEPS, 8e6);
    fill(p->import_per_kwh, STEPS, 0.03);
    fill(p->import_per_kwh + 64, 16, 0.15);
    fill(p->import_max_w, STEPS, 14e6);
    fill(p->import_max_w + 64, 8, 9e6);
    p->ramp_max_w_per_s = INFINITY;
    p->grid_start_w = NAN;
    p->n_batteries = 1;
    struct schedule_battery *b = &p->batteries[0];
    snprintf(b->name, sizeof(b->name), "b1");
    b->energy_wh = 20e6;
    fill(b->charge_max_w, STEPS, 4e6);
    fill(b->discharge_max_w, STEPS, 4e6);
    fill(b->soc_ceiling_pu, STEPS, 1.0);
    b->charge_eff_pu = b->discharge_eff_pu = 0.95;
    b->soc_min_pu = 0.1;
    b->soc_max_pu = 0.9;
    b->soc_start_pu = 0.5;
    b->soc_end_min_pu = 0.5;
    b->n_segments = 1;
    b->segments[0] = (struct schedule_segment){0.8, 0.4, 0.005};
    p->n_classes = 1;
    struct schedule_class *c = &p->classes[0];
    snprintf(c->name, sizeof(c->name), "web");
    fill(c->demand_w, STEPS, 2e6);
    c->value_per_kwh = 3.0;
    c->min_pu = 0.5;
}

static void start(void)
{
    make_day(&f->problem);
    ladder_init(&f->ladder, &f->memory);
    assert_non_null(f->ladder.solver);
}

static enum plan_status climb(const struct ladder_request *with)
{
    struct ladder_request r = *with;
    r.problem = &f->problem;
    r.at_ms = r.at_ms != 0 ? r.at_ms : noon_ms;
    memset(&f->answer, 0xff, sizeof(f->answer)); /* all of it is written */
    ladder_solve(&f->ladder, &r, &f->answer);
    return (enum plan_status)f->answer.status;
}

static void leave_a_good_one(void)
{
    struct ladder_request r = {.at_ms = noon_ms};
    assert_int_equal(climb(&r), PLAN_OPTIMAL);
}

/* The verdict on 'rung' in the last call, -1 without one. */
static int64_t verdict_on(enum plan_status rung)
{
    for (int64_t i = 0; i < f->ladder.n_tries; i++) {
        if (f->ladder.tries[i].rung == (int64_t)rung) {
            return f->ladder.tries[i].verdict;
        }
    }
    return -1;
}

/* Time is up when it is asked for the so manieth time. */
static bool soon(void *context)
{
    int *left = context;
    return (*left)-- <= 0;
}

static bool always(void *context)
{
    (void)context;
    return true;
}

/* Rungs that a test spoils, as bits, and how. */
struct spoil {
    unsigned rungs;
    double add_w;
};

static void spoil(void *context, enum plan_status rung, struct schedule *s)
{
    const struct spoil *what = context;
    if ((what->rungs >> rung & 1) != 0) {
        s->battery_w[0][3] += what->add_w;
    }
}

static void check_finite(void)
{
    for (int64_t t = 0; t < f->problem.n_steps; t++) {
        assert_true(isfinite(f->answer.grid_w[t]));
        for (int64_t b = 0; b < f->problem.n_batteries; b++) {
            assert_true(isfinite(f->answer.battery_w[b][t]));
            assert_true(isfinite(f->answer.soc_pu[b][t]));
        }
        for (int64_t k = 0; k < f->problem.n_classes; k++) {
            assert_true(isfinite(f->answer.served_w[k][t]));
        }
    }
}

static void check_passes(void)
{
    struct schedule_verdict v;
    if (!schedule_check(&f->problem, &f->answer, &v)) {
        fail_msg("%s is at fault: %s, asset %lld, step %lld, by %g",
                 plan_status_name((enum plan_status)f->answer.status),
                 schedule_fault_text(v.fault), (long long)v.asset,
                 (long long)v.step, v.by);
    }
}

static void a_sound_problem_is_optimal(void **state)
{
    (void)state;
    start();
    struct ladder_request r = {0};
    assert_int_equal(climb(&r), PLAN_OPTIMAL);
    assert_true(f->answer.gap_pu <= 1e-6);
    assert_int_equal(verdict_on(PLAN_OPTIMAL), LADDER_TAKEN);
    assert_int_equal(f->ladder.n_tries, 1);
    check_passes();
}

static void a_solver_stopped_early_still_gives_a_plan(void **state)
{
    (void)state;
    start();
    leave_a_good_one();
    double optimum = f->answer.objective_cur;
    for (int n = 1; n < 12; n++) {
        start();
        struct ladder_request r = {.budget = {.n_iterations = n}};
        enum plan_status got = climb(&r);
        assert_in_range(got, PLAN_OPTIMAL, PLAN_HEURISTIC);
        assert_true(f->answer.objective_cur >= optimum - 1e-6 * optimum);
        check_passes();
    }
    struct ladder_request one = {.budget = {.n_iterations = 1}};
    start();
    assert_true(climb(&one) != PLAN_OPTIMAL);
}

static void a_deadline_of_0_takes_the_last_plan_or_the_rule(void **state)
{
    (void)state;
    start();
    struct ladder_request r = {.budget = {.stop = always}};
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(verdict_on(PLAN_FEASIBLE), LADDER_TOO_LATE);
    assert_int_equal(verdict_on(PLAN_HEURISTIC), LADDER_TOO_LATE);
    assert_int_equal(verdict_on(PLAN_SHIFTED), LADDER_NO_LAST);
    check_passes();
    leave_a_good_one();
    r.at_ms = noon_ms + 300000;
    assert_int_equal(climb(&r), PLAN_SHIFTED);
    check_passes();
}

static void a_deadline_on_the_way_takes_what_is_there(void **state)
{
    (void)state;
    for (int n = 1; n < 5; n++) {
        int left = n;
        struct ladder_request r = {.budget = {.stop = soon, .context = &left}};
        start();
        enum plan_status got = climb(&r);
        assert_in_range(got, PLAN_FEASIBLE, PLAN_RULE);
        assert_true(n > 1 || got == PLAN_RULE);
        check_passes();
    }
    int one = 1;
    struct ladder_request r = {.budget = {.stop = soon, .context = &one}};
    start();
    climb(&r);
    assert_int_equal(verdict_on(PLAN_FEASIBLE), LADDER_UNSOLVED);
    assert_int_equal(verdict_on(PLAN_HEURISTIC), LADDER_TOO_LATE);
}

static void a_price_that_is_none_takes_the_last_plan_or_the_rule(void **state)
{
    (void)state;
    start();
    struct ladder_request r = {0};
    f->problem.import_per_kwh[17] = NAN;
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(verdict_on(PLAN_FEASIBLE), LADDER_NUMBER);
    assert_true(isnan(f->answer.objective_cur));
    check_finite();
    make_day(&f->problem);
    leave_a_good_one();
    f->problem.import_per_kwh[17] = INFINITY;
    assert_int_equal(climb(&r), PLAN_SHIFTED);
    check_finite();
}

static void a_spoiled_plan_is_refused_and_the_next_rung_taken(void **state)
{
    (void)state;
    static const double wrong_w[] = {1e5, 5e7, -5e7, NAN, INFINITY};
    for (size_t i = 0; i < sizeof(wrong_w) / sizeof(wrong_w[0]); i++) {
        struct spoil what = {1u << PLAN_OPTIMAL, wrong_w[i]};
        struct ladder_request r = {.spoil = spoil, .spoil_context = &what};
        start();
        assert_int_equal(climb(&r), PLAN_HEURISTIC);
        assert_int_equal(verdict_on(PLAN_OPTIMAL), LADDER_REFUSED);
        assert_true(f->ladder.tries[0].check.fault != SCHEDULE_FAULT_NONE);
        check_passes();
        what.rungs |= 1u << PLAN_HEURISTIC;
        start();
        assert_int_equal(climb(&r), PLAN_RULE);
        assert_int_equal(verdict_on(PLAN_HEURISTIC), LADDER_REFUSED);
        check_passes();
        leave_a_good_one();
        assert_int_equal(climb(&r), PLAN_SHIFTED);
        check_passes();
        what.rungs = ~0u;
        assert_int_equal(climb(&r), PLAN_RULE);
        check_passes();
    }
}

static void the_last_plan_is_moved_on_and_grows_old(void **state)
{
    (void)state;
    start();
    leave_a_good_one();
    struct schedule *first = malloc(sizeof(*first));
    assert_non_null(first);
    *first = f->answer;
    struct ladder_request r = {.budget = {.stop = always}};
    r.at_ms = noon_ms + 4 * 900000;
    f->problem.batteries[0].soc_start_pu = first->soc_pu[0][3];
    f->problem.batteries[0].segments[0].start_pu = first->soc_pu[0][3] - 0.1;
    assert_int_equal(climb(&r), PLAN_SHIFTED);
    for (int64_t t = 0; t < 40; t++) {
        assert_true(
            fabs(f->answer.battery_w[0][t] - first->battery_w[0][t + 4]) < 1.0);
    }
    free(first);
    r.at_ms = noon_ms + 7200000;
    assert_int_equal(climb(&r), PLAN_SHIFTED);
    r.at_ms = noon_ms + 7200001;
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(verdict_on(PLAN_SHIFTED), LADDER_TOO_OLD);
    r.at_ms = noon_ms - 1;
    assert_int_equal(climb(&r), PLAN_RULE);
    r.at_ms = noon_ms + 900000;
    f->problem.batteries[0].name[0] = 'c';
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(verdict_on(PLAN_SHIFTED), LADDER_OTHER_ASSETS);
}

/* Cars that need 'need_wh' by the end of step 'until'. */
static void park(const char *name, double need_wh, int64_t until)
{
    struct schedule_problem *p = &f->problem;
    struct schedule_battery *b = &p->batteries[p->n_batteries++];
    memset(b, 0, sizeof(*b));
    snprintf(b->name, sizeof(b->name), "%s", name);
    b->energy_wh = need_wh;
    fill(b->charge_max_w, until, 1e6);
    fill(b->soc_floor_pu + until - 1, STEPS + 1 - until, 0.9);
    fill(b->soc_ceiling_pu, STEPS, 1.0);
    b->charge_eff_pu = b->discharge_eff_pu = 0.9;
    b->soc_max_pu = 1.0;
    b->soc_end_min_pu = NAN;
    b->n_segments = 1;
    b->segments[0].width_pu = 1.0;
}

/* Those that stay do what they were to do, those that came charge, those that
 * left are no reason to forget the batteries. */
static void cars_come_and_go_and_the_last_plan_is_moved_on(void **state)
{
    (void)state;
    static const struct {
        const char *names[3]; /* "" none */
        int64_t was[3];       /* store of the last plan, -1: new */
    } rows[] = {
        {{"lot@1", "lot@2", "lot@3"}, {1, 2, 3}},
        {{"lot@2", "lot@3", ""}, {2, 3, 0}},
        {{"lot@3", "", ""}, {3, 0, 0}},
        {{"lot@2", "lot@4", "lot@3"}, {2, -1, 3}},
        {{"lot@5", "lot@1", "lot@1"}, {-1, 1, -1}},
        {{"", "", ""}, {0, 0, 0}},
    };
    struct schedule *first = malloc(sizeof(*first));
    assert_non_null(first);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start();
        park("lot@1", 1e6, 40);
        park("lot@2", 2e6, 50);
        park("lot@3", 3e6, 60);
        struct ladder_request r = {.at_ms = noon_ms};
        assert_int_equal(climb(&r), PLAN_OPTIMAL);
        *first = f->answer;
        make_day(&f->problem);
        for (int k = 0; k < 3; k++) {
            const char *name = rows[i].names[k];
            if (name[0] != '\0') {
                park(name, 1e6 * (double)(name[4] - '0'), 50);
            }
        }
        r.budget.stop = always;
        assert_int_equal(climb(&r), PLAN_SHIFTED);
        check_passes();
        for (int64_t b = 0; b < f->problem.n_batteries; b++) {
            int64_t was = b == 0 ? 0 : rows[i].was[b - 1];
            double off_w = 0.0;
            double sum_w = 0.0;
            for (int64_t t = 0; t < 40; t++) {
                double was_w = was >= 0 ? first->battery_w[was][t] : 0.0;
                off_w = fmax(off_w, fabs(f->answer.battery_w[b][t] - was_w));
                sum_w += f->answer.battery_w[b][t];
            }
            assert_true(was >= 0 ? off_w < 1.0 : sum_w > 1e6);
        }
    }
    free(first);
}

static void little_memory_costs_rungs_but_no_answer(void **state)
{
    (void)state;
    make_day(&f->problem);
    struct ladder_request r = {0};
    struct ladder_memory less = f->memory;
    less.n = schedule_heuristic_memory(STEPS);
    ladder_init(&f->ladder, &less);
    assert_int_equal(climb(&r), PLAN_HEURISTIC);
    assert_int_equal(verdict_on(PLAN_FEASIBLE), LADDER_UNSOLVED);
    check_passes();
    less.n = 16;
    ladder_init(&f->ladder, &less);
    assert_int_equal(climb(&r), PLAN_RULE);
    check_passes();
}

static void the_rule_obeys_a_limit_and_charges_for_a_floor(void **state)
{
    (void)state;
    start();
    struct ladder_request r = {.budget = {.stop = always}};
    fill(f->problem.import_max_w + 10, 4, 7e6); /* 8 MW of load, 1 to 2 more */
    f->problem.batteries[0].soc_floor_pu[40] = 0.7;
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_int_equal(f->answer.n_violations, 0);
    assert_true(f->answer.battery_w[0][11] < -1.9e6);
    assert_true(f->answer.soc_pu[0][40] >= 0.7 - 1e-9);
    fill(f->problem.import_max_w + 10, 4, 3e6);
    assert_int_equal(climb(&r), PLAN_RULE);
    assert_true(f->answer.n_violations > 0);
    check_passes();
}

/* Whatever the problem and the fault, there is a plan, it is finite, and what
 * it says of itself is so. */
static void any_problem_with_any_fault_has_a_plan(void **state)
{
    (void)state;
    static const struct plan_random may = {.n_steps_max = STEPS,
                                           .n_batteries_max = 8};
    uint64_t random = random_seed(SEED);
    int64_t n_of[PLAN_STATUS_COUNT] = {0};
    print_message("seed %d\n", SEED);
    for (int i = 0; i < PROBLEMS; i++) {
        plan_random((uint64_t)i + SEED, &may, &f->problem);
        ladder_init(&f->ladder, &f->memory);
        struct spoil what = {0, random_draw(&random, -1e9, 1e9)};
        struct ladder_request r = {.spoil = spoil, .spoil_context = &what};
        for (int k = 0; k < 3; k++) {
            what.rungs = k == 0 ? 0 : (unsigned)random_draw(&random, 0.0, 64.0);
            r.budget.n_iterations = (int)random_draw(&random, 0.0, 40.0);
            r.at_ms = noon_ms + k * 300000;
            n_of[climb(&r)]++;
            check_finite();
            check_passes();
        }
    }
    for (int s = PLAN_OPTIMAL; s < PLAN_STATUS_COUNT; s++) {
        print_message("%s %lld\n", plan_status_name((enum plan_status)s),
                      (long long)n_of[s]);
        assert_true(n_of[s] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_problem_is_optimal),
        cmocka_unit_test(a_solver_stopped_early_still_gives_a_plan),
        cmocka_unit_test(a_deadline_of_0_takes_the_last_plan_or_the_rule),
        cmocka_unit_test(a_deadline_on_the_way_takes_what_is_there),
        cmocka_unit_test(a_price_that_is_none_takes_the_last_plan_or_the_rule),
        cmocka_unit_test(a_spoiled_plan_is_refused_and_the_next_rung_taken),
        cmocka_unit_test(the_last_plan_is_moved_on_and_grows_old),
        cmocka_unit_test(cars_come_and_go_and_the_last_plan_is_moved_on),
        cmocka_unit_test(little_memory_costs_rungs_but_no_answer),
        cmocka_unit_test(the_rule_obeys_a_limit_and_charges_for_a_floor),
        cmocka_unit_test(any_problem_with_any_fault_has_a_plan),
    };
    return cmocka_run_group_tests_name("ladder", tests, set_up, tear_down);
}
