/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_reports.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/openadr_report.h"
#include "controller/history_told.h"
#include "controller/log.h"
#include "controller/openadr_meter.h"

static const char key[] = "openadr/reports";
static const int64_t VERSION = 1;
static const int64_t OPEN_MS = 900000; /* interval of a report that is ours */
static const int64_t FRESH_MS = 3000;  /* figures are told every second */
static const double BACKOFF_FIRST_S = 1.0;
static const double BACKOFF_MOST_S = 60.0;

enum { NAME_MAX_BYTES = DR_ID_MAX + 48, WHY_BYTES = 256 };

/* How far the reports of an event have come. */
struct progress {
    char event[DR_ID_MAX];
    int32_t next[DR_REPORTS_MAX]; /* of each descriptor */
};

/* As it lies in the history. */
struct kept_progress {
    int64_t version;
    int64_t n;
    struct progress list[OPENADR_EVENTS_MAX];
};

_Static_assert(sizeof(struct kept_progress) <= KEPT_SIZE_MAX,
               "the progress of all events can be kept");

struct openadr_reports {
    const struct site *site;
    const char *client;
    struct historian *historian;
    struct kept_progress done;
    struct dr_span spans[DR_REPORT_SPANS_MAX];
    struct openadr_reading readings[DR_REPORT_LENGTH_MAX];
    struct openadr_figures figures; /* newest */
    int64_t figures_ms;             /* UTC; 0: none yet */
    struct openadr_meter meter;
    int64_t again_mono_ms; /* not before, after a failure */
    double backoff_s;
};

/* One report on its way. */
struct job {
    const struct dr_event *event;
    struct progress *progress;
    int64_t descriptor;
    struct dr_report_event about;
    struct dr_report_due due;
    double base_w;
};

static void take_kept(struct openadr_reports *r)
{
    struct kept_progress *kept = calloc(1, sizeof(*kept));
    if (kept == NULL || r->historian == NULL) {
        free(kept);
        return;
    }
    size_t size = historian_kept(r->historian, key, kept, sizeof(*kept));
    bool good = size == sizeof(*kept) && kept->version == VERSION &&
                kept->n >= 0 && kept->n <= OPENADR_EVENTS_MAX;
    for (int64_t i = 0; good && i < kept->n; i++) {
        const struct progress *p = &kept->list[i];
        if (memchr(p->event, '\0', DR_ID_MAX) != NULL) {
            r->done.list[r->done.n++] = *p;
        }
    }
    free(kept);
}

static void keep(struct openadr_reports *r)
{
    r->done.version = VERSION;
    if (r->historian != NULL) {
        historian_keep(r->historian, key, &r->done, sizeof(r->done));
    }
}

enum err openadr_reports_open(const struct site *site,
                              struct historian *historian,
                              struct openadr_reports **out)
{
    struct openadr_reports *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return ERR_MEMORY;
    }
    r->site = site;
    r->client = site->utility.node[0] != '\0' ? site->utility.node : site->name;
    r->historian = historian;
    r->backoff_s = BACKOFF_FIRST_S;
    take_kept(r);
    *out = r;
    return ERR_NONE;
}

void openadr_reports_close(struct openadr_reports *r)
{
    free(r);
}

void openadr_reports_sample(struct openadr_reports *r, int64_t utc_ms,
                            double grid_w,
                            const struct openadr_figures *figures)
{
    if (figures != NULL) {
        r->figures = *figures;
        r->figures_ms = utc_ms;
    }
    bool fresh = r->figures_ms > 0 && utc_ms - r->figures_ms <= FRESH_MS;
    openadr_meter_add(&r->meter, utc_ms, grid_w, fresh ? &r->figures : NULL);
}

/* When the event begins and is over; one of no duration asks now. */
static void about(struct openadr_reports *r, const struct dr_event *event,
                  struct dr_report_event *out)
{
    const struct dr_timing *t = &event->timing;
    struct dr_span life;
    *out = (struct dr_report_event){.n = t->n, .spans = r->spans};
    if (dr_timing_life(t, &life)) {
        out->from_ms = life.start_ms;
        out->to_ms = life.end_ms;
        int64_t n =
            dr_timing_spans(t, 0, DR_FOREVER_MS, r->spans, DR_REPORT_SPANS_MAX);
        out->n_spans = n < DR_REPORT_SPANS_MAX ? n : DR_REPORT_SPANS_MAX;
        return;
    }
    out->from_ms =
        t->whole.start_ms != DR_NO_START ? t->whole.start_ms : t->now_ms;
    out->to_ms = t->whole.timed
                     ? dr_duration_after(out->from_ms, &t->whole.duration)
                     : out->from_ms;
}

/* The latest report that is due already, or the first. */
static int32_t latest_due(const struct job *j, int64_t utc_ms)
{
    const struct dr_report *what = &j->event->reports[j->descriptor];
    struct dr_report_due due;
    int32_t k = 0;
    while (k < INT32_MAX - 1 && dr_report_due(what, &j->about, k + 1, &due) &&
           due.at_ms <= utc_ms) {
        k++;
    }
    return k;
}

static double store_value(enum dr_report_kind kind,
                          const struct openadr_store *s)
{
    switch (kind) {
    case DR_REPORT_CHARGE_LEVEL:
        return s->soc_pu;
    case DR_REPORT_USABLE_CAPACITY:
        return s->energy_wh;
    case DR_REPORT_CHARGE_POWER:
        return s->charge_max_w;
    case DR_REPORT_DISCHARGE_POWER:
        return s->discharge_max_w;
    default:
        return NAN;
    }
}

static bool is_of_stores(enum dr_report_kind kind)
{
    return kind == DR_REPORT_CHARGE_LEVEL ||
           kind == DR_REPORT_USABLE_CAPACITY ||
           kind == DR_REPORT_CHARGE_POWER || kind == DR_REPORT_DISCHARGE_POWER;
}

/* All batteries as one: sums, the charge level by energy; NAN where one is not
 * known. */
static double all_stores(enum dr_report_kind kind,
                         const struct openadr_figures *f)
{
    double sum = 0.0;
    double energy_wh = 0.0;
    bool level = kind == DR_REPORT_CHARGE_LEVEL;
    for (int64_t i = 0; i < f->n; i++) {
        const struct openadr_store *s = &f->stores[i];
        sum += store_value(kind, s) * (level ? s->energy_wh : 1.0);
        energy_wh += s->energy_wh;
    }
    return f->n == 0 ? (double)NAN : level ? sum / energy_wh : sum;
}

/* 'store' -1: the site or all of them. */
static void read_one(struct openadr_reports *r, const struct job *j,
                     int64_t store, struct openadr_reading *x)
{
    const struct dr_report *what = &j->event->reports[j->descriptor];
    enum dr_report_kind kind = (enum dr_report_kind)what->kind;
    const struct openadr_figures *f =
        openadr_meter_figures(&r->meter, x->from_ms, x->to_ms);
    struct openadr_metered m =
        openadr_meter_grid(&r->meter, x->from_ms, x->to_ms);
    x->known_pu = f != NULL ? 1.0 : 0.0;
    if (is_of_stores(kind)) {
        x->value = f == NULL   ? (double)NAN
                   : store < 0 ? all_stores(kind, f)
                               : store_value(kind, &f->stores[store]);
    } else if (kind == DR_REPORT_OPERATING_STATE) {
        static const char *const texts[OPENADR_STATES] = {
            [OPENADR_STATE_NORMAL] = "NORMAL",
            [OPENADR_STATE_CURTAILED] = "RUNNING_CURTAILED",
            [OPENADR_STATE_FAULT] = "ERROR",
        };
        x->text = texts[m.state];
        x->known_pu = m.state_pu;
        x->value = NAN;
    } else if (kind == DR_REPORT_BASELINE) {
        x->value = j->base_w;
        x->known_pu = 1.0;
    } else {
        x->known_pu = m.known_pu;
        x->value = kind == DR_REPORT_USAGE
                       ? m.mean_w * (double)(x->to_ms - x->from_ms) / 3.6e6
                   : what->peak ? m.peak_w
                                : m.mean_w;
    }
}

static void fill(struct openadr_reports *r, const struct job *j, int64_t store)
{
    for (int64_t i = 0; i < j->due.n; i++) {
        const struct dr_span *s = &r->spans[j->due.first + i];
        r->readings[i] = (struct openadr_reading){
            .id = j->event->ids != NULL ? j->event->ids[s->interval]
                                        : s->interval,
            .from_ms = s->start_ms,
            .to_ms = s->end_ms};
        read_one(r, j, store, &r->readings[i]);
    }
    if (j->due.n == 0) {
        r->readings[0] = (struct openadr_reading){
            .from_ms = j->due.at_ms - OPEN_MS, .to_ms = j->due.at_ms};
        read_one(r, j, store, &r->readings[0]);
    }
}

static int64_t add_resource(struct openadr_reports *r, const struct job *j,
                            int64_t store, cJSON *report)
{
    const struct dr_report *what = &j->event->reports[j->descriptor];
    bool sums = store < 0 && what->aggregate;
    fill(r, j, store);
    const struct openadr_resource resource = {
        .name = store >= 0 ? r->site->batteries[store].name
                : sums     ? "AGGREGATED_REPORT"
                           : r->site->name,
        .list = r->readings,
        .n = j->due.n > 0 ? j->due.n : 1};
    return openadr_report_add(report, &resource, what);
}

/* NULL where nothing is known of its time. */
static cJSON *make(struct openadr_reports *r, const struct job *j,
                   const char *name)
{
    const struct dr_report *what = &j->event->reports[j->descriptor];
    const struct openadr_report_head head = {j->event->id, r->client, name,
                                             what};
    cJSON *report = openadr_report_begin(&head);
    int64_t told = 0;
    bool each =
        is_of_stores((enum dr_report_kind)what->kind) && !what->aggregate;
    int64_t n = r->site->n_batteries < OPENADR_STORES_MAX ? r->site->n_batteries
                                                          : OPENADR_STORES_MAX;
    if (report != NULL && !each) {
        told = add_resource(r, j, -1, report);
    }
    for (int64_t i = 0; report != NULL && each && i < n; i++) {
        told += add_resource(r, j, i, report);
    }
    if (told == 0) {
        cJSON_Delete(report);
        return NULL;
    }
    return report;
}

static void move_on(struct openadr_reports *r, const struct job *j)
{
    j->progress->next[j->descriptor]++;
    r->backoff_s = BACKOFF_FIRST_S;
    keep(r);
}

/* Ask first: what was sent and not answered may have arrived. */
static enum err post(const struct job *j, struct openadr *ven, cJSON *report,
                     const char *name, char *why)
{
    const struct openadr_report_name which = {j->event->id, name};
    bool known = false;
    enum err e = openadr_report_known(ven, &which, &known, why, WHY_BYTES);
    if (e == ERR_NONE && !known) {
        e = openadr_report(ven, report, why, WHY_BYTES);
    }
    return e;
}

static void send_it(struct openadr_reports *r, const struct job *j,
                    struct openadr *ven, int64_t mono_ms)
{
    char why[WHY_BYTES] = "";
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof(name), "%s/%lld/%lld", j->event->id,
             (long long)j->descriptor,
             (long long)j->progress->next[j->descriptor]);
    cJSON *report = make(r, j, name);
    if (report == NULL) {
        log_line(LOG_INFO, "openadr",
                 "report %s: nothing is known of its time: left out", name);
        move_on(r, j);
        return;
    }
    enum err e = post(j, ven, report, name, why);
    cJSON_Delete(report);
    if (e == ERR_NONE || e == ERR_REFUSED) {
        log_line(e == ERR_NONE ? LOG_INFO : LOG_WARN, name, "report %s%s%s",
                 name, e == ERR_NONE ? " sent" : " is refused: ", why);
        move_on(r, j);
        return;
    }
    log_line(LOG_WARN, "openadr report", "report %s is tried again: %s", name,
             why);
    r->again_mono_ms = mono_ms + (int64_t)(r->backoff_s * 1e3);
    r->backoff_s = fmin(2.0 * r->backoff_s, BACKOFF_MOST_S);
}

/* Progress of events that are gone makes room. */
static void drop_gone(struct openadr_reports *r,
                      const struct openadr_events *events)
{
    int64_t n = 0;
    for (int64_t i = 0; i < r->done.n; i++) {
        bool there = false;
        for (int64_t k = 0; k < events->n && !there; k++) {
            there = strcmp(events->list[k]->id, r->done.list[i].event) == 0;
        }
        if (there && n != i) {
            r->done.list[n] = r->done.list[i];
        }
        n += there;
    }
    r->done.n = n;
}

static struct progress *progress_of(struct openadr_reports *r, struct job *j,
                                    int64_t utc_ms)
{
    const struct dr_event *event = j->event;
    for (int64_t i = 0; i < r->done.n; i++) {
        if (strcmp(r->done.list[i].event, event->id) == 0) {
            return &r->done.list[i];
        }
    }
    struct progress *p = &r->done.list[r->done.n++];
    *p = (struct progress){.next = {0}};
    memcpy(p->event, event->id, sizeof(p->event));
    for (j->descriptor = 0; j->descriptor < event->n_reports; j->descriptor++) {
        p->next[j->descriptor] = latest_due(j, utc_ms);
    }
    keep(r);
    return p;
}

/* True where a report of the event was due. */
static bool pass_event(struct openadr_reports *r, const struct dr_event *event,
                       struct openadr *ven,
                       const struct openadr_reports_now *now)
{
    struct job j = {.event = event,
                    .base_w = openadr_bases_of(now->bases, event->id)};
    about(r, event, &j.about);
    j.progress = progress_of(r, &j, now->utc_ms);
    for (j.descriptor = 0; j.descriptor < event->n_reports; j.descriptor++) {
        if (dr_report_due(&event->reports[j.descriptor], &j.about,
                          j.progress->next[j.descriptor], &j.due) &&
            j.due.at_ms <= now->utc_ms) {
            send_it(r, &j, ven, now->mono_ms);
            return true;
        }
    }
    return false;
}

void openadr_reports_pass(struct openadr_reports *r, struct openadr *ven,
                          const struct openadr_reports_now *now)
{
    const struct openadr_events *events = openadr_events(ven);
    if (events->version == 0 || now->mono_ms < r->again_mono_ms) {
        return;
    }
    drop_gone(r, events);
    for (int64_t i = 0; i < events->n; i++) {
        const struct dr_event *e = events->list[i];
        if (e->n_reports > 0 && e->fault[0] == '\0' &&
            pass_event(r, e, ven, now)) {
            return;
        }
    }
}
