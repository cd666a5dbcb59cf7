/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life_shift - a gauge that corrected itself is not a cycle.
 *
 * A state of charge is an estimate; an LFP's management finds out at the top
 * or the bottom how far its own was off, and says the true one from then on.
 * No energy moved.  The turning points that are still open move along with
 * the reading, so that what was seen before and what is seen after lie on one
 * scale, and every range between two of them stays what it was.
 */
#ifndef MODELS_LIFE_SHIFT_H
#define MODELS_LIFE_SHIFT_H

#include "models/life.h"
#include "models/life_pack.h"

/* Adds 'by_pu' to all that is remembered of the state of charge, which stays
 * within 0..1. */
void life_shift(struct life *l, double by_pu);
void life_pack_shift(struct life_pack *p, double by_pu);

#endif
