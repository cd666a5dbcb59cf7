/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/site_file.h"
#include "models/units.h"
#include "replay/sim_agents.h"
#include "replay/sim_clock.h"
#include "replay/sim_modbus.h"
#include "replay/sim_site.h"

enum { WHY_MAX = 400, LATE_MAX = 50 };

struct options {
    const char *load;
    const char *column;
    struct cli_texts where;
    double scale;
    double from_s;
    double speed;
    double for_s;
    long seed;
};

/* All that runs. */
struct sim {
    struct site *site;
    struct sim_load load;
    struct sim_site *s;
    struct sim_modbus *modbus;
    struct sim_agents *agents;
    double until_s;
    uint64_t n_late; /* periods that were left out */
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

static double peak_w(const struct site *site)
{
    double sum_w = 0.0;
    for (int i = 0; i < site->n_pods; i++) {
        sum_w += site->pods[i].power_max_w;
    }
    return sum_w;
}

static bool open_load(struct sim *sim, const struct options *o)
{
    char generated[64];
    snprintf(generated, sizeof(generated), "gen:training,seed=%ld,days=30",
             o->seed);
    struct trace_cfg cfg = {
        .load = o->load != NULL ? o->load : generated,
        .column = o->column,
        .where = o->where.at,
        .n_where = o->where.n,
        .scale = o->scale,
        .repeat = 1, /* sim_load begins again by itself */
        .peak_w = peak_w(sim->site),
    };
    if (!(cfg.peak_w > 0.0)) {
        cli_error("sim", "the site has no pods: nothing to draw a load");
        return false;
    }
    char why[WHY_MAX];
    if (sim_load_open(&sim->load, &cfg, why, sizeof(why)) != ERR_NONE) {
        cli_error("sim", "%s", why);
        return false;
    }
    return true;
}

/* Plant, Modbus, MQTT, in this order; false after a message. */
static bool start(struct sim *sim, const struct options *o)
{
    char why[WHY_MAX] = "out of memory";
    sim->s = sim_site_open(&(struct sim_site_cfg){.site = sim->site,
                                                  .load = &sim->load,
                                                  .speed = o->speed,
                                                  .from_s = o->from_s,
                                                  .seed = (uint64_t)o->seed,
                                                  .now_s = sim_mono_s()});
    if (sim->s == NULL) {
        cli_error("sim", "%s", why);
        return false;
    }
    struct sim_slave slaves[SIM_SLAVES_MAX];
    int n = sim_site_slaves(sim->s, slaves);
    if (sim_modbus_open(slaves, n, &sim->s->lock, &sim->modbus, why,
                        sizeof(why)) != ERR_NONE) {
        cli_error("sim", "%s", why);
        return false;
    }
    if (sim->site->mqtt.present &&
        sim_agents_open(sim->s, (uint64_t)o->seed, &sim->agents, why,
                        sizeof(why)) != ERR_NONE) {
        cli_error("sim", "%s", why);
        return false;
    }
    return true;
}

static void stop(struct sim *sim)
{
    if (sim->agents != NULL) {
        sim_agents_close(sim->agents);
    }
    if (sim->modbus != NULL) {
        sim_modbus_close(sim->modbus);
    }
    if (sim->s != NULL) {
        sim_site_close(sim->s);
    }
    sim_load_close(&sim->load);
}

static void print_modbus(const char *name, const struct site_modbus *at,
                         const char *models)
{
    if (at->present) {
        bool fits = strncmp(at->map, "sunspec", 7) == 0;
        printf("%-16s Modbus TCP %s:%d unit %d, SunSpec %s%s%s\n", name,
               at->host, at->port, at->unit, models,
               fits ? "" : "; does not fit its map ", fits ? "" : at->map);
    } else {
        printf("%-16s no modbus in the site file: only in the plant\n", name);
    }
}

/* What plays where. */
static void print_devices(const struct sim *sim, double speed)
{
    const struct site *site = sim->site;
    char text[32];
    print_modbus("meter", &site->grid.meter, "1 213");
    for (int i = 0; i < site->n_batteries; i++) {
        print_modbus(site->batteries[i].name, &site->batteries[i].modbus,
                     "1 701 702 713 715 704 802");
    }
    for (int i = 0; i < site->n_pods; i++) {
        printf("%-16s MQTT ballast/v1/%s/pod/%s, up to %s\n",
               site->pods[i].name, site->name, site->pods[i].name,
               units_power_text(site->pods[i].power_max_w, text, sizeof(text)));
    }
    for (int i = 0; i < site->n_fleets; i++) {
        printf("%-16s MQTT ballast/v1/%s/node/%s-0001 and on, %d cars\n",
               site->fleets[i].name, site->name, site->fleets[i].name,
               site->fleets[i].nodes);
    }
    for (int i = 0; i < site->n_prices; i++) {
        printf("%-16s MQTT %s, synthetic, hourly\n", site->prices[i].market,
               site->prices[i].topic);
    }
    if (site->mqtt.present) {
        printf("%-16s %s:%d; faults: ballast/v1/%s/sim/set\n", "broker",
               site->mqtt.host, site->mqtt.port, site->name);
    } else {
        printf("%-16s no mqtt in the site file: pods and cars are mute\n",
               "broker");
    }
    printf("%-16s %s, %g times as fast\n", "load", sim->load.trace.name, speed);
    fflush(stdout);
}

static void print_status(struct sim *sim, const char *end)
{
    struct sim_agents_counts counts = {0};
    if (sim->agents != NULL) {
        sim_agents_counts(sim->agents, &counts);
    }
    pthread_mutex_lock(&sim->s->lock);
    const struct plant *p = sim->s->plant;
    double t_s = p->t_s;
    double powers_w[] = {p->grid_w, p->pods_w, p->battery_w, p->fleet_w};
    pthread_mutex_unlock(&sim->s->lock);
    static const char *const names[] = {"grid", "pods", "batteries", "cars"};
    printf("%7.0f s ", t_s);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[32];
        printf(" %s %s ", names[i],
               units_power_text(powers_w[i], text, sizeof(text)));
    }
    printf(" modbus %llu mqtt %d/%d%s",
           (unsigned long long)sim_modbus_requests(sim->modbus),
           counts.n_links_up, counts.n_links, end);
    fflush(stdout);
}

/* Sleep to an absolute deadline; a signal ends it early. */
static void sleep_to(double mono_s)
{
    struct timespec t = {.tv_sec = (time_t)mono_s};
    t.tv_nsec = (long)((mono_s - (double)t.tv_sec) * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void play(struct sim *sim)
{
    bool terminal = isatty(STDOUT_FILENO) != 0;
    double period_s = sim->s->period_s;
    double next_s = sim_mono_s();
    double status_s = next_s;
    while (!stopped && next_s < sim->until_s) {
        next_s += period_s;
        double behind_s = sim_mono_s() - next_s;
        if (behind_s > LATE_MAX * period_s) {
            /* the machine was away: go on from now, count what is missing */
            double n = floor(behind_s / period_s);
            sim->n_late += (uint64_t)n;
            next_s += n * period_s;
        }
        sleep_to(next_s);
        sim_site_advance(sim->s, next_s, sim_utc_ms());
        if (terminal && next_s >= status_s) {
            status_s = next_s + 1.0;
            print_status(sim, "\033[K\r");
        }
    }
    print_status(sim, terminal ? "\033[K\n" : "\n");
    if (sim->n_late > 0) {
        printf("%llu periods of %g ms were left out: this machine is too "
               "slow, or was asleep\n",
               (unsigned long long)sim->n_late, period_s * 1e3);
    }
}

static int run(const struct options *o, const char *path)
{
    struct sim sim = {.site = site_file_load(path)};
    if (sim.site == NULL) {
        return EXIT_USAGE;
    }
    if (!open_load(&sim, o)) {
        free(sim.site);
        return EXIT_USAGE;
    }
    catch_signals();
    bool ok = start(&sim, o);
    if (ok) {
        print_devices(&sim, o->speed);
        sim.until_s = o->for_s > 0.0 ? sim_mono_s() + o->for_s : INFINITY;
        play(&sim);
    }
    stop(&sim);
    free(sim.site);
    return ok ? EXIT_DONE : EXIT_USAGE;
}

int sim_main(int argc, char **argv)
{
    struct options o = {.scale = 1.0, .speed = 1.0, .seed = 1};
    const struct cli_option options[] = {
        {"load", CLI_TEXT, &o.load, "FILE",
         "what the pods draw uncapped: a CSV trace, or gen:training|inference|"
         "mixed[,seed=N][,days=D] (default: gen:training)"},
        {"column", CLI_TEXT, &o.column, "C",
         "power column of the trace (default: the first)"},
        {"where", CLI_TEXTS, &o.where, "COL=VALUE",
         "only these rows of the trace; may be given several times"},
        {"scale", CLI_NUMBER, &o.scale, "X", "multiplies the load"},
        {"from", CLI_DURATION, &o.from_s, "DURATION",
         "begin so far into the load (default: at its start)"},
        {"speed", CLI_NUMBER, &o.speed, "X",
         "load, batteries and cars run X times as fast; leases and heartbeats "
         "stay real (default: 1)"},
        {"for", CLI_DURATION, &o.for_s, "DURATION",
         "stop after it (default: at Ctrl-C)"},
        {"seed", CLI_COUNT, &o.seed, "N",
         "of the built-in load, the cars and the prices (default: 1)"},
    };
    const struct cli cli = {
        .command = "sim",
        .args = "SITE",
        .about = "Plays the devices of a site file on real sockets: batteries "
                 "and the meter as\nSunSpec devices over Modbus TCP, pods, "
                 "cars and a synthetic price feed over MQTT\n(the broker must "
                 "be running).  Faults come as JSON on "
                 "ballast/v1/SITE/sim/set:\n" SIM_FAULTS_TEXT
                 "trip: its breaker opens; local: it takes no set-points; "
                 "silent: it answers nothing;\nunits: how many are left; "
                 "load_w: what the pods draw uncapped, null as before;\n"
                 "island: the breaker at the grid connection opens, and its "
                 "relay says so on\nballast/v1/SITE/utility/limit; fed_w: what "
                 "others feed in then.",
        .example = "  ballast sim replay/sites/demo.yaml --speed 10\n"
                   "  mosquitto_pub -p 18830 -t ballast/v1/demo/sim/set "
                   "-m '{\"battery\":\"megablock1\",\"trip\":true}'\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_args = 1,
        .max_args = 1,
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    if (!(o.speed > 0.0 && o.speed <= 1e4) || !(o.scale > 0.0)) {
        cli_error("sim", "--speed: expected more than 0, at most 10000; "
                         "--scale: more than 0");
        return EXIT_USAGE;
    }
    return run(&o, argv[1]);
}
