/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_event.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/openadr_descriptor.h"
#include "adapters/openadr_payload.h"

/* Largest priority that is a number and not "none". */
static const double PRIORITY_MAX = 1e9;
static const char TEXT_MISSING[] = "an event without intervals";

/* An event being read; the arrays lie behind it in one block. */
struct event_reader {
    struct dr_event event; /* first: what the caller gets */
    struct dr_period *periods;
    struct dr_payload *payloads;
    double *values;
    int64_t *ids;
    const struct openadr_terms *terms;
    const cJSON *descriptors;
};

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
    for (char *c = out; *c != '\0'; c++) {
        *c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
    }
}

/* The first fault stays. */
static void fault(struct event_reader *r, int64_t interval, const char *why)
{
    char *out = r->event.fault;
    if (out[0] != '\0') {
        return;
    }
    if (interval >= 0) {
        snprintf(out, DR_TEXT_MAX, "interval %lld: %s", (long long)interval,
                 why);
    } else {
        snprintf(out, DR_TEXT_MAX, "%s", why);
    }
}

static const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(m) ? NULL : m;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *m = member(object, key);
    return cJSON_IsString(m) ? m->valuestring : NULL;
}

static bool read_duration(struct event_reader *r, int64_t interval,
                          const cJSON *object, const char *key,
                          struct dr_duration *out)
{
    const cJSON *m = member(object, key);
    if (m == NULL) {
        return false;
    }
    struct dr_duration d;
    if (!cJSON_IsString(m) ||
        dr_duration_parse(m->valuestring, &d) != ERR_NONE) {
        fault(r, interval, "a duration is not an ISO 8601 one");
        return false;
    }
    if (d.months < 0 || d.ms < 0) {
        fault(r, interval, "a duration is negative");
        return false;
    }
    *out = d;
    return true;
}

static struct dr_period read_period(struct event_reader *r, int64_t interval,
                                    const cJSON *object)
{
    struct dr_period p = {.start_ms = DR_NO_START};
    const cJSON *m = member(object, "intervalPeriod");
    if (m == NULL) {
        return p;
    }
    if (!cJSON_IsObject(m)) {
        fault(r, interval, "its intervalPeriod is not an object");
        return p;
    }
    const cJSON *start = member(m, "start");
    if (start != NULL &&
        (!cJSON_IsString(start) ||
         dr_start_parse(start->valuestring, &p.start_ms) != ERR_NONE)) {
        fault(r, interval, "its start is not an instant");
    }
    p.timed = read_duration(r, interval, m, "duration", &p.duration);
    struct dr_duration random = {.ms = 0};
    if (cJSON_IsString(member(m, "randomizeStart"))) {
        /* "the absolute value": a sign means nothing */
        const char *text = text_of(m, "randomizeStart");
        text += text[0] == '-' ? 1 : 0;
        if (dr_duration_parse(text, &random) != ERR_NONE || random.forever ||
            random.months > 0) {
            fault(r, interval, "its randomizeStart is not a short duration");
            random.ms = 0;
        }
    }
    p.random_ms = random.ms;
    return p;
}

static void add_payload(struct event_reader *r, struct dr_payload p)
{
    if (r->event.n_payloads < OPENADR_PAYLOADS_MAX) {
        r->payloads[r->event.n_payloads++] = p;
    } else {
        fault(r, p.interval, "more payloads than we take");
    }
}

static void add_value(struct event_reader *r, int64_t interval, double x)
{
    if (r->event.n_values < OPENADR_VALUES_MAX) {
        r->values[r->event.n_values++] = x;
    } else {
        fault(r, interval, "more values than we take");
    }
}

/* A text for people; that it is there is its value. */
static void read_alert(struct event_reader *r, int64_t interval,
                       enum dr_subject subject, const cJSON *values)
{
    const cJSON *first = cJSON_GetArrayItem(values, 0);
    if (cJSON_IsString(first) && r->event.notice[0] == '\0') {
        copy_text(r->event.notice, DR_TEXT_MAX, first->valuestring);
    }
    add_payload(r, (struct dr_payload){(int64_t)subject, interval,
                                       r->event.n_values, 1});
    add_value(r, interval, 1.0);
}

static void read_numbers(struct event_reader *r, int64_t interval,
                         const char *type, const cJSON *values)
{
    enum dr_subject subject = openadr_payload_subject(type);
    double scale = openadr_payload_scale(r->terms, r->descriptors, type);
    if (!(scale > 0.0)) {
        fault(r, interval, "its unit or currency is not one we can take");
        return;
    }
    struct dr_payload p = {(int64_t)subject, interval, r->event.n_values, 0};
    const cJSON *v = NULL;
    cJSON_ArrayForEach(v, values)
    {
        if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble)) {
            fault(r, interval, "a value is not a number");
            return;
        }
        const char *why =
            openadr_payload_fault(r->terms, subject, v->valuedouble * scale);
        if (why != NULL) {
            fault(r, interval, why);
            return;
        }
        add_value(r, interval, v->valuedouble * scale);
        p.n++;
    }
    if (p.n == 0) {
        fault(r, interval, "a payload without values");
        return;
    }
    add_payload(r, p);
}

static void read_payload(struct event_reader *r, int64_t interval,
                         const cJSON *payload)
{
    const char *type = text_of(payload, "type");
    const cJSON *values = member(payload, "values");
    if (type == NULL || type[0] == '\0' || !cJSON_IsArray(values)) {
        fault(r, interval, "a payload without a type or without values");
        return;
    }
    enum dr_subject subject = openadr_payload_subject(type);
    if (subject == DR_UNKNOWN) {
        if (r->event.unknown[0] == '\0') {
            copy_text(r->event.unknown, DR_TEXT_MAX, type);
        }
    } else if (dr_subject_sense(subject) == DR_SENSE_ALERT) {
        read_alert(r, interval, subject, values);
    } else {
        read_numbers(r, interval, type, values);
    }
}

static void read_intervals(struct event_reader *r, const cJSON *json)
{
    const cJSON *list = member(json, "intervals");
    int64_t n = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (n == OPENADR_INTERVALS_MAX) {
            fault(r, n, "more intervals than we take");
            break;
        }
        r->periods[n] = read_period(r, n, item);
        r->ids[n] = n;
        const struct json_in_range range = {INT32_MIN, INT32_MAX};
        (void)json_in_integer(item, "id", range, &r->ids[n]);
        const cJSON *payload = NULL;
        cJSON_ArrayForEach(payload, member(item, "payloads"))
        {
            read_payload(r, n, payload);
        }
        n++;
    }
    r->event.timing.n = n;
}

static void read_priority(struct event_reader *r, const cJSON *json)
{
    r->event.priority = DR_NO_PRIORITY;
    struct json_in_range range = {0.0, PRIORITY_MAX};
    if (json_in_integer(json, "priority", range, &r->event.priority) ==
        JSON_IN_BAD) {
        fault(r, -1, "its priority is not a count");
    }
}

static void read_dates(struct event_reader *r, const cJSON *json)
{
    struct dr_timing *t = &r->event.timing;
    t->now_ms = r->terms->now_ms;
    r->event.modified_ms = r->terms->now_ms;
    const char *keys[] = {"createdDateTime", "modificationDateTime"};
    for (int i = 0; i < 2; i++) {
        const char *text = text_of(json, keys[i]);
        int64_t ms = DR_NO_START;
        if (text != NULL && dr_start_parse(text, &ms) == ERR_NONE &&
            ms != DR_NO_START && ms <= r->terms->now_ms) {
            t->now_ms = ms;
            r->event.modified_ms = ms;
        }
    }
}

/* Counts that the arrays must hold, cut at what is taken. */
static void count(const cJSON *json, size_t n[3])
{
    n[0] = n[1] = n[2] = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, member(json, "intervals"))
    {
        n[0]++;
        const cJSON *payload = NULL;
        cJSON_ArrayForEach(payload, member(item, "payloads"))
        {
            n[1]++;
            int size = cJSON_GetArraySize(member(payload, "values"));
            n[2] += (size_t)(size > 1 ? size : 1);
        }
    }
    const size_t most[3] = {OPENADR_INTERVALS_MAX, OPENADR_PAYLOADS_MAX,
                            OPENADR_VALUES_MAX};
    for (int i = 0; i < 3; i++) {
        n[i] = n[i] < most[i] ? n[i] : most[i];
    }
}

static struct event_reader *make(const cJSON *json)
{
    size_t n[3];
    count(json, n);
    size_t bytes = sizeof(struct event_reader) +
                   n[0] * sizeof(struct dr_period) +
                   n[1] * sizeof(struct dr_payload) + n[2] * sizeof(double) +
                   n[0] * sizeof(int64_t);
    struct event_reader *r = calloc(1, bytes);
    if (r == NULL) {
        return NULL;
    }
    r->periods = (struct dr_period *)(r + 1);
    r->payloads = (struct dr_payload *)(r->periods + n[0]);
    r->values = (double *)(r->payloads + n[1]);
    r->ids = (int64_t *)(void *)(r->values + n[2]);
    r->event.ids = r->ids;
    r->event.timing.intervals = r->periods;
    r->event.payloads = r->payloads;
    r->event.values = r->values;
    return r;
}

/* FNV-1a, going on from 'h'. */
static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ b[i]) * UINT64_C(1099511628211);
    }
    return h;
}

static const uint64_t MIX_START = UINT64_C(14695981039346656037);

static uint64_t mix_period(uint64_t h, const struct dr_period *p)
{
    const int64_t says[] = {p->start_ms,         p->timed,
                            p->duration.months,  p->duration.ms,
                            p->duration.forever, p->random_ms};
    return mix(h, says, sizeof(says));
}

static uint64_t digest_of(const struct dr_event *e)
{
    const struct dr_timing *t = &e->timing;
    uint64_t h = mix(MIX_START, e->fault, strlen(e->fault));
    h = mix(h, e->notice, strlen(e->notice));
    h = mix(h, &e->priority, sizeof(e->priority));
    h = mix(h, &t->life.ms, sizeof(t->life.ms));
    h = mix(h, &t->life.months, sizeof(t->life.months));
    h = mix_period(h, &t->whole);
    for (int64_t i = 0; i < t->n; i++) {
        h = mix_period(h, &t->intervals[i]);
    }
    h = mix(h, e->reports, (size_t)e->n_reports * sizeof(e->reports[0]));
    h = mix(h, e->payloads, (size_t)e->n_payloads * sizeof(e->payloads[0]));
    return mix(h, e->values, (size_t)e->n_values * sizeof(e->values[0]));
}

static void read_names(struct event_reader *r, const cJSON *json,
                       const char *id)
{
    const char *name = text_of(json, "eventName");
    const char *program = text_of(json, "programID");
    copy_text(r->event.id, DR_ID_MAX, id);
    copy_text(r->event.name, DR_TEXT_MAX, name != NULL ? name : "");
    copy_text(r->event.program, DR_ID_MAX, program != NULL ? program : "");
}

enum err openadr_event_read(const cJSON *json,
                            const struct openadr_terms *terms,
                            struct dr_event **out)
{
    const char *id = text_of(json, "id");
    if (!cJSON_IsObject(json) || id == NULL || id[0] == '\0' ||
        strlen(id) >= DR_ID_MAX) {
        return ERR_SYNTAX;
    }
    struct event_reader *r = make(json);
    if (r == NULL) {
        return ERR_MEMORY;
    }
    r->terms = terms;
    r->descriptors = member(json, "payloadDescriptors");
    read_names(r, json, id);
    read_priority(r, json);
    read_dates(r, json);
    struct dr_timing *t = &r->event.timing;
    /* the same shift after every restart */
    t->seed = mix(MIX_START ^ terms->seed, id, strlen(id));
    t->whole = read_period(r, -1, json);
    t->lasts = read_duration(r, -1, json, "duration", &t->life) &&
               !dr_duration_none(&t->life);
    read_intervals(r, json);
    r->event.n_reports = openadr_descriptors_read(json, r->event.reports);
    if (t->n == 0 && r->event.n_reports == 0) {
        fault(r, -1, TEXT_MISSING);
    }
    r->event.digest = digest_of(&r->event);
    r->terms = NULL;
    r->descriptors = NULL;
    *out = &r->event;
    return ERR_NONE;
}

void openadr_event_free(struct dr_event *event)
{
    free(event); /* the first member of its block */
}
