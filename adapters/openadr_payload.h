/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_payload - what OpenADR's payload types mean, and in which units. */
#ifndef ADAPTERS_OPENADR_PAYLOAD_H
#define ADAPTERS_OPENADR_PAYLOAD_H

#include "adapters/openadr_event.h"

/* DR_UNKNOWN for a type that is none of ours. */
enum dr_subject openadr_payload_subject(const char *type);

/* Factor from the unit that the event's descriptors (else the program's) give
 * a type to ours, kW and kWh where they say none; 0 where a unit or currency
 * does not fit. */
double openadr_payload_scale(const struct openadr_terms *terms,
                             const cJSON *descriptors, const char *type);

/* What is wrong with a value in our unit, or NULL. */
const char *openadr_payload_fault(const struct openadr_terms *terms,
                                  enum dr_subject subject, double value);

#endif
