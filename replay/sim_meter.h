/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim_meter - the grid meter as a SunSpec device: models 1 and 213.
 *
 * Model 213 is in float, so that 160 MW read to 16 W, where the 16 bits of
 * model 203 would read them to 10 kW.  Import is positive.  Pure; nothing of
 * it can be written.
 */
#ifndef REPLAY_SIM_METER_H
#define REPLAY_SIM_METER_H

#include "models/snapshot.h"
#include "replay/sim_image.h"

void sim_meter_init(struct sim_image *m, const char *site_name);
void sim_meter_show(struct sim_image *m, const struct meter_in *seen);

#endif
