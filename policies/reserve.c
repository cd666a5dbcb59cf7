/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/reserve.h"

#include <assert.h>
#include <math.h>

static const char *const names[RESERVE_BOUND_COUNT] = {
#define RESERVE_NAME(name, text) [RESERVE_##name] = text,
    RESERVE_LIST(RESERVE_NAME)
#undef RESERVE_NAME
};

const char *reserve_bound_name(enum reserve_bound bound)
{
    assert((unsigned)bound < RESERVE_BOUND_COUNT);
    return names[bound];
}

static void take(struct reserve_cover *c, double edge_w,
                 enum reserve_bound bound)
{
    if (edge_w < c->edge_w) {
        c->edge_w = edge_w;
        c->bound = bound;
    }
}

struct reserve_cover reserve_cover(const struct reserve_cfg *cfg,
                                   const struct reserve_side *side)
{
    double ramp = cfg->ramp_max_w_per_s;
    double average_s = cfg->ramp_average_s;
    assert(ramp > 0.0 && average_s > 0.0 && cfg->latency_s > 0.0);
    struct reserve_cover c = {INFINITY, RESERVE_POWER};
    take(&c, side->power_w - side->carried_w, RESERVE_POWER);
    double carried_w = reserve_carried_w(cfg, side->energy_wh);
    take(&c, carried_w - side->carried_w, RESERVE_ENERGY);
    take(&c, ramp * average_s * average_s / cfg->latency_s, RESERVE_LATENCY);
    double alone_w = side->carried_w > 0.0 ? 0.0 : ramp * average_s;
    c.edge_w = fmax(c.edge_w, alone_w);
    return c;
}

double reserve_carried_w(const struct reserve_cfg *cfg, double energy_wh)
{
    double held_ws = 3600.0 * fmax(energy_wh, 0.0);
    return sqrt(2.0 * cfg->ramp_max_w_per_s * held_ws);
}

double reserve_pods_w(const struct reserve_cfg *cfg, double edge_w,
                      double gives_w, double response_s)
{
    double average_s = cfg->ramp_average_s;
    double forgiven_ws = cfg->ramp_max_w_per_s * average_s * average_s;
    double left_ws = forgiven_ws - edge_w * cfg->latency_s;
    double most_w = fmax(left_ws, 0.0) / (cfg->latency_s + response_s);
    return RESERVE_SURE_PU * fmin(gives_w, most_w);
}

double reserve_energy_wh(const struct reserve_cfg *cfg, double edge_w)
{
    return edge_w * edge_w / (2.0 * cfg->ramp_max_w_per_s) / 3600.0;
}
