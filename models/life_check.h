/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life_check - whether bytes from a disk are a life that can be.
 *
 * A state that was kept over a restart comes back as hostile bytes.  What
 * passes here holds finite numbers within what the engine can reach and
 * indices within their arrays, so that feeding and asking it is safe and gives
 * capacities within 0..1.
 */
#ifndef MODELS_LIFE_CHECK_H
#define MODELS_LIFE_CHECK_H

#include "models/life.h"
#include "models/life_pack.h"

bool life_valid(const struct life *l, enum chemistry c);
bool life_pack_valid(const struct life_pack *p, enum chemistry c);

#endif
