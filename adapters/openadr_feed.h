/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_feed - a VTN's notifications by MQTT (OpenADR 3.1): a client that
 * subscribes to the topics that the VTN named.  What a message says is not
 * read: it is a hint to list the events at once.  So is every new connection,
 * for what was said meanwhile.
 *
 * Certificates and host names are verified.  paho's threads call 'woken'.
 */
#ifndef ADAPTERS_OPENADR_FEED_H
#define ADAPTERS_OPENADR_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "models/err.h"

enum {
    OPENADR_TOPICS_MAX = 12,
    OPENADR_TOPIC_MAX = 256,
    OPENADR_URI_MAX = 512,
};

struct openadr_feed; /* opaque */

struct openadr_feed_cfg {
    const char *uri;       /* "mqtts://host:port", "mqtt://…" */
    const char *client;    /* unique at the broker */
    const char *user;      /* "": anonymous */
    const char *password;  /* not kept by us */
    const char *ca_file;   /* "": the system's */
    const char *cert_file; /* "" or NULL: none; it and its key remain there */
    const char *key_file;
    int n_topics; /* 1 .. OPENADR_TOPICS_MAX */
    char topics[OPENADR_TOPICS_MAX][OPENADR_TOPIC_MAX];
    void (*woken)(void *user);
    void *woken_user;
};

/* Begins to connect; it goes on trying.  ERR_RANGE (an address that is none of
 * these), ERR_IO, ERR_MEMORY; 'why' says which. */
CHECKED enum err openadr_feed_open(const struct openadr_feed_cfg *cfg,
                                   struct openadr_feed **out, char *why,
                                   size_t why_size);
void openadr_feed_close(struct openadr_feed *f);

/* True while it is subscribed. */
bool openadr_feed_up(const struct openadr_feed *f);

#endif
