/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_enrol - what a VEN does before it listens: find its program, register
 * itself and its resources. */
#ifndef ADAPTERS_OPENADR_ENROL_H
#define ADAPTERS_OPENADR_ENROL_H

#include "adapters/openadr.h"
#include "adapters/openadr_session.h"

enum {
    OPENADR_PAGE = 50, /* the most that a VTN gives at once */
    OPENADR_PAGES_MAX = 20,
    OPENADR_PATH_MAX = 600,
    OPENADR_SECRET_MAX = 256,
};

struct openadr {
    struct openadr_cfg cfg;
    struct openadr_session session;
    char secret[OPENADR_SECRET_MAX];
    uint64_t random;
    double backoff_s;
    char program_id[DR_ID_MAX];
    cJSON *program; /* its payloadDescriptors count for all its events */
    char ven_id[DR_ID_MAX];
    int n_registered;         /* resources */
    int64_t register_mono_ms; /* not before */
    struct openadr_events events;
    struct openadr_events next; /* being listed */
};

/* The program's id and its descriptors.  ERR_UNKNOWN: none of that name; else
 * as openadr_session_call(). */
CHECKED enum err openadr_enrol_program(struct openadr *o,
                                       char why[HTTP_WHY_MAX]);

/* The node and its resources, as far as it is not done.  Events can be read
 * without, so a refusal is told and tried again an hour later. */
CHECKED enum err openadr_enrol_node(struct openadr *o, char why[HTTP_WHY_MAX]);

#endif
