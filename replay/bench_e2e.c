/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_e2e - from the change of a measurement in the meter's registers to the
 * write of the battery's register that answers it: real workers, the real
 * loop, Modbus TCP on loopback. */
#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/loop.h"
#include "controller/site_file.h"
#include "controller/worker.h"
#include "models/random.h"
#include "replay/bench.h"
#include "replay/sim_battery.h"
#include "replay/sim_meter.h"
#include "replay/sim_modbus.h"

enum { EDGES = 60, SEED = 1 };

static const double LOAD_W = 5e6;
static const double EDGE_W = 1e6;
static const double REST_W = 0.3e6;
static const double WARM_UP_S = 4.0; /* the step listens before it acts */
static const double LOST_S = 1.0;

static const char SITE[] =
    "site: {name: bench, time_zone: UTC, currency: USD}\n"
    "grid: {import_max: 16 MW, export_max: 0 MW, ramp_max: 1 MW/min,\n"
    "  meter: {modbus: {host: 127.0.0.1, port: %d, unit: 1,\n"
    "    map: sunspec-meter}}}\n"
    "batteries:\n"
    "  - {name: b1, kind: megablock, energy: 20 MWh, charge_max: 10 MW,\n"
    "     discharge_max: 10 MW, efficiency: 91 %%, soc_min: 10 %%,\n"
    "     soc_max: 90 %%, chemistry: lfp,\n"
    "     modbus: {host: 127.0.0.1, port: %d, unit: 1, map: sunspec}}\n"
    "classes: [{name: training, value: 4 USD/kWh, firm: true}]\n"
    "pods:\n"
    "  - {name: pod1, profile: generic, power_max: 12 MW, cap_min: 4 MW,\n"
    "     class: training}\n";

/* The devices behind their registers. */
struct bench_site {
    pthread_mutex_t lock; /* of all below; the server holds it in write */
    pthread_cond_t written;
    struct sim_battery battery;
    struct sim_image meter;
    double load_w;
    double set_w;     /* as last written */
    int64_t write_ns; /* when */
    bool silent;
};

struct rig {
    struct site *site;
    struct bench_site *devices;
    struct sim_modbus *server;
    struct ports *ports;
    struct loop *loop;
    struct workers *workers;
    bool looping;
};

/* The battery is at its set-point at once; the meter sees both. */
static void show(struct bench_site *d)
{
    struct battery_in b = {
        .power_w = reading_good(d->set_w, 1),
        .soc_pu = reading_good(0.5, 1),
        .soh_pu = reading_good(1.0, 1),
        .charge_max_w = reading_good(10e6, 1),
        .discharge_max_w = reading_good(10e6, 1),
        .temperature_c = reading_good(25.0, 1),
        .flags = BATTERY_READY,
    };
    sim_battery_show(&d->battery, &b, 0.1);
    struct meter_in m = {.power_w = reading_good(d->load_w + d->set_w, 1)};
    sim_meter_show(&d->meter, &m);
}

static int take_write(void *user, int addr, int n, const uint16_t *values)
{
    struct bench_site *d = user;
    int64_t now_ns = clock_mono_ns();
    double now_s = (double)now_ns / 1e9;
    int code = sim_battery_write(&d->battery, addr, n, values, now_s);
    double set_w = sim_battery_tick(&d->battery, now_s);
    if (code == SIM_OK && set_w != d->set_w) {
        d->set_w = set_w;
        d->write_ns = now_ns;
        show(d);
        pthread_cond_signal(&d->written);
    }
    return code;
}

/* A port of the loopback that is free now; 0 without. */
static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int port = 0;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
        port = ntohs(at.sin_port);
    }
    if (fd >= 0) {
        close(fd);
    }
    return port;
}

static void keep_fault(void *user, const char *message)
{
    snprintf(user, BENCH_WHY_MAX, "%s", message);
}

static enum err make_site(struct rig *r, char *why)
{
    char text[sizeof(SITE) + 16];
    int n = snprintf(text, sizeof(text), SITE, free_port(), free_port());
    r->site = calloc(1, sizeof(*r->site));
    return r->site == NULL ? ERR_MEMORY
                           : site_file_parse("bench.yaml", text, (size_t)n,
                                             r->site, keep_fault, why);
}

static enum err serve(struct rig *r, char *why)
{
    struct bench_site *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        return ERR_MEMORY;
    }
    r->devices = d;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->written, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&d->lock, NULL);
    d->load_w = LOAD_W;
    sim_battery_init(&d->battery, &r->site->batteries[0],
                     (double)clock_mono_ns() / 1e9);
    sim_meter_init(&d->meter, r->site->name);
    show(d);
    struct sim_slave slaves[] = {
        {.at = r->site->grid.meter, .image = &d->meter, .silent = &d->silent},
        {.at = r->site->batteries[0].modbus,
         .image = &d->battery.image,
         .silent = &d->silent,
         .write = take_write,
         .user = d},
    };
    return sim_modbus_open(slaves, 2, &d->lock, &r->server, why, BENCH_WHY_MAX);
}

static enum err control(struct rig *r, char *why)
{
    r->ports = calloc(1, sizeof(*r->ports));
    enum err e = r->ports != NULL ? ports_init(r->ports, r->site) : ERR_MEMORY;
    if (e != ERR_NONE) {
        free(r->ports);
        r->ports = NULL;
        return e;
    }
    struct loop_cfg loop = {
        .site = r->site, .policy = POLICY_BALLAST, .ports = r->ports};
    e = loop_open(&loop, &r->loop);
    struct workers_cfg workers = {
        .site = r->site,
        .ports = r->ports,
        .ops = &modbus_device,
        .map_dir = cli_data_dir("maps"),
    };
    if (e == ERR_NONE) {
        e = workers_open(&workers, &r->workers, why, BENCH_WHY_MAX);
    }
    if (e == ERR_NONE) {
        e = workers_start(r->workers);
    }
    if (e == ERR_NONE) {
        e = loop_start(r->loop);
        r->looping = e == ERR_NONE;
    }
    return e;
}

static void clear(struct rig *r)
{
    if (r->looping) {
        loop_stop(r->loop);
    }
    if (r->workers != NULL) {
        workers_close(r->workers);
    }
    if (r->loop != NULL) {
        loop_close(r->loop);
    }
    if (r->ports != NULL) {
        ports_clear(r->ports);
    }
    free(r->ports);
    if (r->server != NULL) {
        sim_modbus_close(r->server);
    }
    free(r->devices);
    free(r->site);
}

/* Until the battery carries what the load has moved away from its start, so
 * that every edge starts from rest; false where it never does. */
static bool settle(struct bench_site *d)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&d->lock);
        double off_w = d->load_w + d->set_w - LOAD_W;
        pthread_mutex_unlock(&d->lock);
        if (fabs(off_w) < REST_W) {
            return true;
        }
        clock_sleep_until(clock_mono_ns() + 10 * CLOCK_NS_PER_MS);
    }
    return false;
}

/* The load steps by 'edge_w'; seconds until the battery was told to take it
 * over, INFINITY where it was not. */
static double one_edge(struct bench_site *d, double edge_w)
{
    pthread_mutex_lock(&d->lock);
    double before_w = d->set_w;
    int64_t edge_ns = clock_mono_ns();
    d->load_w += edge_w;
    show(d);
    int64_t until_ns = edge_ns + (int64_t)(LOST_S * 1e9);
    struct timespec until = {.tv_sec = (time_t)(until_ns / CLOCK_NS_PER_S),
                             .tv_nsec = (long)(until_ns % CLOCK_NS_PER_S)};
    int failed = 0;
    /* answered: at least half of the edge is in the set-point */
    while (failed == 0 && (before_w - d->set_w) / edge_w < 0.5) {
        failed = pthread_cond_timedwait(&d->written, &d->lock, &until);
    }
    double took_s = (double)(d->write_ns - edge_ns) / 1e9;
    pthread_mutex_unlock(&d->lock);
    return failed == 0 ? took_s : INFINITY;
}

static void pause_s(double s)
{
    clock_sleep_until(clock_mono_ns() + (int64_t)(s * 1e9));
}

static enum err measure(struct rig *r, struct bench_run *run)
{
    uint64_t random = random_seed(SEED);
    double took_s[EDGES];
    double period_s = r->site->control.period_s;
    pause_s(WARM_UP_S);
    for (int i = 0; i < EDGES; i++) {
        bool rests = settle(r->devices);
        took_s[i] = one_edge(r->devices, i % 2 == 0 ? EDGE_W : -EDGE_W);
        if (!rests || !isfinite(took_s[i])) {
            snprintf(run->why, sizeof(run->why),
                     "no set-point within %g s of a change", LOST_S);
            return ERR_TIMEOUT;
        }
        /* at any phase of the loop */
        pause_s(random_draw(&random, 1.0, 2.0) * period_s);
    }
    bench_add(run, "p50_ms", bench_quantile(took_s, EDGES, 0.5) * 1e3);
    bench_add(run, "p99_ms", bench_quantile(took_s, EDGES, 0.99) * 1e3);
    bench_add(run, "p99_periods",
              bench_quantile(took_s, EDGES, 0.99) / period_s);
    /* how late the machine wakes a thread: what no program can do about */
    const struct loop_view *view = mailbox_fetch(&r->ports->view);
    bench_add(run, "wake_late_p99_ms",
              view != NULL ? view->counts.jitter_p99_s * 1e3 : 0.0);
    return ERR_NONE;
}

enum err bench_e2e(struct bench_run *run)
{
    struct rig r = {0};
    enum err e = make_site(&r, run->why);
    if (e == ERR_NONE) {
        e = serve(&r, run->why);
    }
    if (e == ERR_NONE) {
        e = control(&r, run->why);
    }
    if (e == ERR_NONE) {
        e = measure(&r, run);
    }
    if (e != ERR_NONE && run->why[0] == '\0') {
        snprintf(run->why, sizeof(run->why), "%s", err_text(e));
    }
    clear(&r);
    return e;
}
