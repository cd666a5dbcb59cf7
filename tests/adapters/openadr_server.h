/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_server - an HTTP server on loopback that says what a script tells it
 * to, in a thread of its own. */
#ifndef TESTS_OPENADR_SERVER_H
#define TESTS_OPENADR_SERVER_H

#include <pthread.h>

enum { REQUEST_MAX = 16384, LOG_MAX = 64 };

/* What the server answers to a request that starts with 'starts'. */
struct answer {
    const char *starts;
    int status;
    const char *body;
    int uses;   /* how often, then the next row that fits; 0: always */
    int cut;    /* bytes of the body that are left out */
    int repeat; /* the body so many times more */
};

struct server {
    int fd;
    int port;
    pthread_t thread;
    struct answer *script;
    int used[32];
    char log[LOG_MAX][256]; /* first lines */
    char tokens[LOG_MAX][64];
    int n_log;
};

/* Port and thread; the script ends with a row without 'starts'. */
void server_start(struct server *s, struct answer *script);
void server_stop(struct server *s);

#endif
