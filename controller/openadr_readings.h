/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * openadr_readings - what reports to the utility say: of the past by the
 * meter, of the future by the plan, and the baseline by the site's method.
 *
 * The grid is sampled every second and kept for a day, of which the history
 * gives what the run before metered; the batteries every minute.  Powers are of
 * the grid, W, import positive.  For one thread.
 */
#ifndef CONTROLLER_OPENADR_READINGS_H
#define CONTROLLER_OPENADR_READINGS_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "controller/ports.h"
#include "models/dr_event.h"
#include "models/site.h"

struct openadr_readings; /* opaque */

/* 'site' outlives it.  ERR_MEMORY. */
CHECKED enum err openadr_readings_open(const struct site *site,
                                       struct openadr_readings **out);
void openadr_readings_close(struct openadr_readings *r);

/* What there is to sample, once a second or so; NULL: nothing new. */
struct openadr_sample {
    double grid_w; /* NAN: not known */
    const struct openadr_figures *figures;
    const struct openadr_ahead *ahead;
};
void openadr_readings_sample(struct openadr_readings *r, int64_t utc_ms,
                             const struct openadr_sample *sample);

/* A report on its way. */
struct openadr_asked {
    const struct dr_event *event;
    const struct dr_report *what;
    const struct dr_report_event *about;
    struct dr_report_due due;
    double base_w; /* the quarter hour before the event; NAN: not known */
    int64_t utc_ms;
};

/* Add its resources to 'report'.  Returns how many readings were told. */
int64_t openadr_readings_add(struct openadr_readings *r,
                             const struct openadr_asked *asked, cJSON *report);

#endif
