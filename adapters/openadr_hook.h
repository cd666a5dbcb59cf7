/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_hook - where a VTN's webhook notifications arrive, over
 * libmicrohttpd in a thread of its own.
 *
 *   GET ?echo=TEXT   TEXT comes back, as a VTN asks before it subscribes
 *   POST             a notification with the bearer token that we gave; its
 *                    content is only looked at for its form: it is a hint to
 *                    list the events at once, never an event
 *
 * Whoever calls is untrusted: bodies, headers, connections and time are
 * bounded.  It speaks plain HTTP: a VTN that is not on this machine calls by
 * the TLS of a reverse proxy.
 */
#ifndef ADAPTERS_OPENADR_HOOK_H
#define ADAPTERS_OPENADR_HOOK_H

#include <stddef.h>
#include <stdint.h>

#include "models/err.h"

enum {
    OPENADR_BEARER_MAX = 40, /* with its NUL */
    OPENADR_NOTICE_MAX = 1 << 18,
};

struct openadr_hook; /* opaque */

struct openadr_hook_cfg {
    const char *listen;        /* "127.0.0.1:8080", "[::1]:8080"; port 0: any */
    const char *bearer;        /* of who may notify us */
    void (*woken)(void *user); /* from the thread of the listener */
    void *user;
};

struct openadr_hook_counts {
    uint64_t n_taken;
    uint64_t n_refused;
};

/* ERR_RANGE (no such address), ERR_IO (it is taken), ERR_MEMORY. */
CHECKED enum err openadr_hook_open(const struct openadr_hook_cfg *cfg,
                                   struct openadr_hook **out, char *why,
                                   size_t why_size);
void openadr_hook_close(struct openadr_hook *h);

int openadr_hook_port(const struct openadr_hook *h);
struct openadr_hook_counts openadr_hook_counts(const struct openadr_hook *h);

/* A token that nobody can guess, hexadecimal.  ERR_IO. */
CHECKED enum err openadr_hook_bearer(char out[OPENADR_BEARER_MAX]);

#endif
