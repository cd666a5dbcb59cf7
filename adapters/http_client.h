/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_client - one request at a time over HTTP or HTTPS, by libcurl.
 *
 * Certificates and host names are verified, TLS is 1.2 or newer, redirects are
 * not followed (a token would go with them), time and size are bounded.  For
 * one thread; blocks for no longer than its time-out.
 */
#ifndef ADAPTERS_HTTP_CLIENT_H
#define ADAPTERS_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "models/err.h"

enum { HTTP_WHY_MAX = 256 };

struct http_client; /* opaque */

struct http_client_cfg {
    const char *ca_file;     /* NULL or "": the system's */
    double timeout_s;        /* of a whole request, > 0 */
    size_t bytes_max;        /* of a reply's body */
    const atomic_bool *stop; /* true: give up at once; NULL: never */
};

struct http_request {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *url;
    const char *token; /* bearer, or NULL */
    const char *type;  /* Content-Type of 'body' */
    const char *body;  /* NULL: none */
};

/* Valid until the next request. */
struct http_reply {
    long status;      /* 100..599 */
    const char *body; /* NUL-terminated; may hold others */
    size_t size;
};

/* ERR_MEMORY. */
CHECKED enum err http_client_open(const struct http_client_cfg *cfg,
                                  struct http_client **out);
void http_client_close(struct http_client *c);

/*
 * Any complete reply is ERR_NONE, whatever its status.  Else, with the reason
 * in 'why' (which never holds the token or the body): ERR_IO (no connection, a
 * certificate that is not good, a body that breaks off), ERR_TIMEOUT,
 * ERR_FULL (a body larger than bytes_max), ERR_RANGE (an address that is none
 * of http:// and https://), ERR_MEMORY.
 */
CHECKED enum err http_client_send(struct http_client *c,
                                  const struct http_request *request,
                                  struct http_reply *reply,
                                  char why[HTTP_WHY_MAX]);

#endif
