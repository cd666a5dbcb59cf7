/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_report - a report as the specification's yaml has it. */
#ifndef ADAPTERS_OPENADR_REPORT_H
#define ADAPTERS_OPENADR_REPORT_H

#include <cjson/cJSON.h>

#include "models/dr_report.h"

/* One interval of one resource.  'value' in W, Wh or a fraction; 'text' for a
 * state. */
struct openadr_reading {
    int64_t id;
    int64_t from_ms;
    int64_t to_ms;
    double value;
    const char *text; /* NULL: the value */
    double known_pu;  /* of the interval; 0: it is left out */
    bool guessed;     /* another figure stands in for it */
};

struct openadr_report_head {
    const char *event;
    const char *client; /* our venName */
    const char *name;
    const struct dr_report *what;
};

/* NULL without memory.  The caller's. */
cJSON *openadr_report_begin(const struct openadr_report_head *head);

struct openadr_resource {
    const char *name;
    const struct openadr_reading *list;
    int64_t n;
};

/* Readings of one resource; those of which too little is known carry a
 * DATA_QUALITY.  Returns how many were told: a resource with none is left
 * out. */
int64_t openadr_report_add(cJSON *report, const struct openadr_resource *r,
                           const struct dr_report *what);

#endif
