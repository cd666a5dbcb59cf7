/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/carry_layout.h"

#include <math.h>
#include <stddef.h>

static const double ENERGY_MAX_WH = 1e15;
static const double POWER_MAX_W = 1e13;
static const int64_t TIME_MAX_MS = INT64_C(1000000000000000);

/* FNV-1a over the numbers. */
static uint64_t mixed(const size_t *x, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (uint64_t)x[i]) * 1099511628211u;
    }
    return h;
}

#define AT(type, member) offsetof(struct type, member)
#define MIXED(places) mixed(places, sizeof(places) / sizeof((places)[0]))

static uint64_t battery_layout(void)
{
    static const size_t places[] = {
        CARRY_FORMAT,
        sizeof(struct carry_battery),
        sizeof(struct life),
        AT(life, channels),
        AT(life, today),
        AT(life, rates),
        AT(life, heat),
        AT(life, efc),
        AT(life, capacity_pu),
        AT(life, soh_gain),
        AT(life, soh_weight),
        AT(life, today_s),
        AT(life, last_half_s),
        AT(life, soh_age_days),
        AT(life, soc_min_pu),
        AT(life, soc_max_pu),
        AT(life, flags),
        AT(life, outside),
        AT(life, model),
        sizeof(struct rainflow),
        AT(rainflow, leg),
        AT(rainflow, index),
        AT(rainflow, to_tip),
        AT(rainflow, past_tip),
        AT(rainflow, tip),
        AT(rainflow, last),
        AT(rainflow, last_temp_c),
        AT(rainflow, n),
        AT(rainflow, way),
        LIFE_MODEL_COUNT,
        sizeof(struct age_battery),
        AT(age_battery, moved_wh),
        AT(age_battery, credit_pu),
        AT(age_battery, soh_pu),
        AT(age_battery, mono_ms),
        AT(age_battery, warranty),
    };
    return MIXED(places);
}

static uint64_t fleet_layout(void)
{
    static const size_t places[] = {
        CARRY_FORMAT,
        sizeof(struct carry_node),
        sizeof(struct guard_state),
        AT(guard_state, lease_mono_ms),
        AT(guard_state, computing),
        AT(guard_state, lease_w),
        AT(guard_state, soc_news_pu),
        AT(guard_state, soc_ref_pu),
        AT(guard_state, unseen_wh),
        AT(guard_state, unsure_wh),
        AT(guard_state, rise_k),
        AT(guard_state, rest_c),
        AT(guard_state, ambient_c),
        AT(guard_state, budget_ppm),
        AT(guard_state, spent_km),
        AT(guard_state, ledger),
        sizeof(struct guard_ledger),
        AT(guard_ledger, pack_wh),
        AT(guard_ledger, awake_h),
        AT(guard_ledger, virtual_km),
        AT(guard_ledger, loss_ppm),
        AT(guard_ledger, owed_cur),
        sizeof(struct life_pack),
        AT(life_pack, loss_n),
        AT(life_pack, to_tip),
        AT(life_pack, past_tip),
        AT(life_pack, tip),
        AT(life_pack, last),
        AT(life_pack, last_temp_c),
        AT(life_pack, heat),
        AT(life_pack, today),
        AT(life_pack, rate),
        AT(life_pack, knee),
        AT(life_pack, capacity_pu),
        AT(life_pack, today_s),
        AT(life_pack, last_half_s),
        AT(life_pack, scale_gain),
        AT(life_pack, n_points),
        AT(life_pack, chemistry),
        AT(life_pack, flags),
        AT(life_pack, value),
        AT(life_pack, leg),
        LIFE_MODEL_COUNT,
        sizeof(struct age_node),
    };
    return MIXED(places);
}

static uint64_t queue_layout(void)
{
    static const size_t places[] = {
        CARRY_FORMAT,           sizeof(struct queue), AT(queue, usual_w),
        AT(queue, free_w),      AT(queue, least_w),   AT(queue, low_w),
        AT(queue, more_w),      AT(queue, over_s),    AT(queue, behind),
        sizeof(struct backlog), AT(backlog, bins_wh), AT(backlog, bin_s),
        (size_t)BACKLOG_BINS,
    };
    return MIXED(places);
}

static uint64_t soon_layout(void)
{
    static const size_t places[] = {
        CARRY_FORMAT,
        sizeof(struct forecast),
        AT(forecast, clean),
        AT(forecast, ring),
        AT(forecast, far),
        AT(forecast, level),
        AT(forecast, marks),
        AT(forecast, h),
        AT(forecast, pool),
        sizeof(struct forecast_horizon),
        AT(forecast_horizon, trust),
        AT(forecast_horizon, law),
        AT(forecast_horizon, widen),
        AT(forecast_horizon, loss),
        AT(forecast_horizon, swings),
        sizeof(struct forecast_due),
        sizeof(struct forecast_swings),
        AT(forecast_horizon, at),
        sizeof(struct forecast_level),
        sizeof(struct clean_state),
        FORECAST_EXPERTS,
        FORECAST_FEATURES,
        FORESEE_HORIZONS,
    };
    return MIXED(places);
}

static const size_t outlook_places[] = {
    CARRY_FORMAT,
    sizeof(struct outlook),
    AT(outlook, newest),
    AT(outlook, last),
    AT(outlook, harmonics),
    AT(outlook, leads),
    AT(outlook, steps),
    AT(outlook, memory),
    AT(outlook, day_season),
    AT(outlook, said),
    sizeof(struct outlook_lead),
    AT(outlook_lead, loss),
    AT(outlook_lead, law),
    OUTLOOK_EXPERTS,
    FORESEE_SLOT_MS,
    FORESEE_AHEAD,
};

static uint64_t cars_layout(void)
{
    const size_t places[] = {
        (size_t)MIXED(outlook_places), sizeof(struct availability),
        AT(availability, now),         AT(availability, arrivals),
        AT(availability, loss),        AT(availability, conformal),
        AT(availability, said),        AVAILABILITY_BUCKETS,
    };
    return MIXED(places);
}

uint64_t carry_layout(enum carry_kind kind)
{
    static const size_t site_places[] = {
        CARRY_FORMAT,
        sizeof(struct carry_site),
        sizeof(struct month),
        AT(month, from_ms),
        AT(month, lived_s),
        AT(month, left_w),
        AT(month, left_ms),
        AT(carry_site, interval_ws),
        AT(carry_site, interval_s),
        AT(carry_site, interval),
        AT(carry_site, incumbent_w),
    };
    switch (kind) {
    case CARRY_SITE:
        return MIXED(site_places);
    case CARRY_BATTERY:
        return battery_layout();
    case CARRY_FLEET:
        return fleet_layout();
    case CARRY_QUEUE:
        return queue_layout();
    case CARRY_SOON:
        return soon_layout();
    case CARRY_OUTLOOK:
        return MIXED(outlook_places);
    case CARRY_CARS:
        break;
    }
    return cars_layout();
}

size_t carry_unit_size(enum carry_kind kind)
{
    static const size_t sizes[] = {
        [CARRY_SITE] = sizeof(struct carry_site),
        [CARRY_BATTERY] = sizeof(struct carry_battery),
        [CARRY_FLEET] = sizeof(struct carry_node),
        [CARRY_QUEUE] = sizeof(struct queue),
        [CARRY_SOON] = sizeof(struct forecast),
        [CARRY_OUTLOOK] = sizeof(struct outlook),
        [CARRY_CARS] = sizeof(struct availability),
    };
    return sizes[kind];
}

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

bool carry_time_valid(int64_t ms)
{
    return ms >= 0 && ms <= TIME_MAX_MS;
}

bool carry_site_valid(const struct carry_site *c)
{
    const struct month *m = &c->month;
    return within(m->peak_w, -POWER_MAX_W, POWER_MAX_W) &&
           within(m->left_w, -POWER_MAX_W, POWER_MAX_W) &&
           within(m->lived_s, 0.0, MONTH_SURE_S) &&
           carry_time_valid(m->from_ms) && carry_time_valid(m->left_ms) &&
           within(c->interval_ws, -3600.0 * ENERGY_MAX_WH,
                  3600.0 * ENERGY_MAX_WH) &&
           within(c->interval_s, 0.0, 1e9) &&
           within(c->incumbent_w, -POWER_MAX_W, POWER_MAX_W) &&
           carry_time_valid(c->interval);
}

bool carry_age_valid(const struct age_battery *a)
{
    bool measured = within(a->soh_pu, 0.0, 2.0);
    return within(a->gap_s, 0.0, LIFE_GAP_MAX_S) &&
           within(a->moved_wh, 0.0, ENERGY_MAX_WH) &&
           within(a->known_s, 0.0, 1e12) && within(a->credit_pu, 0.0, 1.0) &&
           within(a->jumped_pu, 0.0, 1e12) && a->n_jumps >= 0 &&
           a->n_jumps <= TIME_MAX_MS && (measured || isnan(a->soh_pu)) &&
           carry_time_valid(a->mono_ms) &&
           (a->is_assumed == 0 || a->is_assumed == 1) &&
           wear_warranty_valid(&a->warranty);
}

bool carry_node_age_valid(const struct age_node *a)
{
    return within(a->gap_s, 0.0, LIFE_GAP_MAX_S) &&
           carry_time_valid(a->mono_ms);
}
