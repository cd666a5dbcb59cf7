/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_worker - the thread that owns the link to the utility's server: what
 * its events mean goes to the control thread, what they are to the supervisor.
 *
 * The last word of the utility holds while the link is lost; when its schedule
 * has run out, the subscribed import does.  What a shed is counted from, the
 * mean of the quarter hour before it, is fixed when it begins and outlives a
 * restart.
 */
#ifndef CONTROLLER_OPENADR_WORKER_H
#define CONTROLLER_OPENADR_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/historian.h"
#include "controller/overrides.h"
#include "controller/ports.h"

struct openadr_worker; /* opaque */

struct openadr_worker_cfg {
    const struct site *site; /* utility.openadr */
    struct ports *ports;
    struct historian *historian; /* outlives it; NULL: nothing is kept */
    struct overrides *overrides; /* outlives it; NULL: there are none */
};

/* Start client and thread.  Errors are those of openadr_open(), ERR_MEMORY and
 * ERR_IO; 'why' says which. */
CHECKED enum err openadr_worker_open(const struct openadr_worker_cfg *cfg,
                                     struct openadr_worker **out, char *why,
                                     size_t why_size);

/* Join the thread: at once, a request under way is given up. */
void openadr_worker_close(struct openadr_worker *w);

#endif
