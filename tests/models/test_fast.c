/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/fast: against the C library, over all that it is given. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/fast.h"
#include "models/random.h"

enum { DRAWS = 500000, SEED = 20261122 };

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) {
        fail_msg("%.17g, expected %.17g", got, want);
    }
}

static void powers_are_the_librarys(void **state)
{
    (void)state;
    uint64_t random = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int i = 0; i < DRAWS; i++) {
        double x = random_draw(&random, -600.0, 600.0);
        assert_near(fast_exp(x), exp(x), 1e-10 * exp(x));
        double small = random_draw(&random, -0.02, 0.02);
        assert_near(fast_exp(small), exp(small), 1e-10);
        double y = exp(random_draw(&random, -690.0, 690.0));
        assert_near(fast_log(y), log(y), 2e-14 + 1e-15 * fabs(log(y)));
        double near = random_draw(&random, 0.5, 2.0);
        assert_near(fast_log(near), log(near), 2e-14);
        double p = random_draw(&random, -3.0, 3.0);
        double base = exp(random_draw(&random, -40.0, 40.0));
        assert_near(fast_pow(base, p), pow(base, p), 1e-10 * pow(base, p));
    }
}

static void ends_are_bounded(void **state)
{
    (void)state;
    assert_true(fast_exp(0.0) == 1.0);
    assert_true(fast_exp(INFINITY) == fast_exp(600.0));
    assert_true(fast_exp(-INFINITY) == fast_exp(-600.0));
    assert_true(fast_exp(-600.0) > 0.0);
    assert_true(isfinite(fast_exp(1e300)));
    assert_true(isnan(fast_exp(NAN)));
    assert_true(fast_log(1.0) == 0.0);
    assert_near(fast_log(0x1p-1022), log(0x1p-1022), 1e-12);
    assert_near(fast_log(0x1.fffffffffffffp1023), log(0x1p1023) + log(2.0),
                1e-12);
    for (int i = 0; i < FAST_EXP2_STEPS; i++) {
        double want = exp2((double)i / FAST_EXP2_STEPS);
        assert_near(fast_exp2_table[i], want, 3e-16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_the_librarys),
        cmocka_unit_test(ends_are_bounded),
    };
    return cmocka_run_group_tests_name("models/fast", tests, NULL, NULL);
}
