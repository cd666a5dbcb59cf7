/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/evidence_keeper.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/clock.h"
#include "controller/log.h"
#include "models/calendar.h"

static const char totals_key[] = "evidence.totals";
static const int64_t totals_version = 1;
static const int64_t again_ms = 1000; /* after the disk has refused */

/* What a person did, on its way to the thread. */
struct note {
    int64_t at_ms;
    char fields[2 * EVIDENCE_NOTE_MAX]; /* as JSON */
};

struct evidence_keeper {
    struct evidence_keeper_cfg cfg;
    struct evidence_file file;
    char *head;
    int64_t lost;         /* since the last line that was written */
    int64_t lost_from_ms; /* UTC */
    int64_t lost_to_ms;
    uint64_t dropped_seen;
    int64_t try_mono_ms; /* not before */
    pthread_mutex_t lock;
    struct evidence_counts counts;     /* under it */
    struct note notes[EVIDENCE_NOTES]; /* likewise */
    int n_notes;
    int n_notes_lost;
    atomic_bool stop;
    pthread_t thread;
};

bool evidence_path(const struct site *site, char *out)
{
    const struct site_history *h = &site->history;
    if (strcmp(h->evidence, "none") == 0) {
        return false;
    }
    snprintf(out, EVIDENCE_PATH_MAX, "%s%s",
             h->evidence[0] != '\0' ? h->evidence : h->file,
             h->evidence[0] != '\0' ? "" : ".evidence");
    return true;
}

static void note_state(struct evidence_keeper *k, const char *error)
{
    pthread_mutex_lock(&k->lock);
    struct evidence_counts *c = &k->counts;
    c->failing = error != NULL;
    snprintf(c->last_error, sizeof(c->last_error), "%s",
             error != NULL ? error : "");
    c->last = k->file.chain;
    pthread_mutex_unlock(&k->lock);
}

static void lose(struct evidence_keeper *k, int64_t n, int64_t at_ms)
{
    if (k->lost == 0) {
        k->lost_from_ms = at_ms;
    }
    k->lost += n;
    k->lost_to_ms = at_ms;
    pthread_mutex_lock(&k->lock);
    k->counts.n_lost += n;
    pthread_mutex_unlock(&k->lock);
}

static void failed(struct evidence_keeper *k)
{
    int error = errno;
    log_line(LOG_ERROR, "evidence",
             "evidence: %s: %s; what happens now is counted as a gap",
             k->file.path, strerror(error));
    k->try_mono_ms = clock_mono_ms() + again_ms;
    note_state(k, strerror(error));
}

/* What was lost comes first; true where nothing is, or it is told now. */
static bool tell_gap(struct evidence_keeper *k)
{
    if (k->lost == 0) {
        return true;
    }
    char from[CALENDAR_TEXT_MAX];
    char to[CALENDAR_TEXT_MAX];
    char fields[256];
    snprintf(fields, sizeof(fields),
             "\"lost\":%" PRId64 ",\"from\":\"%s\",\"to\":\"%s\"", k->lost,
             calendar_format_utc(k->lost_from_ms, from),
             calendar_format_utc(k->lost_to_ms, to));
    if (evidence_file_append(&k->file, clock_utc_ms(), "gap", fields) !=
        ERR_NONE) {
        failed(k);
        return false;
    }
    log_line(LOG_INFO, NULL,
             "evidence: written again; %" PRId64 " events are lost", k->lost);
    k->lost = 0;
    note_state(k, NULL);
    return true;
}

static void add_minute(struct evidence_totals *t,
                       const struct witness_minute *m)
{
    double tick_s =
        (double)(m->to_ms - m->from_ms) / 1e3 / fmax(1.0, (double)m->n_ticks);
    t->since_ms = t->since_ms != 0 ? t->since_ms : m->from_ms;
    t->minutes++;
    t->seen_s += (double)(m->n_ticks - m->n_missed) * tick_s;
    t->missed_s += (double)m->n_missed * tick_s;
    t->import_wh += m->import_wh;
    t->export_wh += m->export_wh;
    t->shed_wh += m->shed_wh;
    t->ramp_max_w_per_s = fmax(t->ramp_max_w_per_s, fabs(m->ramp_w_per_s));
    t->pp60_max_w = fmax(t->pp60_max_w, m->pp60_w);
    t->n_edges += m->n_edges;
    for (int i = 0; i < COMPLIANCE_RULE_COUNT; i++) {
        t->violations[i] += m->broken[i];
    }
    for (int i = 0; i < COMPLIANCE_CAUSE_COUNT; i++) {
        t->exempt[i] += m->exempt[i];
    }
}

static void sum_up(struct evidence_keeper *k, const struct witness_event *e)
{
    if (e->kind != WITNESS_MINUTE) {
        return;
    }
    pthread_mutex_lock(&k->lock);
    add_minute(&k->counts.totals, &e->minute);
    struct evidence_totals totals = k->counts.totals;
    pthread_mutex_unlock(&k->lock);
    if (k->cfg.historian != NULL) {
        historian_keep(k->cfg.historian, totals_key, &totals, sizeof(totals));
    }
}

/* A violation is worth a line of the log and of the history as well. */
static void tell_people(struct evidence_keeper *k,
                        const struct witness_event *e)
{
    const struct witness_episode *x = &e->episode;
    if (e->kind != WITNESS_BEGIN) {
        return;
    }
    enum compliance_rule of = (enum compliance_rule)x->rule;
    const char *rule = compliance_rule_name(of);
    const char *cause = compliance_cause_name((enum compliance_cause)x->cause);
    bool forced = x->cause != COMPLIANCE_NONE;
    char text[512];
    char why[256];
    char limit[32];
    char value[32];
    snprintf(text, sizeof(text), "%s limit of %s passed with %s%s%s: %s", rule,
             compliance_value_text(of, x->limit, limit, sizeof(limit)),
             compliance_value_text(of, x->value, value, sizeof(value)),
             forced ? ", forced by " : "", forced ? cause : "",
             reason_text(k->cfg.writer.site, &x->why, why, sizeof(why)));
    char key[40];
    snprintf(key, sizeof(key), "violation %s", rule);
    log_line(LOG_WARN, key, "%s: %s", forced ? "exempt" : "violation", text);
    if (k->cfg.historian != NULL) {
        historian_event(k->cfg.historian, e->at_ms,
                        forced ? "exempt" : "violation",
                        k->cfg.writer.site->name, text);
    }
}

static void take(struct evidence_keeper *k, const struct witness_event *e)
{
    sum_up(k, e);
    tell_people(k, e);
    bool may = clock_mono_ms() >= k->try_mono_ms;
    if (!may || !tell_gap(k)) {
        lose(k, 1, e->at_ms);
        return;
    }
    if (evidence_write(&k->file, k->cfg.writer.site, e) == ERR_NONE) {
        note_state(k, NULL);
        return;
    }
    failed(k);
    lose(k, 1, e->at_ms);
}

void evidence_keeper_note(struct evidence_keeper *k, int64_t utc_ms,
                          const char *what, const char *text)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "what", what);
    cJSON_AddStringToObject(o, "text", text);
    char *json = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    size_t n = json != NULL ? strlen(json) : 0;
    pthread_mutex_lock(&k->lock);
    if (k->n_notes == EVIDENCE_NOTES || n < 2 ||
        n >= sizeof(k->notes[0].fields)) {
        k->n_notes_lost++;
    } else {
        struct note *note = &k->notes[k->n_notes++];
        note->at_ms = utc_ms;
        memcpy(note->fields, json + 1, n - 2); /* without the braces */
        note->fields[n - 2] = '\0';
    }
    pthread_mutex_unlock(&k->lock);
    free(json);
}

/* The oldest note, if there is one. */
static bool next_note(struct evidence_keeper *k, struct note *out)
{
    pthread_mutex_lock(&k->lock);
    bool any = k->n_notes > 0;
    if (any) {
        *out = k->notes[0];
        k->n_notes--;
        memmove(&k->notes[0], &k->notes[1],
                (size_t)k->n_notes * sizeof(k->notes[0]));
    }
    pthread_mutex_unlock(&k->lock);
    return any;
}

static int64_t notes_lost(struct evidence_keeper *k)
{
    pthread_mutex_lock(&k->lock);
    int n = k->n_notes_lost;
    k->n_notes_lost = 0;
    pthread_mutex_unlock(&k->lock);
    return n;
}

static void write_notes(struct evidence_keeper *k)
{
    struct note note;
    while (next_note(k, &note)) {
        bool may = clock_mono_ms() >= k->try_mono_ms;
        if (may && tell_gap(k) &&
            evidence_file_append(&k->file, note.at_ms, "override",
                                 note.fields) == ERR_NONE) {
            note_state(k, NULL);
            continue;
        }
        if (may && k->lost == 0) {
            failed(k);
        }
        lose(k, 1, note.at_ms);
    }
    int64_t n = notes_lost(k);
    if (n > 0) {
        lose(k, n, clock_utc_ms());
    }
}

static void drain(struct evidence_keeper *k)
{
    write_notes(k);
    uint64_t dropped = witness_ring_dropped(k->cfg.ring);
    if (dropped != k->dropped_seen) {
        lose(k, (int64_t)(dropped - k->dropped_seen), clock_utc_ms());
        k->dropped_seen = dropped;
    }
    struct witness_event event;
    while (witness_ring_pop(k->cfg.ring, &event)) {
        take(k, &event);
    }
    if (k->lost > 0 && clock_mono_ms() >= k->try_mono_ms) {
        tell_gap(k);
    }
}

static void *run(void *arg)
{
    struct evidence_keeper *k = arg;
    const struct timespec pause = {.tv_nsec = 100000000L};
    while (!atomic_load(&k->stop)) {
        drain(k);
        nanosleep(&pause, NULL);
    }
    drain(k);
    return NULL;
}

static void release(struct evidence_keeper *k)
{
    evidence_file_close(&k->file);
    pthread_mutex_destroy(&k->lock);
    free(k->head);
    free(k);
}

/* The sums of the runs before; made anew where they are another version's. */
static void recall_totals(struct evidence_keeper *k)
{
    struct evidence_totals *t = &k->counts.totals;
    size_t n = k->cfg.historian != NULL
                   ? historian_kept(k->cfg.historian, totals_key, t, sizeof(*t))
                   : 0;
    if (n != sizeof(*t) || t->version != totals_version) {
        *t = (struct evidence_totals){.version = totals_version};
    }
}

/* A disk that is full now does not keep the controller from starting. */
static enum err begin(struct evidence_keeper *k, char *why, size_t why_size)
{
    k->file.sync = true;
    k->file.at_ms = k->cfg.utc_ms;
    enum err e = evidence_file_open(&k->file, k->cfg.path, why, why_size);
    if (e != ERR_NONE && !(e == ERR_IO && errno == ENOSPC)) {
        return e;
    }
    k->head = evidence_head(&k->cfg.writer);
    if (k->head == NULL) {
        return ERR_MEMORY;
    }
    if (evidence_file_append(&k->file, k->cfg.utc_ms, "head", k->head) !=
        ERR_NONE) {
        failed(k);
        lose(k, 1, k->cfg.utc_ms);
    } else {
        note_state(k, NULL);
    }
    return ERR_NONE;
}

enum err evidence_keeper_open(const struct evidence_keeper_cfg *cfg,
                              struct evidence_keeper **out, char *why,
                              size_t why_size)
{
    struct evidence_keeper *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        return ERR_MEMORY;
    }
    k->cfg = *cfg;
    k->file.fd = -1;
    pthread_mutex_init(&k->lock, NULL);
    atomic_init(&k->stop, false);
    snprintf(k->counts.path, sizeof(k->counts.path), "%s", cfg->path);
    recall_totals(k);
    enum err e = begin(k, why, why_size);
    if (e == ERR_NONE && pthread_create(&k->thread, NULL, run, k) != 0) {
        snprintf(why, why_size, "cannot start the thread of the evidence log");
        e = ERR_MEMORY;
    }
    if (e != ERR_NONE) {
        release(k);
        return e;
    }
    *out = k;
    return ERR_NONE;
}

void evidence_keeper_counts(struct evidence_keeper *k,
                            struct evidence_counts *out)
{
    pthread_mutex_lock(&k->lock);
    *out = k->counts;
    pthread_mutex_unlock(&k->lock);
}

void evidence_keeper_close(struct evidence_keeper *k, const char *because)
{
    atomic_store(&k->stop, true);
    pthread_join(k->thread, NULL);
    char fields[200];
    snprintf(fields, sizeof(fields), "\"because\":\"%s\"", because);
    if (!tell_gap(k) || evidence_file_append(&k->file, clock_utc_ms(), "stop",
                                             fields) != ERR_NONE) {
        log_line(LOG_WARN, NULL, "evidence: %s: its last line was not written",
                 k->file.path);
    }
    release(k);
}
