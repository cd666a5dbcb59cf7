/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Modbus adapter against a device that behaves: readings, states, other
 * devices.  Time is simulated, the sockets are real. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/adapters/bench_device.h"
#include "tests/adapters/modbus_fixture.h"

static void test_reads_with_inner_signs(void **state)
{
    (void)state;
    bench_pass(&b);
    const struct battery_in *in = &b.values.battery;
    assert_int_equal(in->flags & BATTERY_READY, BATTERY_READY);
    assert_good(&in->power_w, 1.5e6); /* W -1500 kW there: charging */
    assert_good(&in->soc_pu, 0.6);
    assert_good(&in->soh_pu, 0.99);
    assert_good(&in->charge_max_w, 1.8e6);    /* the setting */
    assert_good(&in->discharge_max_w, 2.0e6); /* none set: the rating */
    assert_good(&in->temperature_c, 25.0);
    assert_int_equal(b.h.n_writes, 0);
    assert_true(b.link.up);
    assert_string_equal(b.link.last_error, "");
}

static void test_bad_registers_are_bad_readings(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int model;
        int off;
        uint16_t value;
        size_t reading;
    } cases[] = {
        {"power absent", 701, 10, 0x8000, offsetof(struct battery_in, power_w)},
        {"power sf absent", 701, 116, 0x8000,
         offsetof(struct battery_in, power_w)},
        {"power sf 11", 701, 116, 11, offsetof(struct battery_in, power_w)},
        {"soc absent", 713, 4, 0xffff, offsetof(struct battery_in, soc_pu)},
        {"soc 180 %", 713, 4, 18000, offsetof(struct battery_in, soc_pu)},
        {"soc sf", 713, 8, 0x8000, offsetof(struct battery_in, soc_pu)},
        {"soh", 713, 5, 0xffff, offsetof(struct battery_in, soh_pu)},
        {"temperature", 701, 36, 0x7fff,
         offsetof(struct battery_in, temperature_c)},
        {"limit sf", 702, 45, 0x8000,
         offsetof(struct battery_in, charge_max_w)},
        {"set-point absent", 704, 24, 0x8000,
         offsetof(struct battery_in, setpoint_w)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int addr = hostile_addr(cases[i].model, cases[i].off);
        uint16_t before = hostile_get(&b.h, addr);
        hostile_put(&b.h, addr, cases[i].value);
        bench_reopen(&b, &(struct bench_cfg){.map = "sunspec"});
        bench_pass(&b);
        const struct reading *r =
            (const struct reading *)(const void *)((const char *)&b.values
                                                       .battery +
                                                   cases[i].reading);
        if (r->quality != QUALITY_BAD || !isnan(r->value)) {
            fail_msg("%s: %g quality %d", cases[i].what, r->value,
                     (int)r->quality);
        }
        hostile_put(&b.h, addr, before);
    }
    /* SoC 0 of a device that rates no energy: no storage, not empty. */
    hostile_put(&b.h, hostile_addr(713, 4), 0);
    bench_pass(&b);
    assert_good(&b.values.battery.soc_pu, 0.0);
    hostile_put(&b.h, hostile_addr(713, 2), 0);
    bench_pass(&b);
    assert_int_equal(b.values.battery.soc_pu.quality, QUALITY_BAD);
}

static void test_states_block(void **state)
{
    (void)state;
    static const struct {
        int model;
        int off;
        uint16_t bad;
        uint16_t good;
    } cases[] = {
        {701, 3, 0, 1}, {701, 4, 6, 3}, {701, 5, 0, 1}, {713, 6, 2, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int addr = hostile_addr(cases[i].model, cases[i].off);
        hostile_put(&b.h, addr, cases[i].bad);
        bench_pass(&b);
        assert_false(b.values.battery.flags & BATTERY_RUNNING);
        hostile_put(&b.h, addr, cases[i].good);
        bench_pass(&b);
        assert_true(b.values.battery.flags & BATTERY_RUNNING);
    }
    hostile_put(&b.h, hostile_addr(701, 7), 0x81);
    bench_pass(&b);
    assert_int_equal(b.values.battery.alarms, 0x81);
}

/* A map of absolute addresses: take_control, toggle, ratio, release of the
 * site's own rows. */
static void test_any_other_device_by_its_map(void **state)
{
    (void)state;
    char path[] = "/tmp/ballast-map-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *in = fopen("adapters/maps/tesla-tsc.third-party.json", "r");
    FILE *out = fdopen(fd, "w");
    assert_non_null(in);
    assert_non_null(out);
    char line[512];
    while (fgets(line, sizeof(line), in) != NULL) {
        char *at = strstr(line, "\"commissioned\": false");
        fputs(at != NULL ? "  \"commissioned\": true,\n" : line, out);
    }
    fclose(in);
    fclose(out);
    hostile_put(&b.h, 206, 4000); /* full 4000 Wh, nominal 1000 Wh */
    hostile_put(&b.h, 208, 1000);
    hostile_put(&b.h, 212, 900);
    hostile_put(&b.h, 214, 800);

    bench_reopen(&b, &(struct bench_cfg){.map = "tesla-tsc.third-party"});
    bench_command(&b, 500.0, 0.0);
    bench_passes(&b, 5);
    assert_int_equal(b.h.n_writes, 0); /* as shipped: not commissioned */
    assert_false(b.values.battery.flags & BATTERY_WRITABLE);
    assert_good(&b.values.battery.soc_pu, 0.25);
    assert_good(&b.values.battery.discharge_max_w, 800.0);
    assert_int_equal(b.values.battery.power_w.quality, QUALITY_MISSING);

    bench_reopen(&b, &(struct bench_cfg){.map = path});
    uint16_t beats[3] = {0};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 12; k++) {
            bench_command(&b, 500.0, 0.0);
            bench_pass(&b);
        }
        beats[i] = hostile_get(&b.h, 1022);
        bench_command(&b, 500.0, 0.0);
        bench_pass(&b);
    }
    assert_int_equal(hostile_get(&b.h, 1000), 1);
    assert_int_equal(hostile_get(&b.h, 1001), 1);
    assert_int_equal(hostile_get(&b.h, 1023), 10);
    assert_int_equal(hostile_get(&b.h, 1020), 0xffff); /* -500 W: charge */
    assert_int_equal(hostile_get(&b.h, 1021), 0xfe0c);
    assert_true(beats[0] != beats[1] || beats[1] != beats[2]);
    assert_int_equal(b.link.n_mismatches, 0);
    assert_true(b.values.battery.flags & BATTERY_OBEYS);
    unlink(path);
}

/* A meter's counter wraps at 2^32 and goes on; a reset to 0 is passed on, and
 * SunSpec's 0 is "not counted". */
static void test_counters_do_not_wrap(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"m\",\"device\":\"meter\",\"slow_s\":0,\"points\":["
        "{\"id\":\"w\",\"addr\":100,\"type\":\"i32\",\"unit\":\"kW\","
        "\"sign\":\"export_positive\",\"word_order\":\"little\"},"
        "{\"id\":\"v\",\"addr\":102,\"type\":\"u16\",\"unit\":\"V\"},"
        "{\"id\":\"e\",\"addr\":110,\"type\":\"u32\",\"unit\":\"kWh\","
        "\"ni\":0,\"counter\":true}],"
        "\"roles\":{\"power\":\"w\",\"import_energy\":\"e\","
        "\"voltage\":{\"ratio\":[\"v\",480]}}}";
    char path[] = "/tmp/ballast-map-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bench_reopen(&b, &(struct bench_cfg){.map = path, .role = DEVICE_METER});
    unlink(path);
    hostile_put(&b.h, 100, 0xfffe); /* low word first: -2 kW exported */
    hostile_put(&b.h, 101, 0xffff);
    hostile_put(&b.h, 102, 456);
    const struct meter_in *m = &b.values.meter;
    bench_pass(&b);
    assert_good(&m->power_w, 2000.0);
    assert_good(&m->voltage_pu, 0.95);
    assert_int_equal(m->import_wh.quality, QUALITY_BAD);
    assert_int_equal(m->frequency_hz.quality, QUALITY_MISSING);
    hostile_put(&b.h, 110, 0xffff);
    hostile_put(&b.h, 111, 0xffff);
    bench_pass(&b);
    assert_good(&m->import_wh, 4294967295e3);
    hostile_put(&b.h, 110, 0);
    hostile_put(&b.h, 111, 4);
    bench_pass(&b);
    assert_good(&m->import_wh, 4294967300e3);
    hostile_put(&b.h, 111, 3); /* reset by someone */
    bench_pass(&b);
    assert_good(&m->import_wh, 4294967299e3);
}

/* libmodbus aborts in FD_SET at 1024: such a socket is refused instead. */
static void test_high_descriptors_are_refused(void **state)
{
    (void)state;
    enum { EXTRA = 1100 };
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit more = {.rlim_cur = 2048, .rlim_max = old.rlim_max};
    if (old.rlim_max < 2048 || setrlimit(RLIMIT_NOFILE, &more) != 0) {
        print_message("skip: no more than %ld descriptors\n",
                      (long)old.rlim_max);
        skip();
    }
    static int fds[EXTRA];
    int n = 0;
    while (n < EXTRA && (n == 0 || fds[n - 1] < 1023)) {
        fds[n] = open("/dev/null", O_RDONLY);
        assert_true(fds[n++] >= 0);
    }
    assert_int_equal(bench_pass(&b), ERR_FULL);
    assert_non_null(strstr(b.link.last_error, "1024"));
    while (n > 0) {
        close(fds[--n]);
    }
    (void)setrlimit(RLIMIT_NOFILE, &old);
    b.mono_ms += 6000;
    assert_int_equal(bench_pass(&b), ERR_NONE);
}

static void test_open_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        struct device_cfg cfg;
        enum err e;
        const char *why;
    } cases[] = {
        {{.at = {.present = true,
                 .host = "127.0.0.1",
                 .port = 502,
                 .unit = 1,
                 .map = "nosuch"}},
         ERR_UNKNOWN,
         "nosuch"},
        {{.at = {.present = true,
                 .host = "127.0.0.1",
                 .port = 0,
                 .unit = 1,
                 .map = "sunspec"}},
         ERR_RANGE,
         "port"},
        {{.at = {.present = true,
                 .host = "not a host",
                 .port = 502,
                 .unit = 1,
                 .map = "sunspec"}},
         ERR_IO,
         "not a host"},
        {{.at = {.present = true,
                 .host = "127.0.0.1",
                 .port = 502,
                 .unit = 1,
                 .map = "sunspec-meter"}},
         ERR_RANGE,
         "for a meter"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct device_cfg cfg = cases[i].cfg;
        cfg.map_dir = "adapters/maps";
        struct device *d = NULL;
        char why[256] = "";
        assert_int_equal(modbus_device.open(&cfg, &d, why, sizeof(why)),
                         cases[i].e);
        assert_non_null(strstr(why, cases[i].why));
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(test_reads_with_inner_signs),
        CASE(test_bad_registers_are_bad_readings),
        CASE(test_states_block),
        CASE(test_any_other_device_by_its_map),
        CASE(test_counters_do_not_wrap),
        CASE(test_high_descriptors_are_refused),
        cmocka_unit_test(test_open_says_what_is_wrong),
    };
    return cmocka_run_group_tests_name("modbus", tests, NULL, NULL);
}
