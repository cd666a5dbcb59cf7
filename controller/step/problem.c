/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "controller/step/foresee.h"
#include "controller/step/step_state.h"

static const double SLOT_S = 900.0;
/* Slots measured before an outlook counts: a day of prices, an hour of load. */
static const int64_t PRICE_SLOTS = FORESEE_DAY;
static const int64_t LOAD_SLOTS = 4;
static const int64_t SOON_STEPS = 600; /* heard by the short forecaster */
static const double SOON_S = 600.0;
/* What the short forecast says of the first slots, the outlook the rest. */
static const double SOON_PU[] = {1.0, 0.5, 0.25};
enum { SOON_SLOTS = sizeof(SOON_PU) / sizeof(SOON_PU[0]) };

/* Price of a slot: the series; where it says nothing what it usually does, or
 * the fallback while that is not known. */
static double slot_price(const struct site *site, const struct snapshot *in,
                         const struct outlook *outlook, int64_t at_ms,
                         int64_t *is_guess)
{
    *is_guess = 0;
    if (site->n_prices == 0) {
        return 0.0;
    }
    double price = price_at(&in->prices[0], at_ms);
    if (isfinite(price)) {
        return price;
    }
    *is_guess = 1;
    price = foresee_slot(outlook, at_ms, PRICE_SLOTS).mean;
    return isfinite(price) ? price : site->prices[0].fallback_per_kwh;
}

/* Expected over the next minutes. */
static double load_soon_w(const struct step_state *state,
                          const struct foresee *f)
{
    double level_w = state->level.level_w;
    if (f->soon.n >= SOON_STEPS) {
        double mean_w = forecast_swing(&f->soon, SOON_S).mean;
        level_w = isfinite(mean_w) ? mean_w : level_w;
    }
    return isfinite(level_w) ? level_w : 0.0;
}

/* The load of slot 'i', which begins at 'at_ms'. */
static double slot_load_w(const struct foresee *f, double soon_w, int64_t i,
                          int64_t at_ms)
{
    double later_w = foresee_slot(&f->load, at_ms, LOAD_SLOTS).mean;
    double share = i < SOON_SLOTS ? SOON_PU[i] : 0.0;
    return isfinite(later_w) ? share * soon_w + (1.0 - share) * later_w
                             : soon_w;
}

/* The dearer it ages, the less it is worth to move; what its warranty has given
 * away already comes on top. */
static void price_battery(const struct step_cfg *cfg,
                          const struct step_state *state, int i, double soc_pu,
                          struct wear_segments *out)
{
    const struct site_battery *b = &cfg->site.batteries[i];
    const struct life *life = &state->life[i];
    struct wear_terms terms = wear_terms_of(b, LIFE_PRICE, life);
    wear_segments(b, &terms, WEAR_SEGMENTS, out);
    double ahead_per_kwh = wear_warranty_per_kwh(&state->age[i].warranty, b);
    for (int64_t k = 0; k < out->n; k++) {
        out->at[k].per_kwh += ahead_per_kwh;
    }
    wear_segments_fill(out, b, life, soc_pu);
}

static void describe_batteries(const struct step_cfg *cfg,
                               const struct step_state *state,
                               const struct snapshot *in,
                               struct problem *problem)
{
    for (int i = 0; i < cfg->site.n_batteries; i++) {
        const struct battery_in *b = &in->batteries[i];
        double soc_pu =
            reading_value(&b->soc_pu, in->mono_ms, cfg->device_max_age_s);
        bool ready = (b->flags & BATTERY_READY) == BATTERY_READY &&
                     isfinite(soc_pu) && isfinite(state->soc_home_pu[i]);
        problem->available[i] = ready ? 1.0 : 0.0;
        problem->soc_pu[i] = ready ? soc_pu : 0.0;
        problem->soc_start_pu[i] = ready ? state->soc_home_pu[i] : 0.0;
        if (ready) {
            price_battery(cfg, state, i, soc_pu, &problem->wear[i]);
        }
    }
}

void step_problem(const struct step_cfg *cfg, const struct step_state *state,
                  const struct snapshot *in, struct problem *problem)
{
    memset(problem, 0, sizeof(*problem));
    double horizon_s = cfg->site.control.horizon_s;
    int64_t slot_ms = (int64_t)(SLOT_S * 1e3);
    int64_t into_ms = in->utc_ms % slot_ms;
    problem->tick = in->tick;
    problem->start_at_ms = in->utc_ms;
    int64_t n = (int64_t)(horizon_s / SLOT_S);
    problem->n_slots = n < PLAN_SLOTS_MAX ? n : PLAN_SLOTS_MAX;
    problem->peak_w =
        cfg->site.grid.demand_charge_per_kw > 0.0 ? state->peak_w : INFINITY;
    int64_t at_ms = in->utc_ms;
    const struct foresee *f = foresee_in(cfg, state);
    double soon_w = load_soon_w(state, f);
    for (int64_t i = 0; i < problem->n_slots; i++) {
        /* The first slot ends where the clock's quarter hour does. */
        int64_t ms = i == 0 ? slot_ms - into_ms : slot_ms;
        problem->step_s[i] = (double)ms / 1e3;
        problem->import_per_kwh[i] =
            slot_price(&cfg->site, in, &f->price, at_ms, &problem->guessed[i]);
        problem->load_w[i] = slot_load_w(f, soon_w, i, at_ms);
        problem->import_max_w[i] =
            import_limit_w(in, cfg->site.grid.import_max_w, at_ms, at_ms + ms);
        at_ms += ms;
    }
    describe_batteries(cfg, state, in, problem);
}
