/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/waker.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <unistd.h>

enum err waker_init(struct waker *w)
{
    if (pipe(w->fds) != 0) {
        return ERR_IO;
    }
    for (int i = 0; i < 2; i++) {
        if (fcntl(w->fds[i], F_SETFL, O_NONBLOCK) != 0 ||
            fcntl(w->fds[i], F_SETFD, FD_CLOEXEC) != 0) {
            waker_clear(w);
            return ERR_IO;
        }
    }
    return ERR_NONE;
}

void waker_clear(struct waker *w)
{
    close(w->fds[0]);
    close(w->fds[1]);
}

void waker_ring(struct waker *w)
{
    /* a full pipe means that it is ringing already */
    ssize_t n = write(w->fds[1], "", 1);
    (void)n;
}

bool waker_wait(struct waker *w, double timeout_s)
{
    struct pollfd p = {.fd = w->fds[0], .events = POLLIN};
    int timeout_ms = (int)ceil(fmin(fmax(timeout_s, 0.0), 3600.0) * 1e3);
    bool rung = poll(&p, 1, timeout_ms) > 0;
    char heard[256];
    while (read(w->fds[0], heard, sizeof(heard)) == (ssize_t)sizeof(heard)) {
    }
    return rung;
}
