/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo_child - a program that the demo starts, watches and stops.
 *
 * It runs in a process group of its own, so that Ctrl-C reaches only the
 * demo, which stops its children in order.  Should the demo be killed, a guard
 * does it: a process that holds the other end of a pipe.  (PR_SET_PDEATHSIG
 * would not do: mosquitto gives up root, and with it the signal.)
 */
#ifndef REPLAY_DEMO_CHILD_H
#define REPLAY_DEMO_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "models/err.h"

struct demo_child {
    const char *name; /* for people */
    const char *log;  /* file its output goes to */
    pid_t pid;        /* 0: not running */
    int status;       /* of waitpid(), once it has ended */
};

/* Start the guard, before any child; ERR_IO with errno. */
CHECKED enum err demo_guard_start(void);

/* End it, after all children. */
void demo_guard_stop(void);

/* Start 'argv' (argv[0] is a path).  ERR_IO with errno. */
CHECKED enum err demo_child_start(struct demo_child *c,
                                  const char *const argv[]);

/* True while it runs; reaps it once it does not. */
bool demo_child_runs(struct demo_child *c);

/* SIGTERM, up to 'patience_s', then SIGKILL; reaped afterwards. */
void demo_child_stop(struct demo_child *c, double patience_s);

/* "exit 2" or "signal 9", of one that has ended; returns 'out'. */
const char *demo_child_end(const struct demo_child *c, char *out, size_t size);

/* The last lines of its log. */
void demo_child_tail(const struct demo_child *c, FILE *out);

#endif
