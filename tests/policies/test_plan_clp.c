/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner against Clp, a solver that others wrote, through the MPS file:
 * the linear programme, in which a battery may do both at once, has the same
 * optimum; and what Clp finds to be impossible, the planner violates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "policies/schedule_solve.h"
#include "replay/mps.h"
#include "tests/policies/plan_vectors.h"

enum { SEEDS = 220, STEPS = 64, BATTERIES = 6, ITERATIONS = 80 };

/* The vectors' size. */
static const struct schedule_shape shape = {576, 8, SCHEDULE_SEGMENTS_MAX,
                                            SCHEDULE_CLASSES_MAX};

static char path[] = "/tmp/plan-clp-XXXXXX";

static struct {
    struct schedule_problem problem;
    struct schedule answer;
    struct schedule_lp lp;
    struct schedule_ways ways;
    struct ipm_memory memory;
    double *solver_memory;
    struct schedule_solver *solver;
} * f;

static int set_up(void **state)
{
    (void)state;
    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return -1;
    }
    size_t n = schedule_memory(&shape);
    f->memory.n = n;
    f->memory.base = calloc(n, sizeof(double));
    f->solver_memory = calloc(n, sizeof(double));
    f->solver = schedule_solver(f->solver_memory, n);
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    return f->memory.base != NULL && f->solver != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    free(f->memory.base);
    free(f->solver_memory);
    free(f);
    return 0;
}

/* Clp's optimum; NAN where it has none. */
static double clp(const struct schedule_problem *p)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(mps_write(file, p), ERR_NONE);
    fclose(file);
    char line[512];
    snprintf(line, sizeof(line), "clp %s -dualsimplex </dev/null 2>/dev/null",
             path);
    double optimum = NAN;
    file = popen(line, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        double told;
        if (sscanf(line, "Optimal objective %lf", &told) == 1) {
            optimum = told;
        }
    }
    pclose(file);
    return optimum;
}

/* Ours: its bound from below, which at the end is its optimum. */
static double relaxed(void)
{
    f->memory.n_used = 0;
    schedule_share_where_losses_pay(&f->problem, &f->ways);
    assert_true(schedule_lp_open(&f->lp, &f->problem, &f->ways, &f->memory));
    ipm_start(&f->lp.ipm);
    double best = -INFINITY;
    for (int i = 0; i < ITERATIONS && ipm_iterate(&f->lp.ipm); i++) {
        best = fmax(best, schedule_lp_bound(&f->lp));
    }
    return best;
}

static bool same(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fmax(1.0, fabs(b));
}

static bool has_clp(void)
{
    if (system("command -v clp >/dev/null 2>&1") != 0) {
        print_message("skipped: clp is not installed (coinor-clp)\n");
        return false;
    }
    return true;
}

static void random_programmes_have_the_same_optimum(void **state)
{
    (void)state;
    static const struct plan_random may = {.n_steps_max = STEPS,
                                           .n_batteries_max = BATTERIES};
    if (!has_clp()) {
        skip();
    }
    int n_met = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->answer));
        double optimum = clp(&f->problem);
        if (isnan(optimum)) {
            if (f->answer.n_violations == 0) {
                fail_msg("seed %d: met, but clp finds it infeasible", seed);
            }
            continue;
        }
        n_met++;
        double ours = relaxed();
        double cost = f->answer.objective_cur;
        if (!same(ours, optimum)) {
            fail_msg("seed %d: clp %.10g, ours %.10g", seed, optimum, ours);
        }
        if (f->answer.n_violations == 0 &&
            (cost < optimum - 1e-6 * fmax(1.0, fabs(optimum)))) {
            fail_msg("seed %d: %.10g below clp's %.10g", seed, cost, optimum);
        }
    }
    print_message("%d of %d problems can be met\n", n_met, SEEDS);
    assert_true(n_met >= SEEDS / 4);
}

static void the_known_problems_have_it_too(void **state)
{
    (void)state;
    struct plan_vectors v = plan_vectors();
    if (v.n == 0 || !has_clp()) {
        print_message("skipped: no ../shared/vectors/plan, or no clp\n");
        skip();
    }
    for (int i = 0; i < v.n; i++) {
        assert_true(plan_vector_read(v.problem[i], &f->problem));
        double optimum = clp(&f->problem);
        double ours = relaxed();
        if (!same(ours, optimum) ||
            !same(plan_vector_cost(v.expected[i]), optimum)) {
            fail_msg("%s: clp %.10g, ours %.10g", v.problem[i], optimum, ours);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programmes_have_the_same_optimum),
        cmocka_unit_test(the_known_problems_have_it_too),
    };
    return cmocka_run_group_tests_name("plan_clp", tests, set_up, tear_down);
}
