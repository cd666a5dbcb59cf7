/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/adapters/openadr_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct answer *next_answer(struct server *s, const char *request)
{
    for (int i = 0; s->script[i].starts != NULL; i++) {
        const struct answer *a = &s->script[i];
        if (strncmp(request, a->starts, strlen(a->starts)) == 0 &&
            (a->uses == 0 || s->used[i] < a->uses)) {
            s->used[i]++;
            return a;
        }
    }
    return NULL;
}

static void note_request(struct server *s, const char *request)
{
    if (s->n_log < LOG_MAX) {
        snprintf(s->log[s->n_log], sizeof(s->log[0]), "%.*s",
                 (int)strcspn(request, "\r"), request);
        const char *token = strstr(request, "Bearer ");
        snprintf(s->tokens[s->n_log], sizeof(s->tokens[0]), "%.*s",
                 token != NULL ? (int)strcspn(token + 7, "\r") : 0,
                 token != NULL ? token + 7 : "");
        s->n_log++;
    }
}

/* Head and body of one request. */
static bool read_request(int fd, char *out)
{
    size_t n = 0;
    while (n < REQUEST_MAX - 1) {
        ssize_t got = read(fd, out + n, REQUEST_MAX - 1 - n);
        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        out[n] = '\0';
        const char *end = strstr(out, "\r\n\r\n");
        if (end != NULL) {
            const char *size = strstr(out, "Content-Length: ");
            size_t body = size != NULL ? (size_t)atol(size + 16) : 0;
            if (n >= (size_t)(end + 4 - out) + body) {
                return true;
            }
        }
    }
    return false;
}

static void write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = send(fd, text, n, MSG_NOSIGNAL);
        if (done <= 0) {
            return;
        }
        text += done;
        n -= (size_t)done;
    }
}

static void reply(int fd, const struct answer *a)
{
    size_t n = strlen(a->body);
    char head[256];
    snprintf(head, sizeof(head),
             "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
             "Location: http://127.0.0.1:1/\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n",
             a->status, n * (size_t)(a->repeat + 1));
    write_all(fd, head, strlen(head));
    for (int i = 0; i < a->repeat; i++) {
        write_all(fd, a->body, n);
    }
    write_all(fd, a->body, n - (size_t)a->cut);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    char *request = malloc(REQUEST_MAX);
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0) {
            break;
        }
        if (read_request(fd, request)) {
            note_request(s, request);
            const struct answer *a = next_answer(s, request);
            if (a != NULL) {
                reply(fd, a);
            }
        }
        close(fd);
    }
    free(request);
    return NULL;
}

void server_start(struct server *s, struct answer *script)
{
    memset(s, 0, sizeof(*s));
    s->script = script;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void server_stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}
