/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_enrol - what a VEN does before it listens: find its program, register
 * itself and its resources. */
#ifndef ADAPTERS_OPENADR_ENROL_H
#define ADAPTERS_OPENADR_ENROL_H

#include "adapters/openadr.h"
#include "adapters/openadr_feed.h"
#include "adapters/openadr_login.h"
#include "adapters/openadr_session.h"

enum {
    OPENADR_PAGE = 50, /* the most that a VTN gives at once */
    OPENADR_PAGES_MAX = 20,
    OPENADR_PATH_MAX = 600,
    OPENADR_SECRET_MAX = 256,
};

/* What tells of events at once, beside the poll. */
struct openadr_push {
    char subscription[DR_ID_MAX]; /* webhook's; "": none */
    int64_t hook_mono_ms;         /* look after it then */
    struct openadr_feed *feed;    /* NULL: none */
    struct openadr_login login;   /* of the feed */
    int64_t feed_mono_ms;
    bool was_up; /* the link, at the last pass */
    char trouble[HTTP_WHY_MAX];
};

struct openadr {
    struct openadr_cfg cfg;
    struct openadr_session session;
    char secret[OPENADR_SECRET_MAX];
    uint64_t random;
    double backoff_s;
    char program_id[DR_ID_MAX];
    bool look_again; /* whether it is still that one */
    cJSON *program;  /* its payloadDescriptors count for all its events */
    char ven_id[DR_ID_MAX];
    int n_registered;         /* resources */
    int64_t register_mono_ms; /* not before */
    struct openadr_push push;
    struct openadr_events events;
    struct openadr_events next; /* being listed */
};

/* What to look for in a list. */
struct openadr_sought {
    const char *path;
    const char *key;
    const char *name;
};

/* Lists page after page until it is found; '*out' is the caller's, NULL where
 * it is not there. */
CHECKED enum err openadr_find(struct openadr *o,
                              const struct openadr_sought *sought, cJSON **out,
                              char why[HTTP_WHY_MAX]);

/* The id of an object, where it may stand in a path: what the specification
 * allows. */
bool openadr_take_id(const cJSON *json, char out[DR_ID_MAX]);

/* The program's id and its descriptors.  ERR_UNKNOWN: none of that name; else
 * as openadr_session_call(). */
CHECKED enum err openadr_enrol_program(struct openadr *o,
                                       char why[HTTP_WHY_MAX]);

/* The node and its resources, as far as it is not done.  Events can be read
 * without, so a refusal is told and tried again an hour later. */
CHECKED enum err openadr_enrol_node(struct openadr *o, char why[HTTP_WHY_MAX]);

#endif
