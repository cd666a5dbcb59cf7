/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/overrides.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/clock.h"
#include "controller/log.h"
#include "models/calendar.h"
#include "models/units.h"
#include "policies/dr_meaning.h"

enum { KNOWN_MAX = 256 + UTILITY_MQTT, TEXT_MAX = 480 };

static const char key[] = "overrides";
static const double SYNC_S = 1.0;

/* An event that can be opted out of. */
struct known {
    char id[OVERRIDE_NAME_MAX];
    char name[OVERRIDE_NAME_MAX];
    bool binds; /* some of it stays in any case */
};

struct overrides {
    struct overrides_cfg cfg;
    pthread_mutex_t lock; /* of all that follows */
    struct override_book book;
    struct known told[UTILITY_MQTT]; /* by MQTT */
    int n_told;
    struct known events[KNOWN_MAX]; /* of OpenADR */
    int n_events;
};

/* With the lock held: to everybody who acts on it. */
static void post(struct overrides *o)
{
    mailbox_send(o->cfg.box, &o->book);
    if (o->cfg.historian != NULL) {
        historian_keep(o->cfg.historian, key, &o->book, sizeof(o->book));
    }
}

static void tell(struct overrides *o, const char *name, const char *text)
{
    int64_t utc_ms = clock_utc_ms();
    log_line(LOG_WARN, NULL, "override: %s", text);
    if (o->cfg.historian != NULL) {
        historian_event(o->cfg.historian, utc_ms, "override", name, text);
    }
    if (o->cfg.evidence != NULL) {
        evidence_keeper_note(o->cfg.evidence, utc_ms, name, text);
    }
}

enum err overrides_open(const struct overrides_cfg *cfg, struct overrides **out)
{
    struct overrides *o = calloc(1, sizeof(*o));
    if (o == NULL) {
        return ERR_MEMORY;
    }
    o->cfg = *cfg;
    pthread_mutex_init(&o->lock, NULL);
    size_t size =
        cfg->historian != NULL
            ? historian_kept(cfg->historian, key, &o->book, sizeof(o->book))
            : 0;
    if (size != sizeof(o->book) || !override_book_sound(&o->book)) {
        override_book_init(&o->book);
    }
    mailbox_send(cfg->box, &o->book);
    *out = o;
    return ERR_NONE;
}

void overrides_close(struct overrides *o)
{
    pthread_mutex_destroy(&o->lock);
    free(o);
}

void overrides_copy(struct overrides *o, struct override_book *out)
{
    pthread_mutex_lock(&o->lock);
    *out = o->book;
    pthread_mutex_unlock(&o->lock);
}

void overrides_know(struct overrides *o, const struct dr_event *const *events,
                    int64_t n)
{
    pthread_mutex_lock(&o->lock);
    o->n_events = 0;
    for (int64_t i = 0; i < n && i < KNOWN_MAX; i++) {
        const struct dr_event *e = events[i];
        struct known *k = &o->events[o->n_events++];
        *k = (struct known){.binds = false};
        snprintf(k->id, sizeof(k->id), "%s", e->id);
        snprintf(k->name, sizeof(k->name), "%s", e->name);
        for (int64_t p = 0; p < e->n_payloads; p++) {
            const struct dr_payload *x = &e->payloads[p];
            for (int64_t v = x->first; v < x->first + x->n; v++) {
                k->binds =
                    k->binds ||
                    dr_meaning_binds((enum dr_subject)x->subject, e->values[v]);
            }
        }
    }
    pthread_mutex_unlock(&o->lock);
}

/* With the lock held.  Those that are opted out of are not in the snapshot any
 * more, and are known by that. */
static void know_told(struct overrides *o, const struct snapshot *in)
{
    o->n_told = 0;
    for (int i = 0; i < UTILITY_MQTT; i++) {
        const struct utility_in *u = &in->utility[i];
        if (u->id[0] != '\0') {
            struct known *k = &o->told[o->n_told++];
            *k = (struct known){
                .binds = !override_drops((enum utility_kind)u->kind)};
            snprintf(k->id, sizeof(k->id), "%s", u->id);
        }
    }
}

void overrides_look(struct overrides *o, const struct snapshot *in,
                    int64_t utc_ms)
{
    char name[OVERRIDE_NAME_MAX];
    pthread_mutex_lock(&o->lock);
    know_told(o, in);
    while (override_book_expire(&o->book, utc_ms, name)) {
        char text[TEXT_MAX];
        snprintf(text, sizeof(text), "%s has ended", name);
        post(o);
        tell(o, name, text);
    }
    pthread_mutex_unlock(&o->lock);
}

static const struct known *find(const struct known *list, int n,
                                const char *event)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(list[i].id, event) == 0 ||
            strcmp(list[i].name, event) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

static void limit_text(const struct utility_in *u, char *out, size_t size)
{
    static const char *const words[UTILITY_COUNT] = {
        [UTILITY_IMPORT_MAX] = "import at most",
        [UTILITY_EXPORT_MAX] = "export at most",
        [UTILITY_SETPOINT] = "hold the grid at",
        [UTILITY_RESERVE] = "keep for backup, of the batteries' window,"};
    char value[32];
    char until[CALENDAR_TEXT_MAX];
    if (u->kind == UTILITY_RESERVE) {
        units_percent_text(u->value, value, sizeof(value));
    } else {
        units_power_text(u->value, value, sizeof(value));
    }
    snprintf(out, size, "%s %s until %s", words[u->kind], value,
             calendar_format_utc(u->end_at_ms, until));
}

/* What becomes of a request: text, and whether it is a refusal. */
struct verdict {
    char name[OVERRIDE_NAME_MAX];
    char text[TEXT_MAX];
    bool refused;
};

static bool lasts(double s)
{
    return isfinite(s) && s >= 1.0 && s <= OVERRIDE_MOST_S;
}

static int64_t until_ms(double s)
{
    return clock_utc_ms() / 1000 * 1000 + (int64_t)s * 1000;
}

static void set_limit(struct overrides *o, const char *request,
                      struct verdict *v)
{
    char kind[16];
    double value = NAN;
    double s = NAN;
    int index = -1;
    if (sscanf(request, "%15s %lf %lf", kind, &value, &s) == 3) {
        index = override_index(kind);
    }
    v->refused = true;
    if (index < 0 || !lasts(s)) {
        snprintf(v->text, sizeof(v->text),
                 "no such limit: import_max, export_max or setpoint in W, or "
                 "reserve from 0 to 1, for 1 s to 30 d");
        return;
    }
    if (override_book_limit(&o->book, index, value, clock_utc_ms(),
                            until_ms(s)) != ERR_NONE) {
        snprintf(v->text, sizeof(v->text),
                 "%s cannot be that much: import_max and export_max from 0 to "
                 "1 TW, setpoint from -1 TW to 1 TW, reserve from 0 to 100 %%",
                 kind);
        return;
    }
    v->refused = false;
    char words[128];
    limit_text(&o->book.limits[index], words, sizeof(words));
    snprintf(v->name, sizeof(v->name), "%s", kind);
    snprintf(v->text, sizeof(v->text),
             "%s; whatever is stricter of the site or the utility goes before "
             "it",
             words);
}

static void set_out(struct overrides *o, const char *request, struct verdict *v)
{
    double s = NAN;
    int at = 0;
    bool read = sscanf(request, "%lf %n", &s, &at) == 1 && at > 0;
    const char *event = request + at;
    const struct known *k = find(o->events, o->n_events, event);
    k = k != NULL ? k : find(o->told, o->n_told, event);
    v->refused = true;
    if (!read || !lasts(s)) {
        snprintf(v->text, sizeof(v->text), "for how long? 1 s to 30 d");
        return;
    }
    struct known again = {.binds = false};
    if (k == NULL && override_opted_out(&o->book, event, clock_utc_ms())) {
        snprintf(again.id, sizeof(again.id), "%s", event);
        k = &again; /* by MQTT: not in the snapshot while it is opted out of */
    }
    if (k == NULL) {
        snprintf(v->text, sizeof(v->text),
                 "the utility has no event '%.140s'; 'ballast status --json' "
                 "has them under openadr.asks and utility",
                 event);
        return;
    }
    int64_t end_ms = until_ms(s);
    if (override_book_opt_out(&o->book, k->id, end_ms) != ERR_NONE) {
        snprintf(v->text, sizeof(v->text),
                 "%d events are opted out of, which is all that can be",
                 OVERRIDE_OUTS_MAX);
        return;
    }
    char until[CALENDAR_TEXT_MAX];
    v->refused = false;
    memcpy(v->name, k->id, sizeof(v->name));
    snprintf(v->text, sizeof(v->text),
             "opted out of %.140s%s%.140s%s until %s%s", k->id,
             k->name[0] != '\0' ? " \"" : "", k->name,
             k->name[0] != '\0' ? "\"" : "", calendar_format_utc(end_ms, until),
             k->binds ? "; its limits and emergencies stay: an opt-out wins "
                        "only where it is stricter"
                      : "");
}

static void take_back(struct overrides *o, const char *name, struct verdict *v)
{
    const struct known *k = find(o->events, o->n_events, name);
    bool known = override_book_clear(&o->book, name) ||
                 (k != NULL && override_book_clear(&o->book, k->id));
    v->refused = !known;
    snprintf(v->name, sizeof(v->name), "%s", k != NULL ? k->id : name);
    snprintf(v->text, sizeof(v->text),
             known ? "%.140s is taken back" : "nothing is set by '%.140s'",
             name);
}

void overrides_list(cJSON *list, const struct override_book *b)
{
    char until[CALENDAR_TEXT_MAX];
    for (int i = 0; i < UTILITY_LOCAL; i++) {
        const struct utility_in *u = &b->limits[i];
        if (u->id[0] == '\0') {
            continue;
        }
        cJSON *o = cJSON_CreateObject();
        char words[128];
        limit_text(u, words, sizeof(words));
        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "kind", utility_name(override_kind(i)));
        cJSON_AddNumberToObject(
            o, u->kind == UTILITY_RESERVE ? "value_pu" : "value_w", u->value);
        cJSON_AddStringToObject(o, "until",
                                calendar_format_utc(u->end_at_ms, until));
        cJSON_AddStringToObject(o, "text", words);
    }
    for (int64_t i = 0; i < b->n_outs; i++) {
        cJSON *o = cJSON_CreateObject();
        char words[OVERRIDE_NAME_MAX + 64];
        calendar_format_utc(b->outs[i].until_ms, until);
        snprintf(words, sizeof(words), "opted out of %s until %s",
                 b->outs[i].event, until);
        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "kind", "opt_out");
        cJSON_AddStringToObject(o, "event", b->outs[i].event);
        cJSON_AddStringToObject(o, "until", until);
        cJSON_AddStringToObject(o, "text", words);
    }
}

void overrides_print(const cJSON *list)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "text");
        printf("operator   %s\n",
               cJSON_IsString(text) ? text->valuestring : "?");
    }
}

/* Whoever is told that it holds can rely on it over a power cut. */
static void confirm(struct overrides *o, struct verdict *v)
{
    if (!v->refused && o->cfg.historian != NULL &&
        !historian_sync(o->cfg.historian, SYNC_S)) {
        size_t n = strlen(v->text);
        snprintf(v->text + n, sizeof(v->text) - n,
                 "; a restart may not know of it yet: the disk is slow");
    }
}

static char *answer_json(const struct override_book *b, const struct verdict *v)
{
    cJSON *out = cJSON_CreateObject();
    cJSON_AddNumberToObject(out, "v", 1);
    cJSON_AddStringToObject(out, v->refused ? "error" : "text", v->text);
    overrides_list(cJSON_AddArrayToObject(out, "overrides"), b);
    char *json = cJSON_PrintUnformatted(out);
    cJSON_Delete(out);
    return json;
}

char *overrides_answer(struct overrides *o, const char *request)
{
    static const struct {
        const char *begin;
        void (*act)(struct overrides *o, const char *rest, struct verdict *v);
    } acts[] = {{"override limit ", set_limit},
                {"override out ", set_out},
                {"override clear ", take_back},
                {"override list", NULL}};
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        size_t n = strlen(acts[i].begin);
        if (strncmp(request, acts[i].begin, n) != 0 ||
            (acts[i].act == NULL && request[n] != '\0')) {
            continue;
        }
        struct verdict v = {.refused = false};
        pthread_mutex_lock(&o->lock);
        if (acts[i].act != NULL) {
            acts[i].act(o, request + n, &v);
        }
        if (acts[i].act != NULL && !v.refused) {
            post(o);
            tell(o, v.name, v.text);
        }
        struct override_book now = o->book;
        pthread_mutex_unlock(&o->lock);
        if (acts[i].act != NULL) {
            confirm(o, &v);
        }
        return answer_json(&now, &v);
    }
    return NULL;
}
