/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/thermal.h"

#include <math.h>
#include <stdbool.h>

static const double J_PER_K_WH = 6.0; /* 450 kJ/K for 75 kWh */
static const double PARKED_LAG_S = 6.0 * 3600.0;
static const double COOLANT_W_PER_K_WH = 100.0 / 75e3; /* plate under cells */
static const double RADIATOR_W_PER_K = 200.0;

/* What the loop comes to, seen from the pack. */
struct loop {
    double share_pu; /* of the heat given to it that ends in the pack */
    double w_per_k;  /* from pack to air by way of it */
};

struct thermal_cfg thermal_of_pack(double pack_wh)
{
    double capacity_j_per_k = J_PER_K_WH * pack_wh;
    return (struct thermal_cfg){
        .capacity_j_per_k = capacity_j_per_k,
        .ambient_w_per_k = capacity_j_per_k / PARKED_LAG_S,
        .coolant_w_per_k = COOLANT_W_PER_K_WH * pack_wh,
        .radiator_w_per_k = RADIATOR_W_PER_K,
    };
}

static struct loop loop_of(const struct thermal_cfg *cfg, bool pumped)
{
    double both = cfg->coolant_w_per_k + cfg->radiator_w_per_k;
    if (!pumped || both <= 0.0) {
        return (struct loop){0.0, 0.0};
    }
    return (struct loop){
        .share_pu = cfg->coolant_w_per_k / both,
        .w_per_k = cfg->coolant_w_per_k * cfg->radiator_w_per_k / both,
    };
}

double thermal_step(const struct thermal_cfg *cfg, double pack_c,
                    const struct thermal_in *in)
{
    struct loop loop = loop_of(cfg, in->coolant_heat_w > 0.0);
    double w_per_k = cfg->ambient_w_per_k + loop.w_per_k;
    double heat_w = in->pack_heat_w + loop.share_pu * in->coolant_heat_w;
    if (w_per_k <= 0.0) {
        return pack_c + heat_w * in->dt_s / cfg->capacity_j_per_k;
    }
    double settled_c = in->ambient_c + heat_w / w_per_k;
    double left_pu = exp(-w_per_k * in->dt_s / cfg->capacity_j_per_k);
    return settled_c + (pack_c - settled_c) * left_pu;
}

double thermal_rise(const struct thermal_cfg *cfg, double rise_k,
                    double compute_w, double dt_s)
{
    return thermal_step(
        cfg, rise_k,
        &(struct thermal_in){.coolant_heat_w = compute_w, .dt_s = dt_s});
}

double thermal_rise_settled(const struct thermal_cfg *cfg, double compute_w)
{
    struct loop loop = loop_of(cfg, compute_w > 0.0);
    double w_per_k = cfg->ambient_w_per_k + loop.w_per_k;
    double heat_w = loop.share_pu * compute_w;
    if (heat_w <= 0.0) {
        return 0.0;
    }
    return w_per_k > 0.0 ? heat_w / w_per_k : INFINITY;
}

double thermal_rise_k_per_h(const struct thermal_cfg *cfg, double compute_w)
{
    struct loop loop = loop_of(cfg, compute_w > 0.0);
    return loop.share_pu * compute_w * 3600.0 / cfg->capacity_j_per_k;
}
