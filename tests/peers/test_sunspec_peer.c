/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Modbus adapter against a SunSpec battery that others wrote: pymodbus,
 * an independent Modbus stack, at two base addresses. */
#include <arpa/inet.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/adapter.h"

static const char *const script = "../shared/peers/sunspec_sim_pymodbus.py";
static const char *const python = "/usr/bin/python3";

struct peer {
    pid_t pid;
    int port;
    int64_t mono_ms;
    struct device *device;
    struct device_values values;
    struct link_state link;
    struct device_lease lease;
};

static struct peer p;

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static bool available(void)
{
    if (access(script, R_OK) != 0) {
        print_message("skip: %s is not here\n", script);
        return false;
    }
    if (system("/usr/bin/python3 -c 'import pymodbus.server' "
               ">/dev/null 2>&1") != 0) {
        print_message("skip: python3-pymodbus is not installed\n");
        return false;
    }
    return true;
}

static void start(int base)
{
    p = (struct peer){.port = free_port()};
    char port[16];
    char at[16];
    snprintf(port, sizeof(port), "%d", p.port);
    snprintf(at, sizeof(at), "%d", base);
    fflush(stdout);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        execl(python, python, script, port, at, (char *)NULL);
        _exit(127);
    }
    struct device_cfg cfg = {
        .role = DEVICE_BATTERY,
        .at = {.present = true,
               .host = "127.0.0.1",
               .port = p.port,
               .unit = 1,
               .map = "sunspec"},
        .map_dir = "adapters/maps",
        .response_s = 0.5,
        .charge_max_w = 1.927e6,
        .discharge_max_w = 1.927e6,
    };
    char why[256] = "";
    if (modbus_device.open(&cfg, &p.device, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
}

/* Also after a failed assertion: nothing is left running. */
static int stop(void **state)
{
    (void)state;
    modbus_device.close(p.device);
    if (p.pid > 0) {
        kill(p.pid, SIGKILL);
        waitpid(p.pid, NULL, 0);
    }
    p = (struct peer){.pid = 0};
    return 0;
}

static enum err pass(void)
{
    return modbus_device.pass(p.device, now_ms(), &p.lease, &p.values, &p.link);
}

/* Passes every 50 ms until 'done' or 'limit_s' are over. */
static bool run_until(bool (*done)(void), double limit_s)
{
    int64_t until_ms = now_ms() + (int64_t)(1e3 * limit_s);
    while (now_ms() < until_ms) {
        (void)pass();
        if (done()) {
            return true;
        }
        pause_ms(50);
        p.lease.seq += p.lease.seq > 0;
    }
    return false;
}

static bool ready(void)
{
    return (p.values.battery.flags & BATTERY_READY) == BATTERY_READY;
}

static bool follows(void)
{
    const struct battery_in *b = &p.values.battery;
    return fabs(b->power_w.value - p.lease.command.set_w) < 1.0 &&
           fabs(b->setpoint_w.value - p.lease.command.set_w) < 1.0;
}

static bool at_rest(void)
{
    return fabs(p.values.battery.power_w.value) < 1.0;
}

static void command(double set_w)
{
    p.lease.command = (struct battery_command){
        .set_w = set_w, .fallback_w = 0.0, .expiry_s = 10.0, .valid = 1};
    p.lease.seq++;
}

static void assert_discovered(void)
{
    if (!run_until(ready, 15.0)) {
        fail_msg("not ready: flags %#llx, %s",
                 (unsigned long long)p.values.battery.flags, p.link.last_error);
    }
    const struct battery_in *b = &p.values.battery;
    assert_int_equal(b->soc_pu.quality, QUALITY_GOOD);
    assert_true(fabs(b->soc_pu.value - 0.63) < 0.001);
    assert_true(fabs(b->soh_pu.value - 0.98) < 0.0001);
    assert_true(fabs(b->charge_max_w.value - 1.927e6) < 1.0);
    assert_true(fabs(b->discharge_max_w.value - 1.927e6) < 1.0);
    assert_int_equal(b->power_w.quality, QUALITY_GOOD);
    assert_int_equal(p.link.n_writes, 0);
}

static void test_follows_at_base_40000(void **state)
{
    (void)state;
    if (!available()) {
        skip();
    }
    start(40000);
    assert_discovered();
    command(1.5e6); /* charge: WSet is -1500 there */
    assert_true(run_until(follows, 3.0));
    assert_true(ready());
    command(-0.7e6);
    assert_true(run_until(follows, 3.0));
    assert_int_equal(p.link.n_mismatches, 0);

    /* The timer is armed and renewed: 12 s later it still follows. */
    uint64_t n_writes = p.link.n_writes;
    run_until(at_rest, 12.0);
    assert_true(follows());
    assert_true(ready());
    assert_true(p.link.n_writes >= n_writes + 3 + 20); /* and heartbeats */
    assert_int_equal(p.link.n_mismatches, 0);

    /* The client is gone without a word; a reader sees it come to rest. */
    modbus_device.close(p.device);
    p.device = NULL;
    struct device_cfg reader = {
        .role = DEVICE_BATTERY,
        .at = {.present = true,
               .host = "127.0.0.1",
               .port = p.port,
               .unit = 1,
               .map = "sunspec"},
        .map_dir = "adapters/maps",
        .read_only = true,
    };
    char why[256] = "";
    assert_int_equal(modbus_device.open(&reader, &p.device, why, sizeof(why)),
                     ERR_NONE);
    int64_t gone_ms = now_ms();
    p.link = (struct link_state){.up = false};
    assert_true(run_until(follows, 3.0));
    assert_true(run_until(at_rest, 14.0));
    assert_true(now_ms() - gone_ms > 5000); /* by its timer, not at once */
    assert_int_equal(p.link.n_writes, 0);
}

static void test_follows_at_base_0(void **state)
{
    (void)state;
    if (!available()) {
        skip();
    }
    start(0);
    assert_discovered();
    command(-1.0e6);
    assert_true(run_until(follows, 3.0));
    assert_true(ready());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_follows_at_base_40000, stop),
        cmocka_unit_test_teardown(test_follows_at_base_0, stop),
    };
    return cmocka_run_group_tests_name("sunspec_peer", tests, NULL, NULL);
}
