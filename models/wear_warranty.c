/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/wear_warranty.h"

#include <assert.h>
#include <math.h>

static const double YEAR_D = 365.25;
static const double DAY_S = 86400.0;

static const double EFC_MAX = 1e9;

static bool is_bound(const struct site_battery *b)
{
    return b->warranty_efc_per_y > 0.0 && isfinite(b->warranty_efc_per_y);
}

void wear_warranty_use(struct wear_warranty *w, const struct site_battery *b,
                       double efc, double dt_s)
{
    assert(efc >= 0.0 && dt_s >= 0.0);
    w->used_efc += efc;
    if (is_bound(b)) {
        double grown = b->warranty_efc_per_y * dt_s / (YEAR_D * DAY_S);
        double most = b->warranty_efc_per_y * WEAR_WARRANTY_CARRY_Y;
        w->spare_efc = fmin(w->spare_efc + grown - efc, most);
    }
}

bool wear_warranty_valid(const struct wear_warranty *w)
{
    return w->used_efc >= 0.0 && w->used_efc <= EFC_MAX &&
           fabs(w->spare_efc) <= EFC_MAX;
}

double wear_warranty_most_per_kwh(const struct site_battery *b)
{
    if (!is_bound(b)) {
        return 0.0;
    }
    return b->replacement_per_kwh / (b->warranty_efc_per_y * WEAR_WARRANTY_Y);
}

double wear_warranty_per_kwh(const struct wear_warranty *w,
                             const struct site_battery *b)
{
    if (!is_bound(b) || !(w->spare_efc < 0.0)) {
        return 0.0;
    }
    double full = b->warranty_efc_per_y * WEAR_WARRANTY_AHEAD_D / YEAR_D;
    return wear_warranty_most_per_kwh(b) * fmin(-w->spare_efc / full, 1.0);
}
