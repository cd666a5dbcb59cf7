/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_descriptor - the reportDescriptors of an event. */
#ifndef ADAPTERS_OPENADR_DESCRIPTOR_H
#define ADAPTERS_OPENADR_DESCRIPTOR_H

#include <cjson/cJSON.h>

#include "models/dr_report.h"

/* Read those of 'event', up to DR_REPORTS_MAX; one that is not understood is
 * of the kind UNKNOWN and asks for nothing.  Returns how many. */
int64_t openadr_descriptors_read(const cJSON *event,
                                 struct dr_report out[DR_REPORTS_MAX]);

#endif
