/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr - a virtual end node (VEN) of OpenADR 3.1, or of 3.0.1.
 *
 * Token by client credentials, program, registration of the node and its
 * resources, then the events by polling; a notification is only a hint to make
 * the next pass at once.  An event that a full listing lacks is cancelled. What
 * could not be listed leaves all events as they were: the last word of the
 * utility holds.
 *
 * For one thread.  Secrets and tokens appear in no message.
 */
#ifndef ADAPTERS_OPENADR_H
#define ADAPTERS_OPENADR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/openadr_event.h"
#include "models/dr_event.h"

enum {
    OPENADR_EVENTS_MAX = 256, /* kept at once */
    OPENADR_RESOURCES_MAX = 16,
    OPENADR_REPLY_MAX = 4 << 20, /* bytes */
};

struct openadr_cfg {
    const char *base;        /* "https://vtn.example/openadr3/3.1.0" */
    const char *client;      /* "": no token */
    const char *secret_file; /* readable by its owner only */
    const char *program;     /* its name */
    const char *ca_file;     /* "": the system's */
    const char *node;        /* venName */
    int n_resources;
    const char *resources[OPENADR_RESOURCES_MAX];
    double power_max_w;   /* of the site, for its registration */
    bool v30;             /* speak 3.0.1 */
    const char *callback; /* where a VTN reaches our listener; "": none */
    const char *bearer;   /* with which it is to call */
    bool notifier;        /* its MQTT notifier, where it has one */
    const char *broker_cert_file; /* "" or NULL: none; likewise below */
    const char *broker_key_file;
    const char *broker_user;
    const char *broker_password_file;
    void (*woken)(void *user); /* a notice came; from another thread */
    void *woken_user;
    double poll_s;    /* between two listings */
    double timeout_s; /* of one request */
    struct openadr_terms terms;
    const atomic_bool *stop; /* true: give up waiting at once */
};

struct openadr_events {
    uint64_t version; /* rises when anything changed; 0: never listed */
    int64_t listed_utc_ms;
    int64_t n;
    const struct dr_event *list[OPENADR_EVENTS_MAX];
    int64_t n_unread; /* had no id, or there was no room */
};

struct openadr; /* opaque */

/* Does not connect.  ERR_MEMORY; ERR_RANGE: the secret file, 'why' says. */
CHECKED enum err openadr_open(const struct openadr_cfg *cfg,
                              struct openadr **out, char *why, size_t why_size);
void openadr_close(struct openadr *o);

/*
 * One pass: whatever is due, at most until the first failure.  Updates 'link'
 * (up: the last listing was complete).  Returns in how many seconds the next
 * pass is due: the poll's, or a back-off of 1 to 60 s, both with some jitter.
 */
double openadr_pass(struct openadr *o, int64_t mono_ms, int64_t utc_ms,
                    struct link_state *link);

/* How notices come, for people: "webhook, MQTT"; "" for not at all. */
const char *openadr_push_text(const struct openadr *o);

/* What is wrong with them, "" for nothing; the poll goes on. */
const char *openadr_push_trouble(const struct openadr *o);

/* Take back what was asked for: at the end, within a few seconds. */
void openadr_push_end(struct openadr *o);

/* Valid until the next pass. */
const struct openadr_events *openadr_events(const struct openadr *o);

/*
 * Send a report (its JSON as the specification has it; of 3.0.1 the programID
 * is added).  ERR_REFUSED: the VTN will not have it, and never will; else as
 * http_client_send(), to be tried again.
 */
CHECKED enum err openadr_report(struct openadr *o, cJSON *report, char *why,
                                size_t why_size);

/*
 * Whether the VTN already has a report of that name about the event: nobody
 * knows what became of one whose answer was lost.  Errors as of
 * openadr_report().
 */
struct openadr_report_name {
    const char *event; /* its id */
    const char *name;
};
CHECKED enum err openadr_report_known(struct openadr *o,
                                      const struct openadr_report_name *which,
                                      bool *known, char *why, size_t why_size);

#endif
