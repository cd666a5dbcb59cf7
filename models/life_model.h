/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life_model - how fast a cell ages: published fits as parameter tables.
 *
 * Every model has two channels of lost capacity, calendar y = k_t t^p with t
 * in days and cycling y = k_n n^q with n in equivalent full cycles (EFC,
 * throughput both ways over twice the nominal capacity), and the same of
 * gained resistance where the source has it.
 *
 *   LIFE_LFP_250         large prismatic LFP > 250 Ah: NREL BLAST-Lite
 *                        (Lfp_Gr_250AhPrismatic; J. Energy Storage 2023,
 *                        109042)
 *   LIFE_LFP_NAUMANN     Sony/Murata 3 Ah LFP: Naumann 2018 and 2020, as in
 *                        TUM SimSES
 *   LIFE_NCA             Panasonic 18650B: BLAST-Lite (Keil 2016, Preger 2020)
 *   LIFE_NCA_BOUND       the same calendar with the segment table of Xu et al.
 *                        for cycling: an upper bound, 10 to 100 times higher
 *   LIFE_NMC             Kokam 75 Ah NMC111 with its knee: BLAST-Lite (Smith
 *                        2017)
 *   LIFE_NMC_SCHMALSTIEG Sanyo UR18650E NMC111: Schmalstieg 2014, BLAST-Lite
 *
 * Temperatures are in K here; depth and state of charge 0..1.
 */
#ifndef MODELS_LIFE_MODEL_H
#define MODELS_LIFE_MODEL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "models/site.h"

#define LIFE_ZERO_C_K 273.15

#define LIFE_MODEL_LIST(X)                                   \
    X(LFP_250, "BLAST LFP-250Ah")                            \
    X(LFP_NAUMANN, "Naumann LFP")                            \
    X(NCA, "BLAST Panasonic NCA")                            \
    X(NCA_BOUND, "BLAST Panasonic NCA calendar, Xu cycling") \
    X(NMC, "BLAST Kokam NMC")                                \
    X(NMC_SCHMALSTIEG, "Schmalstieg NMC")
#define LIFE_MODEL_ENUM(name, text) LIFE_##name,
enum life_model_id { LIFE_MODEL_LIST(LIFE_MODEL_ENUM) LIFE_MODEL_COUNT };
#undef LIFE_MODEL_ENUM

/* What k depends on besides temperature. */
enum life_of_soc {
    LIFE_FLAT,         /* no law: there is no such loss */
    LIFE_ANODE,        /* exponent x graphite potential */
    LIFE_SOC,          /* exponent x state of charge */
    LIFE_NAUMANN_LOSS, /* factor: a cubic */
    LIFE_NAUMANN_OHM,  /* factor: a parabola */
    LIFE_SANYO_LOSS,   /* factor: linear in the cell's voltage */
    LIFE_SANYO_OHM,
};

/* k = a x factor(soc) x exp((b_k + c_k x exponent(soc)) / T); a = 0: none. */
struct life_calendar_law {
    enum life_of_soc of_soc;
    double a; /* per day^p */
    double b_k;
    double c_k;
    double p;
};

enum life_of_depth {
    LIFE_LINEAR,        /* d[0] + d[1] depth + d[2] rate */
    LIFE_NAUMANN_CYCLE, /* linear in rate, cubic in depth */
    LIFE_NAUMANN_CYCLE_OHM,
    LIFE_XU,    /* mean of the segments' slopes down to the depth */
    LIFE_KOKAM, /* exp(d[0] exp(depth^2)) */
    LIFE_SANYO, /* d[0] (V - d[1])^2 + d[2] + d[3] depth */
};

/* k = a x shape(depth, rate, V) x exp(b_k / T) per (efc x per_efc)^p. */
struct life_cycle_law {
    enum life_of_depth of_depth;
    double a;
    double b_k;
    double d[4];
    double per_efc;
    double p;
};

struct life_span {
    double min;
    double max;
};

/* Where the source measured.  Inside the engine temperature and rate are
 * clamped to it.  Depth is clamped to 0..1 only: all these laws fall steadily
 * towards shallow cycles, and charging a ripple as a deep cycle would be
 * wrong by more than they are; it is flagged all the same. */
struct life_fitted {
    struct life_span calendar_c;
    struct life_span cycle_c;
    struct life_span depth_pu;
    struct life_span rate_per_h;
};

struct life_model {
    struct life_calendar_law loss_t;
    struct life_cycle_law loss_n;
    struct life_calendar_law ohm_t; /* relative resistance */
    struct life_cycle_law ohm_n;
    bool has_knee; /* loss of active material, Kokam only */
    /* Ages by the clock as the model that prices its chemistry does. */
    bool shares_calendar;
    struct life_fitted fitted;
};

/* Conditions of a cycle or of a day. */
struct life_stress {
    double temp_k;
    double depth_pu;
    double rate_per_h;
    double mean_pu; /* state of charge; used by the knee alone */
    double volt_v;  /* rms of the cell's voltage; used by LIFE_SANYO alone */
};

extern const struct life_model life_models[LIFE_MODEL_COUNT];

/* Never NULL. */
static inline const struct life_model *life_model(enum life_model_id id)
{
    assert((unsigned)id < LIFE_MODEL_COUNT);
    return &life_models[id];
}

const char *life_model_name(enum life_model_id id);

/* The model that prices a chemistry, and the one that guards it. */
enum life_model_id life_price_model(enum chemistry c);
enum life_model_id life_guard_model(enum chemistry c);

/* k of a channel; 0 where the law is absent.  Never negative: a law that
 * leaves its range or yields NaN gives 0. */
double life_calendar_k(const struct life_calendar_law *law, double temp_k,
                       double soc_pu);
double life_cycle_k(const struct life_cycle_law *law,
                    const struct life_stress *s);

/* The part of life_cycle_k that does not depend on temperature, and the one
 * that does: their product. */
double life_cycle_shape(const struct life_cycle_law *law,
                        const struct life_stress *s);
double life_cycle_heat(const struct life_cycle_law *law, double temp_k);

/* k^(1/p) of cycling: what y^(1/p) gains in one EFC.  Within 1e-9. */
double life_cycle_speed(const struct life_cycle_law *law,
                        const struct life_stress *s);

/* Scale of the knee's sigmoid, in EFC (Kokam); at least 1. */
double life_knee_efc(const struct life_stress *s);

/* Graphite potential over Li/Li+, in V: Safari and Delacourt's fit with the
 * stoichiometry of Schimpe. */
double life_anode_v(double soc_pu);

/* Open-circuit voltage of the Sanyo cell, in V, and its rms over a swing. */
double life_sanyo_v(double soc_pu);
double life_sanyo_rms_v(double mean_pu, double depth_pu);

#endif
