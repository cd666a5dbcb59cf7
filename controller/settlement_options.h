/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settlement_options - what is said on the command line of a settlement. */
#ifndef CONTROLLER_SETTLEMENT_OPTIONS_H
#define CONTROLLER_SETTLEMENT_OPTIONS_H

#include <stdbool.h>

#include "controller/export.h"
#include "controller/settlement.h"

/* What the site file says, with what is given in its place. */
struct settlement_asked {
    struct settlement_terms terms;
    double limit_w; /* NAN: none is given */
};

/* False after a message. */
bool settlement_options(const struct site *site,
                        const struct export_settlement *given,
                        struct settlement_asked *out);

#endif
