/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/demo.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/cli.h"
#include "controller/site_file.h"
#include "controller/status.h"
#include "models/units.h"
#include "replay/demo_child.h"
#include "replay/demo_event.h"
#include "replay/demo_screen.h"
#include "replay/demo_setup.h"
#include "replay/sim_clock.h"

static const char FOLDER[] = "ballast-demo";

/* The first job of the built-in load starts 57 s into it: a look at the idle
 * site, then the first large edge. */
static const char LOAD_FROM[] = "42s";

static const double PATIENCE_S = 10.0; /* with a child that shall end */
static const double START_S = 20.0;    /* with a child that shall answer */
static const double LOOK_S = 0.25;
static const double PLAIN_S = 2.0;

enum { BROKER, SIM, RUN, CHILDREN };

struct demo {
    bool plain;
    struct demo_event_cfg plays;
    double for_s;
    struct demo_event *utility;
    struct site *site;
    char site_path[PATH_MAX];
    char program[PATH_MAX];
    char mosquitto[PATH_MAX];
    char socket[SITE_TEXT_MAX + 8];
    struct demo_child children[CHILDREN];
    struct screen screen;
    struct screen_extremes extremes;
};

static volatile sig_atomic_t stops;

static void on_signal(int sig)
{
    (void)sig;
    stops = 1;
}

static void catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction a = {.sa_handler = on_signal};
    sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaction(signals[i], &a, NULL);
    }
}

static void nap(double s)
{
    struct timespec t = {.tv_sec = (time_t)s};
    t.tv_nsec = (long)((s - (double)t.tv_sec) * 1e9);
    nanosleep(&t, NULL); /* a signal ends it early */
}

/* The shipped site file and this program, by paths that hold in any folder. */
static bool find_files(struct demo *d)
{
    const char *folder = cli_data_dir("sites");
    char here[PATH_MAX] = "";
    if (folder[0] != '/' && getcwd(here, sizeof(here)) == NULL) {
        cli_error("demo", "the current folder: %s", strerror(errno));
        return false;
    }
    int length =
        snprintf(d->site_path, sizeof(d->site_path), "%s%s%s/demo.yaml", here,
                 here[0] != '\0' ? "/" : "", folder);
    ssize_t n = readlink("/proc/self/exe", d->program, sizeof(d->program) - 1);
    if (n <= 0 || length >= (int)sizeof(d->site_path)) {
        cli_error("demo", "cannot tell where this program lies");
        return false;
    }
    d->program[n] = '\0';
    return true;
}

/* Everything that can be known before the first process is started. */
static bool prepare(struct demo *d)
{
    if (!find_files(d)) {
        return false;
    }
    d->site = site_file_load(d->site_path);
    if (d->site == NULL) {
        return false;
    }
    status_path(d->site->history.file, d->socket, sizeof(d->socket));
    return demo_find_mosquitto(d->mosquitto, sizeof(d->mosquitto)) &&
           demo_ports_free(d->site) && demo_enter(FOLDER) &&
           demo_write_mosquitto("mosquitto.conf", d->site);
}

/* Says which child has ended and what it said last. */
static void report_end(const struct demo_child *c)
{
    char end[32];
    cli_error("demo", "%s ended by itself (%s); the end of %s/%s:", c->name,
              demo_child_end(c, end, sizeof(end)), FOLDER, c->log);
    demo_child_tail(c, stderr);
}

/* True while all children that were started run; tells of one that does not. */
static bool all_run(struct demo *d, int n)
{
    for (int i = 0; i < n; i++) {
        if (!demo_child_runs(&d->children[i])) {
            screen_close(&d->screen);
            report_end(&d->children[i]);
            return false;
        }
    }
    return true;
}

static bool broker_ready(const struct demo *d)
{
    return demo_port_answers(d->site->mqtt.port);
}

static bool sim_ready(const struct demo *d)
{
    return demo_port_answers(d->site->grid.meter.port);
}

static bool run_ready(const struct demo *d)
{
    char *json = NULL;
    struct view_status *s = malloc(sizeof(*s));
    bool ready = s != NULL && status_ask(d->socket, 1.0, &json) == ERR_NONE &&
                 view_read(json, s);
    free(s);
    free(json);
    return ready;
}

/* The three programs in the order of their start. */
static bool start(struct demo *d, int which)
{
    const char *const argvs[CHILDREN][8] = {
        [BROKER] = {d->mosquitto, "-c", "mosquitto.conf", NULL},
        [SIM] = {d->program, "sim", d->site_path, "--from", LOAD_FROM, NULL},
        [RUN] = {d->program, "run", d->site_path, NULL},
    };
    static bool (*const ready[CHILDREN])(const struct demo *) = {
        [BROKER] = broker_ready, [SIM] = sim_ready, [RUN] = run_ready};
    struct demo_child *c = &d->children[which];
    if (demo_child_start(c, argvs[which]) != ERR_NONE) {
        cli_error("demo", "cannot start %s: %s", c->name, strerror(errno));
        return false;
    }
    double until_s = sim_mono_s() + START_S;
    while (!stops && all_run(d, which + 1)) {
        if (ready[which](d)) {
            return true;
        }
        if (sim_mono_s() > until_s) {
            cli_error("demo",
                      "%s does not answer after %g s; the end of its "
                      "log:",
                      c->name, START_S);
            demo_child_tail(c, stderr);
            return false;
        }
        nap(0.1);
    }
    return false;
}

/* Shows the controller's status until it is time to stop; false where
 * something broke. */
static bool watch(struct demo *d)
{
    double start_s = sim_mono_s();
    double next_s = start_s;
    double missing_s = start_s; /* since when there is no status */
    double step_s = d->screen.open ? LOOK_S : PLAIN_S;
    while (!stops && !(d->for_s > 0.0 && next_s >= start_s + d->for_s)) {
        if (!all_run(d, CHILDREN)) {
            return false;
        }
        char *json = NULL;
        if (status_ask(d->socket, 1.0, &json) == ERR_NONE) {
            missing_s = sim_mono_s();
            screen_show(&d->screen, json, missing_s, &d->extremes);
            if (d->utility != NULL) {
                const char *said = demo_event_play(
                    d->utility, d->extremes.load_w, missing_s - start_s);
                screen_say(&d->screen, said);
            }
        }
        free(json);
        if (sim_mono_s() - missing_s > START_S) {
            screen_close(&d->screen);
            cli_error("demo", "the controller has not answered for %g s",
                      START_S);
            demo_child_tail(&d->children[RUN], stderr);
            return false;
        }
        next_s = fmax(next_s + step_s, sim_mono_s());
        nap(fmax(0.0, fmin(next_s - sim_mono_s(),
                           d->for_s > 0.0 ? start_s + d->for_s - sim_mono_s()
                                          : step_s)));
    }
    return true;
}

/* The last first: the controller must not see its devices vanish. */
static void stop_all(struct demo *d)
{
    for (int i = CHILDREN - 1; i >= 0; i--) {
        if (d->children[i].pid != 0) {
            demo_child_stop(&d->children[i], PATIENCE_S);
        }
    }
}

static void print_end(const struct demo *d)
{
    const struct screen_extremes *e = &d->extremes;
    char peak[32];
    if (e->n > 0) {
        printf("stopped; grid at most %s, ramp at most %.2f MW/min of %.2f\n",
               units_power_text(e->peak_w, peak, sizeof(peak)),
               e->ramp_w_per_s * 60e-6, d->site->grid.ramp_max_w_per_s * 60e-6);
    }
    printf("logs, history and recording: %s/\n"
           "next: ballast verify %s/%s.rec\n",
           FOLDER, FOLDER, d->site->history.file);
}

static int demo(struct demo *d)
{
    if (!prepare(d)) {
        return EXIT_USAGE;
    }
    catch_signals();
    if (!d->plain) {
        printf("starting mosquitto, ballast sim and ballast run in %s/ ...\n",
               FOLDER);
        fflush(stdout);
    }
    bool ok = demo_guard_start() == ERR_NONE;
    for (int i = 0; i < CHILDREN && ok && !stops; i++) {
        ok = start(d, i) || stops;
    }
    if (ok && !stops) {
        if (!d->plain) {
            screen_open(&d->screen);
        }
        bool plays = d->plays.event != NULL || d->plays.trip || d->plays.stop;
        d->utility = plays ? demo_event_open(d->site, &d->plays) : NULL;
        ok = watch(d) && (d->utility != NULL || !plays);
    }
    screen_close(&d->screen);
    if (d->utility != NULL) {
        demo_event_close(d->utility);
    }
    stop_all(d);
    demo_guard_stop();
    print_end(d);
    return ok ? EXIT_DONE : EXIT_USAGE;
}

int demo_main(int argc, char **argv)
{
    struct demo d = {
        .children = {[BROKER] = {.name = "mosquitto", .log = "mosquitto.log"},
                     [SIM] = {.name = "ballast sim", .log = "sim.log"},
                     [RUN] = {.name = "ballast run", .log = "run.log"}},
    };
    const struct cli_option options[] = {
        {"for", CLI_DURATION, &d.for_s, "DURATION",
         "stop after it (default: at Ctrl-C)"},
        {"event", CLI_WORD, &d.plays.event, "[KIND]",
         "after 40 s the utility asks: limit (default; 30 % less, from 2 min "
         "later on, for 3 min), setpoint, price, emergency (at once)"},
        {"trip", CLI_FLAG, &d.plays.trip, NULL,
         "after 40 s a battery trips under load, a minute later it is back"},
        {"stop", CLI_FLAG, &d.plays.stop, NULL,
         "after 55 s the whole cluster stops at once, 95 s later it starts "
         "again"},
        {"plain", CLI_FLAG, &d.plain, NULL,
         "a line every 2 s instead of the live view"},
    };
    const struct cli cli = {
        .command = "demo",
        .args = "",
        .about =
            "A whole site on this machine: mosquitto, the simulated devices "
            "and the controller,\nwith a live view.  Works in ./ballast-demo/; "
            "Ctrl-C stops everything.",
        .example = "  ballast demo --for 10min\n",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    int n_args = 0;
    int code = cli_parse(&cli, argc, argv, &n_args);
    if (code >= 0) {
        return code;
    }
    struct demo_ask ask;
    if (d.plays.event != NULL && !demo_event_ask(d.plays.event, 1e6, 0, &ask)) {
        cli_error("demo", "--event: \"%s\": expected one of %s", d.plays.event,
                  demo_event_kinds);
        return EXIT_USAGE;
    }
    d.plain = d.plain || !screen_fits();
    code = demo(&d);
    free(d.site);
    return code;
}
