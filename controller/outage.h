/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outage - whether the grid is there: its voltage below half of nominal for
 * more than a second is an outage, until it is above that for as long.  An
 * element as in: new, step(measurement, dt), no clock inside. */
#ifndef CONTROLLER_OUTAGE_H
#define CONTROLLER_OUTAGE_H

#include <stdbool.h>

struct outage {
    bool out;
    double other_s; /* the voltage has said the contrary */
};

/* 'voltage_pu' is NAN where it is not measured: nothing changes.  True where an
 * outage begins or ends with this tick. */
bool outage_step(struct outage *o, double voltage_pu, double dt_s);

#endif
