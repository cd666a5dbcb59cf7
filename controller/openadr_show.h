/* SPDX-License-Identifier: GPL-3.0-or-later */
/* openadr_show - what `ballast status` is told of the utility's events. */
#ifndef CONTROLLER_OPENADR_SHOW_H
#define CONTROLLER_OPENADR_SHOW_H

#include "adapters/openadr.h"
#include "controller/override_book.h"
#include "controller/ports.h"

#define OPENADR_CONTRADICTS \
    " has intervals that contradict each other: of limits the stricter holds"

/* The events with their rows, what is wrong with them, and what the operator
 * has opted out of; 'rows' were made from 'events'. */
void openadr_show(struct openadr_report_view *r, const struct dr_rows *rows,
                  const struct openadr_events *events,
                  const struct override_book *overrides);

#endif
