/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The battery of the wear study, and random ones. */
#ifndef TESTS_MODELS_WEAR_FIXTURE_H
#define TESTS_MODELS_WEAR_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/wear.h"

enum { SEED = 20261122, ROUNDS = 2000 };

/* cmocka 1.1.5 compares floats only */
static inline void assert_near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) {
        fail_msg("%.17g instead of %.17g +- %g", got, want, by);
    }
}

/* 1 MWh at 100 per kWh without losses: currency per MWh. */
static inline struct site_battery study_battery(enum chemistry c)
{
    return (struct site_battery){
        .energy_wh = 1e6,
        .charge_max_w = 5e5,
        .discharge_max_w = 5e5,
        .efficiency_pu = 1.0,
        .soc_min_pu = 0.0,
        .soc_max_pu = 1.0,
        .chemistry = c,
        .replacement_per_kwh = 100.0,
    };
}

static inline struct wear_terms study_terms(enum life_model_id id,
                                            double temp_c, double rate_per_h)
{
    return (struct wear_terms){.model = id,
                               .temp_c = temp_c,
                               .rate_per_h = rate_per_h,
                               .mean_pu = 0.6,
                               .scale = 1.0};
}

static inline struct site_battery random_battery(uint64_t *seed)
{
    double from = random_draw(seed, 0.0, 0.8);
    struct site_battery b = {
        .energy_wh = pow(10.0, random_draw(seed, 3.0, 9.0)),
        .efficiency_pu = random_draw(seed, 0.5, 1.0),
        .soc_min_pu = from,
        .soc_max_pu = random_draw(seed, from + 0.01, 1.0),
        .chemistry = (enum chemistry)random_draw(seed, 0.0, CHEMISTRY_COUNT),
        .replacement_per_kwh = random_draw(seed, 0.0, 1000.0),
    };
    b.charge_max_w = b.energy_wh * random_draw(seed, 0.01, 5.0);
    b.discharge_max_w = b.energy_wh * random_draw(seed, 0.01, 5.0);
    return b;
}

static inline struct wear_terms random_terms(uint64_t *seed,
                                             const struct site_battery *b)
{
    struct wear_terms t = wear_terms_new(
        b, random_draw(seed, 0.0, 1.0) < 0.5 ? LIFE_PRICE : LIFE_GUARD);
    t.temp_c = random_draw(seed, -60.0, 150.0);
    if (random_draw(seed, 0.0, 1.0) < 0.7) {
        t.lost_n_pu = random_draw(seed, 0.0, 0.5);
        t.lost_t_pu = random_draw(seed, 0.0, 0.5);
        t.scale = random_draw(seed, 0.25, 4.0);
    }
    return t;
}

static inline double study_cur(const struct wear_terms *t, double depth_pu)
{
    struct site_battery b = study_battery(CHEMISTRY_LFP);
    return wear_lambda_cur(&b) * wear_cycle_pu(t, depth_pu);
}

static inline void begin(struct life *l, enum chemistry c, double soc_pu,
                         double temp_c)
{
    life_init(l, c, RAINFLOW_DEPTH);
    struct life_sample s = {
        .soc_pu = soc_pu, .temp_c = temp_c, .rate_per_h = 0.0};
    assert_int_equal(life_feed(l, &s), ERR_NONE);
}

#endif
