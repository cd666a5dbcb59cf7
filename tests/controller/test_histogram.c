/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/histogram: quantiles within a bucket's width. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/histogram.h"
#include "models/random.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_quantiles_are_right_to_a_bucket(void **state)
{
    (void)state;
    uint64_t seed = 11;
    print_message("seed 11\n");
    static double values[5000];
    struct histogram h = {0};
    assert_true(histogram_quantile_s(&h, 0.99) == 0.0);
    for (int i = 0; i < 5000; i++) {
        values[i] = pow(10.0, random_draw(&seed, -5.9, 1.7));
        histogram_add(&h, values[i]);
    }
    qsort(values, 5000, sizeof(values[0]), by_value);
    const double quantiles[] = {0.01, 0.5, 0.9, 0.99, 1.0};
    for (int i = 0; i < 5; i++) {
        double want_s = values[(int)ceil(quantiles[i] * 5000.0) - 1];
        double got_s = histogram_quantile_s(&h, quantiles[i]);
        assert_true(got_s >= want_s && got_s <= want_s * 1.0906);
    }
}

static void test_takes_whatever_comes(void **state)
{
    (void)state;
    const double odd[] = {0.0, -1.0, NAN, INFINITY, -INFINITY, 1e30, 1e-300};
    struct histogram h = {0};
    for (int i = 0; i < 7; i++) {
        histogram_add(&h, odd[i]);
    }
    assert_int_equal(h.n, 7);
    assert_int_equal(h.counts[0], 5);
    assert_int_equal(h.counts[HISTOGRAM_BUCKETS - 1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_are_right_to_a_bucket),
        cmocka_unit_test(test_takes_whatever_comes),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
