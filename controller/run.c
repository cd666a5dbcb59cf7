/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "adapters/mqtt_rival.h"
#include "controller/cli.h"
#include "controller/clock.h"
#include "controller/controller.h"
#include "controller/log.h"
#include "controller/site_file.h"
#include "controller/site_notes.h"

enum { LOOK_EVERY_MS = 250 };

/* libmodbus waits with select(), which cannot watch descriptors beyond. */
enum { DESCRIPTORS_MAX = 1024 };

static void print_fault(void *user, const char *message)
{
    (void)user;
    fprintf(stderr, "%s\n", message);
}

static bool load_site(struct controller *c)
{
    size_t size = 0;
    enum err e = site_file_read(c->site_path, &c->site_text, &size);
    if (e != ERR_NONE) {
        cli_error("run", "%s: %s", c->site_path,
                  e == ERR_IO ? strerror(errno) : err_text(e));
        return false;
    }
    c->site = calloc(1, sizeof(*c->site));
    if (c->site == NULL) {
        cli_error("run", "%s", err_text(ERR_MEMORY));
        return false;
    }
    e = site_file_parse(c->site_path, c->site_text, size, c->site, print_fault,
                        NULL);
    if (e != ERR_NONE) {
        cli_error("run",
                  "%s: not started; mend the faults above, 'ballast "
                  "check %s' tells when it is well",
                  c->site_path, c->site_path);
    }
    return e == ERR_NONE;
}

/* One controller per history file: two would fight over the devices. */
static bool take_lock(struct controller *c)
{
    char path[CONTROLLER_PATH_MAX];
    snprintf(path, sizeof(path), "%s.lock", c->site->history.file);
    c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock_fd < 0) {
        cli_error("run",
                  "%s: %s; history.file of the site file must lie in a "
                  "folder that can be written",
                  path, strerror(errno));
        return false;
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(c->lock_fd, F_SETLK, &whole) != 0) {
        struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        fcntl(c->lock_fd, F_GETLK, &other);
        cli_error("run",
                  "a controller already runs with this history file "
                  "(process %ld holds %s); stop it, or give this site "
                  "another history.file",
                  (long)other.l_pid, path);
        return false;
    }
    return true;
}

static void limit_descriptors(void)
{
    struct rlimit r = {0};
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur > DESCRIPTORS_MAX) {
        r.rlim_cur = DESCRIPTORS_MAX;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int n_wired(const struct site *s)
{
    int n = 0;
    for (int i = 0; i < s->n_batteries; i++) {
        n += s->batteries[i].modbus.present ? 1 : 0;
    }
    return n;
}

/* False, after a message, where no device could ever be reached. */
static bool reaches_something(const struct controller *c)
{
    const struct site *s = c->site;
    if (s->mqtt.present || s->grid.meter.present || n_wired(s) > 0) {
        return true;
    }
    cli_error("run",
              "%s: not started: it reaches no device; give a battery or "
              "grid.meter its modbus section, or the site its mqtt section "
              "('ballast help site'); 'ballast replay' needs neither",
              c->site_path);
    return false;
}

static void warn(void *user, const char *note)
{
    (void)user;
    log_line(LOG_WARN, NULL, "%s", note);
}

static void say_start(const struct controller *c)
{
    const struct site *s = c->site;
    int batteries = n_wired(s);
    int pods = s->mqtt.present ? s->n_pods : 0;
    int cars = s->mqtt.present ? s->n_nodes : 0;
    log_line(LOG_INFO, NULL,
             "%s: %s %d %s, %d pod%s and %d vehicle%s every %g ms, meter %s, "
             "broker %s",
             s->name,
             c->options.shadow ? "watching, in shadow: nothing is written to"
                               : "controlling",
             batteries, batteries == 1 ? "battery" : "batteries", pods,
             pods == 1 ? "" : "s", cars, cars == 1 ? "" : "s",
             s->control.period_s * 1e3,
             s->grid.meter.present ? s->grid.meter.host
                                   : "none (sum of the assets)",
             s->mqtt.present ? s->mqtt.host : "none");
    site_notes(s, warn, NULL);
}

/* What the devices do from now on, of those that there are. */
static void tell_leases(const struct site *s, char *out, size_t size)
{
    int batteries = n_wired(s);
    int pods = s->mqtt.present ? s->n_pods : 0;
    const char *battery =
        batteries == 0   ? ""
        : batteries == 1 ? "the battery's lease runs out by its own timer"
                         : "the batteries' leases run out by their own timers";
    const char *pod = pods == 0   ? ""
                      : pods == 1 ? "the pod holds its cap and then goes to "
                                    "its safe power"
                                  : "the pods hold their caps and then go to "
                                    "their safe power";
    snprintf(out, size, "%s%s%s", battery,
             batteries > 0 && pods > 0 ? ", " : "", pod);
    if (out[0] == '\0') {
        snprintf(out, size, "no battery and no pod was commanded");
    }
}

static void say_stop(const struct controller *c, const char *because)
{
    char what[200] = "nothing was written to devices";
    if (!c->options.shadow) {
        tell_leases(c->site, what, sizeof(what));
    }
    log_line(LOG_INFO, NULL, "stopping: %s; %s", because, what);
    if (c->historian != NULL) {
        historian_event(c->historian, clock_utc_ms(), "stop", c->site->name,
                        because);
    }
}

static void publish(struct controller *c, const struct watched *w)
{
    char *json = status_json(w);
    if (json != NULL) {
        status_server_set(c->server, json);
    }
}

static void publish_short(struct controller *c, const struct watched *w)
{
    struct mailbox *box = &c->ports->mqtt.status;
    status_short_json(w, mailbox_slot(box), STATUS_SHORT_MAX);
    mailbox_post(box);
}

/* The supervisor: looks, judges, publishes, until told to stop.  Returns why
 * it stopped. */
static const char *supervise(struct controller *c, const sigset_t *stops)
{
    int64_t start_ms = clock_mono_ms();
    int64_t published_ms = 0;
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        const struct watched *w = watch_look(c->watch, now_ms, clock_utc_ms());
        controller_ledgers(c);
        if (w->ticking) {
            publish(c, w);
        }
        if (w->ticking &&
            (published_ms == 0 ||
             (double)(now_ms - published_ms) / 1e3 >= MQTT_HEARTBEAT_S)) {
            publish_short(c, w);
            published_ms = now_ms;
        }
        if (c->options.for_s > 0.0 &&
            (double)(now_ms - start_ms) / 1e3 >= c->options.for_s) {
            return "the time of --for is over";
        }
        int signal_no = sigtimedwait(stops, NULL, &pause);
        if (signal_no > 0) {
            return signal_no == SIGINT ? "interrupted" : "told to terminate";
        }
    }
}

static int run(struct controller *c)
{
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stops, NULL); /* threads inherit it */
    limit_descriptors();
    if (!load_site(c) || !reaches_something(c) || !take_lock(c)) {
        return EXIT_USAGE;
    }
    say_start(c);
    if (!controller_open(c)) {
        return EXIT_USAGE;
    }
    historian_event(c->historian, clock_utc_ms(), "start", c->site->name,
                    c->options.shadow ? "in shadow" : "in control");
    c->because = supervise(c, &stops);
    say_stop(c, c->because);
    return EXIT_DONE;
}

int run_main(int argc, char **argv)
{
    struct controller c = {.lock_fd = -1};
    const struct cli_option options[] = {
        {"shadow", CLI_FLAG, &c.options.shadow, NULL,
         "read everything, write nothing to devices"},
        {"for", CLI_DURATION, &c.options.for_s, "DURATION",
         "stop by itself after that time"},
        {"take-over", CLI_FLAG, &c.options.take_over, NULL,
         "start although another controller announces itself at the broker"},
        {"record", CLI_TEXT, &c.options.record, "FILE",
         "recording; default history.file with .rec"},
        {"no-record", CLI_FLAG, &c.options.no_record, NULL,
         "no recording for 'ballast verify'"},
    };
    const struct cli cli = {
        .command = "run",
        .args = "SITE",
        .about = "Controls a site until it is told to stop (Ctrl-C, "
                 "SIGTERM).\n'ballast status SITE' shows how things stand.",
        .example = "  ballast run site.yaml --shadow --for '10 min'\n",
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
    if (c.options.record != NULL && c.options.no_record) {
        cli_error("run", "--record and --no-record exclude each other");
        return EXIT_USAGE;
    }
    c.site_path = argv[1];
    code = run(&c);
    controller_close(&c);
    return code;
}
