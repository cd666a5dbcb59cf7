/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard_limits - the guard's constants; only guard*.c read them.  Sources:
 * ../shared/reference/degradation.md section 7 unless said. */
#ifndef POLICIES_GUARD_LIMITS_H
#define POLICIES_GUARD_LIMITS_H

#include "policies/guard.h"

#define GUARD_DAY_S 86400.0
#define GUARD_LEASE_S 120.0
#define GUARD_CARRY_DAYS 7.0
/* Of a year's virtual km: what may be saved up.  The rest comes day by day, so
 * that no year has more than its allowance. */
#define GUARD_CARRY_KM_PU (1.0 / 12.0)
#define GUARD_YEAR_DAYS 365.25
#define GUARD_AGENT_MAX_AGE_MS (60 * 1000)
#define GUARD_PACK_MAX_AGE_MS (15 * 60 * 1000) /* telemetry on change */

/* Compute from a pack keeps contactors, pumps and a converter awake: 1.15 kW
 * for 1 kW. */
#define GUARD_PACK_OVERHEAD 1.15
#define GUARD_PACK_MAX_C_RATE 0.05
/* An empty pack of the worst health: what is left of a nominal Wh. */
#define GUARD_SOH_MIN_PU 0.7
/* A fall at the plug that is no noise of the gauge. */
#define GUARD_DRAIN_PU 0.005

#define GUARD_FLOOR_PU 0.20
#define GUARD_FLOOR_UNSET_PU 0.50 /* no departure set: never a guess */
#define GUARD_FLOOR_SPREAD_PU 0.01

/* To begin; then to go on. */
#define GUARD_COLD_BEGIN_C 10.0
#define GUARD_COLD_C 5.0
#define GUARD_HOT_BEGIN_C 35.0
#define GUARD_HOT_C 40.0
#define GUARD_RISE_BEGIN_K 6.0
#define GUARD_RISE_K 8.0
#define GUARD_RISE_K_PER_H 3.0
#define GUARD_OUTLOOK_S 3600.0 /* what is asked of the pack is known so far */
#define GUARD_REST_K 0.1       /* of a rise that has died away */

/* Share of what a charger draws that it turns into heat. */
#define GUARD_CHARGE_HEAT_PU 0.08
#define GUARD_CHARGE_MIN_C 5.0 /* lithium plating below */
#define GUARD_CHARGE_COOL_C 15.0
#define GUARD_CHARGE_MAX_C 45.0
#define GUARD_CHARGE_COOL_C_RATE 0.16
#define GUARD_CHARGE_C_RATE 0.65

/* Outside these a value is no measurement. */
#define GUARD_POSSIBLE_MIN_C (-60.0)
#define GUARD_POSSIBLE_MAX_C 120.0
#define GUARD_POSSIBLE_W 1.5e6

static inline bool guard_in_range(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

/* fmax and fmin of finite numbers, without a call: they run a million times a
 * second.  What is not a number gives 'b'. */
static inline double guard_most(double a, double b)
{
    return a > b ? a : b;
}

static inline double guard_least(double a, double b)
{
    return a < b ? a : b;
}

static inline bool guard_fresh(int64_t now_ms, int64_t then_ms,
                               int64_t max_age_ms)
{
    return then_ms > 0 && then_ms <= now_ms + 1000 &&
           now_ms - then_ms <= max_age_ms;
}

/* Compute that a drain too small to tell from noise may have fed. */
static inline double guard_drain_wh(const struct guard_cfg *cfg)
{
    return GUARD_DRAIN_PU * cfg->terms.pack_wh / GUARD_PACK_OVERHEAD;
}

static inline double guard_km(const struct guard_cfg *cfg, double pack_wh)
{
    return pack_wh / cfg->terms.consumption_wh_per_km;
}

#endif
