/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/mqtt_worker.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/clock.h"
#include "controller/log.h"

/* After a tick: until its commands are posted. */
static const double AFTER_TICK_S = 0.002;

/* Commands that waited longer were decided before a pause of the process. */
static const int64_t COMMAND_MAX_AGE_MS = 2000;

/* Between two warnings of what the utility said and is not kept. */
static const int64_t UTILITY_QUIET_MS = 60000;

struct mqtt_worker {
    struct mqtt_worker_cfg cfg;
    struct mqtt *mqtt;
    struct mqtt_inputs *in;
    struct mqtt_report report;
    int64_t kept_mono_ms[SITE_PRICES_MAX]; /* of the price kept last */
    int64_t post_ns;                       /* last post of the inputs */
    bool dirty;                            /* inputs changed since */
    bool was_up;
    uint64_t n_utility_told; /* of the counts' n_utility_refused */
    int64_t utility_mono_ms; /* not before: the next warning */
    pthread_t thread;
    bool started;
    atomic_bool stop;
};

static void keep_prices(struct mqtt_worker *w)
{
    const struct site *site = w->cfg.site;
    for (int i = 0; i < site->n_prices && w->cfg.historian != NULL; i++) {
        const struct price_in *p = &w->in->prices[i];
        if (p->mono_ms != w->kept_mono_ms[i]) {
            w->kept_mono_ms[i] = p->mono_ms;
            const struct kept_price heard = {*p, clock_utc_ms()};
            historian_keep_price(w->cfg.historian, site->prices[i].market,
                                 &heard);
        }
    }
}

static void post_inputs(struct mqtt_worker *w)
{
    const struct site *site = w->cfg.site;
    struct mqtt_inputs *to = mailbox_slot(&w->cfg.ports->mqtt.inputs);
    memcpy(to->pods, w->in->pods, (size_t)site->n_pods * sizeof(to->pods[0]));
    memcpy(to->prices, w->in->prices, sizeof(to->prices));
    memcpy(to->utility, w->in->utility, sizeof(to->utility));
    memcpy(to->jobs, w->in->jobs, sizeof(to->jobs));
    to->n_nodes = site->n_nodes;
    memcpy(to->nodes, w->in->nodes,
           (size_t)site->n_nodes * sizeof(to->nodes[0]));
    mailbox_post(&w->cfg.ports->mqtt.inputs);
    w->post_ns = clock_mono_ns();
    w->dirty = false;
}

static void tell_link(struct mqtt_worker *w)
{
    const struct link_state *link = &w->report.link;
    if (link->up == w->was_up) {
        return;
    }
    const struct site_mqtt *at = &w->cfg.site->mqtt;
    log_line(link->up ? LOG_INFO : LOG_WARN, "broker", "broker %s:%d: %s%s%s",
             at->host, at->port,
             link->up ? "connected" : "connection lost, trying again",
             link->last_error[0] != '\0' ? ": " : "", link->last_error);
    w->was_up = link->up;
}

/* Somebody asked for something and believes it was heard. */
static void tell_utility(struct mqtt_worker *w, int64_t mono_ms)
{
    const struct mqtt_counts *c = &w->report.counts;
    uint64_t n = c->n_utility_refused - w->n_utility_told;
    if (n == 0 || mono_ms < w->utility_mono_ms) {
        return;
    }
    char more[64] = "";
    if (n > 1) {
        snprintf(more, sizeof(more), " (the last of %" PRIu64 ")", n);
    }
    log_line(LOG_WARN, NULL, "refused what the utility said: %s%s",
             c->utility_error, more);
    w->n_utility_told = c->n_utility_refused;
    w->utility_mono_ms = mono_ms + UTILITY_QUIET_MS;
}

static void report(struct mqtt_worker *w, int64_t mono_ms)
{
    if (w->report.link.up) {
        w->report.up_mono_ms = mono_ms;
    }
    mqtt_counts(w->mqtt, &w->report.counts);
    mailbox_send(&w->cfg.ports->mqtt.report, &w->report);
    tell_link(w);
    tell_utility(w, mono_ms);
}

/* Until something arrives, inputs wait to be posted, or commands are ready. */
static double wait_s(const struct mqtt_worker *w)
{
    double period_s = w->cfg.site->control.period_s;
    int64_t now_ns = clock_mono_ns();
    int64_t tick_ns = atomic_load(&w->cfg.ports->next_tick_ns);
    double s = (double)(tick_ns - now_ns) / 1e9 + AFTER_TICK_S;
    s = s < AFTER_TICK_S / 2.0 ? period_s / 2.0 : fmin(s, period_s);
    if (w->dirty) {
        double since_s = (double)(now_ns - w->post_ns) / 1e9;
        s = fmin(s, fmax(period_s / 4.0 - since_s, 0.001));
    }
    return s;
}

static void pass(struct mqtt_worker *w)
{
    struct mqtt_port *port = &w->cfg.ports->mqtt;
    int64_t mono_ms = clock_mono_ms();
    int64_t utc_ms = clock_utc_ms();
    unsigned changed =
        mqtt_pass(w->mqtt, mono_ms, utc_ms, w->in, &w->report.link);
    w->dirty = w->dirty || changed != 0;
    /* thousands of nodes speak one by one: copy them together */
    double since_s = (double)(clock_mono_ns() - w->post_ns) / 1e9;
    if (w->dirty && since_s >= w->cfg.site->control.period_s / 4.0) {
        post_inputs(w);
    }
    if (changed & MQTT_PRICES) {
        keep_prices(w);
    }
    const struct step_out *out = mailbox_fetch(&port->commands);
    if (out != NULL && utc_ms - out->record.utc_ms <= COMMAND_MAX_AGE_MS) {
        mqtt_command(w->mqtt, mono_ms, utc_ms, out);
    }
    const char *status = mailbox_fetch(&port->status);
    if (status != NULL) {
        mqtt_status(w->mqtt, status);
    }
    report(w, mono_ms);
}

static void *run(void *arg)
{
    struct mqtt_worker *w = arg;
    while (!atomic_load(&w->stop)) {
        mqtt_wait(w->mqtt, wait_s(w));
        pass(w);
    }
    return NULL;
}

static enum err start(struct mqtt_worker *w, char *why, size_t why_size)
{
    const struct site *site = w->cfg.site;
    w->in = calloc(1, mqtt_inputs_size(site->n_nodes));
    if (w->in == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    w->in->n_nodes = site->n_nodes;
    for (int i = 0; i < site->n_prices && w->cfg.prices != NULL; i++) {
        w->in->prices[i] = w->cfg.prices[i];
        w->kept_mono_ms[i] = w->cfg.prices[i].mono_ms;
    }
    enum err e = mqtt_open(site, w->cfg.shadow, &w->mqtt, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    w->started = pthread_create(&w->thread, NULL, run, w) == 0;
    if (!w->started) {
        snprintf(why, why_size, "no thread for MQTT");
        return ERR_IO;
    }
    return ERR_NONE;
}

enum err mqtt_worker_open(const struct mqtt_worker_cfg *cfg,
                          struct mqtt_worker **out, char *why, size_t why_size)
{
    struct mqtt_worker *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    w->cfg = *cfg;
    atomic_init(&w->stop, false);
    enum err e = start(w, why, why_size);
    if (e != ERR_NONE) {
        mqtt_worker_close(w);
        return e;
    }
    *out = w;
    return ERR_NONE;
}

void mqtt_worker_close(struct mqtt_worker *w)
{
    atomic_store(&w->stop, true);
    if (w->started) {
        pthread_join(w->thread, NULL);
    }
    if (w->mqtt != NULL) {
        mqtt_close(w->mqtt);
    }
    free(w->in);
    free(w);
}
