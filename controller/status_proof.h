/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_proof - what the compliance meter found, in a status. */
#ifndef CONTROLLER_STATUS_PROOF_H
#define CONTROLLER_STATUS_PROOF_H

#include "controller/watch.h"

struct cJSON;

/* Adds "compliance" and "evidence"; null where there is none. */
void status_proof_add(struct cJSON *to, const struct watched *w);

/* Prints them on stdout; nothing where there is none. */
void status_proof_print(const struct cJSON *status);

#endif
