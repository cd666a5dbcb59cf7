/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wear_prices - what ageing costs, as tables for people and as JSON: prices of
 * cycling by depth and rate, of holding by state of charge and temperature,
 * and how far it pays to swing, by the model that prices a chemistry and by
 * the one that guards it.
 *
 * Of a new battery of 1 MWh without losses, its window 0 to 100 %.
 */
#ifndef REPLAY_WEAR_PRICES_H
#define REPLAY_WEAR_PRICES_H

#include <stdbool.h>

#include "models/err.h"
#include "models/site.h"

struct wear_prices_cfg {
    enum chemistry chemistry;
    const char *name;           /* of the chemistry */
    double replacement_per_kwh; /* >= 0 */
    double temp_c;
    double rate_per_h; /* > 0 */
};

void wear_prices_text(const struct wear_prices_cfg *cfg);

/* One object on stdout; ERR_MEMORY. */
CHECKED enum err wear_prices_json(const struct wear_prices_cfg *cfg);

#endif
