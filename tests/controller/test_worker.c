/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/worker with devices of our own: who shares a thread, what
 * a slow device costs the others, what a worker does without commands. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/clock.h"
#include "controller/worker.h"
#include "tests/site_fixture.h"

enum { DEVICES = 4, METER = DEVICES - 1 };

/* What the fake devices saw; only their own thread writes the plain ones. */
static struct device {
    int index;
    struct device_cfg cfg;
    atomic_int n_passes;
    atomic_bool together; /* not alone at its address */
    double slow_s;
    _Atomic double set_w;
    atomic_llong set_ns; /* when set_w last changed */
    atomic_ullong seq;
} devices[DEVICES];
static int n_open;
static atomic_int n_in_shared; /* passes of devices 0 and 1 under way */

static enum err fake_open(const struct device_cfg *cfg, struct device **out,
                          char *why, size_t why_size)
{
    if (cfg->at.port == 9) {
        snprintf(why, why_size, "no such map");
        return ERR_UNKNOWN;
    }
    int i = cfg->role == DEVICE_METER ? METER : cfg->at.unit;
    devices[i].index = i;
    devices[i].cfg = *cfg;
    *out = &devices[i];
    n_open++;
    return ERR_NONE;
}

static enum err fake_pass(struct device *d, int64_t mono_ms,
                          const struct device_lease *lease,
                          struct device_values *values, struct link_state *link)
{
    bool shared = d->index < 2;
    if (shared && atomic_fetch_add(&n_in_shared, 1) > 0) {
        atomic_store(&d->together, true);
    }
    if (d->slow_s > 0.0) {
        clock_sleep_until(clock_mono_ns() + (int64_t)(d->slow_s * 1e9));
    }
    if (lease->seq > 0 && lease->command.set_w != d->set_w) {
        d->set_w = lease->command.set_w;
        atomic_store(&d->set_ns, clock_mono_ns());
    }
    atomic_store(&d->seq, lease->seq);
    link->up = true;
    values->battery.power_w = reading_good(1.0, mono_ms);
    values->meter.power_w = reading_good(1.0, mono_ms);
    atomic_fetch_add(&d->n_passes, 1);
    if (shared) {
        atomic_fetch_sub(&n_in_shared, 1);
    }
    return ERR_NONE;
}

static void fake_close(struct device *d)
{
    (void)d;
    n_open--;
}

static const struct device_ops fake_ops = {
    .name = "fake",
    .open = fake_open,
    .pass = fake_pass,
    .close = fake_close,
};

struct worked_site {
    struct site *site;
    struct ports *ports;
    struct workers *workers;
};

/* Batteries 0 and 1 behind one gateway, 2 and the meter on their own. */
static struct worked_site start(double slow_s)
{
    struct worked_site w = {.site = fixture_site(3, 1, 0)};
    memset(devices, 0, sizeof(devices));
    devices[2].slow_s = slow_s;
    for (int i = 0; i < 3; i++) {
        struct site_modbus *at = &w.site->batteries[i].modbus;
        *at = (struct site_modbus){
            .present = true, .port = i < 2 ? 1000 : 1001, .unit = i};
        strcpy(at->host, "127.0.0.1");
    }
    w.site->grid.meter = w.site->batteries[0].modbus;
    w.site->grid.meter.port = 1002;
    w.ports = calloc(1, sizeof(*w.ports));
    assert_int_equal(ports_init(w.ports, w.site), ERR_NONE);
    struct workers_cfg cfg = {
        .site = w.site, .ports = w.ports, .ops = &fake_ops, .map_dir = "."};
    char why[200] = "";
    assert_int_equal(workers_open(&cfg, &w.workers, why, sizeof(why)),
                     ERR_NONE);
    assert_int_equal(n_open, DEVICES);
    assert_int_equal(workers_start(w.workers), ERR_NONE);
    return w;
}

static void stop(struct worked_site *w)
{
    workers_close(w->workers);
    assert_int_equal(n_open, 0);
    ports_clear(w->ports);
    free(w->ports);
    free(w->site);
}

static void pause_ms(int ms)
{
    clock_sleep_until(clock_mono_ns() + ms * CLOCK_NS_PER_MS);
}

static void post(struct worked_site *w, int i, double set_w, uint64_t seq)
{
    struct device_lease lease = {
        .command = {.set_w = set_w,
                    .fallback_ramp_w_per_s = 1e3,
                    .expiry_s = 10.0,
                    .valid = 1},
        .seq = seq,
        .mono_ms = clock_mono_ms(),
    };
    mailbox_send(&w->ports->batteries[i].lease, &lease);
    waker_ring(w->ports->batteries[i].wake);
}

static void test_a_slow_device_costs_only_its_own_thread(void **state)
{
    (void)state;
    struct worked_site w = start(0.4);
    assert_ptr_equal(w.ports->batteries[0].wake, w.ports->batteries[1].wake);
    assert_ptr_not_equal(w.ports->batteries[0].wake,
                         w.ports->batteries[2].wake);
    assert_ptr_not_equal(w.ports->batteries[0].wake, w.ports->meter.wake);
    pause_ms(1500);
    int slow = atomic_load(&devices[2].n_passes);
    int others = atomic_load(&devices[0].n_passes);
    int meter = atomic_load(&devices[METER].n_passes);
    assert_in_range(slow, 1, 5);
    assert_true(others >= 8 && meter >= 8); /* 15 on an idle machine */
    assert_false(atomic_load(&devices[0].together));
    assert_false(atomic_load(&devices[1].together));
    assert_non_null(mailbox_fetch(&w.ports->batteries[1].values));
    assert_non_null(mailbox_fetch(&w.ports->meter.report));
    stop(&w);
}

static void test_without_commands_it_goes_to_the_fallback(void **state)
{
    (void)state;
    struct worked_site w = start(0.0);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        post(&w, 0, 1500.0, seq);
        pause_ms(100);
    }
    assert_true(devices[0].set_w == 1500.0);
    assert_int_equal(atomic_load(&devices[2].seq), 0); /* told nothing */
    pause_ms(3000); /* 2 s of silence, then at 1 kW/s */
    double on_its_way_w = devices[0].set_w;
    assert_true(on_its_way_w < 1500.0 && on_its_way_w >= 0.0);
    const struct device_report *r =
        mailbox_fetch(&w.ports->batteries[0].report);
    assert_non_null(r);
    assert_int_equal(r->fallback, 1);
    pause_ms(1500);
    assert_true(devices[0].set_w == 0.0);
    post(&w, 0, 1200.0, 6);
    pause_ms(500);
    assert_true(devices[0].set_w == 1200.0);
    r = mailbox_fetch(&w.ports->batteries[0].report);
    assert_int_equal(r->fallback, 0);
    stop(&w);
}

static void test_a_map_that_is_not_there_starts_nothing(void **state)
{
    (void)state;
    struct site *site = fixture_site(3, 1, 0);
    struct ports *ports = calloc(1, sizeof(*ports));
    assert_int_equal(ports_init(ports, site), ERR_NONE);
    for (int i = 0; i < 3; i++) {
        site->batteries[i].modbus = (struct site_modbus){
            .present = true, .port = i == 2 ? 9 : 1000, .unit = i};
    }
    struct workers_cfg cfg = {
        .site = site, .ports = ports, .ops = &fake_ops, .map_dir = "."};
    struct workers *workers = NULL;
    char why[200] = "";
    assert_int_equal(workers_open(&cfg, &workers, why, sizeof(why)),
                     ERR_UNKNOWN);
    assert_string_equal(why, "block3: no such map");
    assert_int_equal(n_open, 0);
    ports_clear(ports);
    free(ports);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slow_device_costs_only_its_own_thread),
        cmocka_unit_test(test_without_commands_it_goes_to_the_fallback),
        cmocka_unit_test(test_a_map_that_is_not_there_starts_nothing),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
