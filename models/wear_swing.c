/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/wear_swing.h"

#include <assert.h>
#include <math.h>

#include "models/clamp.h"

void wear_curve_init(struct wear_curve *c, const struct site_battery *b,
                     const struct wear_terms *t)
{
    double depth_pu = b->soc_max_pu - b->soc_min_pu;
    c->n = WEAR_SLOPES_MAX;
    c->step_pu = depth_pu / c->n;
    wear_slopes(t, depth_pu, c->n, c->slope);
    for (int i = 0; i < c->n; i++) {
        c->slope[i] *= wear_cur_per_kwh(b);
    }
}

/* Half a step beyond the first or last middle, along the line through it and
 * its neighbour. */
static double end_slope(const struct wear_curve *c, int end, int neighbour)
{
    return c->slope[end] + 0.5 * (c->slope[end] - c->slope[neighbour]);
}

double wear_curve_depth(const struct wear_curve *c, double value)
{
    assert(c->n >= 1 && c->n <= WEAR_SLOPES_MAX);
    int last = c->n - 1;
    double from = last > 0 ? end_slope(c, 0, 1) : c->slope[0];
    double from_pu = 0.0;
    if (!(value >= fmax(from, 0.0))) {
        return 0.0;
    }
    for (int i = 0; i <= c->n; i++) {
        double to = i <= last  ? c->slope[i]
                    : last > 0 ? end_slope(c, last, last - 1)
                               : c->slope[last];
        double to_pu = fmin((i + 0.5) * c->step_pu, c->n * c->step_pu);
        if (value < to) {
            return from_pu + (to_pu - from_pu) * (value - from) / (to - from);
        }
        from = to;
        from_pu = to_pu;
    }
    return c->n * c->step_pu;
}

static void remember(struct wear_swing *s, double soc_pu, double depth_pu)
{
    if (!s->begun) {
        *s = (struct wear_swing){
            .begun = true, .min_pu = soc_pu, .max_pu = soc_pu};
    }
    s->min_pu = fmin(s->min_pu, soc_pu);
    s->max_pu = fmax(s->max_pu, soc_pu);
    double swung_pu = s->max_pu - s->min_pu;
    if (swung_pu > depth_pu) {
        double part = (soc_pu - s->min_pu) / swung_pu;
        s->min_pu = soc_pu - part * depth_pu;
        s->max_pu = soc_pu + (1.0 - part) * depth_pu;
    }
}

double wear_swing_limit_w(struct wear_swing *s, const struct site_battery *b,
                          const struct wear_swing_in *in)
{
    assert(in->dt_s > 0.0 && in->depth_pu >= 0.0);
    remember(s, in->soc_pu, in->depth_pu);
    double low_pu = fmax(s->max_pu - in->depth_pu, b->soc_min_pu);
    double high_pu = fmin(s->min_pu + in->depth_pu, b->soc_max_pu);
    double eff_pu = sqrt(b->efficiency_pu); /* one way */
    double w_per_pu = b->energy_wh * 3600.0 / in->dt_s;
    double charge_w = fmax(high_pu - in->soc_pu, 0.0) * w_per_pu / eff_pu;
    double discharge_w = fmax(in->soc_pu - low_pu, 0.0) * w_per_pu * eff_pu;
    return clamp(in->power_w, -discharge_w, charge_w);
}
