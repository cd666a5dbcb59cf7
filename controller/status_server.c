/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_server - hands out the newest status; bounded in clients, bytes and
 * time, so that no client can disturb another or the controller. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "controller/clock.h"
#include "controller/status.h"
#include "controller/waker.h"

enum { CLIENTS_MAX = 16, CLIENT_MS = 2000 };

struct client {
    int fd; /* -1: free */
    int64_t until_mono_ms;
    char request[STATUS_REQUEST_MAX + 1];
    size_t n_request;
    char *answer; /* owned; NULL until the request is whole */
    size_t n_answer;
    size_t n_sent;
};

struct status_server {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd;
    struct waker wake;
    pthread_mutex_t lock; /* of json, other and user */
    char *json;
    status_answer_fn *other; /* NULL: none */
    void *user;
    struct client clients[CLIENTS_MAX];
    pthread_t thread;
    atomic_bool stop;
};

static void drop(struct client *c)
{
    close(c->fd);
    free(c->answer);
    *c = (struct client){.fd = -1};
}

static void take_in(struct status_server *s)
{
    int fd = accept(s->fd, NULL, NULL);
    if (fd < 0) {
        return;
    }
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &s->clients[i];
        if (c->fd < 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
            *c = (struct client){.fd = fd,
                                 .until_mono_ms = clock_mono_ms() + CLIENT_MS};
            return;
        }
    }
    close(fd);
}

static char *answer_other(struct status_server *s, const char *request)
{
    pthread_mutex_lock(&s->lock);
    status_answer_fn *other = s->other;
    void *user = s->user;
    pthread_mutex_unlock(&s->lock);
    return other != NULL ? other(user, request) : NULL;
}

static void answer(struct status_server *s, struct client *c)
{
    if (strcmp(c->request, "status") == 0) {
        pthread_mutex_lock(&s->lock);
        c->answer = strdup(
            s->json != NULL ? s->json : "{\"v\":1,\"error\":\"starting\"}");
        pthread_mutex_unlock(&s->lock);
    } else {
        c->answer = answer_other(s, c->request);
    }
    if (c->answer == NULL) {
        c->answer =
            strdup("{\"v\":1,\"error\":\"unknown request: send status\"}");
    }
    c->n_answer = c->answer != NULL ? strlen(c->answer) : 0;
}

/* False where the client is done for. */
static bool read_request(struct status_server *s, struct client *c)
{
    ssize_t n = read(c->fd, c->request + c->n_request,
                     sizeof(c->request) - 1 - c->n_request);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    c->n_request += (size_t)n;
    char *end = memchr(c->request, '\n', c->n_request);
    if (end == NULL && c->n_request < sizeof(c->request) - 1) {
        return true;
    }
    /* a request that is too long is one that nobody knows */
    *(end != NULL ? end : c->request) = '\0';
    answer(s, c);
    return c->answer != NULL;
}

static bool write_answer(struct client *c)
{
    ssize_t n = write(c->fd, c->answer + c->n_sent, c->n_answer - c->n_sent);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    c->n_sent += (size_t)n;
    return c->n_sent < c->n_answer;
}

static void serve_clients(struct status_server *s, const struct pollfd *polled)
{
    int64_t now_ms = clock_mono_ms();
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &s->clients[i];
        if (c->fd < 0) {
            continue;
        }
        bool goes_on = now_ms < c->until_mono_ms;
        if (goes_on && polled[i].fd == c->fd && polled[i].revents != 0) {
            goes_on = c->answer == NULL ? read_request(s, c) : write_answer(c);
        }
        if (!goes_on) {
            drop(c);
        }
    }
}

static void *run(void *arg)
{
    struct status_server *s = arg;
    while (!atomic_load(&s->stop)) {
        struct pollfd p[CLIENTS_MAX + 2];
        bool any = false;
        for (int i = 0; i < CLIENTS_MAX; i++) {
            const struct client *c = &s->clients[i];
            p[i] = (struct pollfd){
                .fd = c->fd,
                .events = c->answer == NULL ? POLLIN : POLLOUT,
            };
            any = any || c->fd >= 0;
        }
        p[CLIENTS_MAX] = (struct pollfd){.fd = s->fd, .events = POLLIN};
        p[CLIENTS_MAX + 1] =
            (struct pollfd){.fd = s->wake.fds[0], .events = POLLIN};
        poll(p, CLIENTS_MAX + 2, any ? 100 : -1);
        serve_clients(s, p);
        if (p[CLIENTS_MAX].revents & POLLIN) {
            take_in(s);
        }
    }
    return NULL;
}

/* The socket at s->path; whoever calls holds the lock of the site, so what
 * lies there belongs to nobody. */
static bool listen_at(struct status_server *s, char *why, size_t why_size)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, s->path, sizeof(at.sun_path));
    unlink(s->path);
    s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (s->fd < 0 || fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(s->fd, F_SETFD, FD_CLOEXEC) != 0) {
        snprintf(why, why_size, "no socket: %s", strerror(errno));
        return false;
    }
    mode_t old = umask(0177);
    int bound = bind(s->fd, (struct sockaddr *)&at, sizeof(at));
    int failed = errno;
    umask(old);
    if (bound != 0 || listen(s->fd, CLIENTS_MAX) != 0) {
        snprintf(why, why_size, "%s: %s", s->path,
                 strerror(bound != 0 ? failed : errno));
        return false;
    }
    return true;
}

static enum err start(struct status_server *s, char *why, size_t why_size)
{
    if (!listen_at(s, why, why_size)) {
        return ERR_IO;
    }
    if (waker_init(&s->wake) != ERR_NONE) {
        snprintf(why, why_size, "no pipe: %s", strerror(errno));
        return ERR_IO;
    }
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        waker_clear(&s->wake);
        snprintf(why, why_size, "no thread for %s", s->path);
        return ERR_IO;
    }
    return ERR_NONE;
}

enum err status_server_open(const char *path, struct status_server **out,
                            char *why, size_t why_size)
{
    struct status_server *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        snprintf(why, why_size, "%s", err_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    if (strlen(path) >= sizeof(s->path)) {
        snprintf(why, why_size,
                 "%s: a socket's path has at most %zu bytes; give "
                 "history.file a shorter path",
                 path, sizeof(s->path) - 1);
        free(s);
        return ERR_RANGE;
    }
    memcpy(s->path, path, strlen(path) + 1);
    atomic_init(&s->stop, false);
    pthread_mutex_init(&s->lock, NULL);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        s->clients[i].fd = -1;
    }
    enum err e = start(s, why, why_size);
    if (e != ERR_NONE) {
        if (s->fd >= 0) {
            close(s->fd);
        }
        free(s);
        return e;
    }
    *out = s;
    return ERR_NONE;
}

void status_server_answer(struct status_server *s, status_answer_fn *fn,
                          void *user)
{
    pthread_mutex_lock(&s->lock);
    s->other = fn;
    s->user = user;
    pthread_mutex_unlock(&s->lock);
}

void status_server_set(struct status_server *s, char *json)
{
    pthread_mutex_lock(&s->lock);
    char *old = s->json;
    s->json = json;
    pthread_mutex_unlock(&s->lock);
    free(old);
}

void status_server_close(struct status_server *s)
{
    atomic_store(&s->stop, true);
    waker_ring(&s->wake);
    pthread_join(s->thread, NULL);
    waker_clear(&s->wake);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        if (s->clients[i].fd >= 0) {
            drop(&s->clients[i]);
        }
    }
    close(s->fd);
    unlink(s->path);
    pthread_mutex_destroy(&s->lock);
    free(s->json);
    free(s);
}
