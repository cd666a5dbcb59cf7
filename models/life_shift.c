/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life_shift.h"

static double moved(double value, double by_pu)
{
    double to = value + by_pu;
    return to < 0.0 ? 0.0 : to > 1.0 ? 1.0 : to;
}

void life_shift(struct life *l, double by_pu)
{
    struct rainflow *r = &l->cycles;
    for (int i = 0; i < r->n; i++) {
        r->value[i] = moved(r->value[i], by_pu);
    }
    r->tip = moved(r->tip, by_pu);
    r->last = moved(r->last, by_pu);
    /* without a reading since the last state of health there is no swing */
    if (l->soc_min_pu <= l->soc_max_pu) {
        l->soc_min_pu = (float)moved((double)l->soc_min_pu, by_pu);
        l->soc_max_pu = (float)moved((double)l->soc_max_pu, by_pu);
    }
}

void life_pack_shift(struct life_pack *p, double by_pu)
{
    for (int i = 0; i < p->n_points; i++) {
        p->value[i] = (float)moved((double)p->value[i], by_pu);
    }
    p->tip = (float)moved((double)p->tip, by_pu);
    p->last = (float)moved((double)p->last, by_pu);
}
