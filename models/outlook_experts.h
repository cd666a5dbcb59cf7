/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outlook_experts - the ways of looking ahead inside models/outlook. */
#ifndef MODELS_OUTLOOK_EXPERTS_H
#define MODELS_OUTLOOK_EXPERTS_H

#include "models/outlook.h"

/* The value of a slot by number since 1970; NAN where there is none. */
double outlook_value(const struct outlook *o, int64_t slot);

/* Seasons, harmonics and levels as new as nothing known. */
void outlook_experts_init(struct outlook *o);

/* What all experts say of the slot 'k' after the newest, whose lead time is
 * 'lead'; NAN where one cannot. */
void outlook_experts_say(const struct outlook *o,
                         const struct outlook_lead *lead, int64_t k,
                         double out[OUTLOOK_EXPERTS]);

/* The newest slot, finite and already in the memory, teaches the seasons and
 * the harmonics. */
void outlook_experts_learn(struct outlook *o, double value);

/* It teaches what the experts of 'lead' should have said 'ahead' slots ago. */
void outlook_lead_learn(struct outlook *o, struct outlook_lead *lead,
                        double value);

#endif
