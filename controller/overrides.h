/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * overrides - the operator's overrides of a running controller: asked for over
 * the status socket, handed to the control thread and the utility's worker,
 * kept across a restart, told to log, history and evidence, ended in time.
 *
 * Requests (one line each), answered by JSON {"v":1,"text":...} with the list
 * "overrides", or {"v":1,"error":...}:
 *
 *   override list
 *   override limit import_max|export_max|setpoint|reserve VALUE SECONDS
 *   override out SECONDS EVENT     EVENT: its id, or its name
 *   override clear NAME            a limit's word, an event, or "all"
 */
#ifndef CONTROLLER_OVERRIDES_H
#define CONTROLLER_OVERRIDES_H

#include <cjson/cJSON.h>

#include "controller/evidence_keeper.h"
#include "controller/historian.h"
#include "controller/mailbox.h"
#include "controller/override_book.h"
#include "models/dr_event.h"

struct overrides; /* opaque */

struct overrides_cfg {
    const struct site *site;
    struct mailbox *box;              /* struct override_book, outlives it */
    struct historian *historian;      /* likewise; NULL: nothing is kept */
    struct evidence_keeper *evidence; /* likewise; NULL: none is kept */
};

/* Takes over what still holds from the last run.  ERR_MEMORY. */
CHECKED enum err overrides_open(const struct overrides_cfg *cfg,
                                struct overrides **out);
void overrides_close(struct overrides *o);

/* For status_server_answer(); NULL where it is none of these requests. */
char *overrides_answer(struct overrides *o, const char *request);

/* The supervisor: ends what is over, learns which instructions came by MQTT. */
void overrides_look(struct overrides *o, const struct snapshot *in,
                    int64_t utc_ms);

/* The utility's worker: these are the events that can be opted out of. */
void overrides_know(struct overrides *o, const struct dr_event *const *events,
                    int64_t n);

/* What holds now; any thread but the control thread. */
void overrides_copy(struct overrides *o, struct override_book *out);

/* A book as JSON objects, and in words on stdout. */
void overrides_list(cJSON *list, const struct override_book *b);
void overrides_print(const cJSON *list);

#endif
