/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/openadr_enrol.h"
#include "adapters/openadr_push.h"
#include "adapters/secret_file.h"
#include "models/random.h"

static const double BACKOFF_FIRST_S = 1.0;
static const double BACKOFF_MOST_S = 60.0;
static const double JITTER_PU = 0.2; /* of a wait, either way */

static void free_events(struct openadr_events *e)
{
    for (int64_t i = 0; i < e->n; i++) {
        openadr_event_free((struct dr_event *)e->list[i]);
    }
    e->n = 0;
}

enum err openadr_open(const struct openadr_cfg *cfg, struct openadr **out,
                      char *why, size_t why_size)
{
    struct openadr *o = calloc(1, sizeof(*o));
    if (o == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    temp_folder_sweep();
    o->cfg = *cfg;
    o->cfg.callback = cfg->callback != NULL ? cfg->callback : "";
    o->cfg.bearer = cfg->bearer != NULL ? cfg->bearer : "";
    if (cfg->client[0] != '\0') {
        const struct secret_file file = {cfg->secret_file, o->secret,
                                         sizeof(o->secret)};
        enum err e = secret_file_read(&file, why, why_size);
        if (e != ERR_NONE) {
            free(o);
            return e;
        }
    }
    const struct http_client_cfg http = {.ca_file = cfg->ca_file,
                                         .timeout_s = cfg->timeout_s,
                                         .bytes_max = OPENADR_REPLY_MAX,
                                         .stop = cfg->stop};
    o->session = (struct openadr_session){.base = o->cfg.base,
                                          .client = o->cfg.client,
                                          .secret = o->secret,
                                          .v30 = cfg->v30};
    enum err e = http_client_open(&http, &o->session.http);
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s", err_text(e));
        free(o);
        return e;
    }
    o->random = random_seed(cfg->terms.seed + 1);
    o->backoff_s = BACKOFF_FIRST_S;
    *out = o;
    return ERR_NONE;
}

void openadr_close(struct openadr *o)
{
    openadr_push_end(o);
    http_client_close(o->session.http);
    free_events(&o->events);
    free_events(&o->next);
    cJSON_Delete(o->program);
    secret_file_wipe(o->secret, sizeof(o->secret));
    secret_file_wipe(o->session.token, sizeof(o->session.token));
    free(o);
}

const struct openadr_events *openadr_events(const struct openadr *o)
{
    return &o->events;
}

/* An event without dates is as old as when it was first read; 'now' of it does
 * not move with every listing. */
static void keep_date(const struct openadr *o, struct dr_event *event)
{
    for (int64_t i = 0; i < o->events.n; i++) {
        const struct dr_event *old = o->events.list[i];
        bool undated = event->modified_ms == o->cfg.terms.now_ms;
        if (undated && strcmp(old->id, event->id) == 0) {
            event->modified_ms = old->modified_ms;
            event->timing.now_ms = old->timing.now_ms;
        }
    }
}

static void take_events(struct openadr *o, const cJSON *list)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        struct dr_event *event = NULL;
        bool room = o->next.n < OPENADR_EVENTS_MAX;
        if (!room ||
            openadr_event_read(item, &o->cfg.terms, &event) != ERR_NONE) {
            o->next.n_unread++;
            continue;
        }
        keep_date(o, event);
        /* pages shift while events come and go: one may be met twice */
        bool twice = false;
        for (int64_t i = 0; i < o->next.n; i++) {
            twice = twice || strcmp(o->next.list[i]->id, event->id) == 0;
        }
        if (twice) {
            openadr_event_free(event);
        } else {
            o->next.list[o->next.n++] = event;
        }
    }
}

static enum err list_events(struct openadr *o, char *why)
{
    for (int page = 0; page < OPENADR_PAGES_MAX; page++) {
        char path[OPENADR_PATH_MAX];
        snprintf(path, sizeof(path), "/events?programID=%s&skip=%d&limit=%d",
                 o->program_id, page * OPENADR_PAGE, OPENADR_PAGE);
        const struct openadr_call call = {.method = "GET", .path = path};
        cJSON *list = NULL;
        long status = 0;
        enum err e =
            openadr_session_call(&o->session, &call, &list, &status, why);
        if (e == ERR_NONE && !cJSON_IsArray(list)) {
            snprintf(why, HTTP_WHY_MAX, "/events: the answer is no list");
            e = ERR_SYNTAX;
        }
        int n = cJSON_GetArraySize(list);
        if (e == ERR_NONE) {
            take_events(o, list);
        }
        cJSON_Delete(list);
        if (e != ERR_NONE || n < OPENADR_PAGE) {
            return e;
        }
    }
    snprintf(why, HTTP_WHY_MAX, "/events: more than %d pages",
             (int)OPENADR_PAGES_MAX);
    return ERR_FULL;
}

static bool same(const struct openadr_events *a, const struct openadr_events *b)
{
    bool same = a->n == b->n && a->n_unread == b->n_unread;
    for (int64_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->list[i]->id, b->list[i]->id) == 0 &&
               a->list[i]->digest == b->list[i]->digest &&
               a->list[i]->modified_ms == b->list[i]->modified_ms;
    }
    return same;
}

/* A complete listing is the truth: what it lacks is cancelled. */
static void adopt(struct openadr *o, int64_t utc_ms)
{
    struct openadr_events old = o->events;
    bool changed = old.version == 0 || !same(&old, &o->next);
    if (changed) {
        o->next.version = old.version + 1;
        o->events = o->next;
        free_events(&old);
    } else {
        free_events(&o->next);
    }
    o->events.listed_utc_ms = utc_ms;
    o->next.n = 0;
}

static enum err refresh(struct openadr *o, int64_t utc_ms, char *why)
{
    o->cfg.terms.now_ms = utc_ms;
    o->next.n_unread = 0;
    enum err e = ERR_NONE;
    if (o->program_id[0] == '\0' || o->look_again) {
        e = openadr_enrol_program(o, why);
    }
    if (e == ERR_NONE) {
        e = list_events(o, why);
    }
    if (e != ERR_NONE) {
        free_events(&o->next);
        /* who comes back may know the program by another id */
        o->program_id[0] = '\0';
        return e;
    }
    /* nothing for us, or a program that was made anew */
    o->look_again = o->next.n == 0;
    adopt(o, utc_ms);
    return ERR_NONE;
}

static double jittered_s(struct openadr *o, double s)
{
    return s * random_draw(&o->random, 1.0 - JITTER_PU, 1.0 + JITTER_PU);
}

double openadr_pass(struct openadr *o, int64_t mono_ms, int64_t utc_ms,
                    struct link_state *link)
{
    char why[HTTP_WHY_MAX] = "";
    o->session.mono_ms = mono_ms;
    link->n_passes++;
    enum err e = refresh(o, utc_ms, why);
    link->up = e == ERR_NONE;
    if (e == ERR_NONE) {
        o->backoff_s = BACKOFF_FIRST_S;
        e = openadr_enrol_node(o, why);
    }
    if (link->up) {
        openadr_push_tend(o);
    }
    o->push.was_up = link->up;
    link->n_errors += e != ERR_NONE;
    if (e != ERR_NONE && why[0] == '\0') {
        snprintf(why, sizeof(why), "%s", err_text(e));
    }
    if (e != ERR_NONE || link->up) {
        snprintf(link->last_error, sizeof(link->last_error), "%.*s",
                 ADAPTER_TEXT_MAX - 1, why);
    }
    if (link->up) {
        return jittered_s(o, o->cfg.poll_s);
    }
    double wait_s = jittered_s(o, o->backoff_s);
    o->backoff_s = fmin(2.0 * o->backoff_s, BACKOFF_MOST_S);
    return wait_s;
}

/* A refusal that says nothing of the report: there is no token (0: it was not
 * asked), it is not taken, we are to come again, the server is at fault. */
static bool may_pass(long status)
{
    return status == 0 || status == 401 || status == 429 || status >= 500;
}

enum err openadr_report(struct openadr *o, cJSON *report, char *why,
                        size_t why_size)
{
    if (o->cfg.v30 && !cJSON_HasObjectItem(report, "programID")) {
        cJSON_AddStringToObject(report, "programID", o->program_id);
    }
    char said[HTTP_WHY_MAX] = "";
    const struct openadr_call call = {
        .method = "POST", .path = "/reports", .body = report};
    cJSON *made = NULL;
    long status = 0;
    enum err e = openadr_session_call(&o->session, &call, &made, &status, said);
    cJSON_Delete(made);
    e = e == ERR_REFUSED && may_pass(status) ? ERR_IO : e;
    if (e != ERR_NONE) {
        snprintf(why, why_size, "%s", said);
    }
    return e;
}

static bool has_name(const cJSON *list, const char *name)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *n = cJSON_GetObjectItemCaseSensitive(item, "reportName");
        if (cJSON_IsString(n) && strcmp(n->valuestring, name) == 0) {
            return true;
        }
    }
    return false;
}

/* An id goes into an address only where it is what the yaml says ids are. */
static bool is_plain(const char *id)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return id[strspn(id, plain)] == '\0';
}

enum err openadr_report_known(struct openadr *o,
                              const struct openadr_report_name *which,
                              bool *known, char *why, size_t why_size)
{
    *known = false;
    if (!is_plain(which->event)) {
        snprintf(why, why_size, "the event's id is not one");
        return ERR_REFUSED;
    }
    for (int page = 0; page < OPENADR_PAGES_MAX && !*known; page++) {
        char said[HTTP_WHY_MAX] = "";
        char path[OPENADR_PATH_MAX];
        snprintf(path, sizeof(path), "/reports?eventID=%s&skip=%d&limit=%d",
                 which->event, page * OPENADR_PAGE, OPENADR_PAGE);
        const struct openadr_call call = {.method = "GET", .path = path};
        cJSON *list = NULL;
        long status = 0;
        enum err e =
            openadr_session_call(&o->session, &call, &list, &status, said);
        int n = cJSON_GetArraySize(list);
        *known = e == ERR_NONE && has_name(list, which->name);
        cJSON_Delete(list);
        e = e == ERR_REFUSED && may_pass(status) ? ERR_IO : e;
        if (e != ERR_NONE) {
            snprintf(why, why_size, "%s", said);
            return e;
        }
        if (n < OPENADR_PAGE) {
            break;
        }
    }
    return ERR_NONE;
}
