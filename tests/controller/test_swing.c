/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/swing against the definition, computed the long way. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/swing.h"
#include "models/random.h"

enum { N = 3000 };

static double mean(const double *w, int end, int n)
{
    double sum = 0.0;
    for (int i = end - n + 1; i <= end; i++) {
        sum += w[i];
    }
    return sum / n;
}

/* Peak to peak of the mean over the ticks from 'first' to 'last'. */
static double pp(const double *w, int first, int last, int n)
{
    double lo = INFINITY;
    double hi = -INFINITY;
    for (int i = first < n - 1 ? n - 1 : first; i <= last; i++) {
        lo = fmin(lo, mean(w, i, n));
        hi = fmax(hi, mean(w, i, n));
    }
    return hi - lo;
}

static void test_lies_between_windows_of_60_and_61_s(void **state)
{
    (void)state;
    uint64_t seed = 5;
    print_message("seed 5\n");
    static double w[N];
    struct swing s;
    swing_init(&s, 2.0, 0.1);
    assert_int_equal(s.n_mean, 20);
    double at_w = 100e6;
    for (int i = 0; i < N; i++) {
        at_w += random_draw(&seed, -1e6, 1e6);
        w[i] = at_w;
        swing_add(&s, 1000000 + 100 * i, at_w);
        if (i >= 1000 && i % 37 == 0) {
            double got_w = swing_pp_w(&s);
            assert_true(got_w >= pp(w, i - 590, i, 20) - 1.0);
            assert_true(got_w <= pp(w, i - 610, i, 20) + 1.0);
        }
    }
}

static void test_edges(void **state)
{
    (void)state;
    struct swing s;
    swing_init(&s, 2.0, 0.1);
    assert_true(swing_pp_w(&s) == 0.0);
    for (int i = 0; i < 19; i++) {
        swing_add(&s, 1000 + i, (double)i * 1e6); /* no mean yet */
    }
    assert_true(swing_pp_w(&s) == 0.0);
    swing_add(&s, 2000, NAN);
    swing_add(&s, 2000, INFINITY);
    assert_true(swing_pp_w(&s) == 0.0);
    for (int i = 0; i < 100; i++) {
        swing_add(&s, 100000 + 100 * i, 5e6);
    }
    /* a pause longer than the window leaves the old behind */
    swing_add(&s, 1000000, 5e6);
    assert_true(swing_pp_w(&s) < 1.0);
    swing_init(&s, 1e9, 0.1); /* longer than there is room */
    assert_int_equal(s.n_mean, SWING_RING);
    swing_init(&s, 0.01, 0.1);
    assert_int_equal(s.n_mean, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lies_between_windows_of_60_and_61_s),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests_name("swing", tests, NULL, NULL);
}
