/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/foresight.h"

#include <math.h>

#include "controller/step/foresee.h"

static const double SWING_S = 300.0;
static const int64_t PEAK_SLOTS = 4; /* measured, before a peak is told */

/* How many errors must have come true before a band is told. */
static const int64_t SOON_ERRORS = 10;
static const int64_t SLOT_ERRORS = 4;

enum { SLOTS_H = 3600000 / FORESEE_SLOT_MS };

static struct forecast_at soon_at(const struct forecast *soon, int64_t i)
{
    struct forecast_at at = forecast_at(soon, i);
    if (soon->h[i].around.n < SOON_ERRORS) {
        at.q01 = at.q10 = at.q50 = at.q90 = at.q99 = NAN;
    }
    return at;
}

static struct availability_at cars_at(const struct availability *a, int64_t k)
{
    struct availability_at at = availability_ahead(a, k);
    if (a->conformal[outlook_lead_of(&a->habit, k)].n < SLOT_ERRORS) {
        at.q10 = at.q50 = at.q90 = NAN;
    }
    return at;
}

static void look_soon(const struct foresee *f, struct foresight *out)
{
    const struct forecast *soon = &f->soon;
    *out = (struct foresight){
        .known = soon->n > 0,
        .heard_s = (double)soon->n * soon->cfg.grid_s,
        .regime = (int64_t)forecast_regime(soon),
        .in_1min = soon_at(soon, FORESEE_60S),
        .in_10min = soon_at(soon, FORESEE_600S),
        .swing_w = forecast_swing(soon, SWING_S).peak_to_peak,
        .peak_w = NAN,
        .peak_q90_w = NAN,
    };
    out->n_periods = forecast_periods(soon, out->period_s);
}

static void look_at_slot(const struct foresee *f, int64_t at_ms,
                         struct foresight *out)
{
    struct outlook_at at = foresee_slot(&f->load, at_ms, PEAK_SLOTS);
    if (isfinite(at.mean) && !(at.mean <= out->peak_w)) {
        out->peak_w = at.mean;
        out->peak_q90_w = at.q90 > at.q10 ? at.q90 : NAN; /* no error yet */
        out->peak_at_ms = at_ms - at_ms % FORESEE_SLOT_MS;
    }
}

static void look_at_cars(const struct step_cfg *cfg, const struct foresee *f,
                         int64_t fleet, struct foresight_cars *out)
{
    int64_t series = foresee_n_series(&cfg->site) - cfg->site.n_fleets + fleet;
    const struct availability *a = foresee_series_in(&cfg->site, f, series);
    const struct foresee_cars *c = &f->cars[fleet];
    out->now = 0.0;
    for (int i = 0; i < AVAILABILITY_BUCKETS; i++) {
        out->now += c->seen.plugged[i];
    }
    out->now = c->n_seen > 0.0 ? out->now : NAN;
    out->in_1h = cars_at(a, SLOTS_H);
    out->in_8h = cars_at(a, 8 * SLOTS_H);
}

int64_t foresight_look(const struct step_cfg *cfg,
                       const struct step_state *state,
                       const struct snapshot *in, int64_t piece,
                       struct foresight *out)
{
    const struct foresee *f = foresee_in(cfg, state);
    int64_t fleet = piece - 1 - FORESEE_DAY;
    if (piece == 0) {
        look_soon(f, out);
    } else if (fleet < 0) {
        look_at_slot(f, in->utc_ms + (piece - 1) * FORESEE_SLOT_MS, out);
    } else if (fleet < cfg->site.n_fleets) {
        look_at_cars(cfg, f, fleet, &out->cars[fleet]);
    }
    return fleet + 1 < cfg->site.n_fleets ? piece + 1 : 0;
}
