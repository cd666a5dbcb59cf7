/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Modbus adapter against a device that lies, stalls and breaks off.
 * After each fault it is healthy again, no pass takes longer than it may, no
 * wrong value is taken for a good one, nothing is written in shadow. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/adapters/bench_device.h"

static const double response_s = 0.06;
static struct bench b;

static const struct bench_cfg quick = {.map = "sunspec", .response_s = 0.06};
static const struct bench_cfg shadow = {
    .map = "sunspec", .response_s = 0.06, .read_only = true};

static int start(void **state)
{
    (void)state;
    bench_start(&b, &quick);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bench_stop(&b);
    return 0;
}

static bool fresh(const struct reading *r, double value)
{
    return r->quality == QUALITY_GOOD && r->mono_ms == b.mono_ms &&
           fabs(r->value - value) < 1e-6;
}

static bool healthy(void)
{
    const struct battery_in *in = &b.values.battery;
    return b.link.up && fresh(&in->power_w, 1.5e6) && fresh(&in->soc_pu, 0.6) &&
           (in->flags & BATTERY_ONLINE) && (in->flags & BATTERY_RUNNING);
}

/* A reading is the true one, however old, or it is not good. */
static void assert_true_or_not_good(const struct reading *r, double value)
{
    if (r->quality == QUALITY_GOOD && fabs(r->value - value) > 1e-6) {
        fail_msg("%g taken for good, it is %g", r->value, value);
    }
}

static void assert_honest(void)
{
    const struct battery_in *in = &b.values.battery;
    assert_true_or_not_good(&in->power_w, 1.5e6);
    assert_true_or_not_good(&in->soc_pu, 0.6);
    assert_true_or_not_good(&in->charge_max_w, 1.8e6);
    assert_true_or_not_good(&in->discharge_max_w, 2.0e6);
}

/* A pass that may reconnect: the back-off is over. */
static void pass_bounded(const char *what)
{
    b.mono_ms += 6000;
    b.lease.seq += b.lease.seq > 0;
    (void)bench_pass(&b);
    /* 9 response time-outs, and what a busy machine takes besides */
    if (b.link.pass_s > 9.0 * response_s + 0.5) {
        fail_msg("%s: a pass took %g s", what, b.link.pass_s);
    }
}

static void suffer(enum hostile_fault fault, int exception)
{
    const char *what = hostile_text(fault);
    b.h.exception = exception;
    b.h.fault = (int)fault;
    for (int i = 0; i < 3; i++) {
        pass_bounded(what);
        assert_honest();
    }
    b.h.fault = HOSTILE_NONE;
    /* two passes are enough, but a busy machine may itself be late */
    for (int i = 0; i < 6 && (i == 0 || !healthy()); i++) {
        pass_bounded(what);
    }
    if (!healthy()) {
        fail_msg("%s %d: not healthy six passes later: %s", what, exception,
                 b.link.last_error);
    }
}

/* All faults but those that make values random. */
static void suffer_all(void)
{
    for (int f = HOSTILE_LATE; f < HOSTILE_RANDOM_VALUES; f++) {
        for (int x = 1; x <= (f == HOSTILE_EXCEPTION ? 11 : 1); x++) {
            suffer((enum hostile_fault)f, x);
        }
    }
}

static void test_recovers_from_every_fault_at_rest(void **state)
{
    (void)state;
    bench_pass(&b);
    assert_true(healthy());
    suffer_all();
    assert_int_equal(b.h.n_writes, 0);
}

static void test_recovers_from_every_fault_under_control(void **state)
{
    (void)state;
    bench_pass(&b);
    bench_command(&b, 1e6, 0.0);
    bench_passes(&b, 2);
    assert_int_equal(b.h.n_setpoints, 1);
    suffer_all();
    bench_command(&b, 0.5e6, 0.0);
    b.mono_ms += 6000;
    bench_passes(&b, 3);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 25)), 0xfe0c);
    assert_true(b.values.battery.flags & BATTERY_OBEYS);
}

static void test_recovers_from_faults_while_discovering(void **state)
{
    (void)state;
    for (int f = HOSTILE_LATE; f < HOSTILE_RANDOM_VALUES; f++) {
        bench_reopen(&b, &quick);
        suffer((enum hostile_fault)f, 2);
    }
}

static void test_writes_nothing_in_shadow(void **state)
{
    (void)state;
    bench_reopen(&b, &shadow);
    bench_command(&b, 1e6, 0.0);
    bench_pass(&b);
    suffer_all();
    assert_int_equal(b.h.n_writes, 0);
}

/* What the device only claims to have taken is found out in the same pass. */
static void test_lies_about_writes_are_found(void **state)
{
    (void)state;
    static const enum hostile_fault lies[] = {
        HOSTILE_IGNORES, HOSTILE_WRONG_ADDRESS, HOSTILE_WRONG_VALUE};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        bench_reopen(&b, &quick);
        bench_pass(&b);
        uint64_t n = b.link.n_mismatches;
        b.h.fault = (int)lies[i];
        bench_command(&b, 1e5 * (double)(i + 1), 0.0);
        bench_pass(&b);
        assert_false(b.values.battery.flags & BATTERY_OBEYS);
        assert_int_equal(b.link.n_mismatches, n + 1);
        assert_non_null(strstr(b.link.last_error, "did not read back"));
        b.h.fault = HOSTILE_NONE; /* it is tried again */
        for (int k = 0; k < 6; k++) {
            b.lease.seq++;
            bench_pass(&b);
        }
        assert_true(b.values.battery.flags & BATTERY_OBEYS);
        assert_true(fabs(b.values.battery.setpoint_w.value -
                         1e5 * (double)(i + 1)) < 1e-6);
    }
}

/* Another master's set-point is noticed and overwritten. */
static void test_another_master_is_noticed(void **state)
{
    (void)state;
    bench_pass(&b);
    bench_command(&b, 1e6, 0.0);
    bench_pass(&b);
    hostile_put(&b.h, hostile_addr(704, 25), 77);
    bench_pass(&b);
    assert_false(b.values.battery.flags & BATTERY_OBEYS);
    for (int k = 0; k < 6; k++) {
        b.lease.seq++;
        bench_pass(&b);
    }
    assert_true(b.values.battery.flags & BATTERY_OBEYS);
    assert_int_equal(hostile_get(&b.h, hostile_addr(704, 25)), 0xfc18);
}

/* A device that stays silent is marked, and left alone between tries. */
static void test_backs_off(void **state)
{
    (void)state;
    bench_pass(&b);
    int n = b.h.n_connects;
    b.h.fault = HOSTILE_RESET;
    for (int i = 0; i < 100; i++) { /* 10 s */
        bench_pass(&b);
        assert_false(b.values.battery.flags & BATTERY_ONLINE);
        assert_true(i == 0 || !b.link.up);
    }
    assert_in_range(b.h.n_connects - n, 3, 12);
    assert_true(b.values.battery.soc_pu.mono_ms < b.mono_ms - 9000);
    assert_int_not_equal(strlen(b.link.last_error), 0);
}

static void test_another_device_is_not_driven(void **state)
{
    (void)state;
    bench_pass(&b);
    bench_command(&b, 1e6, 0.0);
    bench_pass(&b);
    hostile_put(&b.h, hostile_addr(1, 50), 0x5858); /* serial number */
    b.h.fault = HOSTILE_RESET;
    pass_bounded("reset");
    b.h.fault = HOSTILE_NONE;
    int n = b.h.n_writes;
    for (int i = 0; i < 3; i++) {
        pass_bounded("stranger");
        assert_false(b.values.battery.flags & BATTERY_ONLINE);
        assert_false(b.values.battery.flags & BATTERY_RUNNING);
        assert_false(b.values.battery.flags & BATTERY_WRITABLE);
        assert_non_null(strstr(b.link.last_error, "another device"));
    }
    assert_int_equal(b.h.n_writes, n);
    hostile_put(&b.h, hostile_addr(1, 50), 0x534e); /* the old one is back */
    pass_bounded("back");
    pass_bounded("back");
    assert_true(healthy());
}

/* One block refused is one block missing. */
static void test_a_refused_block_is_left_out(void **state)
{
    (void)state;
    b.h.refused_model = 702;
    bench_passes(&b, 3);
    assert_true(healthy());
    assert_int_equal(b.values.battery.charge_max_w.quality, QUALITY_MISSING);
    assert_int_equal(b.h.n_connects, 1);
}

static void assert_finite_if_good(const struct reading *r)
{
    assert_true(r->quality != QUALITY_GOOD || isfinite(r->value));
}

/* Whatever the registers hold: no crash, nothing non-finite that is good, no
 * set-point that was not asked for. */
static void test_random_registers(void **state)
{
    (void)state;
    print_message("seed %llu\n", (unsigned long long)b.h.random);
    bench_pass(&b);
    for (int i = 0; i < 400; i++) {
        b.h.fault = i % 5 == 4 ? HOSTILE_NONE : HOSTILE_RANDOM_VALUES;
        b.mono_ms += i % 3 == 0 ? 6000 : 0;
        bench_command(&b, 1e5 * (i % 20), 0.0);
        if (i % 50 == 49) {
            bench_reopen(&b, &quick);
        }
        bench_pass(&b);
        const struct battery_in *in = &b.values.battery;
        assert_finite_if_good(&in->power_w);
        assert_finite_if_good(&in->soc_pu);
        assert_finite_if_good(&in->soh_pu);
        assert_finite_if_good(&in->charge_max_w);
        assert_finite_if_good(&in->discharge_max_w);
        assert_finite_if_good(&in->temperature_c);
        assert_finite_if_good(&in->setpoint_w);
        assert_true(in->soc_pu.quality != QUALITY_GOOD ||
                    (in->soc_pu.value >= 0.0 && in->soc_pu.value <= 1.0));
        assert_true(in->charge_max_w.quality != QUALITY_GOOD ||
                    in->charge_max_w.value >= 0.0);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_recovers_from_every_fault_at_rest),
        CASE(test_recovers_from_every_fault_under_control),
        CASE(test_recovers_from_faults_while_discovering),
        CASE(test_writes_nothing_in_shadow),
        CASE(test_lies_about_writes_are_found),
        CASE(test_another_master_is_noticed),
        CASE(test_backs_off),
        CASE(test_another_device_is_not_driven),
        CASE(test_a_refused_block_is_left_out),
        CASE(test_random_registers),
    };
    return cmocka_run_group_tests_name("modbus_hostile", tests, NULL, NULL);
}
