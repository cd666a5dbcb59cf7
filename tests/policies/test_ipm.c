/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/schedule_solve and the interior point below it: known
 * optima, random problems, weak duality, budgets and what it refuses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/schedule_check.h"
#include "policies/schedule_solve.h"
#include "tests/policies/plan_vectors.h"

enum { N_RANDOM = 300, STEPS = 96 };

struct fixture {
    struct schedule_problem problem;
    struct schedule answer;
    double *memory;
    struct schedule_solver *solver;
};

static int set_up(void **state)
{
    static const struct schedule_shape shape = {288, 8, 4, 3};
    struct fixture *f = calloc(1, sizeof(*f));
    size_t n = schedule_memory(&shape);
    f->memory = malloc(n * sizeof(double));
    f->solver = schedule_solver(f->memory, n);
    *state = f;
    return f->solver ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->memory);
    free(f);
    return 0;
}

static void must_pass(const struct fixture *f, const char *what, int64_t seed)
{
    struct schedule_verdict v;
    if (!schedule_check(&f->problem, &f->answer, &v)) {
        fail_msg("%s %d: %s, asset %d step %d by %g", what, (int)seed,
                 schedule_fault_text(v.fault), (int)v.asset, (int)v.step, v.by);
    }
}

static void the_known_problems_are_optimal(void **state)
{
    struct fixture *f = *state;
    struct plan_vectors v = plan_vectors();
    if (v.n == 0) {
        print_message("no ../shared/vectors/plan here\n");
        skip();
    }
    for (int i = 0; i < v.n; i++) {
        assert_true(plan_vector_read(v.problem[i], &f->problem));
        double want = plan_vector_cost(v.expected[i]);
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        must_pass(f, v.problem[i], 0);
        assert_int_equal(f->answer.status, PLAN_OPTIMAL);
        assert_int_equal(f->answer.n_violations, 0);
        double off = (f->answer.objective_cur - want) / fmax(1.0, fabs(want));
        if (!(fabs(off) <= 1e-6 && f->answer.gap_pu <= 1e-6)) {
            fail_msg("%s: %.9g, want %.9g", v.problem[i],
                     f->answer.objective_cur, want);
        }
    }
}

static void solve_random(struct fixture *f, bool exclusive)
{
    const struct plan_random may = {STEPS, 8, exclusive};
    for (int seed = 0; seed < N_RANDOM; seed++) {
        plan_random((uint64_t)seed, &may, &f->problem);
        memset(&f->answer, 0xff, sizeof(f->answer));
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        must_pass(f, "seed", seed);
        assert_true(f->answer.n_iterations <= SCHEDULE_ITERATIONS_MAX);
        bool proven = f->answer.gap_pu <= 1e-6;
        assert_true(proven == (f->answer.status == PLAN_OPTIMAL));
        if (exclusive && f->answer.n_violations == 0 && !proven) {
            fail_msg("seed %d: gap %g", seed, f->answer.gap_pu);
        }
    }
}

static void random_problems_are_optimal(void **state)
{
    solve_random(*state, true);
}

static void negative_prices_are_ordinary(void **state)
{
    solve_random(*state, false);
}

static void not_above(const struct schedule_lp *lp, double cost, int seed)
{
    double bound = schedule_lp_bound(lp);
    if (!(bound <= cost + 1e-6 * fmax(1.0, fabs(cost)))) {
        fail_msg("seed %d: bound %.9g above %.9g", seed, bound, cost);
    }
}

/* Any multipliers bound the cost of any schedule from below. */
static void no_multipliers_bound_above_the_optimum(void **state)
{
    struct fixture *f = *state;
    static const struct schedule_shape shape = {STEPS, 4, 4, 3};
    struct ipm_memory m = {.n = schedule_memory(&shape)};
    m.base = malloc(m.n * sizeof(double));
    struct schedule_lp *lp = malloc(sizeof(*lp));
    struct schedule_ways *ways = calloc(1, sizeof(*ways));
    const struct plan_random may = {STEPS, 4, true};
    uint64_t draws = random_seed(5);
    for (int seed = 0; seed < 40; seed++) {
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        m.n_used = 0;
        ways->give = f->answer.n_violations > 0;
        assert_true(schedule_lp_open(lp, &f->problem, ways, &m));
        double cost = schedule_settle(&f->problem, &lp->penalties, &f->answer);
        ipm_start(&lp->ipm);
        for (int k = 0; k < 20; k++) {
            ipm_iterate(&lp->ipm);
            not_above(lp, cost, seed);
        }
        int n = lp->ipm.n_rows * lp->ipm.n_stages;
        for (int i = 0; i < n; i++) {
            lp->ipm.y[i] += random_draw(&draws, -0.5, 0.5);
        }
        not_above(lp, cost, seed);
    }
    free(lp);
    free(ways);
    free(m.base);
}

static bool at_once(void *context)
{
    return --*(int *)context < 0;
}

static void a_cut_budget_still_answers(void **state)
{
    struct fixture *f = *state;
    const struct plan_random may = {STEPS, 4, true};
    plan_random(7, &may, &f->problem);
    struct schedule_budget budget = {.n_iterations = 3};
    assert_true(schedule_solve(f->solver, &f->problem, &budget, &f->answer));
    assert_int_equal(f->answer.n_iterations, 3);
    assert_int_equal(f->answer.status, PLAN_FEASIBLE);
    must_pass(f, "budget", 3);

    int n = 5;
    budget = (struct schedule_budget){.stop = at_once, .context = &n};
    assert_true(schedule_solve(f->solver, &f->problem, &budget, &f->answer));
    assert_true(f->answer.n_iterations <= 5);
    must_pass(f, "deadline", 5);

    n = 0;
    assert_false(schedule_solve(f->solver, &f->problem, &budget, &f->answer));
}

static void a_stop_within_an_iteration_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    static const struct schedule_shape shape = {STEPS, 4, 4, 3};
    const struct plan_random may = {STEPS, 4, true};
    struct ipm_memory m = {.n = schedule_memory(&shape)};
    struct schedule_lp *lp = calloc(1, sizeof(*lp));
    m.base = calloc(m.n, sizeof(double));
    plan_random(7, &may, &f->problem);
    assert_true(schedule_lp_open(lp, &f->problem, NULL, &m));
    ipm_start(&lp->ipm);
    assert_true(ipm_iterate(&lp->ipm));
    size_t n = (size_t)lp->ipm.n_cols * (size_t)lp->ipm.n_stages;
    double *was = malloc(n * sizeof(double));
    memcpy(was, lp->ipm.xl, n * sizeof(double));
    for (int asks = 0; asks < 3; asks++) {
        int left = asks;
        lp->ipm.stop = at_once;
        lp->ipm.stop_context = &left;
        lp->ipm.stopped = false;
        double bound = schedule_lp_bound(lp);
        assert_false(ipm_iterate(&lp->ipm));
        assert_memory_equal(was, lp->ipm.xl, n * sizeof(double));
        assert_true(schedule_lp_bound(lp) == bound);
    }
    free(was);
    free(lp);
    free(m.base);
}

static void what_is_no_number_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct plan_random may = {STEPS, 2, true};
    plan_random(3, &may, &f->problem);
    double *bad[] = {&f->problem.load_w[0], &f->problem.import_per_kwh[0],
                     &f->problem.step_s[0],
                     &f->problem.batteries[0].charge_max_w[0]};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double was = *bad[i];
        *bad[i] = NAN;
        assert_false(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        *bad[i] = INFINITY;
        assert_false(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        *bad[i] = was;
    }
    assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
}

static void too_little_memory_is_no_answer(void **state)
{
    struct fixture *f = *state;
    static const struct schedule_shape shape = {24, 1, 1, 0};
    const struct plan_random may = {STEPS, 8, true};
    plan_random(1, &may, &f->problem);
    f->problem.n_steps = STEPS;
    for (int t = 0; t < STEPS; t++) {
        f->problem.step_s[t] = 900.0;
    }
    size_t n = schedule_memory(&shape);
    double *memory = malloc(n * sizeof(double));
    struct schedule_solver *s = schedule_solver(memory, n);
    assert_non_null(s);
    assert_false(schedule_solve(s, &f->problem, NULL, &f->answer));
    assert_null(schedule_solver(memory, 100));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_problems_are_optimal),
        cmocka_unit_test(random_problems_are_optimal),
        cmocka_unit_test(negative_prices_are_ordinary),
        cmocka_unit_test(no_multipliers_bound_above_the_optimum),
        cmocka_unit_test(a_cut_budget_still_answers),
        cmocka_unit_test(a_stop_within_an_iteration_leaves_all_as_it_was),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(too_little_memory_is_no_answer),
    };
    return cmocka_run_group_tests_name("ipm", tests, set_up, tear_down);
}
