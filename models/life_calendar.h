/* SPDX-License-Identifier: GPL-3.0-or-later */
/* life_calendar - the calendar rates of a model, fast: what the engines of
 * models/life.c and models/life_pack.c spend their time on, in place. */
#ifndef MODELS_LIFE_CALENDAR_H
#define MODELS_LIFE_CALENDAR_H

#include "models/fast.h"
#include "models/life_model.h"
#include "models/life_tables.h"

/* Both rates k of a model. */
struct life_rates {
    float loss;
    float ohm;
};

/* What they depend on besides the state of charge, where that is a factor of
 * its own: it holds as long as the temperature does. */
struct life_heat {
    float loss; /* 0: not known */
    float ohm;
};

/* A rate is a rate: not a number and below zero are both none. */
static inline double life_at_least_zero(double k)
{
    return k > 0.0 ? k : 0.0;
}

/* Factors of the state of charge. */
static inline double life_naumann_loss(double soc_pu)
{
    double x = soc_pu - 0.5;
    return 2.8575 * (x * x * x) + 0.60225;
}

static inline double life_naumann_ohm(double soc_pu)
{
    double x = soc_pu - 0.5;
    return -3.3903 * (x * x) + 1.5604;
}

static inline double life_sanyo_loss(double volt_v)
{
    return 7.543 * volt_v - 23.75;
}

static inline double life_sanyo_ohm(double volt_v)
{
    return 5.270 * volt_v - 16.32;
}

static inline double life_anode_from_table_v(double soc_pu)
{
    double at = soc_pu * LIFE_ANODE_STEPS;
    /* Halfway between two points the nearest whole number is the lower one;
     * at a point either neighbour's line gives its value. */
    double whole;
    uint64_t i = fast_nearest(at - 0.5, &whole);
    const double *v =
        &life_anode_table_v[i < LIFE_ANODE_STEPS ? i : LIFE_ANODE_STEPS - 1];
    return v[0] + (at - whole) * (v[1] - v[0]);
}

/* 1/T comes in 64ths of a power of 2.

 * Temperature and state of charge in one exponent; the law of resistance, if
 * there is one, has the same. */
static inline struct life_rates
life_rates_by_exponent(const struct life_model *m, double per_k_64ths,
                       double soc_pu)
{
    const struct life_calendar_law *law = &m->loss_t;
    double of_soc =
        law->of_soc == LIFE_ANODE ? life_anode_from_table_v(soc_pu) : soc_pu;
    double heat = fast_exp2_64th((law->b_k + law->c_k * of_soc) * per_k_64ths);
    return (struct life_rates){(float)(law->a * heat),
                               (float)(m->ohm_t.a * heat)};
}

static inline struct life_heat life_heat_at(const struct life_model *m,
                                            double per_k_64ths)
{
    return (struct life_heat){
        (float)(m->loss_t.a * fast_exp2_64th(m->loss_t.b_k * per_k_64ths)),
        (float)(m->ohm_t.a * fast_exp2_64th(m->ohm_t.b_k * per_k_64ths))};
}

static inline struct life_rates life_rates_by_factor(const struct life_model *m,
                                                     const struct life_heat *h,
                                                     double soc_pu)
{
    bool sanyo = m->loss_t.of_soc == LIFE_SANYO_LOSS;
    double x = sanyo ? life_sanyo_v(soc_pu) : soc_pu;
    double loss = sanyo ? life_sanyo_loss(x) : life_naumann_loss(x);
    double ohm = sanyo ? life_sanyo_ohm(x) : life_naumann_ohm(x);
    return (struct life_rates){h->loss * (float)life_at_least_zero(loss),
                               h->ohm * (float)life_at_least_zero(ohm)};
}

/*
 * life_calendar_k() of both laws at 'temp_c', clamped to what the model was
 * fitted to.  Within 1e-6 of the formula, and where that asks for the graphite
 * potential, which comes from a table, within 0.5 % above 2 % of charge and
 * 0.01 % above 20 %.
 */
static inline struct life_rates life_calendar_rates(const struct life_model *m,
                                                    double temp_c,
                                                    double soc_pu,
                                                    struct life_heat *heat)
{
    enum life_of_soc form = m->loss_t.of_soc;
    const struct life_span *fitted = &m->fitted.calendar_c;
    double low_c = temp_c < fitted->max ? temp_c : fitted->max;
    double at_c = low_c > fitted->min ? low_c : fitted->min;
    if (form == LIFE_ANODE || form == LIFE_SOC) {
        double per_k_64ths = FAST_64THS / (at_c + LIFE_ZERO_C_K);
        return life_rates_by_exponent(m, per_k_64ths, soc_pu);
    }
    if (!(heat->loss > 0.0F)) {
        *heat = life_heat_at(m, FAST_64THS / (at_c + LIFE_ZERO_C_K));
    }
    return life_rates_by_factor(m, heat, soc_pu);
}

#endif
