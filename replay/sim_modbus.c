/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/sim_modbus.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "replay/sim_pdu.h"

enum {
    CLIENTS_MAX = 256,
    LISTENERS_MAX = SITE_BATTERIES_MAX + 1,
    FRAME_MAX = 260, /* MBAP header 6, unit 1, PDU 253 */
    HEADER = 6,
    FD_MAX = 1024, /* libraries in this process still use select() */
    IDLE_MS = 120000,
};

struct listener {
    int fd;
    const struct site_modbus *at;
};

struct client {
    int fd; /* -1: free */
    int listener;
    int64_t heard_ms;
    int n; /* bytes in frame */
    uint8_t frame[FRAME_MAX];
};

struct sim_modbus {
    struct sim_slave *slaves;
    int n_slaves;
    pthread_mutex_t *lock;
    struct listener listeners[LISTENERS_MAX];
    int n_listeners;
    struct client clients[CLIENTS_MAX];
    int wake[2]; /* pipe: a byte ends the thread */
    pthread_t thread;
    atomic_ullong n_requests;
};

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool same_place(const struct site_modbus *a, const struct site_modbus *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* The slaves behind one listener lie one after the other (sorted at open). */
static int answer_at(struct sim_modbus *m, const struct site_modbus *at,
                     const uint8_t *request, int n, uint8_t *out)
{
    int from = 0;
    while (!same_place(&m->slaves[from].at, at)) {
        from++;
    }
    int to = from;
    while (to < m->n_slaves && same_place(&m->slaves[to].at, at)) {
        to++;
    }
    pthread_mutex_lock(m->lock);
    int length = sim_pdu_answer(m->slaves + from, to - from, request, n, out);
    pthread_mutex_unlock(m->lock);
    return length;
}

static void drop(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    c->n = 0;
}

/* Answers one whole frame; false where the client must go. */
static bool serve_frame(struct sim_modbus *m, const struct client *c, int size)
{
    uint8_t out[FRAME_MAX];
    int n = answer_at(m, m->listeners[c->listener].at, c->frame + HEADER,
                      size - HEADER, out + HEADER);
    if (n == 0) {
        return true;
    }
    memcpy(out, c->frame, 4); /* transaction and protocol */
    sim_put_be16(out + 4, (unsigned)n);
    atomic_fetch_add(&m->n_requests, 1);
    /* A client with a full socket does not read its replies. */
    return send(c->fd, out, (size_t)(HEADER + n), MSG_NOSIGNAL) == HEADER + n;
}

/* All whole frames that have come; false where the client must go. */
static bool serve_frames(struct sim_modbus *m, struct client *c)
{
    while (c->n >= HEADER) {
        int length = (int)sim_be16(c->frame + 4);
        if (sim_be16(c->frame + 2) != 0 || length < 2 ||
            length > FRAME_MAX - HEADER) {
            return false; /* not Modbus: no way back into step */
        }
        int size = HEADER + length;
        if (c->n < size) {
            return true;
        }
        if (!serve_frame(m, c, size)) {
            return false;
        }
        c->n -= size;
        memmove(c->frame, c->frame + size, (size_t)c->n);
    }
    return true;
}

static void serve_client(struct sim_modbus *m, struct client *c)
{
    ssize_t n = recv(c->fd, c->frame + c->n, (size_t)(FRAME_MAX - c->n), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        drop(c);
        return;
    }
    c->n += (int)n;
    c->heard_ms = clock_ms();
    if (!serve_frames(m, c)) {
        drop(c);
    }
}

static bool prepare(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd < FD_MAX && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static void serve_listener(struct sim_modbus *m, int listener)
{
    int fd = accept(m->listeners[listener].fd, NULL, NULL);
    if (fd < 0) {
        return;
    }
    for (int i = 0; i < CLIENTS_MAX && prepare(fd); i++) {
        struct client *c = &m->clients[i];
        if (c->fd < 0) {
            c->fd = fd;
            c->listener = listener;
            c->heard_ms = clock_ms();
            c->n = 0;
            return;
        }
    }
    close(fd);
}

static void drop_idle(struct sim_modbus *m)
{
    int64_t now_ms = clock_ms();
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &m->clients[i];
        if (c->fd >= 0 && now_ms - c->heard_ms > IDLE_MS) {
            drop(c);
        }
    }
}

enum { POLLS_MAX = 1 + LISTENERS_MAX + CLIENTS_MAX };

/* wake pipe, listeners, clients: poll() passes over a negative fd. */
static int poll_all(struct sim_modbus *m, struct pollfd *polls)
{
    int n = 0;
    polls[n++] = (struct pollfd){.fd = m->wake[0], .events = POLLIN};
    for (int i = 0; i < m->n_listeners; i++) {
        polls[n++] =
            (struct pollfd){.fd = m->listeners[i].fd, .events = POLLIN};
    }
    for (int i = 0; i < CLIENTS_MAX; i++) {
        polls[n++] = (struct pollfd){.fd = m->clients[i].fd, .events = POLLIN};
    }
    return poll(polls, (nfds_t)n, 1000);
}

static void *serve(void *user)
{
    struct sim_modbus *m = user;
    struct pollfd polls[POLLS_MAX];
    for (;;) {
        int ready = poll_all(m, polls);
        if (ready > 0 && polls[0].revents != 0) {
            return NULL;
        }
        for (int i = 0; ready > 0 && i < CLIENTS_MAX; i++) {
            struct client *c = &m->clients[i];
            if (c->fd >= 0 && polls[1 + m->n_listeners + i].revents != 0) {
                serve_client(m, c);
            }
        }
        for (int i = 0; ready > 0 && i < m->n_listeners; i++) {
            if (polls[1 + i].revents != 0) {
                serve_listener(m, i);
            }
        }
        drop_idle(m);
    }
}

/* A listening socket, or -1 with errno or with *gai set. */
static int listen_at(const struct site_modbus *at, int *gai)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", at->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    *gai = getaddrinfo(at->host, port, &hints, &found);
    if (*gai != 0) {
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    int one = 1;
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (!prepare(fd) || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
            listen(fd, 16) != 0) {
            int keep = errno;
            close(fd);
            errno = keep;
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static enum err add_listener(struct sim_modbus *m, const struct site_modbus *at,
                             char *why, size_t why_size)
{
    for (int i = 0; i < m->n_listeners; i++) {
        if (same_place(m->listeners[i].at, at)) {
            return ERR_NONE;
        }
    }
    int gai = 0;
    int fd = listen_at(at, &gai);
    if (fd < 0) {
        const char *hint = "";
        if (gai == 0 && errno == EADDRINUSE) {
            hint = "; another program has this port: stop it, or give the "
                   "device another one in the site file";
        } else if (gai != 0 || errno == EADDRNOTAVAIL) {
            hint = "; sim plays the devices on this machine: use 127.0.0.1 in "
                   "a copy of the site file";
        }
        snprintf(why, why_size, "cannot listen on %s port %d: %s%s", at->host,
                 at->port, gai != 0 ? gai_strerror(gai) : strerror(errno),
                 hint);
        return ERR_IO;
    }
    m->listeners[m->n_listeners].fd = fd;
    m->listeners[m->n_listeners++].at = at;
    return ERR_NONE;
}

static int by_place(const void *a, const void *b)
{
    const struct sim_slave *x = a;
    const struct sim_slave *y = b;
    int host = strcmp(x->at.host, y->at.host);
    if (host != 0) {
        return host;
    }
    return x->at.port != y->at.port ? x->at.port - y->at.port
                                    : x->at.unit - y->at.unit;
}

static enum err open_listeners(struct sim_modbus *m, char *why, size_t why_size)
{
    qsort(m->slaves, (size_t)m->n_slaves, sizeof(*m->slaves), by_place);
    for (int i = 0; i < m->n_slaves; i++) {
        if (i > 0 && by_place(&m->slaves[i - 1], &m->slaves[i]) == 0) {
            snprintf(why, why_size, "two devices at %s port %d unit %d",
                     m->slaves[i].at.host, m->slaves[i].at.port,
                     m->slaves[i].at.unit);
            return ERR_MISMATCH;
        }
        enum err e = add_listener(m, &m->slaves[i].at, why, why_size);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static void free_all(struct sim_modbus *m)
{
    for (int i = 0; i < m->n_listeners; i++) {
        close(m->listeners[i].fd);
    }
    for (int i = 0; i < CLIENTS_MAX; i++) {
        if (m->clients[i].fd >= 0) {
            close(m->clients[i].fd);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (m->wake[i] >= 0) {
            close(m->wake[i]);
        }
    }
    free(m->slaves);
    free(m);
}

static struct sim_modbus *allocate(const struct sim_slave *slaves, int n)
{
    struct sim_modbus *m = calloc(1, sizeof(*m));
    struct sim_slave *copy = calloc((size_t)n + 1, sizeof(*copy));
    if (m == NULL || copy == NULL) {
        free(m);
        free(copy);
        return NULL;
    }
    memcpy(copy, slaves, (size_t)n * sizeof(*copy));
    m->slaves = copy;
    m->n_slaves = n;
    m->wake[0] = m->wake[1] = -1;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        m->clients[i].fd = -1;
    }
    return m;
}

enum err sim_modbus_open(const struct sim_slave *slaves, int n,
                         pthread_mutex_t *lock, struct sim_modbus **out,
                         char *why, size_t why_size)
{
    assert(n <= LISTENERS_MAX);
    struct sim_modbus *m = allocate(slaves, n);
    if (m == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    m->lock = lock;
    enum err e = open_listeners(m, why, why_size);
    if (e == ERR_NONE && (pipe(m->wake) != 0 ||
                          pthread_create(&m->thread, NULL, serve, m) != 0)) {
        snprintf(why, why_size, "cannot start the Modbus server");
        e = ERR_IO;
    }
    if (e != ERR_NONE) {
        free_all(m);
        return e;
    }
    *out = m;
    return ERR_NONE;
}

void sim_modbus_close(struct sim_modbus *m)
{
    if (write(m->wake[1], "x", 1) == 1) {
        pthread_join(m->thread, NULL);
    }
    free_all(m);
}

uint64_t sim_modbus_requests(struct sim_modbus *m)
{
    return atomic_load(&m->n_requests);
}
