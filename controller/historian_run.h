/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * historian_run - the historian's thread: ring and events in, recording and
 * database out.  For controller/historian alone.
 */
#ifndef CONTROLLER_HISTORIAN_RUN_H
#define CONTROLLER_HISTORIAN_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "controller/historian.h"
#include "controller/history_backlog.h"
#include "controller/history_carry.h"
#include "controller/history_cars.h"
#include "controller/history_db.h"
#include "controller/history_expire.h"
#include "controller/history_ring.h"
#include "controller/history_told.h"
#include "controller/reel.h"

struct historian {
    struct site site;
    char db_path[SITE_TEXT_MAX * 2];
    char record_path[SITE_TEXT_MAX * 2];
    struct history_expire expire;
    struct history_ring ring;
    struct history_told told;
    struct history_carry carry;
    struct history_cars cars;
    atomic_uint_fast64_t n_ticks;
    pthread_t thread;
    /* the thread's own from here on */
    struct history_db db; /* db.sql NULL: to be opened again */
    struct reel *reel;    /* NULL: no recording, or it has ended */
    struct history_tick tick;
    struct history_backlog backlog;
    double try_at_s; /* monotonic; no commit before */
    double wait_s;   /* back-off; 0 while all is well */
    uint64_t n_failed_now;
    pthread_mutex_t counts_lock;
    struct historian_counts counts;
};

/* Open the database and tell it the batteries; a damaged one is set aside. */
CHECKED enum err historian_open_db(struct historian *h, char *why,
                                   size_t why_size);

/* The thread: 'arg' is the historian.  Ends after told_close(), when all that
 * waited is written or a last attempt at it has failed. */
void *historian_run(void *arg);

#endif
