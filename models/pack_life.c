/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/pack_life.h"

#include <assert.h>
#include <math.h>

static const double KELVIN = 273.15;
static const double MIN_C = 0.0;

/* 75.4 * 2922^(0.512 - 1) * 1e6, the mean over 8 years. */
static const double CALENDAR_PPM_PER_DAY = 1.53504e6;

struct band {
    double to_pu;
    double ppm_per_efc;
};

/* Price of the table times 0.2 / (1000 * 100) * 1e6. */
static const struct band nca_bands[] = {
    {0.2, 142.0},
    {0.6, 428.0},
    {1.0, 928.0},
};
enum { BANDS = sizeof(nca_bands) / sizeof(nca_bands[0]) };

/* Written so that what is not a number gives the upper end. */
static double within(double x, double lo, double hi)
{
    return x < lo ? lo : x < hi ? x : hi;
}

static double nca_calendar(double soc_pu, double pack_c)
{
    double t_k = KELVIN + within(pack_c, MIN_C, PACK_LIFE_MAX_C);
    double s_pu = within(soc_pu, 0.0, 1.0);
    return CALENDAR_PPM_PER_DAY * exp((353.0 * s_pu - 3340.0) / t_k);
}

static double nca_cycle(double depth_pu)
{
    int i = 0;
    while (i < BANDS - 1 && !(depth_pu <= nca_bands[i].to_pu)) {
        i++;
    }
    return nca_bands[i].ppm_per_efc;
}

static const struct pack_life lives[CHEMISTRY_COUNT] = {
    [CHEMISTRY_LFP] = {nca_calendar, nca_cycle, 1.0},
    [CHEMISTRY_LFP_NAUMANN] = {nca_calendar, nca_cycle, 1.0},
    [CHEMISTRY_NCA] = {nca_calendar, nca_cycle, 1.0},
    [CHEMISTRY_NMC] = {nca_calendar, nca_cycle, 3.8},
    [CHEMISTRY_NMC_SCHMALSTIEG] = {nca_calendar, nca_cycle, 3.8},
};

const struct pack_life *pack_life_of(enum chemistry chemistry)
{
    assert((unsigned)chemistry < CHEMISTRY_COUNT);
    return &lives[chemistry];
}
