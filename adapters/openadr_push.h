/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_push - being told of events at once: a webhook subscription, and the
 * topics of the VTN's MQTT notifier (OpenADR 3.1).
 *
 * Neither is needed: what fails is told and tried again, the poll goes on.  A
 * subscription that the VTN has lost is made again; one that an earlier run
 * left, whose token nobody knows any more, is replaced.
 */
#ifndef ADAPTERS_OPENADR_PUSH_H
#define ADAPTERS_OPENADR_PUSH_H

#include "adapters/openadr_enrol.h"

/* After a complete listing: whatever is due. */
void openadr_push_tend(struct openadr *o);

#endif
