/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_worker.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/openadr.h"
#include "adapters/openadr_hook.h"
#include "controller/clock.h"
#include "controller/log.h"
#include "controller/openadr_bases.h"
#include "controller/openadr_reports.h"
#include "controller/openadr_show.h"
#include "policies/dr_meaning.h"

enum {
    ROWS_MAX = 2048,
};

static const double LOOK_S = 1.0;     /* between two samples of the grid */
static const double MEAN_S = 60.0;    /* between two looks at the clock alone */
static const double REQUEST_S = 10.0; /* time-out of one request */
static const double NOTICE_S = 1.0;   /* between two passes, told or not */
static const double LOST_S = 300.0;   /* then the link counts as lost */
/* No power beyond these is believed, of the breaker's limit. */
static const double POWER_MOST = 10.0;
static const double POWER_LEAST = 1e-3;

struct openadr_worker {
    struct openadr_worker_cfg cfg;
    struct openadr *ven;
    struct openadr_hook *hook; /* NULL where nothing listens */
    char bearer[OPENADR_BEARER_MAX];
    unsigned long long n_outages; /* of the grid, seen */
    bool relist;                  /* since one nothing was listed */
    bool relisted;                /* now it was */
    struct openadr_report_view report;
    struct dr_rows rows;
    struct dr_rows taken; /* without what the operator has opted out of */
    struct override_book overrides;
    struct openadr_figures figures;
    struct openadr_bases bases;
    struct openadr_reports *reports;
    int64_t up_mono_ms; /* last complete listing; start of the thread */
    uint64_t version;
    bool was_up;
    struct waker wake;
    bool waking;
    pthread_t thread;
    bool started;
    atomic_bool stop;
};

/* The rows of all events, and of those that are not opted out of. */
static void make_rows(struct openadr_worker *w, const struct dr_window window)
{
    static const struct dr_event out = {.fault = "opted out"};
    const struct openadr_events *events = openadr_events(w->ven);
    const struct dr_event *taken[OPENADR_EVENTS_MAX];
    for (int64_t i = 0; i < events->n; i++) {
        const struct dr_event *e = events->list[i];
        taken[i] =
            override_opted_out(&w->overrides, e->id, window.from_ms) ? &out : e;
    }
    dr_rows_make(&w->rows, events->list, events->n, window);
    dr_rows_make(&w->taken, taken, events->n, window);
}

/* Whenever the events changed, the link was lost, or time went on. */
static void mean(struct openadr_worker *w, int64_t mono_ms, int64_t utc_ms)
{
    const struct site *site = w->cfg.site;
    const struct openadr_events *events = openadr_events(w->ven);
    double base_w[OPENADR_EVENTS_MAX];
    openadr_bases_make(&w->bases, events, utc_ms, base_w);
    double lost_s = (double)(mono_ms - w->up_mono_ms) / 1e3;
    struct dr_meaning_terms terms = {
        .now_ms = utc_ms,
        .until_ms = utc_ms + (int64_t)(site->control.horizon_s * 1e3),
        .subscribed_w = site->utility.subscribed_import_w,
        .lost = lost_s > LOST_S,
        .base_w = base_w,
    };
    terms.outage = w->relist;
    terms.reserve_pu = site->utility.reserve_pu;
    memcpy(terms.shed_pu, site->utility.shed_pu, sizeof(terms.shed_pu));
    const struct dr_window window = {terms.now_ms, terms.until_ms};
    make_rows(w, window);
    terms.taken = &w->taken;
    struct openadr_inputs *to = mailbox_slot(&w->cfg.ports->openadr.inputs);
    memset(to, 0, sizeof(*to));
    struct dr_meaning_out out = {.list = to->utility, .max = UTILITY_OPENADR};
    dr_meaning_instruct(&w->rows, events->list, &terms, &out);
    to->n = out.n;
    to->priced =
        dr_meaning_price(&w->taken, DR_PRICE, &terms, mono_ms, &to->price);
    mailbox_post(&w->cfg.ports->openadr.inputs);
    w->report.n_left_out = out.cut || w->rows.full || w->taken.full;
    openadr_show(&w->report, &w->rows, events, &w->overrides);
}

static void tell_link(struct openadr_worker *w)
{
    const struct link_state *link = &w->report.link;
    if (link->up == w->was_up) {
        return;
    }
    log_line(link->up ? LOG_INFO : LOG_WARN, "openadr", "%s: %s%s%s",
             w->cfg.site->utility.base,
             link->up ? "connected" : "connection lost, trying again",
             link->last_error[0] != '\0' ? ": " : "", link->last_error);
    w->was_up = link->up;
}

static void tell_events(struct openadr_worker *w)
{
    const struct openadr_events *events = openadr_events(w->ven);
    if (events->version == w->version) {
        return;
    }
    w->version = events->version;
    if (w->cfg.overrides != NULL) {
        overrides_know(w->cfg.overrides, events->list, events->n);
    }
    for (int64_t i = 0; i < events->n; i++) {
        const struct dr_event *e = events->list[i];
        bool bad = e->fault[0] != '\0';
        bool twice = !bad && dr_timing_overlaps(&e->timing);
        log_line(bad || twice ? LOG_WARN : LOG_INFO, e->id,
                 "event %s \"%s\"%s%s%s", e->id, e->name,
                 bad ? " is not acted on: " : "", e->fault,
                 twice ? OPENADR_CONTRADICTS : "");
    }
    if (events->n == 0) {
        log_line(LOG_INFO, "openadr", "no events");
    }
}

/* Returns in how many seconds the next pass is due. */
static double pass(struct openadr_worker *w)
{
    int64_t mono_ms = clock_mono_ms();
    double wait_s =
        openadr_pass(w->ven, mono_ms, clock_utc_ms(), &w->report.link);
    if (w->report.link.up) {
        w->up_mono_ms = mono_ms;
        w->relisted = w->relist;
        w->relist = false;
    }
    struct openadr_report_view *r = &w->report;
    snprintf(r->push, sizeof(r->push), "%s", openadr_push_text(w->ven));
    snprintf(r->push_trouble, sizeof(r->push_trouble), "%s",
             openadr_push_trouble(w->ven));
    tell_link(w);
    tell_events(w);
    return wait_s;
}

/* After an outage of the grid nothing that was limited before holds, until all
 * events were listed anew (Definition 3.1).  True where one has just been. */
static bool look_at_grid(struct openadr_worker *w)
{
    unsigned long long n = atomic_load(&w->cfg.ports->n_outages);
    bool news = n != w->n_outages;
    if (news) {
        w->n_outages = n;
        w->relist = true;
        log_line(LOG_WARN, "openadr",
                 "after an outage of the grid: limits are dropped, the "
                 "subscription holds until the events are listed again");
        mean(w, clock_mono_ms(), clock_utc_ms());
    }
    return news;
}

/* True where the operator has opted out of something that is asked now. */
static bool is_opted_out(const struct openadr_worker *w, int64_t utc_ms)
{
    const struct openadr_events *events = openadr_events(w->ven);
    for (int64_t i = 0; i < w->rows.n; i++) {
        const struct dr_row *r = &w->rows.rows[i];
        if (r->start_ms <= utc_ms && r->end_ms > utc_ms &&
            override_opted_out(&w->overrides, events->list[r->event]->id,
                               utc_ms)) {
            return true;
        }
    }
    return false;
}

/* True where the operator's overrides are others than before. */
static bool look_at_overrides(struct openadr_worker *w)
{
    struct override_book now = w->overrides;
    if (w->cfg.overrides != NULL) {
        overrides_copy(w->cfg.overrides, &now);
    }
    bool news = memcmp(&now, &w->overrides, sizeof(now)) != 0;
    w->overrides = now;
    return news;
}

/* Sample what reports tell, and send one that is due. */
static void report(struct openadr_worker *w)
{
    struct ports *ports = w->cfg.ports;
    double grid_w = atomic_load(&ports->grid_w);
    const struct openadr_reports_now now = {.utc_ms = clock_utc_ms(),
                                            .mono_ms = clock_mono_ms(),
                                            .bases = &w->bases};
    openadr_bases_sample(&w->bases, grid_w);
    const struct openadr_figures *news = mailbox_fetch(&ports->openadr.figures);
    if (news != NULL) {
        w->figures = *news;
        w->figures.opted_out = is_opted_out(w, now.utc_ms);
    }
    const struct openadr_sample sample = {
        .grid_w = grid_w,
        .figures = news != NULL ? &w->figures : NULL,
        .ahead = mailbox_fetch(&ports->openadr.ahead)};
    openadr_reports_sample(w->reports, now.utc_ms, &sample);
    if (w->report.link.up) {
        openadr_reports_pass(w->reports, w->ven, &now);
    }
}

static void *run(void *arg)
{
    struct openadr_worker *w = arg;
    double due_s = 0.0;
    double since_s = 0.0; /* the last pass */
    double stale_s = 0.0;
    w->up_mono_ms = clock_mono_ms();
    while (!atomic_load(&w->stop)) {
        uint64_t before = openadr_events(w->ven)->version;
        bool was_up = w->report.link.up;
        if (due_s <= 0.0) {
            due_s = pass(w);
            since_s = 0.0;
        }
        bool overridden = look_at_overrides(w);
        bool news = openadr_events(w->ven)->version != before ||
                    w->report.link.up != was_up || w->relisted || overridden;
        w->relisted = false;
        if (news || stale_s <= 0.0) {
            mean(w, clock_mono_ms(), clock_utc_ms());
            stale_s = MEAN_S;
        }
        mailbox_send(&w->cfg.ports->openadr.report, &w->report);
        int64_t from_ms = clock_mono_ms();
        bool told = waker_wait(&w->wake, fmin(fmax(due_s, 0.0), LOOK_S));
        if (look_at_grid(w) || told) {
            due_s = fmin(due_s, fmax(NOTICE_S - since_s, 0.0));
        }
        report(w);
        double s = (double)(clock_mono_ms() - from_ms) / 1e3;
        due_s -= s;
        since_s += s;
        stale_s -= s;
    }
    return NULL;
}

/* A notice came: from the listener's thread, or the library's. */
static void woken(void *user)
{
    struct openadr_worker *w = user;
    waker_ring(&w->wake);
}

static enum err open_hook(struct openadr_worker *w, char *why, size_t why_size)
{
    const struct site_utility *u = &w->cfg.site->utility;
    enum err e = openadr_hook_bearer(w->bearer);
    if (e != ERR_NONE) {
        snprintf(why, why_size, "no random numbers from /dev/urandom");
    }
    if (e != ERR_NONE || u->listen[0] == '\0') {
        return e;
    }
    const struct openadr_hook_cfg cfg = {
        .listen = u->listen, .bearer = w->bearer, .woken = woken, .user = w};
    return openadr_hook_open(&cfg, &w->hook, why, why_size);
}

static enum err open_ven(struct openadr_worker *w, char *why, size_t why_size)
{
    const struct site *site = w->cfg.site;
    const struct site_utility *u = &site->utility;
    struct openadr_cfg cfg = {
        .base = u->base,
        .client = u->client,
        .secret_file = u->secret_file,
        .program = u->program,
        .ca_file = u->ca_file,
        .node = u->node[0] != '\0' ? u->node : site->name,
        .n_resources = 1,
        .resources = {site->name},
        .power_max_w = site->grid.import_max_w,
        .v30 = u->version == OPENADR_3_0,
        .callback = u->callback,
        .bearer = w->bearer,
        .notifier = u->notifier,
        .broker_cert_file = u->notifier_cert_file,
        .broker_key_file = u->notifier_key_file,
        .broker_user = u->notifier_user,
        .broker_password_file = u->notifier_password_file,
        .woken = woken,
        .woken_user = w,
        .poll_s = u->poll_s,
        .timeout_s = REQUEST_S,
        .terms = {.currency = site->currency,
                  .power_max_w = POWER_MOST * site->grid.import_trip_w,
                  .power_least_w = POWER_LEAST * site->grid.import_max_w,
                  .seed = 1},
        .stop = &w->stop,
    };
    for (int i = 0;
         i < site->n_batteries && cfg.n_resources < OPENADR_RESOURCES_MAX;
         i++) {
        cfg.resources[cfg.n_resources++] = site->batteries[i].name;
    }
    for (const char *c = cfg.node; *c != '\0'; c++) {
        cfg.terms.seed = cfg.terms.seed * 31 + (unsigned char)*c;
    }
    return openadr_open(&cfg, &w->ven, why, why_size);
}

static enum err start(struct openadr_worker *w, char *why, size_t why_size)
{
    w->rows.max = ROWS_MAX;
    w->rows.rows = calloc(ROWS_MAX, sizeof(struct dr_row));
    w->rows.scratch = calloc(ROWS_MAX, sizeof(struct dr_row));
    w->taken.max = ROWS_MAX;
    w->taken.rows = calloc(ROWS_MAX, sizeof(struct dr_row));
    w->taken.scratch = w->rows.scratch; /* one is made after the other */
    if (w->rows.rows == NULL || w->rows.scratch == NULL ||
        w->taken.rows == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    w->waking = waker_init(&w->wake) == ERR_NONE;
    enum err e = w->waking ? open_hook(w, why, why_size) : ERR_NONE;
    if (e == ERR_NONE) {
        e = open_ven(w, why, why_size);
    }
    if (e == ERR_NONE) {
        e = openadr_reports_open(w->cfg.site, w->cfg.historian, &w->reports);
    }
    if (e != ERR_NONE) {
        return e;
    }
    w->started = w->waking && pthread_create(&w->thread, NULL, run, w) == 0;
    if (!w->started) {
        snprintf(why, why_size, "no thread for OpenADR");
        return ERR_IO;
    }
    return ERR_NONE;
}

enum err openadr_worker_open(const struct openadr_worker_cfg *cfg,
                             struct openadr_worker **out, char *why,
                             size_t why_size)
{
    struct openadr_worker *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    w->cfg = *cfg;
    override_book_init(&w->overrides);
    openadr_bases_init(&w->bases, cfg->historian);
    atomic_init(&w->stop, false);
    enum err e = start(w, why, why_size);
    if (e != ERR_NONE) {
        openadr_worker_close(w);
        return e;
    }
    *out = w;
    return ERR_NONE;
}

void openadr_worker_close(struct openadr_worker *w)
{
    atomic_store(&w->stop, true);
    if (w->started) {
        waker_ring(&w->wake);
        pthread_join(w->thread, NULL);
    }
    if (w->ven != NULL) {
        openadr_close(w->ven);
    }
    if (w->hook != NULL) {
        openadr_hook_close(w->hook);
    }
    if (w->waking) {
        waker_clear(&w->wake);
    }
    openadr_reports_close(w->reports);
    free(w->rows.rows);
    free(w->rows.scratch);
    free(w->taken.rows);
    free(w);
}
