/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Modbus adapter against a device that behaves: set-points, their leases,
 * and heartbeats.  Time is simulated, the sockets are real. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/adapters/bench_device.h"
#include "tests/adapters/modbus_fixture.h"

static void test_one_write_arms_and_sets(void **state)
{
    (void)state;
    bench_pass(&b);
    bench_command(&b, -1.2e6, 0.0);
    bench_pass(&b);
    assert_int_equal(b.h.n_setpoints, 1);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 22)), 1);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 23)), 1);
    assert_int_equal(reg32(24), 1200); /* discharge positive there */
    assert_int_equal(reg32(26), 0);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 28)), 0x8000);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 30)), 0);
    assert_int_equal(reg32(31), 10);
    assert_good(&b.values.battery.setpoint_w, -1.2e6); /* in the same pass */
    assert_true(b.values.battery.flags & BATTERY_OBEYS);

    bench_command(&b, -1.2e6, 0.3e6); /* a fallback other than rest */
    bench_pass(&b);
    assert_int_equal(reg32(26), -300);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 30)), 1);
    assert_int_equal(b.link.n_mismatches, 0);
}

static void test_writes_changes_and_renewals_only(void **state)
{
    (void)state;
    bench_pass(&b);
    bench_command(&b, 0.5e6, 0.0);
    int32_t timers[4] = {0};
    for (int i = 0; i < 4; i++) { /* 3.4 s each: a third of 10 s */
        for (int k = 0; k < 34; k++) {
            bench_command(&b, 0.5e6 + 500.0 * (k % 2), 0.0); /* deadband */
            bench_pass(&b);
        }
        assert_int_equal(b.h.n_setpoints, i + 1);
        timers[i] = reg32(31);
    }
    assert_int_equal(timers[0], 10);
    assert_int_equal(timers[1], 11); /* renewed by a changed write */
    assert_int_equal(timers[2], 10);
    for (int k = 0; k < 5; k++) { /* one write per pass at most */
        bench_command(&b, 0.5e6 + 1e5 * k, 0.0);
        bench_pass(&b);
    }
    assert_in_range(b.h.n_setpoints, 8, 9);
}

static void test_lease_ends_with_its_controller(void **state)
{
    (void)state;
    bench_pass(&b);
    bench_command(&b, 0.5e6, 0.0);
    bench_pass(&b);
    int n = 0;
    for (int k = 0; k < 300; k++) { /* the same seq for 30 s */
        bench_pass(&b);
        n = k == 110 ? b.h.n_writes : n;
    }
    assert_int_equal(b.h.n_writes, n); /* no set-point, no heartbeat */
    assert_non_null(strstr(b.link.last_error, "no new command"));
    b.lease.command.set_w = 0.0; /* the worker's fallback, seq unchanged */
    bench_pass(&b);
    assert_int_equal(reg32(24), 0);
    bench_command(&b, 0.4e6, 0.0);
    bench_pass(&b);
    assert_int_equal(reg32(24), -400);
}

static void test_refuses_bad_commands(void **state)
{
    (void)state;
    bench_pass(&b);
    const struct battery_command bad[] = {
        {.set_w = 2.0001e6, .expiry_s = 10, .valid = 1},
        {.set_w = -2.0001e6, .expiry_s = 10, .valid = 1},
        {.set_w = NAN, .expiry_s = 10, .valid = 1},
        {.set_w = INFINITY, .expiry_s = 10, .valid = 1},
        {.set_w = 0, .fallback_w = NAN, .expiry_s = 10, .valid = 1},
        {.set_w = 0, .fallback_w = 9e9, .expiry_s = 10, .valid = 1},
        {.set_w = 0, .expiry_s = NAN, .valid = 1},
        {.set_w = 0, .expiry_s = 0, .valid = 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t n_errors = b.link.n_errors;
        b.lease.command = bad[i];
        b.lease.seq++;
        assert_int_equal(bench_pass(&b), ERR_RANGE);
        assert_int_equal(b.link.n_errors, n_errors + 1);
        assert_non_null(strstr(b.link.last_error, "refused"));
    }
    b.lease.command = (struct battery_command){.set_w = 1e6, .expiry_s = 10};
    b.lease.seq++;
    bench_pass(&b); /* not valid */
    b.lease.command.valid = 1;
    b.lease.seq = 0;
    bench_pass(&b); /* none yet */
    assert_int_equal(b.h.n_writes, 0);
    /* Rounding to whole kW never passes the rating. */
    b.lease.seq = 99;
    b.lease.command = (struct battery_command){
        .set_w = -1999.9996e3, .expiry_s = 10, .valid = 1};
    bench_reopen(
        &b, &(struct bench_cfg){.map = "sunspec", .rating_w = 1999.9996e3});
    bench_pass(&b);
    bench_pass(&b);
    assert_int_equal(reg32(24), 1999);
}

static void test_local_and_shadow_write_nothing(void **state)
{
    (void)state;
    hostile_put(&b.h, hostile_addr(715, 2), 1);
    bench_pass(&b);
    bench_command(&b, 1e6, 0.0);
    bench_passes(&b, 20);
    assert_false(b.values.battery.flags & BATTERY_REMOTE);
    assert_int_equal(b.h.n_writes, 0);
    hostile_put(&b.h, hostile_addr(715, 2), 0);
    bench_command(&b, 1e6, 0.0);
    bench_passes(&b, 20);
    assert_true(b.values.battery.flags & BATTERY_REMOTE);
    assert_int_equal(reg32(24), -1000);

    int n = b.h.n_writes;
    bench_reopen(&b, &(struct bench_cfg){.map = "sunspec", .read_only = true});
    bench_command(&b, 0.0, 0.0);
    bench_passes(&b, 20);
    assert_int_equal(b.h.n_writes, n);
    assert_false(b.values.battery.flags & BATTERY_WRITABLE);
    assert_good(&b.values.battery.soc_pu, 0.6);
}

static void test_heartbeat_both_ways(void **state)
{
    (void)state;
    bench_pass(&b);
    for (int i = 0; i < 100; i++) { /* 10 s */
        bench_command(&b, 1e6, 0.0);
        bench_pass(&b);
    }
    assert_in_range(hostile_get(&b.h, hostile_addr(715, 6)), 9, 11);
    assert_true(b.values.battery.flags & BATTERY_ALIVE);
    b.h.beats = false;
    for (int i = 0; i < 45; i++) {
        bench_command(&b, 1e6, 0.0);
        bench_pass(&b);
    }
    assert_true(b.values.battery.flags & BATTERY_ALIVE);
    bench_passes(&b, 30);
    assert_false(b.values.battery.flags & BATTERY_ALIVE);
    b.h.beats = true;
    bench_passes(&b, 11);
    assert_true(b.values.battery.flags & BATTERY_ALIVE);
}

static void test_timer_must_run(void **state)
{
    (void)state;
    b.h.timer_runs = false;
    bench_pass(&b);
    for (int i = 0; i < 30; i++) {
        bench_command(&b, 1e6, 0.0);
        bench_pass(&b);
    }
    assert_false(b.values.battery.flags & BATTERY_OBEYS);
    assert_non_null(strstr(b.link.last_error, "reversion timer"));
    b.h.timer_runs = true;
    for (int i = 0; i < 20; i++) {
        bench_command(&b, 1e6, 0.0);
        bench_pass(&b);
    }
    assert_true(b.values.battery.flags & BATTERY_OBEYS);
    assert_string_equal(b.link.last_error, "");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_one_write_arms_and_sets),
        CASE(test_writes_changes_and_renewals_only),
        CASE(test_lease_ends_with_its_controller),
        CASE(test_refuses_bad_commands),
        CASE(test_local_and_shadow_write_nothing),
        CASE(test_heartbeat_both_ways),
        CASE(test_timer_must_run),
    };
    return cmocka_run_group_tests_name("modbus_lease", tests, NULL, NULL);
}
