/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/openadr_hook.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "adapters/json_in.h"

enum {
    ECHO_MAX = 256,
    CONNECTIONS_MAX = 16,
    TIMEOUT_S = 10,
    HEADERS_MAX = 16384, /* memory of a connection */
};

struct openadr_hook {
    struct openadr_hook_cfg cfg;
    char bearer[OPENADR_BEARER_MAX];
    struct MHD_Daemon *daemon;
    atomic_ullong n_taken;
    atomic_ullong n_refused;
};

/* A body under way. */
struct post {
    size_t n;
    bool over; /* larger than we take */
    char body[OPENADR_NOTICE_MAX];
};

static enum MHD_Result say(struct MHD_Connection *c, unsigned status,
                           const char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    if (r == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", "text/plain");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    enum MHD_Result done = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return done;
}

static enum MHD_Result refuse(struct openadr_hook *h, struct MHD_Connection *c,
                              unsigned status)
{
    atomic_fetch_add(&h->n_refused, 1);
    return say(c, status, "");
}

/* The same time whatever differs. */
static bool same_secret(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    unsigned differ = n != m;
    for (size_t i = 0; i < n && m > 0; i++) {
        differ |= (unsigned char)a[i] ^ (unsigned char)b[i % m];
    }
    return differ == 0;
}

static bool is_known(const struct openadr_hook *h, struct MHD_Connection *c)
{
    static const char scheme[] = "Bearer ";
    const char *said =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    return said != NULL && strncmp(said, scheme, sizeof(scheme) - 1) == 0 &&
           same_secret(said + sizeof(scheme) - 1, h->bearer);
}

static enum MHD_Result echo(struct openadr_hook *h, struct MHD_Connection *c)
{
    const char *text =
        MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "echo");
    bool plain = text != NULL && text[0] != '\0' && strlen(text) <= ECHO_MAX;
    for (const char *p = text; plain && *p != '\0'; p++) {
        plain = *p >= ' ' && *p < 127;
    }
    return plain ? say(c, MHD_HTTP_OK, text)
                 : refuse(h, c, MHD_HTTP_BAD_REQUEST);
}

static bool is_notification(const struct post *p)
{
    const struct json_in_limits limits = {
        .bytes_max = OPENADR_NOTICE_MAX, .depth_max = 16, .values_max = 50000};
    struct json_in_fault fault = {.why = ""};
    cJSON *json = json_in_parse_within(p->body, p->n, &limits, &fault);
    const char *type = NULL;
    const char *operation = NULL;
    bool is = json_in_text(json, "objectType", &type) == JSON_IN_OK &&
              json_in_text(json, "operation", &operation) == JSON_IN_OK;
    cJSON_Delete(json);
    return is;
}

static enum MHD_Result take_post(struct openadr_hook *h,
                                 struct MHD_Connection *c, const struct post *p)
{
    if (p->over) {
        return refuse(h, c, MHD_HTTP_CONTENT_TOO_LARGE);
    }
    if (!is_notification(p)) {
        return refuse(h, c, MHD_HTTP_BAD_REQUEST);
    }
    atomic_fetch_add(&h->n_taken, 1);
    h->cfg.woken(h->cfg.user);
    return say(c, MHD_HTTP_OK, "");
}

/* libmicrohttpd's callback: first with the head, then with pieces of the body,
 * at last with none. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *c,
                                  const char *url, const char *method,
                                  const char *version, const char *piece,
                                  size_t *size, void **state)
{
    (void)url;
    (void)version;
    struct openadr_hook *h = user;
    struct post *p = *state;
    bool posts = strcmp(method, "POST") == 0;
    if (!posts) {
        return strcmp(method, "GET") == 0
                   ? echo(h, c)
                   : refuse(h, c, MHD_HTTP_METHOD_NOT_ALLOWED);
    }
    if (p == NULL) {
        if (!is_known(h, c)) {
            return refuse(h, c, MHD_HTTP_UNAUTHORIZED);
        }
        *state = calloc(1, sizeof(*p));
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*size == 0) {
        return take_post(h, c, p);
    }
    p->over = p->over || *size > sizeof(p->body) - p->n;
    if (!p->over) {
        memcpy(p->body + p->n, piece, *size);
        p->n += *size;
    }
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *user, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)c;
    (void)why;
    free(*state);
    *state = NULL;
}

/* "host:port" with a numeric host, in brackets where it has colons. */
static struct addrinfo *find_address(const char *listen)
{
    char host[128];
    const char *colon = strrchr(listen, ':');
    size_t n = colon != NULL ? (size_t)(colon - listen) : 0;
    if (n == 0 || n >= sizeof(host) || colon[1] == '\0') {
        return NULL;
    }
    bool brackets = listen[0] == '[' && listen[n - 1] == ']' && n > 2;
    snprintf(host, sizeof(host), "%.*s", (int)(brackets ? n - 2 : n),
             brackets ? listen + 1 : listen);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    return getaddrinfo(host, colon + 1, &hints, &list) == 0 ? list : NULL;
}

static enum err start(struct openadr_hook *h, char *why, size_t why_size)
{
    struct addrinfo *at = find_address(h->cfg.listen);
    if (at == NULL) {
        snprintf(why, why_size, "%s is no address to listen on", h->cfg.listen);
        return ERR_RANGE;
    }
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    flags |= at->ai_family == AF_INET6 ? MHD_USE_IPv6 : MHD_NO_FLAG;
    errno = 0;
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, at->ai_addr,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
    int fault = errno;
    freeaddrinfo(at);
    if (h->daemon == NULL) {
        snprintf(why, why_size, "cannot listen on %s: %s", h->cfg.listen,
                 strerror(fault != 0 ? fault : EADDRINUSE));
        return ERR_IO;
    }
    return ERR_NONE;
}

enum err openadr_hook_open(const struct openadr_hook_cfg *cfg,
                           struct openadr_hook **out, char *why,
                           size_t why_size)
{
    struct openadr_hook *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    h->cfg = *cfg;
    snprintf(h->bearer, sizeof(h->bearer), "%s", cfg->bearer);
    enum err e = start(h, why, why_size);
    if (e != ERR_NONE) {
        free(h);
        return e;
    }
    *out = h;
    return ERR_NONE;
}

void openadr_hook_close(struct openadr_hook *h)
{
    MHD_stop_daemon(h->daemon);
    free(h);
}

int openadr_hook_port(const struct openadr_hook *h)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}

struct openadr_hook_counts openadr_hook_counts(const struct openadr_hook *h)
{
    return (struct openadr_hook_counts){atomic_load(&h->n_taken),
                                        atomic_load(&h->n_refused)};
}

enum err openadr_hook_bearer(char out[OPENADR_BEARER_MAX])
{
    unsigned char bytes[16];
    FILE *f = fopen("/dev/urandom", "rb");
    size_t n = f != NULL ? fread(bytes, 1, sizeof(bytes), f) : 0;
    if (f != NULL) {
        fclose(f);
    }
    if (n != sizeof(bytes)) {
        return ERR_IO;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
    return ERR_NONE;
}
