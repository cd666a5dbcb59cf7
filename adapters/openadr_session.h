/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_session - requests to a VTN with a token that is renewed in time. */
#ifndef ADAPTERS_OPENADR_SESSION_H
#define ADAPTERS_OPENADR_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "adapters/http_client.h"

enum { OPENADR_TOKEN_MAX = 4096, OPENADR_URL_MAX = 1024 };

struct openadr_session {
    struct http_client *http;
    const char *base;
    const char *client; /* "": no token is asked for */
    const char *secret;
    bool v30;
    char token_url[OPENADR_URL_MAX];
    char token[OPENADR_TOKEN_MAX];
    int64_t renew_mono_ms; /* ask for a new one from then on */
    int64_t mono_ms;       /* of this pass */
};

struct openadr_call {
    const char *method;
    const char *path;  /* behind the base, with its query */
    const cJSON *body; /* NULL: none */
};

/*
 * Send, with a new token where the old one is over or refused.  A reply of 2xx
 * is ERR_NONE and '*out' its JSON (the caller's; NULL where it has none).
 * ERR_REFUSED: any other status, which 'status' has; ERR_SYNTAX: no JSON; else
 * as http_client_send().
 */
CHECKED enum err openadr_session_call(struct openadr_session *s,
                                      const struct openadr_call *call,
                                      cJSON **out, long *status,
                                      char why[HTTP_WHY_MAX]);

#endif
