/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adapters/modbus_link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

double modbus_link_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* modbus_strerror() and strerror() share a static buffer between threads. */
static const char *errno_text(int e)
{
    static const struct {
        int code;
        const char *text;
    } rows[] = {
        {EMBXILFUN, "exception 1: illegal function"},
        {EMBXILADD, "exception 2: illegal address"},
        {EMBXILVAL, "exception 3: illegal value"},
        {EMBXSFAIL, "exception 4: device failure"},
        {EMBXACK, "exception 5: acknowledged, still busy"},
        {EMBXSBUSY, "exception 6: busy"},
        {EMBXNACK, "exception 7: negative acknowledge"},
        {EMBXMEMPAR, "exception 8: memory parity"},
        {EMBXGPATH, "exception 10: gateway path unavailable"},
        {EMBXGTAR, "exception 11: gateway target does not answer"},
        {EMBBADCRC, "malformed reply"},
        {EMBBADDATA, "malformed reply"},
        {EMBBADEXC, "malformed exception"},
        {EMBMDATA, "too many registers"},
        {EMBBADSLAVE, "reply of another unit"},
        {ETIMEDOUT, "no answer in time"},
        {ECONNRESET, "connection reset"},
        {ECONNREFUSED, "connection refused"},
        {EPIPE, "connection closed"},
        {EHOSTUNREACH, "host unreachable"},
        {ENETUNREACH, "network unreachable"},
        {EMFILE, "too many open files"},
        {ENFILE, "too many open files"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == e) {
            return rows[i].text;
        }
    }
    return "link failure";
}

static enum err failed(struct modbus_link *l, enum err e, const char *what)
{
    snprintf(l->error, sizeof(l->error), "%s:%d: %.100s", l->ip, l->port, what);
    return e;
}

static enum err resolve(struct modbus_link *l, char *why, size_t why_size)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(l->host, NULL, &hints, &found);
    if (rc != 0 || found == NULL) {
        snprintf(why, why_size,
                 "modbus host \"%s\": %s; give a numeric IPv4 address or a "
                 "name that resolves to one",
                 l->host, rc != 0 ? gai_strerror(rc) : "no address");
        return ERR_IO;
    }
    struct sockaddr_in in;
    memcpy(&in, found->ai_addr, sizeof(in));
    freeaddrinfo(found);
    return inet_ntop(AF_INET, &in.sin_addr, l->ip, sizeof(l->ip)) != NULL
               ? ERR_NONE
               : ERR_IO;
}

enum err modbus_link_open(struct modbus_link *l, const struct site_modbus *at,
                          double response_s, char *why, size_t why_size)
{
    *l = (struct modbus_link){
        .port = at->port,
        .unit = at->unit,
        .response_s = response_s > 0.0 ? response_s : 1.0,
    };
    snprintf(l->host, sizeof(l->host), "%s", at->host);
    if (at->port < 1 || at->port > 65535 || at->unit < 0 || at->unit > 255) {
        snprintf(why, why_size, "modbus %s: port %d or unit %d out of range",
                 at->host, at->port, at->unit);
        return ERR_RANGE;
    }
    enum err e = resolve(l, why, why_size);
    if (e != ERR_NONE) {
        return e;
    }
    l->ctx = modbus_new_tcp(l->ip, l->port);
    if (l->ctx == NULL) {
        snprintf(why, why_size, "modbus %s: out of memory", l->host);
        return ERR_MEMORY;
    }
    modbus_set_slave(l->ctx, l->unit);
    modbus_set_error_recovery(l->ctx, MODBUS_ERROR_RECOVERY_NONE);
    modbus_set_byte_timeout(l->ctx, 0, 0);
    uint32_t us = (uint32_t)(l->response_s * 1e6);
    modbus_set_response_timeout(l->ctx, us / 1000000u, us % 1000000u);
    return ERR_NONE;
}

void modbus_link_close(struct modbus_link *l)
{
    if (l->up) {
        modbus_close(l->ctx);
        l->up = false;
    }
}

void modbus_link_clear(struct modbus_link *l)
{
    if (l->ctx != NULL) {
        modbus_link_close(l);
        modbus_free(l->ctx);
        l->ctx = NULL;
    }
}

static void tune(int fd)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 5},
        {IPPROTO_TCP, TCP_KEEPINTVL, 2},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 5000}, /* ms */
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        (void)setsockopt(fd, options[i].level, options[i].name,
                         &options[i].value, sizeof(int));
    }
}

/* Waits for a connect under way; 0 or an errno. */
static int wait_connected(int fd, double timeout_s)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    double until_s = modbus_link_now_s() + timeout_s;
    int n = 0;
    do {
        double left_s = until_s - modbus_link_now_s();
        n = poll(&p, 1, left_s > 0.0 ? (int)(1e3 * left_s) + 1 : 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return n == 0 ? ETIMEDOUT : errno;
    }
    int e = 0;
    socklen_t size = sizeof(e);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &size) == 0 ? e : errno;
}

/* libmodbus' own connect calls FD_SET before anyone can look at the
 * descriptor, so the socket is made here and handed over. */
static int connected_socket(struct modbus_link *l, int *fd)
{
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    if (*fd < 0) {
        return errno;
    }
    if (*fd >= FD_SETSIZE) {
        return EMFILE;
    }
    int flags = fcntl(*fd, F_GETFL);
    if (flags < 0 || fcntl(*fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(*fd, F_SETFD, FD_CLOEXEC) < 0) {
        return errno;
    }
    tune(*fd);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)l->port)};
    inet_pton(AF_INET, l->ip, &to.sin_addr);
    if (connect(*fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
        return 0;
    }
    return errno == EINPROGRESS ? wait_connected(*fd, l->response_s) : errno;
}

enum err modbus_link_connect(struct modbus_link *l)
{
    modbus_link_close(l);
    int fd = -1;
    int e = connected_socket(l, &fd);
    if (e == 0) {
        modbus_set_socket(l->ctx, fd);
        l->up = true;
        l->error[0] = '\0';
        return ERR_NONE;
    }
    if (fd >= 0) {
        close(fd);
    }
    enum err kind = e == ETIMEDOUT               ? ERR_TIMEOUT
                    : e == EMFILE || e == ENFILE ? ERR_FULL
                                                 : ERR_IO;
    return failed(l, kind,
                  kind == ERR_FULL ? "too many open files: a Modbus "
                                     "connection needs a descriptor below "
                                     "1024 (ulimit -n)"
                                   : errno_text(e));
}

void modbus_link_budget(struct modbus_link *l, double budget_s)
{
    l->until_s = modbus_link_now_s() + budget_s;
}

/* Bytes nobody asked for: a late or doubled reply.  The next reply could be
 * taken for another, so the connection is not used any more. */
static bool unasked(const struct modbus_link *l)
{
    struct pollfd p = {.fd = modbus_get_socket(l->ctx), .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static enum err before_request(struct modbus_link *l)
{
    assert(l->up);
    if (modbus_link_now_s() + l->response_s > l->until_s + 1e-3) {
        return failed(l, ERR_FULL, "answers too slowly for one pass");
    }
    if (unasked(l)) {
        modbus_link_close(l);
        return failed(l, ERR_MISMATCH,
                      "closed, or sent something that was not asked for");
    }
    return ERR_NONE;
}

static enum err after_request(struct modbus_link *l, int done, int n, int error)
{
    if (done == n) {
        return ERR_NONE;
    }
    if (done < 0 && error > MODBUS_ENOBASE && error < EMBBADCRC) {
        l->exception = error - MODBUS_ENOBASE;
        return failed(l, ERR_REFUSED, errno_text(error));
    }
    modbus_link_close(l);
    if (done >= 0) {
        return failed(l, ERR_MISMATCH, "malformed reply");
    }
    enum err kind = error == ETIMEDOUT        ? ERR_TIMEOUT
                    : error >= MODBUS_ENOBASE ? ERR_MISMATCH
                                              : ERR_IO;
    return failed(l, kind, errno_text(error));
}

enum err modbus_link_read(struct modbus_link *l, int fc, int addr, int n,
                          uint16_t *regs)
{
    assert(n >= 1 && n <= MODBUS_MAX_READ_REGISTERS);
    enum err e = before_request(l);
    if (e != ERR_NONE) {
        return e;
    }
    errno = 0;
    int done = fc == 4 ? modbus_read_input_registers(l->ctx, addr, n, regs)
                       : modbus_read_registers(l->ctx, addr, n, regs);
    return after_request(l, done, n, errno);
}

enum err modbus_link_write(struct modbus_link *l, int fc, int addr, int n,
                           const uint16_t *regs)
{
    assert(n >= 1 && n <= MODBUS_MAX_WRITE_REGISTERS);
    assert(fc == 16 || n == 1);
    enum err e = before_request(l);
    if (e != ERR_NONE) {
        return e;
    }
    errno = 0;
    int done = fc == 16 ? modbus_write_registers(l->ctx, addr, n, regs)
                        : modbus_write_register(l->ctx, addr, regs[0]);
    return after_request(l, done, n, errno);
}
