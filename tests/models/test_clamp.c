/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/clamp.h"

static const double values[] = {-INFINITY, -2.5, -1e-310, 0.0,
                                1e-310,    3.0,  1e308,   INFINITY};
enum { N_VALUES = sizeof(values) / sizeof(values[0]) };

static void larger_and_smaller_are_the_c_librarys(void **state)
{
    (void)state;
    for (int i = 0; i < N_VALUES; i++) {
        for (int k = 0; k < N_VALUES; k++) {
            double a = values[i];
            double b = values[k];
            assert_true(max_of(a, b) >= a && max_of(a, b) >= b);
            assert_memory_equal(&(double){fmax(a, b)}, &(double){max_of(a, b)},
                                sizeof(double));
            assert_memory_equal(&(double){fmin(a, b)}, &(double){min_of(a, b)},
                                sizeof(double));
        }
    }
}

static void what_is_not_a_number_yields(void **state)
{
    (void)state;
    for (int i = 0; i < N_VALUES; i++) {
        double x = values[i];
        assert_true(max_of(x, NAN) >= x && max_of(x, NAN) <= x);
        assert_true(max_of(NAN, x) >= x && max_of(NAN, x) <= x);
        assert_true(min_of(x, NAN) >= x && min_of(x, NAN) <= x);
        assert_true(min_of(NAN, x) >= x && min_of(NAN, x) <= x);
    }
    assert_true(isnan(max_of(NAN, NAN)));
    assert_true(isnan(min_of(NAN, NAN)));
}

static void of_two_zeros_it_is_the_second(void **state)
{
    (void)state;
    assert_true(signbit(max_of(0.0, -0.0)));
    assert_false(signbit(max_of(-0.0, 0.0)));
    assert_true(signbit(min_of(0.0, -0.0)));
    assert_false(signbit(min_of(-0.0, 0.0)));
}

static void a_clamped_value_is_inside(void **state)
{
    (void)state;
    assert_float_equal(clamp(0.5, 0.0, 1.0), 0.5, 0.0);
    assert_float_equal(clamp(-0.5, 0.0, 1.0), 0.0, 0.0);
    assert_float_equal(clamp(1.5, 0.0, 1.0), 1.0, 0.0);
    assert_float_equal(clamp(0.5, 2.0, 1.0), 2.0, 0.0);
    assert_float_equal(clamp(NAN, 0.0, 1.0), 1.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(larger_and_smaller_are_the_c_librarys),
        cmocka_unit_test(what_is_not_a_number_yields),
        cmocka_unit_test(of_two_zeros_it_is_the_second),
        cmocka_unit_test(a_clamped_value_is_inside),
    };
    return cmocka_run_group_tests_name("clamp", tests, NULL, NULL);
}
