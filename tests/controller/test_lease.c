/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/lease: what a worker sends while the control thread is
 * silent. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/lease.h"
#include "models/random.h"

static const double EXPIRY_S = 2.0;

static struct device_lease command(double set_w, double fallback_w,
                                   double ramp_w_per_s, uint64_t seq)
{
    return (struct device_lease){
        .command = {.set_w = set_w,
                    .fallback_w = fallback_w,
                    .fallback_ramp_w_per_s = ramp_w_per_s,
                    .expiry_s = 10.0,
                    .valid = 1},
        .seq = seq,
    };
}

static void test_cases(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double set_w, fallback_w, ramp_w_per_s;
        int64_t after_ms; /* after the command was posted */
        double want_w;
        bool fallback;
    } cases[] = {
        {"holds within its time", 1000, 0, 100, 1999, 1000, false},
        {"holds to the end", 1000, 0, 100, 2000, 1000, false},
        {"moves from the expiry on", 1000, 0, 100, 3000, 900, true},
        {"arrives", 1000, 0, 100, 12000, 0, true},
        {"stays there", 1000, 0, 100, 99000, 0, true},
        {"moves up", -1000, 0, 100, 3000, -900, true},
        {"to another fallback", 0, -500, 100, 3000, -100, true},
        {"without a ramp at once", 1000, 0, 0, 2001, 0, true},
        {"negative ramp at once", 1000, 0, -5, 2001, 0, true},
        {"ramp that is no number at once", 1000, 0, NAN, 2001, 0, true},
        {"infinite ramp at once", 1000, 0, INFINITY, 2001, 0, true},
        {"is there already", 0, 0, 100, 3000, 0, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lease l = {0};
        struct device_lease posted = command(
            cases[i].set_w, cases[i].fallback_w, cases[i].ramp_w_per_s, 1);
        lease_step(&l, EXPIRY_S, &posted, 5000);
        const struct device_lease *out =
            lease_step(&l, EXPIRY_S, NULL, 5000 + cases[i].after_ms);
        if (fabs(out->command.set_w - cases[i].want_w) > 1e-9 ||
            l.fallback != cases[i].fallback) {
            fail_msg("%s: got %g W, fallback %d", cases[i].what,
                     out->command.set_w, l.fallback);
        }
    }
}

static void test_nothing_posted_is_nothing_written(void **state)
{
    (void)state;
    struct lease l = {0};
    assert_int_equal(lease_step(&l, EXPIRY_S, NULL, 1000000)->seq, 0);
    assert_false(l.fallback);

    struct device_lease off = command(1000.0, 0.0, 100.0, 1);
    off.command.valid = 0;
    lease_step(&l, EXPIRY_S, &off, 1000000);
    const struct device_lease *out = lease_step(&l, EXPIRY_S, NULL, 1100000);
    assert_int_equal(out->command.valid, 0);
    assert_false(l.fallback);
}

static void test_seq_rises_with_commands_and_moves(void **state)
{
    (void)state;
    struct lease l = {0};
    struct device_lease posted = command(1000.0, 0.0, 100.0, 1);
    assert_true(lease_differs(&l, &posted));
    uint64_t first = lease_step(&l, EXPIRY_S, &posted, 1000)->seq;
    assert_true(first > 0);
    assert_int_equal(lease_step(&l, EXPIRY_S, NULL, 1200)->seq, first);
    posted.seq = 2; /* the same again: alive, nothing new to write */
    assert_false(lease_differs(&l, &posted));
    uint64_t second = lease_step(&l, EXPIRY_S, &posted, 1300)->seq;
    assert_true(second > first);
    uint64_t third = lease_step(&l, EXPIRY_S, NULL, 4300)->seq;
    assert_true(third > second);
    assert_true(lease_differs(&l, &posted)); /* it has moved away */
    uint64_t fourth = lease_step(&l, EXPIRY_S, &posted, 4400)->seq;
    assert_true(fourth > third);
    assert_true(l.out.command.set_w == 1000.0);
    /* at its fallback it is not renewed: the device's own timer takes over */
    uint64_t there = lease_step(&l, EXPIRY_S, NULL, 60000)->seq;
    assert_int_equal(lease_step(&l, EXPIRY_S, NULL, 61000)->seq, there);
}

static void test_rejects_what_is_not_finite(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lease l = {0};
        struct device_lease good = command(1000.0, 0.0, 100.0, 1);
        struct device_lease wrong[] = {command(bad[i], 0.0, 100.0, 2),
                                       command(1.0, bad[i], 100.0, 2)};
        lease_step(&l, EXPIRY_S, &good, 1000);
        for (int k = 0; k < 2; k++) {
            lease_step(&l, EXPIRY_S, &wrong[k], 4000);
            assert_true(isfinite(l.out.command.set_w));
            assert_true(l.fallback); /* it did not count as a command */
        }
    }
}

/* Random commands, random silences, random passes. */
static void test_moves_to_the_fallback_and_not_past_it(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int run = 0; run < 2000; run++) {
        struct lease l = {0};
        double set_w = random_draw(&seed, -5e6, 5e6);
        double fallback_w = random_draw(&seed, -5e6, 5e6);
        double ramp = random_draw(&seed, 1e3, 1e6);
        int64_t now_ms = 1 + (int64_t)random_draw(&seed, 0.0, 1e9);
        int64_t start_ms = now_ms;
        struct device_lease posted = command(set_w, fallback_w, ramp, 7);
        lease_step(&l, EXPIRY_S, &posted, now_ms);
        double last_w = set_w;
        for (int i = 0; i < 50; i++) {
            now_ms += (int64_t)random_draw(&seed, 0.0, 1500.0);
            double w = lease_step(&l, EXPIRY_S, NULL, now_ms)->command.set_w;
            double past_s = (double)(now_ms - start_ms) / 1e3 - EXPIRY_S;
            assert_true(isfinite(w));
            assert_true(fabs(w - fallback_w) <= fabs(last_w - fallback_w));
            assert_true((w - fallback_w) * (set_w - fallback_w) >= 0.0);
            assert_true(fabs(w - set_w) <= ramp * fmax(past_s, 0.0) + 1e-3);
            last_w = w;
        }
        now_ms += 11000000; /* 10 MW at the slowest ramp */
        lease_step(&l, EXPIRY_S, NULL, now_ms);
        assert_true(l.out.command.set_w == fallback_w);
        posted.seq++;
        lease_step(&l, EXPIRY_S, &posted, now_ms);
        assert_true(l.out.command.set_w == set_w && !l.fallback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_nothing_posted_is_nothing_written),
        cmocka_unit_test(test_seq_rises_with_commands_and_moves),
        cmocka_unit_test(test_rejects_what_is_not_finite),
        cmocka_unit_test(test_moves_to_the_fallback_and_not_past_it),
    };
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
