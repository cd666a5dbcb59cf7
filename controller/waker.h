/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * waker - wakes a thread that waits, without ever blocking the one that
 * rings.  A pipe: the wait has a monotonic time-out, which a semaphore lacks.
 */
#ifndef CONTROLLER_WAKER_H
#define CONTROLLER_WAKER_H

#include <stdbool.h>

#include "models/err.h"

struct waker {
    int fds[2];
};

/* ERR_IO with errno. */
CHECKED enum err waker_init(struct waker *w);
void waker_clear(struct waker *w);

/* Any thread; rings that nobody has heard yet add up to one. */
void waker_ring(struct waker *w);

/* One thread: until it was rung or 'timeout_s' (>= 0) has passed; true where
 * it was rung. */
bool waker_wait(struct waker *w, double timeout_s);

#endif
