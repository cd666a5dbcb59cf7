/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/openadr_reports.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/openadr_report.h"
#include "controller/history_told.h"
#include "controller/log.h"
#include "controller/openadr_readings.h"

static const char key[] = "openadr/reports";
static const int64_t VERSION = 1;
/* Meters and plan may take so long to be known, from when a report is due or
 * from our start. */
static const int64_t PATIENCE_MS = 60000;
static const int64_t PLAN_PATIENCE_MS = 600000;
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
    const char *client;
    struct historian *historian;
    struct openadr_readings *readings;
    struct kept_progress done;
    struct dr_span spans[DR_REPORT_SPANS_MAX];
    int64_t first_ms;      /* UTC of the first sample */
    int64_t again_mono_ms; /* not before, after a failure */
    double backoff_s;
};

/* One report on its way. */
struct job {
    const struct dr_event *event;
    struct progress *progress;
    int64_t descriptor;
    struct dr_report_event about;
    struct openadr_asked asked;
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
    enum err e = openadr_readings_open(site, &r->readings);
    if (e != ERR_NONE) {
        free(r);
        return e;
    }
    r->client = site->utility.node[0] != '\0' ? site->utility.node : site->name;
    r->historian = historian;
    r->backoff_s = BACKOFF_FIRST_S;
    take_kept(r);
    *out = r;
    return ERR_NONE;
}

void openadr_reports_close(struct openadr_reports *r)
{
    if (r != NULL) {
        openadr_readings_close(r->readings);
        free(r);
    }
}

void openadr_reports_sample(struct openadr_reports *r, int64_t utc_ms,
                            const struct openadr_sample *sample)
{
    r->first_ms = r->first_ms > 0 ? r->first_ms : utc_ms;
    openadr_readings_sample(r->readings, utc_ms, sample);
}

/* NULL where nothing is known of its time. */
static cJSON *make(struct openadr_reports *r, const struct job *j,
                   const char *name)
{
    const struct openadr_report_head head = {j->event->id, r->client, name,
                                             j->asked.what};
    cJSON *report = openadr_report_begin(&head);
    if (report != NULL &&
        openadr_readings_add(r->readings, &j->asked, report) == 0) {
        cJSON_Delete(report);
        report = NULL;
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

/* Whether what is not known now may be soon. */
static bool may_come(const struct openadr_reports *r, const struct job *j)
{
    int64_t due_ms = j->asked.due.at_ms;
    int64_t from_ms = due_ms > r->first_ms ? due_ms : r->first_ms;
    return j->asked.utc_ms - from_ms <
           (j->asked.what->historical ? PATIENCE_MS : PLAN_PATIENCE_MS);
}

/* True where the pass is used up. */
static bool send_it(struct openadr_reports *r, const struct job *j,
                    struct openadr *ven, int64_t mono_ms)
{
    char why[WHY_BYTES] = "";
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof(name), "%s/%lld/%lld", j->event->id,
             (long long)j->descriptor,
             (long long)j->progress->next[j->descriptor]);
    cJSON *report = make(r, j, name);
    if (report == NULL && may_come(r, j)) {
        return false;
    }
    if (report == NULL) {
        log_line(LOG_INFO, "openadr",
                 "report %s: nothing is known of its time: left out", name);
        move_on(r, j);
        return true;
    }
    enum err e = post(j, ven, report, name, why);
    cJSON_Delete(report);
    if (e == ERR_NONE || e == ERR_REFUSED) {
        log_line(e == ERR_NONE ? LOG_INFO : LOG_WARN, name, "report %s%s%s",
                 name, e == ERR_NONE ? " sent" : " is refused: ", why);
        move_on(r, j);
        return true;
    }
    log_line(LOG_WARN, "openadr report", "report %s is tried again: %s", name,
             why);
    r->again_mono_ms = mono_ms + (int64_t)(r->backoff_s * 1e3);
    r->backoff_s = fmin(2.0 * r->backoff_s, BACKOFF_MOST_S);
    return true;
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

static struct progress *progress_of(struct openadr_reports *r,
                                    const struct job *j, int64_t utc_ms)
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
    for (int64_t i = 0; i < event->n_reports; i++) {
        int64_t k = dr_report_latest(&event->reports[i], &j->about, utc_ms);
        p->next[i] = (int32_t)(k < INT32_MAX ? k : INT32_MAX);
    }
    keep(r);
    return p;
}

/* The next report of the job's descriptor: due by now?  Of an event that goes
 * on for ever, what is too old to be known any more is passed over. */
static bool is_due(struct job *j, const struct openadr_reports_now *now)
{
    const struct dr_report *what = &j->event->reports[j->descriptor];
    int32_t *next = &j->progress->next[j->descriptor];
    struct dr_report_due due;
    if (!dr_report_due(what, &j->about, *next, &due)) {
        int64_t k = dr_report_latest(what, &j->about, now->utc_ms);
        if (k <= *next || k > INT32_MAX ||
            !dr_report_due(what, &j->about, k, &due)) {
            return false;
        }
        *next = (int32_t)k;
    }
    j->asked = (struct openadr_asked){
        .event = j->event,
        .what = what,
        .about = &j->about,
        .due = due,
        .base_w = openadr_bases_of(now->bases, j->event->id),
        .utc_ms = now->utc_ms};
    return due.at_ms <= now->utc_ms;
}

/* True where a report of the event was due. */
static bool pass_event(struct openadr_reports *r, const struct dr_event *event,
                       struct openadr *ven,
                       const struct openadr_reports_now *now)
{
    struct job j = {.event = event};
    dr_report_about(&event->timing, now->utc_ms, r->spans, &j.about);
    j.progress = progress_of(r, &j, now->utc_ms);
    for (j.descriptor = 0; j.descriptor < event->n_reports; j.descriptor++) {
        if (is_due(&j, now) && send_it(r, &j, ven, now->mono_ms)) {
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
