/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settlement_options - what is said on the command line of a settlement. */
#ifndef CONTROLLER_SETTLEMENT_OPTIONS_H
#define CONTROLLER_SETTLEMENT_OPTIONS_H

#include <stdbool.h>

#include "controller/export.h"
#include "controller/settlement.h"

/* The presets with what is given; 'limit_w' is NAN without one.  False after a
 * message. */
bool settlement_options(const struct export_settlement *asked,
                        struct settlement_terms *terms, double *limit_w);

#endif
