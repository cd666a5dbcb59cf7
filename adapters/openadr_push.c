/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_push.h"

#include <stdio.h>
#include <string.h>

#include "adapters/json_in.h"

static const int64_t LOOK_MS = 600000; /* whether it is still there */
static const int64_t AGAIN_MS = 60000; /* after a failure */
static const double END_S = 2.0;       /* for the last request */

static void subscription_path(const char *id, char out[OPENADR_PATH_MAX])
{
    snprintf(out, OPENADR_PATH_MAX, "/subscriptions/%s", id);
}

static enum err delete_subscription(struct openadr *o, const char *id,
                                    char why[HTTP_WHY_MAX])
{
    char path[OPENADR_PATH_MAX];
    subscription_path(id, path);
    const struct openadr_call call = {.method = "DELETE", .path = path};
    cJSON *gone = NULL;
    long status = 0;
    enum err e = openadr_session_call(&o->session, &call, &gone, &status, why);
    cJSON_Delete(gone);
    return e == ERR_REFUSED && status == 404 ? ERR_NONE : e;
}

/* What an earlier run left. */
static enum err drop_old(struct openadr *o, char why[HTTP_WHY_MAX])
{
    const struct openadr_sought sought = {"/subscriptions", "clientName",
                                          o->cfg.node};
    for (int i = 0; i < OPENADR_PAGES_MAX; i++) {
        cJSON *old = NULL;
        char id[DR_ID_MAX];
        enum err e = openadr_find(o, &sought, &old, why);
        bool there = old != NULL && openadr_take_id(old, id);
        cJSON_Delete(old);
        if (e != ERR_NONE || !there) {
            return e;
        }
        e = delete_subscription(o, id, why);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static cJSON *words(const char *const *list, int n)
{
    return cJSON_CreateStringArray(list, n);
}

/* Events, and the program for its descriptors. */
static cJSON *subscription_body(const struct openadr *o)
{
    static const char *const objects[] = {"EVENT", "PROGRAM"};
    static const char *const new_words[] = {"CREATE", "UPDATE", "DELETE"};
    static const char *const old_words[] = {"POST", "PUT", "DELETE"};
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "clientName", o->cfg.node);
    cJSON_AddStringToObject(body, "programID", o->program_id);
    cJSON *list = cJSON_AddArrayToObject(body, "objectOperations");
    cJSON *of = cJSON_CreateObject();
    cJSON_AddItemToArray(list, of);
    cJSON_AddItemToObject(of, "objects", words(objects, 2));
    cJSON_AddItemToObject(of, "operations",
                          words(o->cfg.v30 ? old_words : new_words, 3));
    cJSON_AddStringToObject(of, "callbackUrl", o->cfg.callback);
    cJSON_AddStringToObject(of, "bearerToken", o->cfg.bearer);
    return body;
}

static enum err subscribe(struct openadr *o, char why[HTTP_WHY_MAX])
{
    enum err e = drop_old(o, why);
    if (e != ERR_NONE) {
        return e;
    }
    cJSON *body = subscription_body(o);
    const struct openadr_call call = {
        .method = "POST", .path = "/subscriptions", .body = body};
    cJSON *made = NULL;
    long status = 0;
    e = openadr_session_call(&o->session, &call, &made, &status, why);
    cJSON_Delete(body);
    if (e == ERR_NONE && !openadr_take_id(made, o->push.subscription)) {
        snprintf(why, HTTP_WHY_MAX, "/subscriptions: the answer has no id");
        e = ERR_SYNTAX;
    }
    cJSON_Delete(made);
    return e;
}

/* True where the VTN still has it, or cannot be asked. */
static bool is_there(struct openadr *o)
{
    char path[OPENADR_PATH_MAX];
    char why[HTTP_WHY_MAX];
    subscription_path(o->push.subscription, path);
    const struct openadr_call call = {.method = "GET", .path = path};
    cJSON *found = NULL;
    long status = 0;
    enum err e = openadr_session_call(&o->session, &call, &found, &status, why);
    bool ours = json_in_is_text(found, "clientName", o->cfg.node);
    cJSON_Delete(found);
    return e == ERR_NONE ? ours : status != 404;
}

static enum err tend_hook(struct openadr *o, char why[HTTP_WHY_MAX])
{
    struct openadr_push *p = &o->push;
    int64_t now_ms = o->session.mono_ms;
    if (now_ms < p->hook_mono_ms && p->was_up) {
        return ERR_NONE;
    }
    if (p->subscription[0] != '\0' && !is_there(o)) {
        p->subscription[0] = '\0';
    }
    enum err e = p->subscription[0] == '\0' ? subscribe(o, why) : ERR_NONE;
    p->hook_mono_ms = now_ms + (e == ERR_NONE ? LOOK_MS : AGAIN_MS);
    return e;
}

/* The topics of one kind of object; ALL where there is one, else each. */
static void add_topics(const cJSON *topics, struct openadr_feed_cfg *feed)
{
    static const char *const names[] = {"ALL", "CREATE", "UPDATE", "DELETE"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *topic = NULL;
        if (feed->n_topics < OPENADR_TOPICS_MAX &&
            json_in_text(topics, names[i], &topic) == JSON_IN_OK &&
            topic[0] != '\0' && strlen(topic) < OPENADR_TOPIC_MAX) {
            snprintf(feed->topics[feed->n_topics++], OPENADR_TOPIC_MAX, "%s",
                     topic);
            if (i == 0) {
                return;
            }
        }
    }
}

static enum err ask(struct openadr *o, const char *path, cJSON **out,
                    char why[HTTP_WHY_MAX])
{
    const struct openadr_call call = {.method = "GET", .path = path};
    long status = 0;
    return openadr_session_call(&o->session, &call, out, &status, why);
}

/* Events for us, where the VTN knows us, and those of the program.  Either
 * may be refused. */
static enum err find_topics(struct openadr *o, struct openadr_feed_cfg *feed,
                            char why[HTTP_WHY_MAX])
{
    char paths[2][OPENADR_PATH_MAX];
    snprintf(paths[0], OPENADR_PATH_MAX,
             "/notifiers/mqtt/topics/programs/%s/events", o->program_id);
    snprintf(paths[1], OPENADR_PATH_MAX,
             "/notifiers/mqtt/topics/vens/%s/events", o->ven_id);
    enum err last = ERR_NONE;
    for (int i = 0; i < (o->ven_id[0] != '\0' ? 2 : 1); i++) {
        cJSON *json = NULL;
        enum err e = ask(o, paths[i], &json, why);
        last = e != ERR_NONE ? e : last;
        add_topics(cJSON_GetObjectItemCaseSensitive(json, "topics"), feed);
        cJSON_Delete(json);
    }
    if (feed->n_topics == 0 && last == ERR_NONE) {
        snprintf(why, HTTP_WHY_MAX, "the MQTT notifier names no topics");
        last = ERR_SYNTAX;
    }
    return feed->n_topics > 0 ? ERR_NONE : last;
}

static bool is_tls(const char *uri)
{
    return strncmp(uri, "mqtts:", 6) == 0 || strncmp(uri, "ssl:", 4) == 0;
}

/* A token that goes out by TLS does not go anywhere without, and without TLS
 * nobody asks for our certificate. */
static bool is_safe(const struct openadr *o, const char *uri)
{
    return is_tls(uri) || (strncmp(o->cfg.base, "https:", 6) != 0 &&
                           o->push.login.cert_file[0] == '\0');
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static enum err log_in(struct openadr *o, const cJSON *mqtt,
                       char why[HTTP_WHY_MAX])
{
    const struct openadr_login_cfg cfg = {
        .client = o->cfg.client,
        .token = o->session.token,
        .ca_file = o->cfg.ca_file,
        .cert_file = or_none(o->cfg.broker_cert_file),
        .key_file = or_none(o->cfg.broker_key_file),
        .user = or_none(o->cfg.broker_user),
        .password_file = or_none(o->cfg.broker_password_file)};
    return openadr_login_make(
        &cfg, cJSON_GetObjectItemCaseSensitive(mqtt, "authentication"),
        &o->push.login, why);
}

static void close_feed(struct openadr_push *p)
{
    if (p->feed != NULL) {
        openadr_feed_close(p->feed);
        p->feed = NULL;
    }
    openadr_login_clear(&p->login);
}

static enum err open_feed(struct openadr *o, const cJSON *json,
                          char why[HTTP_WHY_MAX])
{
    const cJSON *mqtt = cJSON_GetObjectItemCaseSensitive(json, "MQTT");
    const cJSON *uri =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(mqtt, "URIS"), 0);
    if (!cJSON_IsString(uri)) {
        snprintf(why, HTTP_WHY_MAX, "the server has no MQTT notifier");
        return ERR_UNKNOWN;
    }
    char client[24];
    snprintf(client, sizeof(client), "b%.20s", o->cfg.bearer);
    enum err e = log_in(o, mqtt, why);
    if (e == ERR_NONE && !is_safe(o, uri->valuestring)) {
        snprintf(why, HTTP_WHY_MAX,
                 "the MQTT notifier is without TLS and is not used");
        e = ERR_REFUSED;
    }
    const struct openadr_login *login = &o->push.login;
    struct openadr_feed_cfg feed = {.uri = uri->valuestring,
                                    .client = client,
                                    .user = login->user,
                                    .password = login->password,
                                    .ca_file = login->ca_file,
                                    .cert_file = login->cert_file,
                                    .key_file = login->key_file,
                                    .woken = o->cfg.woken,
                                    .woken_user = o->cfg.woken_user};
    if (e == ERR_NONE) {
        e = find_topics(o, &feed, why);
    }
    return e == ERR_NONE
               ? openadr_feed_open(&feed, &o->push.feed, why, HTTP_WHY_MAX)
               : e;
}

/* One that is down for as long as a look takes has lost its token, or the
 * broker has moved: it is looked up anew. */
static enum err tend_feed(struct openadr *o, char why[HTTP_WHY_MAX])
{
    struct openadr_push *p = &o->push;
    int64_t now_ms = o->session.mono_ms;
    bool up = p->feed != NULL && openadr_feed_up(p->feed);
    if (up) {
        p->feed_mono_ms = now_ms + AGAIN_MS;
    }
    if (up || now_ms < p->feed_mono_ms) {
        return ERR_NONE;
    }
    close_feed(p);
    cJSON *json = NULL;
    enum err e = ask(o, "/notifiers", &json, why);
    if (e == ERR_NONE) {
        e = open_feed(o, json, why);
    }
    if (p->feed == NULL) {
        close_feed(p);
    }
    cJSON_Delete(json);
    p->feed_mono_ms = now_ms + (e == ERR_UNKNOWN ? LOOK_MS : AGAIN_MS);
    return e;
}

void openadr_push_tend(struct openadr *o)
{
    char why[HTTP_WHY_MAX] = "";
    bool due = o->session.mono_ms >= o->push.hook_mono_ms ||
               o->session.mono_ms >= o->push.feed_mono_ms || !o->push.was_up;
    if (due) {
        o->push.trouble[0] = '\0';
    }
    if (o->cfg.callback[0] != '\0' && tend_hook(o, why) != ERR_NONE) {
        snprintf(o->push.trouble, sizeof(o->push.trouble), "webhook: %.200s",
                 why);
    }
    if (o->cfg.notifier && !o->cfg.v30 && tend_feed(o, why) != ERR_NONE) {
        snprintf(o->push.trouble, sizeof(o->push.trouble), "MQTT: %.200s", why);
    }
}

const char *openadr_push_text(const struct openadr *o)
{
    bool hook = o->push.subscription[0] != '\0';
    bool feed = o->push.feed != NULL && openadr_feed_up(o->push.feed);
    return hook && feed ? "webhook, MQTT"
           : hook       ? "webhook"
           : feed       ? "MQTT"
                        : "";
}

const char *openadr_push_trouble(const struct openadr *o)
{
    return o->push.trouble;
}

void openadr_push_end(struct openadr *o)
{
    close_feed(&o->push);
    if (o->push.subscription[0] == '\0' || !o->push.was_up) {
        return;
    }
    /* the others give up at once when told to stop */
    const struct http_client_cfg http = {.ca_file = o->cfg.ca_file,
                                         .timeout_s = END_S,
                                         .bytes_max = OPENADR_REPLY_MAX};
    struct http_client *last = NULL;
    char why[HTTP_WHY_MAX];
    if (http_client_open(&http, &last) == ERR_NONE) {
        http_client_close(o->session.http);
        o->session.http = last;
        if (delete_subscription(o, o->push.subscription, why) == ERR_NONE) {
            o->push.subscription[0] = '\0';
        }
    }
}
