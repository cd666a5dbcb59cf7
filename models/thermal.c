/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/thermal.h"

#include <math.h>
#include <stdbool.h>

static const double J_PER_K_WH = 6.0; /* 450 kJ/K for 75 kWh */
static const double PARKED_LAG_S = 6.0 * 3600.0;
static const double COOLANT_W_PER_K_WH = 100.0 / 75e3; /* plate under cells */
static const double RADIATOR_W_PER_K = 200.0;

static struct thermal_mode mode_of(const struct thermal_parts *parts,
                                   double share_pu, double w_per_k)
{
    return (struct thermal_mode){
        .share_pu = share_pu,
        .k_per_w = w_per_k > 0.0 ? 1.0 / w_per_k : INFINITY,
        .per_s = w_per_k / parts->capacity_j_per_k,
    };
}

struct thermal_cfg thermal_of(const struct thermal_parts *parts)
{
    double both = parts->coolant_w_per_k + parts->radiator_w_per_k;
    double share_pu = both > 0.0 ? parts->coolant_w_per_k / both : 0.0;
    double loop_w_per_k = share_pu * parts->radiator_w_per_k;
    return (struct thermal_cfg){
        .k_per_j = 1.0 / parts->capacity_j_per_k,
        .rest = mode_of(parts, 0.0, parts->ambient_w_per_k),
        .pumped =
            mode_of(parts, share_pu, parts->ambient_w_per_k + loop_w_per_k),
    };
}

struct thermal_cfg thermal_of_pack(double pack_wh)
{
    double capacity_j_per_k = J_PER_K_WH * pack_wh;
    return thermal_of(&(struct thermal_parts){
        .capacity_j_per_k = capacity_j_per_k,
        .ambient_w_per_k = capacity_j_per_k / PARKED_LAG_S,
        .coolant_w_per_k = COOLANT_W_PER_K_WH * pack_wh,
        .radiator_w_per_k = RADIATOR_W_PER_K,
    });
}

static const struct thermal_mode *mode(const struct thermal_cfg *cfg,
                                       double coolant_heat_w)
{
    return coolant_heat_w > 0.0 ? &cfg->pumped : &cfg->rest;
}

/* exp(-x).  A step is short beside a time constant, where the series is as
 * good and several times faster: x^6/720 is 1e-13 at its end. */
static double decay(double x)
{
    if (x > 0.02) {
        return exp(-x);
    }
    return 1.0 -
           x * (1.0 -
                x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0))));
}

/* Of a difference, 'left_pu' is left after the step. */
static double settle(const struct thermal_cfg *cfg, double left_pu,
                     double pack_c, const struct thermal_in *in)
{
    const struct thermal_mode *m = mode(cfg, in->coolant_heat_w);
    double heat_w = in->pack_heat_w + m->share_pu * in->coolant_heat_w;
    if (m->per_s <= 0.0) {
        return pack_c + heat_w * in->dt_s * cfg->k_per_j;
    }
    double settled_c = in->ambient_c + heat_w * m->k_per_w;
    return settled_c + (pack_c - settled_c) * left_pu;
}

double thermal_step(const struct thermal_cfg *cfg, double pack_c,
                    const struct thermal_in *in)
{
    double per_s = mode(cfg, in->coolant_heat_w)->per_s;
    return settle(cfg, decay(per_s * in->dt_s), pack_c, in);
}

struct thermal_stride thermal_stride(const struct thermal_cfg *cfg, double dt_s)
{
    return (struct thermal_stride){
        .dt_s = dt_s,
        .rest = decay(cfg->rest.per_s * dt_s),
        .pumped = decay(cfg->pumped.per_s * dt_s),
    };
}

double thermal_step_by(const struct thermal_cfg *cfg,
                       const struct thermal_stride *stride, double pack_c,
                       const struct thermal_in *in)
{
    if (in->dt_s < stride->dt_s || in->dt_s > stride->dt_s) {
        return thermal_step(cfg, pack_c, in);
    }
    bool pumped = in->coolant_heat_w > 0.0;
    return settle(cfg, pumped ? stride->pumped : stride->rest, pack_c, in);
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
    double heat_w = mode(cfg, compute_w)->share_pu * compute_w;
    return heat_w > 0.0 ? heat_w * mode(cfg, compute_w)->k_per_w : 0.0;
}

double thermal_rise_k_per_h(const struct thermal_cfg *cfg, double compute_w)
{
    return mode(cfg, compute_w)->share_pu * compute_w * 3600.0 * cfg->k_per_j;
}
