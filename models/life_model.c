/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/life_model.h"

#include <assert.h>

/* The sources give activation energies with R, or temperatures over 35 C. */
#define GAS_NAUMANN 8.3144598
#define KOKAM_K 308.15
#define NAUMANN_K 298.15

/* exp(-E/R (1/T - 1/298.15)) as a x exp(-E/R / T). */
#define NAUMANN_B_K(e) (-(e) / GAS_NAUMANN)
#define LOSS_T_NAUMANN 17126.0
#define OHM_T_NAUMANN 71827.0
/* exp(E/R / 298.15), and sqrt(86400) and 86400 for seconds. */
#define LOSS_T_NAUMANN_0 1000.7979508917126
#define OHM_T_NAUMANN_0 3833100798529.1494
#define SQRT_DAY_S 293.9387691339814
#define DAY_S 86400.0

#define NCA_CALENDAR                                                 \
    {                                                                \
        .of_soc = LIFE_SOC, .a = 75.4, .b_k = -3340.0, .c_k = 353.0, \
        .p = 0.512                                                   \
    }

const struct life_model life_models[LIFE_MODEL_COUNT] =
    {
        [LIFE_LFP_250] =
            {
                .loss_t = {.of_soc = LIFE_ANODE,
                           .a = 8.37e4,
                           .b_k = -5210.0,
                           .c_k = -3560.0,
                           .p = 0.526},
                /* The source's exp(-155000/T) beside it is under 1e-190. */
                .loss_n = {.of_depth = LIFE_LINEAR,
                           .a = 1.0,
                           .b_k = 2190.0,
                           .d = {4.38e-8, 1.55e-8, 1.68e-7},
                           .per_efc = 1.0,
                           .p = 0.828},
                .fitted = {.calendar_c = {10.0, 45.0},
                           .cycle_c = {10.0, 45.0},
                           .depth_pu = {0.8, 1.0},
                           .rate_per_h = {0.0, 1.0}},
            },
        [LIFE_LFP_NAUMANN] =
            {
                .loss_t = {.of_soc = LIFE_NAUMANN_LOSS,
                           .a = 1.2571e-5 * LOSS_T_NAUMANN_0 * SQRT_DAY_S,
                           .b_k = NAUMANN_B_K(LOSS_T_NAUMANN),
                           .p = 0.5},
                .loss_n = {.of_depth = LIFE_NAUMANN_CYCLE,
                           .a = 0.01,
                           .per_efc = 1.0,
                           .p = 0.5},
                .ohm_t = {.of_soc = LIFE_NAUMANN_OHM,
                          .a = 3.4194e-10 * OHM_T_NAUMANN_0 * DAY_S,
                          .b_k = NAUMANN_B_K(OHM_T_NAUMANN),
                          .p = 1.0},
                .ohm_n = {.of_depth = LIFE_NAUMANN_CYCLE_OHM,
                          .a = 0.01,
                          .per_efc = 1.0,
                          .p = 1.0},
                .fitted = {.calendar_c = {0.0, 60.0},
                           .cycle_c = {25.0, 40.0},
                           .depth_pu = {0.0, 1.0},
                           .rate_per_h = {0.0, 1.0}},
            },
        [LIFE_NCA] =
            {
                .loss_t = NCA_CALENDAR,
                .loss_n = {.of_depth = LIFE_LINEAR,
                           .a = 2.0,
                           .d = {1.86e-6, 1.77e-4, 4.74e-11},
                           .per_efc = 1.0,
                           .p = 0.699},
                .fitted = {.calendar_c = {15.0, 50.0},
                           .cycle_c = {15.0, 35.0},
                           .depth_pu = {0.0, 1.0},
                           .rate_per_h = {0.0, 2.0}},
            },
        [LIFE_NCA_BOUND] =
            {
                .loss_t = NCA_CALENDAR,
                .loss_n =
                    {.of_depth = LIFE_XU, .a = 1.0, .per_efc = 1.0, .p = 1.0},
                .shares_calendar = true,
                .fitted = {.calendar_c = {15.0, 50.0},
                           .cycle_c = {15.0, 35.0},
                           .depth_pu = {0.0, 1.0},
                           .rate_per_h = {0.0, 2.0}},
            },
        [LIFE_NMC] =
            {
                .loss_t = {.of_soc = LIFE_ANODE,
                           .a = 2.66e7,
                           .b_k = -17.8 * KOKAM_K,
                           .c_k = -5.21 * KOKAM_K / 0.123,
                           .p = 0.357},
                .loss_n = {.of_depth = LIFE_KOKAM,
                           .a = 3.80e3,
                           .b_k = -18.4 * KOKAM_K,
                           .d = {1.04},
                           .per_efc = 1.0,
                           .p = 0.778},
                .ohm_t = {.of_soc = LIFE_ANODE,
                          .a = 0.0570 * 2.66e7,
                          .b_k = -17.8 * KOKAM_K,
                          .c_k = -5.21 * KOKAM_K / 0.123,
                          .p = 1.25},
                .ohm_n = {.of_depth = LIFE_KOKAM,
                          .a = 4.87 * 3.80e3,
                          .b_k = -18.4 * KOKAM_K,
                          .d = {1.04},
                          .per_efc = 1.0,
                          .p = 0.712},
                .has_knee = true,
                .fitted = {.calendar_c = {0.0, 45.0},
                           .cycle_c = {0.0, 45.0},
                           .depth_pu = {0.8, 1.0},
                           .rate_per_h = {0.0, 1.0}},
            },
        [LIFE_NMC_SCHMALSTIEG] =
            {
                .loss_t = {.of_soc = LIFE_SANYO_LOSS,
                           .a = 1e6,
                           .b_k = -6976.0,
                           .p = 0.75},
                /* The source counts Ah through a cell of 2.15 Ah, both ways. */
                .loss_n = {.of_depth = LIFE_SANYO,
                           .a = 1.0,
                           .d = {7.348e-3, 3.667, 7.6e-4, 4.081e-3},
                           .per_efc = 2.0 * 2.15,
                           .p = 0.5},
                .ohm_t = {.of_soc = LIFE_SANYO_OHM,
                          .a = 1e5,
                          .b_k = -5986.0,
                          .p = 0.75},
                .ohm_n = {.of_depth = LIFE_SANYO,
                          .a = 1.0,
                          .d = {2.153e-4, 3.725, -1.521e-5, 2.798e-4},
                          .per_efc = 2.0 * 2.15,
                          .p = 1.0},
                .fitted = {.calendar_c = {20.0, 40.0},
                           .cycle_c = {20.0, 40.0},
                           .depth_pu = {0.0, 1.0},
                           .rate_per_h = {0.0, 1.0}},
            },
};

const char *life_model_name(enum life_model_id id)
{
#define MODEL_NAME(name, text) [LIFE_##name] = text,
    static const char *const names[] = {LIFE_MODEL_LIST(MODEL_NAME)};
#undef MODEL_NAME
    assert((unsigned)id < LIFE_MODEL_COUNT);
    return names[id];
}

static const enum life_model_id roles[CHEMISTRY_COUNT][2] = {
    [CHEMISTRY_LFP] = {LIFE_LFP_250, LIFE_LFP_NAUMANN},
    [CHEMISTRY_LFP_NAUMANN] = {LIFE_LFP_NAUMANN, LIFE_LFP_250},
    [CHEMISTRY_NCA] = {LIFE_NCA, LIFE_NCA_BOUND},
    [CHEMISTRY_NMC] = {LIFE_NMC, LIFE_NMC_SCHMALSTIEG},
    [CHEMISTRY_NMC_SCHMALSTIEG] = {LIFE_NMC_SCHMALSTIEG, LIFE_NMC},
};

enum life_model_id life_price_model(enum chemistry c)
{
    assert((unsigned)c < CHEMISTRY_COUNT);
    return roles[c][0];
}

enum life_model_id life_guard_model(enum chemistry c)
{
    assert((unsigned)c < CHEMISTRY_COUNT);
    return roles[c][1];
}
