/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thermal - the temperature of a parked vehicle's pack, as one node.
 *
 *   C dT/dt = pack_heat + (coolant - T) Uc + (ambient - T) Ua
 *
 * Charger and computer give their heat to a coolant loop that passes the pack
 * and a radiator and stores nothing itself, so while it is pumped
 *
 *   coolant = (coolant_heat + Uc T + Ur ambient) / (Uc + Ur)
 *
 * and the pack gets the share Uc / (Uc + Ur) of that heat and Uc Ur / (Uc + Ur)
 * more to the air.  The pump runs while the loop is given heat.  The equation
 * is linear: heat adds its own rise, whatever else warms the pack, and the
 * exact step gives the same however an interval is cut.
 *
 * Sources: 450 kJ/K for 75 kWh and "8 K/h from 1 kW with no rejection" are the
 * estimate of ../shared/reference/degradation.md section 7 (450 kg of cells and
 * plates at 1 kJ/(kg K)).  No public figure was found for the conductances;
 * these are estimates from sizes: 6 h to cool down while parked, a cold plate
 * of 100 W/K, a radiator of 200 W/K without its fan.  By them 1 kW of compute
 * warms the pack by 3.8 K, in the middle of the cases studied there (5, 10 and
 * 20 K).
 */
#ifndef MODELS_THERMAL_H
#define MODELS_THERMAL_H

struct thermal_parts {
    double capacity_j_per_k; /* C > 0; the others >= 0 */
    double ambient_w_per_k;  /* Ua, pack to air */
    double coolant_w_per_k;  /* Uc, pack to coolant while it is pumped */
    double radiator_w_per_k; /* Ur, coolant to air; 0: no rejection */
};

/* A pack at rest, and with its coolant pumped. */
struct thermal_mode {
    double share_pu; /* of the coolant's heat that ends in the pack */
    double k_per_w;  /* settled rise by heat in it; INFINITY: none */
    double per_s;    /* 1 / time constant */
};

struct thermal_cfg {
    double k_per_j;
    struct thermal_mode rest;
    struct thermal_mode pumped;
};

struct thermal_in {
    double ambient_c;
    double pack_heat_w;    /* in the cells */
    double coolant_heat_w; /* of charger and computer; > 0: pumped */
    double dt_s;           /* >= 0 */
};

/* Steps of one length, of many packs: what they have in common. */
struct thermal_stride {
    double dt_s;         /* >= 0 */
    double rest, pumped; /* what is left of a difference after it, 0..1 */
};

struct thermal_cfg thermal_of(const struct thermal_parts *parts);

/* A pack of 'pack_wh' > 0 in a car of today. */
struct thermal_cfg thermal_of_pack(double pack_wh);

/* Temperature of the pack after dt_s of constant heat. */
double thermal_step(const struct thermal_cfg *cfg, double pack_c,
                    const struct thermal_in *in);

/* The same, faster where in->dt_s is that of the stride. */
struct thermal_stride thermal_stride(const struct thermal_cfg *cfg,
                                     double dt_s);
double thermal_step_by(const struct thermal_cfg *cfg,
                       const struct thermal_stride *stride, double pack_c,
                       const struct thermal_in *in);

/* What is left after dt_s of a rise of 'rise_k' that compute has caused, with
 * what 'compute_w' adds to it meanwhile. */
double thermal_rise(const struct thermal_cfg *cfg, double rise_k,
                    double compute_w, double dt_s);

/* Where that rise ends if 'compute_w' goes on for ever; INFINITY where nothing
 * takes the heat away. */
double thermal_rise_settled(const struct thermal_cfg *cfg, double compute_w);

/* How fast a pack begins to warm by 'compute_w', K/h. */
double thermal_rise_k_per_h(const struct thermal_cfg *cfg, double compute_w);

#endif
