/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/slope_dp and schedule_heuristic: by hand, against the
 * interior point on one battery, and random problems of any kind. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policies/schedule_check.h"
#include "policies/schedule_heuristic.h"
#include "policies/schedule_solve.h"
#include "policies/slope_dp.h"
#include "tests/policies/plan_vectors.h"

enum { N_RANDOM = 300, STEPS = 96 };

struct fixture {
    struct schedule_problem problem;
    struct schedule answer;
    struct schedule exact;
    double *memory;
    size_t n_memory;
    double *solver_memory;
    struct schedule_solver *solver;
};

static int set_up(void **state)
{
    static const struct schedule_shape shape = {STEPS, 8, 4, 3};
    struct fixture *f = calloc(1, sizeof(*f));
    f->n_memory = schedule_heuristic_memory(STEPS);
    f->memory = malloc(f->n_memory * sizeof(double));
    size_t n = schedule_memory(&shape);
    f->solver_memory = malloc(n * sizeof(double));
    f->solver = schedule_solver(f->solver_memory, n);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->memory);
    free(f->solver_memory);
    free(f);
    return 0;
}

static bool heuristic(struct fixture *f, struct schedule *out)
{
    const struct schedule_heuristic_room room = {.base = f->memory,
                                                 .n = f->n_memory};
    return schedule_heuristic(&f->problem, &room, out);
}

/* Buys 1 at 1, sells at 3, then at 2; room for 1, 1 per step. */
static void it_buys_cheap_and_sells_dear(void **state)
{
    (void)state;
    static const double prices[] = {2.0, 1.0, 3.0, 2.0};
    struct slope_step steps[4];
    for (int t = 0; t < 4; t++) {
        steps[t] = (struct slope_step){0.0, 1.0, -1.0, 1, {{prices[t], 2.0}}};
    }
    struct slope_piece pool[64];
    size_t first[5];
    double begin[5];
    struct slope_work *w = calloc(1, sizeof(*w));
    w->pool = pool;
    w->n_pool = 64;
    w->first = first;
    w->begin = begin;
    struct slope_problem p = {4, 0.5, steps, 1, {{0.0, 1.0}}};
    double energy[4];
    slope_dp_solve(&p, w, energy);
    static const double want[] = {0.0, 1.0, 0.0, 0.0};
    for (int t = 0; t < 4; t++) {
        assert_true(fabs(energy[t] - want[t]) < 1e-12);
    }
    free(w);
}

/* What the dynamic programme solves exactly. */
static void one_plain_battery(uint64_t seed, struct schedule_problem *p)
{
    const struct plan_random may = {STEPS, 1, true};
    plan_random(seed, &may, p);
    struct schedule_battery *b = &p->batteries[0];
    p->ramp_max_w_per_s = INFINITY;
    p->peak_per_kw = 0.0;
    p->n_classes = 0;
    b->n_segments = 1;
    b->segments[0].width_pu = b->soc_max_pu - b->soc_min_pu;
    b->segments[0].start_pu = b->soc_start_pu - b->soc_min_pu;
}

static void one_battery_costs_what_the_interior_point_finds(void **state)
{
    struct fixture *f = *state;
    int n = 0;
    for (int seed = 0; seed < N_RANDOM; seed++) {
        one_plain_battery((uint64_t)seed, &f->problem);
        assert_true(heuristic(f, &f->answer));
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->exact));
        if (f->answer.n_violations > 0 || f->exact.n_violations > 0) {
            continue;
        }
        n++;
        double a = f->answer.objective_cur;
        double b = f->exact.objective_cur;
        if (fabs(a - b) > 2e-6 * fmax(1.0, fabs(b))) {
            fail_msg("seed %d: %.9g, interior point %.9g", seed, a, b);
        }
    }
    assert_true(n > N_RANDOM / 4);
}

static void it_never_fails(void **state)
{
    struct fixture *f = *state;
    for (int seed = 0; seed < 2 * N_RANDOM; seed++) {
        const struct plan_random may = {STEPS, 8, seed % 2 == 0};
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(heuristic(f, &f->answer));
        assert_int_equal(f->answer.status, PLAN_HEURISTIC);
        struct schedule_verdict v;
        if (!schedule_check(&f->problem, &f->answer, &v)) {
            fail_msg("seed %d: %s, asset %d step %d by %g", seed,
                     schedule_fault_text(v.fault), (int)v.asset, (int)v.step,
                     v.by);
        }
    }
}

static void it_is_never_cheaper_than_the_bound(void **state)
{
    struct fixture *f = *state;
    const struct plan_random may = {STEPS, 4, true};
    for (int seed = 0; seed < 60; seed++) {
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(heuristic(f, &f->answer));
        assert_true(schedule_solve(f->solver, &f->problem, NULL, &f->exact));
        if (f->answer.n_violations == 0 && f->exact.n_violations == 0) {
            double cost = f->exact.objective_cur;
            double slack = 2e-6 * fmax(1.0, fabs(cost));
            assert_true(f->answer.objective_cur >= cost - slack);
        }
    }
}

static void little_memory_is_refused(void **state)
{
    struct fixture *f = *state;
    one_plain_battery(1, &f->problem);
    f->problem.n_steps = STEPS;
    f->n_memory = 100;
    assert_false(heuristic(f, &f->answer));
}

static bool soon(void *context)
{
    return --*(int *)context < 0;
}

/* It asks before every battery of every pass. */
static void it_stops_when_time_is_up(void **state)
{
    struct fixture *f = *state;
    const struct plan_random may = {STEPS, 8, true};
    plan_random(11, &may, &f->problem);
    f->n_memory = schedule_heuristic_memory(STEPS);
    int n = 0;
    struct schedule_heuristic_room room = {
        .base = f->memory, .n = f->n_memory, .stop = soon, .context = &n};
    assert_false(schedule_heuristic(&f->problem, &room, &f->answer));
    n = (int)f->problem.n_batteries - 1;
    assert_false(schedule_heuristic(&f->problem, &room, &f->answer));
    assert_int_equal(n, -1);
    n = 2 * (int)f->problem.n_batteries;
    assert_true(schedule_heuristic(&f->problem, &room, &f->answer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_buys_cheap_and_sells_dear),
        cmocka_unit_test(one_battery_costs_what_the_interior_point_finds),
        cmocka_unit_test(it_never_fails),
        cmocka_unit_test(it_is_never_cheaper_than_the_bound),
        cmocka_unit_test(it_stops_when_time_is_up),
        cmocka_unit_test(little_memory_is_refused),
    };
    return cmocka_run_group_tests_name("slope_dp", tests, set_up, tear_down);
}
