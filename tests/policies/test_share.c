/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/share: sums, limits, the least cost, continuity. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/share.h"

enum { N = 16, STEPS = 200 };

static struct share_battery usual(double most_w)
{
    return (struct share_battery){
        .charge_max_w = most_w,
        .discharge_max_w = most_w,
        .charge_first_cur_per_wh = 1e-5,
        .discharge_first_cur_per_wh = 1e-5,
        .slope_cur_per_w2h = 1e-6,
    };
}

static void cases(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double total_w;
        double want[3];
    } rows[] = {
        {"nothing", 0.0, {0.0, 0.0, 0.0}},
        {"equal ones share equally", 6.0, {3.0, 3.0, 0.0}},
        {"discharge", -6.0, {-3.0, -3.0, 0.0}},
        {"all of it", 20.0, {10.0, 10.0, 0.0}},
        {"more than there is", 50.0, {10.0, 10.0, 0.0}},
        {"far more, out of them", -1e300, {-10.0, -10.0, 0.0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct share_battery b[3] = {
            usual(10.0), usual(10.0), usual(0.0), /* not usable */
        };
        share_step(b, 3, rows[i].total_w);
        for (int k = 0; k < 3; k++) {
            if (fabs(b[k].set_w - rows[i].want[k]) > 1e-9) {
                fail_msg("%s: battery %d got %g W, expected %g W", rows[i].what,
                         k, b[k].set_w, rows[i].want[k]);
            }
        }
    }
    assert_true(share_step(NULL, 0, 5.0) == 0.0);
}

static void the_cheaper_begins_and_the_stiffer_takes_less(void **state)
{
    (void)state;
    struct share_battery b[2] = {usual(10.0), usual(10.0)};
    b[0].charge_first_cur_per_wh += 4e-6; /* 4 W behind */
    share_step(b, 2, 3.0);
    assert_true(b[0].set_w == 0.0 && b[1].set_w == 3.0);
    share_step(b, 2, 6.0);
    assert_true(fabs(b[0].set_w - 1.0) < 1e-9);
    assert_true(fabs(b[1].set_w - 5.0) < 1e-9);
    share_step(b, 2, -6.0); /* the other way they are alike */
    assert_true(fabs(b[0].set_w + 3.0) < 1e-9);
    b[0] = usual(10.0);
    b[0].slope_cur_per_w2h = 3e-6;
    share_step(b, 2, 8.0);
    assert_true(fabs(b[0].set_w - 2.0) < 1e-9);
}

static void draw_some(struct share_battery *b, int n, uint64_t *seed)
{
    for (int i = 0; i < n; i++) {
        bool usable = random_draw(seed, 0.0, 1.0) < 0.8;
        b[i] = (struct share_battery){
            .charge_max_w = usable ? random_draw(seed, 0.0, 1e7) : 0.0,
            .discharge_max_w = usable ? random_draw(seed, 0.0, 1e7) : 0.0,
            .charge_first_cur_per_wh = random_draw(seed, -2e-5, 5e-5),
            .discharge_first_cur_per_wh = random_draw(seed, -2e-5, 5e-5),
            .slope_cur_per_w2h = pow(10.0, random_draw(seed, -14.0, -10.0)),
        };
    }
}

static void sums_and_limits_hold(void **state)
{
    (void)state;
    uint64_t seed = random_seed(1);
    print_message("seed 1\n");
    for (int round = 0; round < 50000; round++) {
        struct share_battery b[N];
        int n = 1 + (int)random_draw(&seed, 0.0, N);
        draw_some(b, n, &seed);
        double up_w = 0.0;
        double down_w = 0.0;
        for (int i = 0; i < n; i++) {
            up_w += b[i].charge_max_w;
            down_w += b[i].discharge_max_w;
        }
        double total_w = random_draw(&seed, -8e7, 8e7);
        double got_w = share_step(b, n, total_w);
        double want_w = fmax(-down_w, fmin(total_w, up_w));
        assert_true(fabs(got_w - want_w) < 1e-6);
        double sum_w = 0.0;
        for (int i = 0; i < n; i++) {
            assert_true(b[i].set_w <= b[i].charge_max_w);
            assert_true(b[i].set_w >= -b[i].discharge_max_w);
            assert_true(b[i].set_w * total_w >= 0.0);
            sum_w += b[i].set_w;
        }
        assert_true(fabs(sum_w - got_w) < 1e-6);
    }
}

static double cost_of(const struct share_battery *b, double w)
{
    double x = fabs(w);
    double first =
        w > 0.0 ? b->charge_first_cur_per_wh : b->discharge_first_cur_per_wh;
    return (first + 0.5 * b->slope_cur_per_w2h * x) * x;
}

static double limit_of(const struct share_battery *b, bool charge)
{
    return charge ? b->charge_max_w : b->discharge_max_w;
}

/* The least cost of three batteries, by trying. */
static double least_cost(const struct share_battery *b, double total_w)
{
    bool charge = total_w > 0.0;
    double sign = charge ? 1.0 : -1.0;
    double least = INFINITY;
    for (int i = 0; i <= STEPS; i++) {
        double x = limit_of(&b[0], charge) * i / STEPS;
        for (int k = 0; k <= STEPS; k++) {
            double y = limit_of(&b[1], charge) * k / STEPS;
            double z = fabs(total_w) - x - y;
            if (z >= 0.0 && z <= limit_of(&b[2], charge)) {
                double cost = cost_of(&b[0], sign * x) +
                              cost_of(&b[1], sign * y) +
                              cost_of(&b[2], sign * z);
                least = fmin(least, cost);
            }
        }
    }
    return least;
}

static void nothing_else_costs_less(void **state)
{
    (void)state;
    uint64_t seed = random_seed(2);
    print_message("seed 2\n");
    int n_tried = 0;
    for (int round = 0; round < 400; round++) {
        struct share_battery b[3];
        draw_some(b, 3, &seed);
        double total_w = random_draw(&seed, -2e7, 2e7);
        double got_w = share_step(b, 3, total_w);
        if (fabs(got_w - total_w) > 1e-3) {
            continue;
        }
        double cost = 0.0;
        for (int i = 0; i < 3; i++) {
            cost += cost_of(&b[i], b[i].set_w);
        }
        double least = least_cost(b, total_w);
        n_tried += isfinite(least) ? 1 : 0;
        assert_true(cost <= least + 1e-9 * fabs(least) + 1e-9);
    }
    assert_true(n_tried > 50);
}

/* A little more in all is nowhere less, and nowhere much more. */
static void shares_rise_with_the_total_and_do_not_jump(void **state)
{
    (void)state;
    uint64_t seed = random_seed(3);
    print_message("seed 3\n");
    for (int round = 0; round < 300; round++) {
        struct share_battery b[N];
        double before_w[N] = {0.0};
        draw_some(b, N, &seed);
        double step_w = 1e6;
        for (int k = -100; k <= 100; k++) {
            share_step(b, N, k * step_w);
            for (int i = 0; i < N && k > -100; i++) {
                double more_w = b[i].set_w - before_w[i];
                assert_true(more_w >= -1e-5 && more_w <= step_w + 1e-5);
            }
            for (int i = 0; i < N; i++) {
                before_w[i] = b[i].set_w;
            }
        }
    }
}

/* Neither many of them nor very unlike ones take it out of its rounds. */
static void many_and_unlike_ones_are_shared(void **state)
{
    (void)state;
    static struct share_battery b[SHARE_MAX];
    uint64_t seed = random_seed(4);
    print_message("seed 4\n");
    for (int round = 0; round < 200; round++) {
        draw_some(b, SHARE_MAX, &seed);
        b[round].slope_cur_per_w2h = 1e-25;
        b[round + 1].slope_cur_per_w2h = 1.0;
        double total_w = random_draw(&seed, -3e9, 3e9);
        assert_true(fabs(share_step(b, SHARE_MAX, total_w) - total_w) < 1e-3);
        double sum_w = 0.0;
        for (int i = 0; i < SHARE_MAX; i++) {
            sum_w += b[i].set_w;
        }
        assert_true(fabs(sum_w - total_w) < 1e-3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(the_cheaper_begins_and_the_stiffer_takes_less),
        cmocka_unit_test(sums_and_limits_hold),
        cmocka_unit_test(nothing_else_costs_less),
        cmocka_unit_test(shares_rise_with_the_total_and_do_not_jump),
        cmocka_unit_test(many_and_unlike_ones_are_shared),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
