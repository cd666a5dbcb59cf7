/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of what the planner says of its own answers: bound, gap, rest and
 * violations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/schedule_check.h"
#include "policies/schedule_solve.h"
#include "tests/policies/plan_vectors.h"

enum { STEPS = 96, BATTERIES = 8, PROBLEMS = 400, ITERATIONS = 25 };

static struct {
    struct schedule_problem problem;
    struct schedule answer;
    struct schedule_lp lp;
    struct ipm_memory memory;
    struct schedule_solver *solver;
    double *solver_memory;
} * f;

static int set_up(void **state)
{
    (void)state;
    static const struct schedule_shape shape = {
        STEPS, BATTERIES, SCHEDULE_SEGMENTS_MAX, SCHEDULE_CLASSES_MAX};
    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return -1;
    }
    size_t n = schedule_memory(&shape);
    f->memory.n = n;
    f->memory.base = calloc(n, sizeof(double));
    f->solver_memory = calloc(n, sizeof(double));
    f->solver = schedule_solver(f->solver_memory, n);
    return f->memory.base != NULL && f->solver != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(f->memory.base);
    free(f->solver_memory);
    free(f);
    return 0;
}

/* Batteries that cannot move, windows of no width, starts outside, prices
 * below 0, over-exports: no iterate's bound is above what a schedule costs, but
 * for the excess that counts as none. */
static void no_bound_is_above_a_cost(void **state)
{
    (void)state;
    static const struct plan_random may = {.n_steps_max = STEPS,
                                           .n_batteries_max = BATTERIES};
    for (int seed = 1; seed <= PROBLEMS; seed++) {
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        f->memory.n_used = 0;
        assert_true(schedule_lp_open(&f->lp, &f->problem, NULL, &f->memory));
        double cost =
            schedule_settle(&f->problem, &f->lp.penalties, &f->answer);
        ipm_start(&f->lp.ipm);
        for (int i = 0; i < ITERATIONS && ipm_iterate(&f->lp.ipm); i++) {
            double bound = schedule_lp_bound(&f->lp);
            if (!(bound <= cost + 1e-5 * fmax(1.0, fabs(cost)))) {
                fail_msg("seed %d, iteration %d: bound %.10g above %.10g", seed,
                         i, bound, cost);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bound_is_above_a_cost),
    };
    return cmocka_run_group_tests_name("schedule_truth", tests, set_up,
                                       tear_down);
}
