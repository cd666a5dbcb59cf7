/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/http_client.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

static const double CONNECT_S = 5.0; /* at most, of the whole time-out */

struct http_client {
    CURL *curl;
    size_t bytes_max;
    double timeout_s;
    const atomic_bool *stop;
    char *body;
    size_t size;
    size_t room;
    bool full;
    char ca_file[512];
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* curl's callback: whatever is not all of it stops the transfer. */
static size_t take_body(char *bytes, size_t size, size_t n, void *user)
{
    struct http_client *c = user;
    size_t more = size * n;
    if (more > c->bytes_max - c->size) {
        c->full = true;
        return 0;
    }
    if (c->size + more + 1 > c->room) {
        size_t room = 2 * (c->size + more + 1);
        char *body = realloc(c->body, room);
        if (body == NULL) {
            return 0;
        }
        c->body = body;
        c->room = room;
    }
    memcpy(c->body + c->size, bytes, more);
    c->size += more;
    c->body[c->size] = '\0';
    return more;
}

static int look_at_stop(void *user, curl_off_t a, curl_off_t b, curl_off_t d,
                        curl_off_t e)
{
    (void)a;
    (void)b;
    (void)d;
    (void)e;
    const struct http_client *c = user;
    return c->stop != NULL && atomic_load(c->stop);
}

enum err http_client_open(const struct http_client_cfg *cfg,
                          struct http_client **out)
{
    pthread_once(&once, start_curl);
    struct http_client *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        return ERR_MEMORY;
    }
    c->curl = curl_easy_init();
    c->room = 4096;
    c->body = calloc(1, c->room);
    if (c->curl == NULL || c->body == NULL) {
        http_client_close(c);
        return ERR_MEMORY;
    }
    c->bytes_max = cfg->bytes_max;
    c->timeout_s = cfg->timeout_s;
    c->stop = cfg->stop;
    snprintf(c->ca_file, sizeof(c->ca_file), "%s",
             cfg->ca_file != NULL ? cfg->ca_file : "");
    *out = c;
    return ERR_NONE;
}

void http_client_close(struct http_client *c)
{
    if (c->curl != NULL) {
        curl_easy_cleanup(c->curl);
    }
    free(c->body);
    free(c);
}

static void set_bounds(struct http_client *c)
{
    CURL *h = c->curl;
    double connect_s = fmin(c->timeout_s, CONNECT_S);
    curl_easy_reset(h);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, lround(c->timeout_s * 1e3));
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, lround(connect_s * 1e3));
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, look_at_stop);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
    if (c->ca_file[0] != '\0') {
        curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
    }
}

static struct curl_slist *headers_of(const struct http_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/"
                                                      "json");
    char line[4096 + 32];
    if (r->token != NULL) {
        snprintf(line, sizeof(line), "Authorization: Bearer %s", r->token);
        list = curl_slist_append(list, line);
        memset(line, 0, sizeof(line));
    }
    if (r->body != NULL) {
        snprintf(line, sizeof(line), "Content-Type: %s", r->type);
        list = curl_slist_append(list, line);
    }
    return list;
}

static enum err error_of(const struct http_client *c, CURLcode code)
{
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_WRITE_ERROR:
        return c->full ? ERR_FULL : ERR_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERR_RANGE;
    case CURLE_OUT_OF_MEMORY:
        return ERR_MEMORY;
    default:
        return ERR_IO;
    }
}

enum err http_client_send(struct http_client *c,
                          const struct http_request *request,
                          struct http_reply *reply, char why[HTTP_WHY_MAX])
{
    set_bounds(c);
    c->size = 0;
    c->full = false;
    c->body[0] = '\0';
    c->error[0] = '\0';
    curl_easy_setopt(c->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body != NULL) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, request->body);
    }
    struct curl_slist *headers = headers_of(request);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(c->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        enum err e = error_of(c, code);
        const char *text = e == ERR_FULL ? "the reply is larger than we take"
                           : c->error[0] != '\0' ? c->error
                                                 : curl_easy_strerror(code);
        snprintf(why, HTTP_WHY_MAX, "%s", text);
        return e;
    }
    *reply = (struct http_reply){.body = c->body, .size = c->size};
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    return ERR_NONE;
}
