/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A notice of the utility, and who counts how often it woke. */
#ifndef TESTS_ADAPTERS_OPENADR_NOTICE_H
#define TESTS_ADAPTERS_OPENADR_NOTICE_H

#include <stdatomic.h>
#include <time.h>

#define NOTICE                                                       \
    "{\"objectType\":\"EVENT\",\"operation\":\"CREATE\",\"object\":" \
    "{\"id\":\"e1\",\"programID\":\"p1\",\"intervals\":[{\"id\":0,"  \
    "\"payloads\":[{\"type\":\"SIMPLE\",\"values\":[1]}]}]}}"

static atomic_int n_woken;

static inline void count(void *user)
{
    (void)user;
    atomic_fetch_add(&n_woken, 1);
}

static inline void rest(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

#endif
