/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/outage.h"

#include <math.h>

static const double LOW_PU = 0.5;
static const double LASTS_S = 1.0;

bool outage_step(struct outage *o, double voltage_pu, double dt_s)
{
    bool low = voltage_pu < LOW_PU;
    if (!isfinite(voltage_pu) || low == o->out) {
        o->other_s = 0.0;
        return false;
    }
    o->other_s += dt_s;
    if (!(o->other_s > LASTS_S)) {
        return false;
    }
    o->out = low;
    o->other_s = 0.0;
    return true;
}
