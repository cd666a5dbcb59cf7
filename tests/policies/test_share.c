/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of policies/share: sums, limits, balance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "policies/share.h"

enum { N = 16 };

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
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct share_battery b[3] = {
            {.charge_max_w = 10.0, .discharge_max_w = 10.0, .soc_pu = 0.5},
            {.charge_max_w = 10.0, .discharge_max_w = 10.0, .soc_pu = 0.5},
            {.soc_pu = 0.5}, /* not usable */
        };
        share_step(b, 3, rows[i].total_w);
        for (int k = 0; k < 3; k++) {
            if (fabs(b[k].set_w - rows[i].want[k]) > 1e-9) {
                fail_msg("%s: battery %d got %g W, expected %g W", rows[i].what,
                         k, b[k].set_w, rows[i].want[k]);
            }
        }
    }
}

static void fuller_discharge_more_emptier_charge_more(void **state)
{
    (void)state;
    struct share_battery b[2] = {
        {.charge_max_w = 10.0, .discharge_max_w = 10.0, .soc_pu = 0.2},
        {.charge_max_w = 10.0, .discharge_max_w = 10.0, .soc_pu = 0.8},
    };
    share_step(b, 2, -4.0);
    assert_true(b[1].set_w < b[0].set_w);
    share_step(b, 2, 4.0);
    assert_true(b[0].set_w > b[1].set_w);
}

static void sums_and_limits_hold(void **state)
{
    (void)state;
    uint64_t seed = random_seed(1);
    for (int round = 0; round < 50000; round++) {
        struct share_battery b[N];
        double up_w = 0.0;
        double down_w = 0.0;
        for (int i = 0; i < N; i++) {
            bool usable = random_draw(&seed, 0.0, 1.0) < 0.8;
            b[i] = (struct share_battery){
                .charge_max_w = usable ? random_draw(&seed, 0.0, 1e7) : 0.0,
                .discharge_max_w = usable ? random_draw(&seed, 0.0, 1e7) : 0.0,
                .soc_pu = random_draw(&seed, 0.0, 1.0),
            };
            up_w += b[i].charge_max_w;
            down_w += b[i].discharge_max_w;
        }
        double total_w = random_draw(&seed, -1e8, 1e8);
        double got_w = share_step(b, N, total_w);
        double want_w = fmax(-down_w, fmin(total_w, up_w));
        assert_true(fabs(got_w - want_w) < 1e-3);
        double sum_w = 0.0;
        for (int i = 0; i < N; i++) {
            assert_true(b[i].set_w <= b[i].charge_max_w + 1e-6);
            assert_true(b[i].set_w >= -b[i].discharge_max_w - 1e-6);
            assert_true(b[i].set_w * total_w >= 0.0);
            sum_w += b[i].set_w;
        }
        assert_true(fabs(sum_w - got_w) < 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(fuller_discharge_more_emptier_charge_more),
        cmocka_unit_test(sums_and_limits_hold),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
