/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plant_nodes - the simulated vehicles of the plant.
 *
 * Each comes and goes, charges as told while plugged in (92 % into the pack),
 * computes on the charger's power, or where its fleet lends the packs on its
 * own while it stands unplugged (15 % more), warms up a little by both.  A call
 * steps one slice of them, so that each is stepped about once a second.
 */
#ifndef MODELS_PLANT_NODES_H
#define MODELS_PLANT_NODES_H

#include "models/plant.h"

void plant_nodes_init(struct plant *p, const struct site *site, uint64_t seed);
void plant_nodes_command(struct plant *p, const struct step_out *out);
void plant_nodes_step(struct plant *p, const struct site *site, double dt_s);
void plant_nodes_observe(const struct plant *p, int64_t mono_ms, int64_t utc_ms,
                         struct snapshot *out);

#endif
