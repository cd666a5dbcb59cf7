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
#include "policies/schedule_rule.h"
#include "tests/policies/ladder_fixture.h"
#include "tests/policies/plan_vectors.h"

enum { SEED = 77, PROBLEMS = 100 };

/* Time is up when it is asked for the so manieth time. */
static bool soon(void *context)
{
    int *left = context;
    return (*left)-- <= 0;
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
        cmocka_unit_test(little_memory_costs_rungs_but_no_answer),
        cmocka_unit_test(the_rule_obeys_a_limit_and_charges_for_a_floor),
        cmocka_unit_test(any_problem_with_any_fault_has_a_plan),
    };
    return cmocka_run_group_tests_name("ladder", tests, set_up, tear_down);
}
