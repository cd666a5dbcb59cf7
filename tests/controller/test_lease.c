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

/* Posted at 'mono_ms' and taken in at once. */
static const struct device_lease *
give(struct lease *l, struct device_lease *posted, int64_t mono_ms)
{
    posted->mono_ms = mono_ms;
    return lease_step(l, EXPIRY_S, posted, mono_ms);
}

/* Nothing posted until 'to_ms', a pass every second. */
static const struct device_lease *wait(struct lease *l, int64_t from_ms,
                                       int64_t to_ms)
{
    for (int64_t ms = from_ms; ms < to_ms; ms += 1000) {
        lease_step(l, EXPIRY_S, NULL, ms);
    }
    return lease_step(l, EXPIRY_S, NULL, to_ms);
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
        give(&l, &posted, 5000);
        const struct device_lease *out =
            wait(&l, 5000, 5000 + cases[i].after_ms);
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
    give(&l, &off, 1000000);
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
    uint64_t first = give(&l, &posted, 1000)->seq;
    assert_true(first > 0);
    assert_int_equal(lease_step(&l, EXPIRY_S, NULL, 1200)->seq, first);
    posted.seq = 2; /* the same again: alive, nothing new to write */
    assert_false(lease_differs(&l, &posted));
    uint64_t second = give(&l, &posted, 1300)->seq;
    assert_true(second > first);
    uint64_t third = lease_step(&l, EXPIRY_S, NULL, 4300)->seq;
    assert_true(third > second);
    assert_true(lease_differs(&l, &posted)); /* it has moved away */
    uint64_t fourth = give(&l, &posted, 4400)->seq;
    assert_true(fourth > third);
    assert_true(l.out.command.set_w == 1000.0);
    /* at its fallback it is not renewed: the device's own timer takes over */
    uint64_t there = wait(&l, 4400, 60000)->seq;
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
        give(&l, &good, 1000);
        for (int k = 0; k < 2; k++) {
            give(&l, &wrong[k], 4000);
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
        give(&l, &posted, now_ms);
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
        wait(&l, now_ms, now_ms + 11000000); /* 10 MW, the slowest ramp */
        now_ms += 11000000;
        assert_true(l.out.command.set_w == fallback_w);
        posted.seq++;
        give(&l, &posted, now_ms);
        assert_true(l.out.command.set_w == set_w && !l.fallback);
    }
}

/* The whole process stood still with a command in the mailbox. */
static void test_a_command_of_before_a_pause_is_not_taken(void **state)
{
    (void)state;
    struct lease l = {0};
    struct device_lease posted = command(1000.0, 0.0, 100.0, 1);
    give(&l, &posted, 1000);
    struct device_lease old = command(-9000.0, 0.0, 100.0, 2);
    old.mono_ms = 1100;
    const struct device_lease *out = lease_step(&l, EXPIRY_S, &old, 6100);
    assert_true(out->command.set_w == 690.0); /* 3.1 s on its way back */
    assert_int_equal(out->command.valid, 1);
    old.mono_ms = 6100;
    assert_true(lease_step(&l, EXPIRY_S, &old, 6150)->command.set_w == -9000.0);
}

/* It stood still for longer than the device's own timer runs. */
static void test_a_device_that_fell_back_is_left_there(void **state)
{
    (void)state;
    struct lease l = {0};
    struct device_lease posted = command(1000.0, 0.0, 100.0, 1);
    give(&l, &posted, 1000);
    struct device_lease old = command(900.0, 0.0, 100.0, 2);
    old.mono_ms = 1100;
    assert_int_equal(lease_step(&l, EXPIRY_S, &old, 31000)->command.valid, 0);
    assert_int_equal(wait(&l, 31100, 90000)->command.valid, 0);
    assert_false(l.fallback);
    assert_true(lease_differs(&l, &posted));
    assert_int_equal(give(&l, &posted, 90100)->command.valid, 1);
    assert_true(l.out.command.set_w == 1000.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_nothing_posted_is_nothing_written),
        cmocka_unit_test(test_seq_rises_with_commands_and_moves),
        cmocka_unit_test(test_rejects_what_is_not_finite),
        cmocka_unit_test(test_a_command_of_before_a_pause_is_not_taken),
        cmocka_unit_test(test_a_device_that_fell_back_is_left_there),
        cmocka_unit_test(test_moves_to_the_fallback_and_not_past_it),
    };
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
