/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/outage: a dip is none, a second of darkness is one, and
 * so is its end; what is not measured changes nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "controller/outage.h"
#include "models/random.h"

static const double DT_S = 0.1;

/* How many begin or end while 'voltage_pu' lasts 's'. */
static int changes(struct outage *o, double voltage_pu, double s)
{
    int n = 0;
    for (double t = 0.0; t < s - 0.5 * DT_S; t += DT_S) {
        n += outage_step(o, voltage_pu, DT_S);
    }
    return n;
}

static void each_course_of_the_voltage(void **state)
{
    (void)state;
    static const struct {
        double first_pu;
        double first_s;
        double second_pu;
        double second_s;
        int n;
        bool out;
    } cases[] = {
        {1.0, 60.0, 1.0, 60.0, 0, false},    {0.0, 0.9, 1.0, 5.0, 0, false},
        {0.0, 1.5, 0.0, 5.0, 1, true},       {0.49, 2.0, 0.51, 0.9, 1, true},
        {0.49, 2.0, 0.51, 1.5, 2, false},    {0.51, 60.0, 0.6, 1.0, 0, false},
        {0.0, 2.0, NAN, 60.0, 1, true},      {NAN, 60.0, 0.0, 0.9, 0, false},
        {INFINITY, 5.0, 0.0, 0.5, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct outage o = {.out = false};
        int n = changes(&o, cases[i].first_pu, cases[i].first_s) +
                changes(&o, cases[i].second_pu, cases[i].second_s);
        if (n != cases[i].n || o.out != cases[i].out) {
            fail_msg("case %zu: %d changes, out %d", i, n, o.out);
        }
    }
}

/* A second that is interrupted begins anew, by the other voltage or by none. */
static void what_flickers_is_no_outage(void **state)
{
    (void)state;
    struct outage o = {.out = false};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(changes(&o, 0.1, 0.9), 0);
        assert_int_equal(changes(&o, i % 2 == 0 ? 1.0 : (double)NAN, DT_S), 0);
    }
    assert_false(o.out);
}

/* It changes at most once in a second, and never to what is not there. */
static void random_voltages_change_it_slowly(void **state)
{
    (void)state;
    uint64_t seed = 5;
    print_message("seed 5\n");
    struct outage o = {.out = false};
    double since_s = 100.0;
    double voltage_pu = 1.0;
    for (int i = 0; i < 200000; i++) {
        if (random_draw(&seed, 0.0, 1.0) < 0.1) {
            voltage_pu = random_draw(&seed, -0.2, 1.3);
        }
        since_s += DT_S;
        if (outage_step(&o, voltage_pu, DT_S)) {
            assert_true(since_s > 1.0);
            assert_int_equal(o.out, voltage_pu < 0.5);
            since_s = 0.0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_course_of_the_voltage),
        cmocka_unit_test(what_flickers_is_no_outage),
        cmocka_unit_test(random_voltages_change_it_slowly),
    };
    return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}
