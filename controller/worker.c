/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/worker.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/clock.h"
#include "controller/lease.h"
#include "controller/log.h"

enum { DEVICES_MAX = SITE_BATTERIES_MAX + 1 };

static const double RESPONSE_S = 1.0;
static const double LEAD_MIN_S = 0.01; /* of a pass before the tick */

struct worked {
    char name[SITE_NAME_MAX];
    struct device_cfg cfg;
    struct device *device;
    struct device_port *port;
    struct lease lease;
    struct device_values values;
    struct device_report report;
    bool was_up;
    bool was_fallback;
};

struct worker {
    struct workers *all;
    struct waker wake;
    struct worked *devices[DEVICES_MAX];
    int n_devices;
    double pass_s; /* of all devices, a peak that decays */
    int64_t read_ns;
    pthread_t thread;
    bool started;
};

struct workers {
    struct workers_cfg cfg;
    double period_s;
    double expiry_s;
    struct worked devices[DEVICES_MAX];
    int n_devices;
    struct worker workers[DEVICES_MAX];
    int n_workers;
    atomic_bool stop;
};

static void tell_changes(struct worked *d)
{
    const struct link_state *link = &d->report.link;
    if (link->up != d->was_up) {
        enum log_level level = link->up ? LOG_INFO : LOG_WARN;
        log_line(level, d->name, "%s: %s%s%s", d->name,
                 link->up ? "answers" : "no longer answers",
                 link->last_error[0] != '\0' ? ": " : "", link->last_error);
        d->was_up = link->up;
    }
    if (d->lease.fallback != d->was_fallback) {
        const struct battery_command *c = &d->lease.posted.command;
        if (d->lease.fallback) {
            log_line(LOG_ERROR, d->name,
                     "%s: no command from the control thread: going from %.0f "
                     "W to the fallback of %.0f W by itself",
                     d->name, c->set_w, c->fallback_w);
        } else {
            log_line(LOG_INFO, d->name, "%s: under command again", d->name);
        }
        d->was_fallback = d->lease.fallback;
    }
}

static void pass(struct worker *w, struct worked *d,
                 const struct device_lease *posted)
{
    int64_t mono_ms = clock_mono_ms();
    const struct device_lease *lease =
        lease_step(&d->lease, w->all->expiry_s, posted, mono_ms);
    struct link_state *link = &d->report.link;
    enum err e =
        w->all->cfg.ops->pass(d->device, mono_ms, lease, &d->values, link);
    if (e == ERR_NONE && link->up) {
        d->report.up_mono_ms = mono_ms;
    }
    d->report.fallback = d->lease.fallback;
    d->report.set_w = lease->command.set_w;
    mailbox_send(&d->port->values, &d->values);
    mailbox_send(&d->port->report, &d->report);
    tell_changes(d);
}

/* When the next pass of all devices is due: a little before a tick of the
 * loop, at least half a period after the last.  A loop that has stopped
 * ticking leaves its phase behind. */
static int64_t next_read_ns(const struct worker *w)
{
    int64_t period_ns = llround(w->all->period_s * 1e9);
    double lead_s =
        fmin(fmax(1.5 * w->pass_s + 0.004, LEAD_MIN_S), w->all->period_s / 2.0);
    int64_t due_ns = atomic_load_explicit(&w->all->cfg.ports->next_tick_ns,
                                          memory_order_relaxed) -
                     llround(lead_s * 1e9);
    int64_t first_ns = w->read_ns + period_ns / 2;
    if (due_ns < first_ns) {
        int64_t n = (first_ns - due_ns + period_ns - 1) / period_ns;
        due_ns += n * period_ns;
    }
    return due_ns;
}

/* Every device once, whatever it has been told. */
static void pass_all(struct worker *w)
{
    int64_t start_ns = clock_mono_ns();
    for (int i = 0; i < w->n_devices && !atomic_load(&w->all->stop); i++) {
        pass(w, w->devices[i], mailbox_fetch(&w->devices[i]->port->lease));
    }
    double took_s = (double)(clock_mono_ns() - start_ns) / 1e9;
    w->pass_s = fmax(took_s, 0.9 * w->pass_s);
    w->read_ns = start_ns;
}

/* Those that have a new set-point, at once. */
static void pass_commanded(struct worker *w)
{
    for (int i = 0; i < w->n_devices; i++) {
        struct worked *d = w->devices[i];
        const struct device_lease *posted = mailbox_fetch(&d->port->lease);
        if (posted != NULL && lease_differs(&d->lease, posted)) {
            pass(w, d, posted);
        } else if (posted != NULL) {
            lease_step(&d->lease, w->all->expiry_s, posted, clock_mono_ms());
        }
    }
}

static void *run(void *arg)
{
    struct worker *w = arg;
    while (!atomic_load(&w->all->stop)) {
        int64_t due_ns = next_read_ns(w);
        double wait_s = (double)(due_ns - clock_mono_ns()) / 1e9;
        if (wait_s > 0.0 && waker_wait(&w->wake, wait_s)) {
            pass_commanded(w);
        }
        if (clock_mono_ns() >= due_ns) {
            pass_all(w);
        }
    }
    return NULL;
}

static struct worker *worker_for(struct workers *all,
                                 const struct site_modbus *at)
{
    for (int i = 0; i < all->n_workers; i++) {
        const struct site_modbus *other = &all->workers[i].devices[0]->cfg.at;
        if (other->port == at->port && strcmp(other->host, at->host) == 0) {
            return &all->workers[i];
        }
    }
    struct worker *w = &all->workers[all->n_workers];
    if (waker_init(&w->wake) != ERR_NONE) {
        return NULL;
    }
    w->all = all;
    all->n_workers++;
    return w;
}

static enum err add_device(struct workers *all, const char *name,
                           const struct device_cfg *cfg,
                           struct device_port *port, char *why, size_t why_size)
{
    struct worked *d = &all->devices[all->n_devices];
    snprintf(d->name, sizeof(d->name), "%s", name);
    d->cfg = *cfg;
    d->port = port;
    char reason[ADAPTER_TEXT_MAX] = "";
    enum err e = all->cfg.ops->open(cfg, &d->device, reason, sizeof(reason));
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s: %s", name,
                 reason[0] != '\0' ? reason : err_text(e));
        return e;
    }
    all->n_devices++;
    struct worker *w = worker_for(all, &cfg->at);
    if (w == NULL) {
        snprintf(why, why_size, "%s: no pipe for its worker", name);
        return ERR_IO;
    }
    w->devices[w->n_devices++] = d;
    port->wake = &w->wake;
    return ERR_NONE;
}

static enum err add_all(struct workers *all, char *why, size_t why_size)
{
    const struct site *site = all->cfg.site;
    struct device_cfg cfg = {
        .role = DEVICE_METER,
        .at = site->grid.meter,
        .map_dir = all->cfg.map_dir,
        .read_only = all->cfg.shadow,
        .response_s = RESPONSE_S,
    };
    enum err e = ERR_NONE;
    if (site->grid.meter.present) {
        e = add_device(all, "meter", &cfg, &all->cfg.ports->meter, why,
                       why_size);
    }
    cfg.role = DEVICE_BATTERY;
    for (int i = 0; i < site->n_batteries && e == ERR_NONE; i++) {
        const struct site_battery *b = &site->batteries[i];
        cfg.at = b->modbus;
        cfg.charge_max_w = b->charge_max_w;
        cfg.discharge_max_w = b->discharge_max_w;
        if (b->modbus.present) {
            e = add_device(all, b->name, &cfg, &all->cfg.ports->batteries[i],
                           why, why_size);
        }
    }
    return e;
}

enum err workers_open(const struct workers_cfg *cfg, struct workers **out,
                      char *why, size_t why_size)
{
    struct workers *all = calloc(1, sizeof(*all));
    if (all == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    all->cfg = *cfg;
    all->period_s = cfg->site->control.period_s;
    all->expiry_s = lease_expiry_s(all->period_s);
    atomic_init(&all->stop, false);
    enum err e = add_all(all, why, why_size);
    if (e != ERR_NONE) {
        workers_close(all);
        return e;
    }
    *out = all;
    return ERR_NONE;
}

enum err workers_start(struct workers *all)
{
    for (int i = 0; i < all->n_workers; i++) {
        struct worker *w = &all->workers[i];
        w->read_ns = clock_mono_ns() - llround(all->period_s * 1e9);
        if (pthread_create(&w->thread, NULL, run, w) != 0) {
            return ERR_IO;
        }
        w->started = true;
    }
    return ERR_NONE;
}

void workers_close(struct workers *all)
{
    atomic_store(&all->stop, true);
    for (int i = 0; i < all->n_workers; i++) {
        waker_ring(&all->workers[i].wake);
    }
    for (int i = 0; i < all->n_workers; i++) {
        if (all->workers[i].started) {
            pthread_join(all->workers[i].thread, NULL);
        }
        waker_clear(&all->workers[i].wake);
    }
    for (int i = 0; i < all->n_devices; i++) {
        all->devices[i].port->wake = NULL;
        all->cfg.ops->close(all->devices[i].device);
    }
    free(all);
}
