/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/json_in.h"
#include "adapters/openadr.h"
#include "adapters/secret_file.h"

/* A token is renewed this long before it ends. */
static const double RENEW_AHEAD_S = 30.0;
static const double TOKEN_DEFAULT_S = 3600.0;

enum { DETAIL_MAX = 100, FORM_MAX = 1024 };

/* The reply as JSON; NULL with the fault in 'why'. */
static cJSON *parse(const struct http_reply *reply, char why[HTTP_WHY_MAX])
{
    const struct json_in_limits limits = {
        .bytes_max = OPENADR_REPLY_MAX, .depth_max = 16, .values_max = 1000000};
    struct json_in_fault fault = {.why = ""};
    cJSON *json =
        json_in_parse_within(reply->body, reply->size, &limits, &fault);
    if (json == NULL) {
        snprintf(why, HTTP_WHY_MAX, "the reply is not JSON: %s at byte %zu",
                 fault.why, fault.at);
    }
    return json;
}

/* application/x-www-form-urlencoded of one value, into 'out'. */
static void put_form(char *out, size_t size, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text;
         *c != '\0' && n + 4 < size; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || strchr("-_.~", *c) != NULL;
        if (plain) {
            out[n++] = (char)*c;
        } else {
            out[n++] = '%';
            out[n++] = hex[*c >> 4];
            out[n++] = hex[*c & 15];
        }
    }
    out[n] = '\0';
}

/* A careless server may say what we sent it. */
static bool betrays(const struct openadr_session *s, const char *said)
{
    char form[FORM_MAX];
    put_form(form, sizeof(form), s->secret);
    bool it_does = (s->secret[0] != '\0' && (strstr(said, s->secret) != NULL ||
                                             strstr(said, form) != NULL)) ||
                   (s->token[0] != '\0' && strstr(said, s->token) != NULL);
    secret_file_wipe(form, sizeof(form));
    return it_does;
}

/* What a refusal says of itself, made safe to print. */
static void tell_refusal(const struct openadr_session *s,
                         const struct http_reply *reply, const char *path,
                         char why[HTTP_WHY_MAX])
{
    char detail[DETAIL_MAX] = "";
    char unused[HTTP_WHY_MAX];
    cJSON *json = reply->size > 0 ? parse(reply, unused) : NULL;
    const char *said = NULL;
    if (json_in_text(json, "detail", &said) == JSON_IN_OK ||
        json_in_text(json, "title", &said) == JSON_IN_OK ||
        json_in_text(json, "error", &said) == JSON_IN_OK) {
        snprintf(detail, sizeof(detail), ": %s",
                 betrays(s, said) ? "it repeats our secret" : said);
    }
    for (char *c = detail; *c != '\0'; c++) {
        *c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
    }
    cJSON_Delete(json);
    bool moved = reply->status >= 300 && reply->status < 400;
    snprintf(why, HTTP_WHY_MAX, "%.80s: status %ld%s%s", path, reply->status,
             detail,
             moved ? " (a redirect, which is not followed: name the new "
                     "address as base)"
                   : "");
}

/* The address of the token server: what the VTN says, else the usual one. */
static void find_token_url(struct openadr_session *s)
{
    snprintf(s->token_url, sizeof(s->token_url), "%s/auth/token", s->base);
    if (s->v30) {
        return;
    }
    char url[OPENADR_URL_MAX];
    char why[HTTP_WHY_MAX];
    snprintf(url, sizeof(url), "%s/auth/server", s->base);
    const struct http_request ask = {.method = "GET", .url = url};
    struct http_reply reply;
    if (http_client_send(s->http, &ask, &reply, why) != ERR_NONE ||
        reply.status != 200) {
        return;
    }
    cJSON *json = parse(&reply, why);
    const char *said = NULL;
    /* a secret that goes out by TLS does not go anywhere without */
    bool safe =
        json_in_text(json, "tokenURL", &said) == JSON_IN_OK &&
        strlen(said) < sizeof(s->token_url) &&
        (strncmp(s->base, "https:", 6) != 0 || strncmp(said, "https:", 6) == 0);
    if (safe) {
        snprintf(s->token_url, sizeof(s->token_url), "%s", said);
    }
    cJSON_Delete(json);
}

static enum err take_token(struct openadr_session *s, const cJSON *json,
                           char why[HTTP_WHY_MAX])
{
    const char *token = NULL;
    double lasts_s = TOKEN_DEFAULT_S;
    const struct json_in_range range = {1.0, 1e8};
    enum json_in_field had =
        json_in_number(json, "expires_in", range, &lasts_s);
    bool clean = json_in_text(json, "access_token", &token) == JSON_IN_OK &&
                 token[0] != '\0' && strlen(token) < sizeof(s->token);
    for (const char *c = token; clean && *c != '\0'; c++) {
        clean = (unsigned char)*c > ' ' && (unsigned char)*c < 127;
    }
    if (!clean || had == JSON_IN_BAD) {
        snprintf(why, HTTP_WHY_MAX, "the token server's answer has no token");
        return ERR_SYNTAX;
    }
    snprintf(s->token, sizeof(s->token), "%s", token);
    double ahead_s =
        lasts_s > 4.0 * RENEW_AHEAD_S ? RENEW_AHEAD_S : 0.25 * lasts_s;
    s->renew_mono_ms = s->mono_ms + (int64_t)((lasts_s - ahead_s) * 1e3);
    return ERR_NONE;
}

static enum err get_token(struct openadr_session *s, char why[HTTP_WHY_MAX])
{
    if (s->token_url[0] == '\0') {
        find_token_url(s);
    }
    char client[512];
    char secret[FORM_MAX];
    char body[2048];
    put_form(client, sizeof(client), s->client);
    put_form(secret, sizeof(secret), s->secret);
    snprintf(body, sizeof(body),
             "grant_type=client_credentials&client_id=%s&client_secret=%s",
             client, secret);
    const struct http_request ask = {.method = "POST",
                                     .url = s->token_url,
                                     .type =
                                         "application/x-www-form-urlencoded",
                                     .body = body};
    struct http_reply reply;
    enum err e = http_client_send(s->http, &ask, &reply, why);
    secret_file_wipe(body, sizeof(body));
    secret_file_wipe(secret, sizeof(secret));
    if (e != ERR_NONE || reply.status < 200 || reply.status > 299) {
        s->token_url[0] = '\0'; /* ask again where it is */
        if (e == ERR_NONE) {
            tell_refusal(s, &reply, "token", why);
            e = ERR_REFUSED;
        }
        s->token[0] = '\0';
        return e;
    }
    s->token[0] = '\0';
    cJSON *json = parse(&reply, why);
    e = json != NULL ? take_token(s, json, why) : ERR_SYNTAX;
    cJSON_Delete(json);
    return e;
}

/* One try with the token that is there. */
static enum err send_once(struct openadr_session *s,
                          const struct openadr_call *call, const char *body,
                          struct http_reply *reply, char why[HTTP_WHY_MAX])
{
    char url[OPENADR_URL_MAX];
    snprintf(url, sizeof(url), "%s%s", s->base, call->path);
    const struct http_request ask = {
        .method = call->method,
        .url = url,
        .token = s->token[0] != '\0' ? s->token : NULL,
        .type = "application/json",
        .body = body,
    };
    return http_client_send(s->http, &ask, reply, why);
}

enum err openadr_session_call(struct openadr_session *s,
                              const struct openadr_call *call, cJSON **out,
                              long *status, char why[HTTP_WHY_MAX])
{
    *out = NULL;
    *status = 0;
    char *body = call->body != NULL ? cJSON_PrintUnformatted(call->body) : NULL;
    struct http_reply reply = {.status = 0};
    enum err e = ERR_NONE;
    for (int tries = 0; tries < 2 && e == ERR_NONE; tries++) {
        bool old = s->mono_ms >= s->renew_mono_ms || s->token[0] == '\0';
        if (s->client[0] != '\0' && old) {
            e = get_token(s, why);
        }
        if (e == ERR_NONE) {
            e = send_once(s, call, body, &reply, why);
        }
        if (e != ERR_NONE || reply.status != 401 || s->client[0] == '\0') {
            break;
        }
        s->renew_mono_ms = s->mono_ms; /* refused: a new one, once */
    }
    free(body);
    if (e != ERR_NONE) {
        return e;
    }
    *status = reply.status;
    if (reply.status < 200 || reply.status > 299) {
        tell_refusal(s, &reply, call->path, why);
        return ERR_REFUSED;
    }
    *out = reply.size > 0 ? parse(&reply, why) : NULL;
    return reply.size == 0 || *out != NULL ? ERR_NONE : ERR_SYNTAX;
}
