/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/guard_resume.h"

#include "policies/guard_limits.h"

/* Beyond any life of a car. */
#define BOOKS_MAX 1e9
#define MONO_MAX_MS INT64_C(1000000000000000)

static bool ledger_valid(const struct guard_ledger *l)
{
    return guard_in_range(l->compute_wh, 0.0, BOOKS_MAX) &&
           guard_in_range(l->pack_wh, 0.0, BOOKS_MAX) &&
           guard_in_range(l->awake_h, 0.0, BOOKS_MAX) &&
           guard_in_range(l->virtual_km, 0.0, BOOKS_MAX) &&
           guard_in_range(l->loss_ppm, 0.0, BOOKS_MAX) &&
           guard_in_range(l->owed_cur, 0.0, BOOKS_MAX);
}

static bool time_valid(int64_t mono_ms)
{
    return mono_ms >= 0 && mono_ms <= MONO_MAX_MS;
}

bool guard_valid(const struct guard_cfg *cfg, const struct guard_state *state)
{
    double grant_ppm = cfg->terms.budget_ppm_per_day;
    return time_valid(state->mono_ms) && time_valid(state->pack_mono_ms) &&
           time_valid(state->lease_mono_ms) &&
           (state->computing == 0 || state->computing == 1) &&
           guard_in_range(state->lease_w, 0.0, 2.0 * cfg->terms.compute_w) &&
           guard_in_range(state->soc_news_pu, 0.0, 1.0) &&
           guard_in_range(state->soc_ref_pu, 0.0, 1.0) &&
           guard_in_range(state->unseen_wh, 0.0, BOOKS_MAX) &&
           guard_in_range(state->unsure_wh, 0.0, BOOKS_MAX) &&
           guard_in_range(state->rise_k, 0.0, GUARD_POSSIBLE_MAX_C) &&
           guard_in_range(state->rest_c, 2.0 * GUARD_POSSIBLE_MIN_C,
                          2.0 * GUARD_POSSIBLE_MAX_C) &&
           guard_in_range(state->ambient_c, GUARD_POSSIBLE_MIN_C,
                          GUARD_POSSIBLE_MAX_C) &&
           guard_in_range(state->budget_ppm, -BOOKS_MAX,
                          GUARD_CARRY_DAYS * grant_ppm) &&
           guard_in_range(state->spent_km, 0.0, BOOKS_MAX) &&
           ledger_valid(&state->ledger);
}

/* 'x' at most 'most', where it is anything that can be at all. */
static double shrunk(double x, double most)
{
    return x > most && x <= BOOKS_MAX ? most : x;
}

void guard_refit(const struct guard_cfg *cfg, struct guard_state *state)
{
    const struct guard_terms *t = &cfg->terms;
    state->budget_ppm =
        shrunk(state->budget_ppm, GUARD_CARRY_DAYS * t->budget_ppm_per_day);
    state->lease_w = shrunk(state->lease_w, 2.0 * t->compute_w);
}

/* What the car may have computed since the save. */
struct meanwhile {
    double w;
    double s;
};

static struct meanwhile meanwhile(const struct guard_cfg *cfg,
                                  const struct guard_state *state,
                                  const struct guard_gap *gap)
{
    double lease_s = (double)(state->lease_mono_ms - gap->then_mono_ms) / 1e3;
    struct meanwhile m = {.w = state->lease_w, .s = guard_most(lease_s, 0.0)};
    if (gap->blind_s > 0.0) {
        m.w = cfg->terms.compute_w;
        m.s = gap->blind_s + GUARD_LEASE_S;
    }
    m.s = guard_least(m.s, gap->gap_s);
    return m;
}

/* At the steepest there is: where the pack stood meanwhile is not known. */
static void book(const struct guard_cfg *cfg, struct guard_state *state,
                 const struct meanwhile *m)
{
    double wh = m->w * m->s / 3600.0;
    double rise_k = thermal_rise(&cfg->thermal, state->rise_k, m->w, m->s);
    state->rise_k = guard_most(rise_k, state->rise_k);
    double ppm = cfg->wear.steepest * state->rise_k * m->s / GUARD_DAY_S;
    state->budget_ppm -= ppm;
    if (state->lease_w > 0.0) { /* it computed; the owner is paid for it */
        state->unseen_wh += wh;
        struct guard_ledger *l = &state->ledger;
        l->compute_wh += wh;
        l->awake_h += m->s / 3600.0;
        l->loss_ppm += ppm;
        l->owed_cur += ppm * cfg->cur_per_ppm;
    } else { /* it may have: from the pack, but nobody is paid for a guess */
        state->spent_km += guard_km(cfg, wh * GUARD_PACK_OVERHEAD);
        state->budget_ppm -=
            life_slope_ppm_per_efc(&cfg->wear, 1.0) * wh * cfg->pu_per_wh;
    }
}

/* What the pack would be without compute, were it left in its last ambient:
 * one that is warmer has been heated.  Less what the rise may be too high by,
 * from which guard_ask() concludes that less of it is to come. */
static double rest_c(const struct guard_cfg *cfg,
                     const struct guard_state *state, double rise_k,
                     double gap_s)
{
    struct thermal_in in = {.ambient_c = state->ambient_c, .dt_s = gap_s};
    double left_c = thermal_step(&cfg->thermal, state->rest_c, &in);
    double least_k = thermal_rise(&cfg->thermal, rise_k, 0.0, gap_s);
    return guard_least(left_c, state->rest_c) -
           cfg->warm_up_pu * guard_most(state->rise_k - least_k, 0.0);
}

void guard_resume(const struct guard_cfg *cfg, struct guard_state *state,
                  const struct guard_gap *gap)
{
    if (state->mono_ms == 0) {
        if (gap->blind_s > 0.0) {
            guard_distrust(cfg, state);
        }
        return;
    }
    struct meanwhile m = meanwhile(cfg, state, gap);
    double rise_k = state->rise_k;
    book(cfg, state, &m);
    state->rest_c = rest_c(cfg, state, rise_k, gap->gap_s);
    int64_t left_ms =
        state->lease_mono_ms - gap->then_mono_ms - (int64_t)(gap->gap_s * 1e3);
    bool leased = state->lease_w > 0.0 && left_ms > 0;
    state->lease_mono_ms = leased ? gap->now_mono_ms + left_ms : 0;
    state->lease_w = leased ? state->lease_w : 0.0;
    state->computing = 0;    /* whoever begins again is judged as a beginner */
    state->pack_mono_ms = 0; /* whatever the car says is news */
    state->mono_ms = gap->now_mono_ms;
}

void guard_distrust(const struct guard_cfg *cfg, struct guard_state *state)
{
    *state = (struct guard_state){
        .budget_ppm = -cfg->terms.budget_ppm_per_day,
        .spent_km = cfg->carry_km,
    };
}
