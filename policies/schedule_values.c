/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads powers, marginal values and the bound off the programme's iterate. */
#include "policies/schedule_lp.h"

#include <math.h>

static double value(const struct schedule_lp *lp, int col, int t)
{
    if (col < 0) {
        return 0.0;
    }
    size_t at = (size_t)col * (size_t)lp->n + (size_t)t;
    return lp->lo[at] + lp->ipm.xl[at];
}

static double dual(const struct schedule_lp *lp, int row, int t)
{
    return lp->ipm.y[(size_t)row * (size_t)lp->n + (size_t)t];
}

/* Charge and discharge at once is a way to lose energy: the net keeps what is
 * stored, with less power. */
static double net(const struct schedule_lp *lp,
                  const struct schedule_battery *b,
                  const struct schedule_lp_battery *at, int t)
{
    double in = 0.0;
    double out = 0.0;
    for (int s = 0; s < at->store.n_segments; s++) {
        in += value(lp, at->charge[s], t);
        out += value(lp, at->discharge[s], t);
    }
    double stored = in * b->charge_eff_pu - out / b->discharge_eff_pu;
    return stored > 0.0 ? stored / b->charge_eff_pu
                        : stored * b->discharge_eff_pu;
}

void schedule_lp_powers(const struct schedule_lp *lp,
                        const struct schedule_problem *p, struct schedule *out)
{
    for (int t = 0; t < lp->n; t++) {
        for (int i = 0; i < lp->n_batteries; i++) {
            out->battery_w[i][t] =
                net(lp, &p->batteries[i], &lp->batteries[i], t) * lp->unit_w;
        }
        for (int k = 0; k < lp->n_classes; k++) {
            const struct schedule_class *c = &p->classes[k];
            double less =
                value(lp, lp->unserved[k], t) + value(lp, lp->shed[k], t);
            out->served_w[k][t] =
                c->deferrable ? value(lp, lp->served[k], t) * lp->unit_w
                              : fmax(c->demand_w[t], 0.0) - less * lp->unit_w;
        }
    }
}

/* Of the segment from which the next discharge comes. */
static double energy_value(const struct schedule_lp *lp,
                           const struct schedule_lp_battery *b, int t)
{
    int s = 0;
    while (s < b->store.n_segments - 1 &&
           value(lp, b->energy[s], t) * lp->unit_w <
               1e-6 * b->store.width_wh[s]) {
        s++;
    }
    return -dual(lp, b->soc_row[s], t);
}

void schedule_lp_values(const struct schedule_lp *lp, struct schedule *out)
{
    double per_kwh = lp->unit_cur / (lp->unit_w / 1000.0);
    for (int t = 0; t < lp->n; t++) {
        for (int i = 0; i < lp->n_batteries; i++) {
            out->energy_value_per_kwh[i][t] =
                energy_value(lp, &lp->batteries[i], t) * per_kwh;
        }
        out->grid_value_per_kwh[t] =
            dual(lp, lp->balance_row, t) / lp->h[t] * per_kwh;
        out->cap_value_per_kwh[t] = 0.0;
        size_t at = (size_t)lp->import * (size_t)lp->n + (size_t)t;
        if (lp->import >= 0) {
            out->cap_value_per_kwh[t] = lp->ipm.zu[at] / lp->h[t] * per_kwh;
        }
    }
    out->peak_value_per_kw =
        lp->peak_row >= 0 ? -dual(lp, lp->peak_row, 0) * per_kwh : 0.0;
}

double schedule_lp_bound(const struct schedule_lp *lp)
{
    return (ipm_bound(&lp->ipm) + lp->offset) * lp->unit_cur - lp->missed_cur;
}
