/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_event - an OpenADR 3 event from JSON.
 *
 * Read leniently (both 3.0.1 and 3.1, the misspellings of the User Guide's own
 * examples, null wherever a default exists), but never guessed at: a number of
 * the wrong type, a unit that does not fit, a power that no such site can mean
 * or a time that is none gives the event a fault.  It is then kept and shown,
 * and not acted on.
 */
#ifndef ADAPTERS_OPENADR_EVENT_H
#define ADAPTERS_OPENADR_EVENT_H

#include <cjson/cJSON.h>

#include "models/dr_event.h"
#include "models/err.h"

enum {
    OPENADR_INTERVALS_MAX = 4096, /* of an event */
    OPENADR_VALUES_MAX = 8192,
    OPENADR_PAYLOADS_MAX = 8192,
};

/* What reading needs to know beside the JSON. */
struct openadr_terms {
    const char *currency;     /* of the site; a price in another is refused */
    const cJSON *descriptors; /* payloadDescriptors of the program, or NULL */
    double power_max_w;       /* above it no power is believed; > 0 */
    double power_least_w;     /* between 0 and it no limit is believed */
    int64_t now_ms;           /* for an event without a date */
    uint64_t seed;            /* of this site, for random starts */
};

/*
 * Read one.  ERR_SYNTAX where 'json' is no event with an id (nothing is
 * returned), ERR_MEMORY.  Else '*out' is the caller's, who calls
 * openadr_event_free(); its fault may be set.
 */
CHECKED enum err openadr_event_read(const cJSON *json,
                                    const struct openadr_terms *terms,
                                    struct dr_event **out);
void openadr_event_free(struct dr_event *event);

#endif
