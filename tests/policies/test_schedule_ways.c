/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of what proves one direction at a time: policies/schedule_curve,
 * policies/schedule_apart and the rows of policies/schedule_lp_ways. */
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
#include "policies/schedule_apart.h"
#include "policies/schedule_check.h"
#include "tests/policies/plan_vectors.h"
#include "tests/policies/schedule_fixture.h"

enum { PROBLEMS = 150, CURVES = 300, POINTS = 400 };

static struct {
    struct bench bench;
    struct schedule_lp lp;
    struct schedule_problem problem;
    struct schedule answer;
    struct schedule_ways ways;
    struct schedule_apart apart;
    struct schedule_curve curves[3];
} * f;

static int set_up(void **state)
{
    (void)state;
    f = calloc(1, sizeof(*f));
    return f != NULL && bench_open(&f->bench) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    bench_close(&f->bench);
    free(f);
    return 0;
}

static const struct plan_random may = {.n_steps_max = STEPS,
                                       .n_batteries_max = BATTERIES};

/* Linear relaxations left these open within the same iterations: by what the
 * segments of a store hold, by what the grid's limits leave a battery, by the
 * way through the whole horizon. */
static void these_are_proven_within_the_budget(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {54,   1124, 1199, 1432, 1854, 3095,
                                     3232, 3910, 3964, 4278, 5830, 5936,
                                     7618, 7975, 8057, 8631, 9152, 9685};
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        plan_random(seeds[i], &may, &f->problem);
        assert_true(
            schedule_solve(f->bench.solver, &f->problem, NULL, &f->answer));
        struct schedule_verdict v;
        assert_true(schedule_check(&f->problem, &f->answer, &v));
        assert_int_equal(f->answer.n_violations, 0);
        assert_true(f->answer.n_iterations <= SCHEDULE_ITERATIONS_MAX);
        if (f->answer.status != PLAN_OPTIMAL || !(f->answer.gap_pu <= 1e-6)) {
            fail_msg("seed %d: gap %g", (int)seeds[i], f->answer.gap_pu);
        }
    }
}

static void share_all(bool on)
{
    memset(&f->ways, 0, sizeof(f->ways));
    f->ways.rooms = on;
    f->ways.within = on;
    memset(f->ways.at, on ? SCHEDULE_WAY_SHARED : SCHEDULE_WAY_ANY,
           sizeof(f->ways.at));
}

/* The directions that the answer takes in every third step. */
static void take_some(uint64_t *random)
{
    for (int64_t i = 0; i < f->problem.n_batteries; i++) {
        for (int64_t t = 0; t < f->problem.n_steps; t++) {
            double w = f->answer.battery_w[i][t];
            if (w != 0.0 && random_draw(random, 0.0, 3.0) < 1.0) {
                f->ways.at[i][t] = w > 0.0 ? SCHEDULE_WAY_IN : SCHEDULE_WAY_OUT;
            }
        }
    }
}

/* At any multipliers, with any of its directions given, the bound is below the
 * cost of a schedule that keeps all limits, and hardly ever below the
 * programme's: where multipliers grow without end. */
static void batteries_apart_bound_every_cost(void **state)
{
    (void)state;
    int n_above = 0;
    int n_below = 0;
    int n_void = 0;
    int n = 0;
    for (int seed = 1; seed <= PROBLEMS; seed++) {
        uint64_t random = random_seed((uint64_t)seed);
        struct schedule_budget budget = {.n_iterations = 60};
        plan_random((uint64_t)seed, &may, &f->problem);
        assert_true(
            schedule_solve(f->bench.solver, &f->problem, &budget, &f->answer));
        if (f->answer.n_violations > 0) {
            continue;
        }
        double cost = f->answer.objective_cur;
        double size = fmax(1.0, fabs(cost));
        share_all(seed % 4 != 0);
        take_some(&random);
        f->bench.memory.n_used = 0;
        assert_true(
            schedule_lp_open(&f->lp, &f->problem, &f->ways, &f->bench.memory));
        ipm_start(&f->lp.ipm);
        for (int i = 0; i < 25 && ipm_iterate(&f->lp.ipm); i++) {
            double low = schedule_lp_bound(&f->lp);
            double bound =
                schedule_apart_bound(&f->apart, &f->lp, &f->problem, &f->ways);
            n++;
            n_void += bound == -INFINITY;
            n_above += bound > low + 1e-6 * size;
            n_below += bound < low - 1e-4 * size;
            if (!(bound <= cost + 1e-5 * size)) {
                fail_msg("seed %d, iteration %d: %.10g above %.10g", seed, i,
                         bound, cost);
            }
        }
    }
    print_message("%d bounds, %d above the programme's, %d below, %d void\n", n,
                  n_above, n_below, n_void);
    assert_true(n_above > n / 10);
    assert_true(n_below < n / 20);
    assert_true(n_void < n / 20);
}

static void draw_curve(uint64_t *random, struct schedule_curve *c)
{
    int n = (int)random_draw(random, 1.0, 12.0);
    double x = random_draw(random, -2.0, 0.0);
    schedule_curve_clear(c, 0.0);
    for (int i = 0; i < n; i++) {
        schedule_curve_push(c, x, random_draw(random, -1.0, 1.0));
        x += random_draw(random, 0.01, 1.0);
    }
}

/* INFINITY outside. */
static double value(const struct schedule_curve *c, double x)
{
    for (int i = 0; i < c->n; i++) {
        if (c->x[i] == x) {
            return c->y[i];
        }
        if (i > 0 && c->x[i - 1] < x && x < c->x[i]) {
            double part = (x - c->x[i - 1]) / (c->x[i] - c->x[i - 1]);
            return c->y[i - 1] + part * (c->y[i] - c->y[i - 1]);
        }
    }
    return INFINITY;
}

/* The least over ways that begin at a point of 'from' or go as far as they can:
 * in between it is straight. */
static double least_way(const struct schedule_curve *from,
                        const struct schedule_curve_way *way, double x)
{
    double far = x - way->most;
    double y =
        fmin(value(from, x), value(from, far) + way->slope * fabs(way->most));
    for (int i = 0; i < from->n; i++) {
        double d = way->most < 0.0 ? from->x[i] - x : x - from->x[i];
        if (d >= 0.0 && d <= fabs(way->most)) {
            y = fmin(y, from->y[i] + way->slope * d);
        }
    }
    return y;
}

static void check_at(double x, double got, double want)
{
    if (isfinite(want) && !(fabs(got - want) <= 1e-9)) {
        fail_msg("at %.12g: %.12g, not %.12g", x, got, want);
    }
}

static void curves_are_what_they_are_point_by_point(void **state)
{
    (void)state;
    uint64_t random = random_seed(5);
    struct schedule_curve *a = &f->curves[0];
    struct schedule_curve *b = &f->curves[1];
    struct schedule_curve *out = &f->curves[2];
    for (int k = 0; k < CURVES; k++) {
        draw_curve(&random, a);
        struct schedule_curve_way way = {random_draw(&random, -2.0, 2.0),
                                         random_draw(&random, -1.0, 1.0)};
        schedule_curve_go(a, &way, out);
        double from = out->x[0];
        double to = out->x[out->n - 1];
        for (int i = 1; i < POINTS; i++) {
            double x = from + (to - from) * i / POINTS;
            check_at(x, value(out, x), least_way(a, &way, x));
        }
        way.most = -way.most;
        schedule_curve_go(a, &way, b);
        *a = *out;
        schedule_curve_lower(a, b, out);
        for (int i = 1; i < POINTS; i++) {
            double x = -5.0 + 20.0 * i / POINTS;
            check_at(x, value(out, x), fmin(value(a, x), value(b, x)));
        }
        schedule_curve_add(a, b, out);
        for (int i = 1; i < POINTS; i++) {
            double x = -5.0 + 20.0 * i / POINTS;
            check_at(x, value(out, x), value(a, x) + value(b, x));
        }
    }
}

/* Left out is only what rises above the rest, and less than may be. */
static void dust_lowers_a_curve_by_no_more(void **state)
{
    (void)state;
    struct schedule_curve *all = &f->curves[0];
    struct schedule_curve *less = &f->curves[1];
    schedule_curve_clear(all, 0.0);
    schedule_curve_clear(less, 1e-3);
    for (int i = 0; i < SCHEDULE_CURVE_MAX; i++) {
        double x = (double)i / SCHEDULE_CURVE_MAX;
        double y = sqrt(x);
        schedule_curve_push(all, x, y);
        schedule_curve_push(less, x, y);
    }
    assert_true(less->n < all->n / 8);
    for (int i = 0; i < all->n; i++) {
        double y = value(less, all->x[i]);
        assert_true(y <= all->y[i] + 1e-12 && y >= all->y[i] - 1e-3 - 1e-12);
    }
}

static void too_many_points_are_none(void **state)
{
    (void)state;
    struct schedule_curve *c = &f->curves[0];
    schedule_curve_clear(c, 0.0);
    for (int i = 0; i <= SCHEDULE_CURVE_MAX; i++) {
        schedule_curve_push(c, i, i % 2);
    }
    assert_true(c->full && c->n == 0);
    assert_true(schedule_curve_least(c) == INFINITY);
    struct schedule_curve_way way = {1.0, 0.0};
    schedule_curve_go(c, &way, &f->curves[1]);
    assert_true(f->curves[1].full && f->curves[1].n == 0);
    schedule_curve_lower(&f->curves[1], c, &f->curves[2]);
    assert_true(f->curves[2].full && f->curves[2].n == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_are_what_they_are_point_by_point),
        cmocka_unit_test(dust_lowers_a_curve_by_no_more),
        cmocka_unit_test(too_many_points_are_none),
        cmocka_unit_test(batteries_apart_bound_every_cost),
        cmocka_unit_test(these_are_proven_within_the_budget),
    };
    return cmocka_run_group_tests_name("schedule_ways", tests, set_up,
                                       tear_down);
}
