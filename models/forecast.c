/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/forecast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/forecast_parts.h"

static const double WHOLE = 1.0 - 1e-9; /* of a step, for rounding */
static const double COARSE = 0.5;       /* of a step: a sample is a step */
static const double KNOWN_PU = 0.5;     /* of a step, else it is missing */

size_t forecast_size(void)
{
    return sizeof(struct forecast);
}

/* A long horizon waits for so many forecasts that it keeps one in so many. */
static void share_pool(struct forecast *f)
{
    int64_t sum = FORECAST_POOL + 1;
    for (int64_t stride = 1; sum > FORECAST_POOL; stride++) {
        sum = 0;
        for (int i = 0; i < f->cfg.n_horizons; i++) {
            struct forecast_horizon *h = &f->h[i];
            h->stride = h->steps < 32 ? 1 : stride;
            h->pool_at = sum;
            h->pool_n = h->steps / h->stride + 1;
            sum += h->pool_n;
        }
    }
}

static void horizon_init(struct forecast_horizon *h, double steps)
{
    h->steps = (int64_t)round(fmax(1.0, fmin(steps, FORECAST_LAGS / 2)));
    h->weight[FORECAST_BY_PERSISTENCE] = 1.0;
    h->at = (struct forecast_at){NAN, NAN, NAN, NAN, NAN, NAN};
    conformal_init(&h->around);
    conformal_init(&h->swings.peak_to_peak);
    conformal_init(&h->swings.up);
    conformal_init(&h->swings.down);
}

void forecast_init(struct forecast *f, const struct forecast_cfg *cfg)
{
    assert(cfg->grid_s > 0.0);
    assert(cfg->n_horizons >= 1 && cfg->n_horizons <= FORECAST_HORIZONS_MAX);
    memset(f, 0, sizeof(*f));
    f->cfg = *cfg;
    f->now = -1;
    f->newest = NAN;
    clean_init(&f->clean);
    for (int i = 0; i < cfg->n_horizons; i++) {
        horizon_init(&f->h[i], cfg->horizon_s[i] / cfg->grid_s);
    }
    share_pool(f);
    for (int i = 0; i < cfg->n_horizons; i++) {
        struct forecast_horizon *h = &f->h[i];
        conformal_past_init(&h->past, (h->steps + h->stride - 1) / h->stride);
    }
    for (int i = 0; i < FORECAST_POOL; i++) {
        f->pool[i].made = -1;
    }
}

/* What can wait: one horizon's learning a slice. */
static void slice(struct forecast *f)
{
    if (f->n_slices < f->cfg.n_horizons) {
        struct forecast_horizon *h = &f->h[f->n_slices];
        forecast_score(f, h);
        forecast_choose(f, h);
        forecast_swing_step(f, h);
        f->n_slices++;
    }
}

static void look_ahead(struct forecast *f)
{
    for (int i = 0; i < f->cfg.n_horizons; i++) {
        struct forecast_horizon *h = &f->h[i];
        forecast_predict(f, h);
        h->trust.nowcast = forecast_nowcast(f, h);
    }
}

/* A step has been measured. */
static void close_step(struct forecast *f, double value, bool at_once)
{
    while (f->n_slices < f->cfg.n_horizons && f->n > 0) {
        slice(f);
    }
    forecast_push(f, value);
    forecast_marks_pass(f);
    forecast_compare(f);
    f->level_before = f->level;
    forecast_follow(f, value);
    for (int i = 0; i < f->cfg.n_horizons; i++) {
        forecast_judge(f, &f->h[i]);
    }
    f->n_slices = 0;
    while (at_once && f->n_slices < f->cfg.n_horizons) {
        slice(f);
    }
    look_ahead(f);
    for (int i = 0; i < f->cfg.n_horizons; i++) {
        forecast_keep(f, &f->h[i]);
    }
}

/* Steps that were not measured: what repeats, if it does, else the same. */
static void fill(struct forecast *f, int64_t steps)
{
    if (f->n == 0) {
        return;
    }
    steps = steps < FORECAST_HISTORY ? steps : FORECAST_HISTORY;
    bool repeats =
        f->h[0].trust.holds != 0 && forecast_pattern_weight(&f->h[0]) > 0.5;
    for (int64_t i = 0; i < steps; i++) {
        forecast_push(f, repeats ? forecast_nowcast(f, &f->h[0])
                                 : forecast_past(f)[0]);
    }
    f->n_slices = f->cfg.n_horizons;
    look_ahead(f);
}

/* The last step turned out to have been a lone spike. */
static void take_back(struct forecast *f, double value)
{
    double y = 0.5 * (value + forecast_past(f)[1]);
    f->ring[f->head] = y;
    f->ring[f->head + FORECAST_HISTORY] = y;
    f->level = f->level_before;
}

/* A sample of about a step or more: where it comes, a step ends. */
static void coarse(struct forecast *f, enum clean what, double value,
                   double dt_s)
{
    f->cell_s += dt_s;
    double steps = floor(f->cell_s / f->cfg.grid_s + 0.5);
    f->cell_s -= steps * f->cfg.grid_s;
    f->cell_sum = 0.0;
    f->cell_known_s = 0.0;
    bool known = what != CLEAN_NOT_FINITE && what != CLEAN_IMPOSSIBLE;
    if (steps < 1.0) {
        return;
    }
    double missing = known ? steps - 1.0 : steps;
    if (missing > 0.0) {
        fill(f, (int64_t)fmin(missing, (double)FORECAST_HISTORY));
    }
    if (!known) {
        return;
    }
    bool lone =
        f->suspect != 0 && what == CLEAN_OK && f->n > 1 &&
        fabs(value - forecast_past(f)[1]) < fabs(value - forecast_past(f)[0]);
    if (lone) {
        take_back(f, value);
    }
    f->suspect = what == CLEAN_SPIKE;
    close_step(f, what == CLEAN_SPIKE ? f->newest : value, true);
}

/* A sample of less than a step: a step is their mean. */
static void fine(struct forecast *f, bool known, double value, double dt_s)
{
    double grid_s = f->cfg.grid_s;
    while (dt_s > 0.0) {
        double part_s = fmin(dt_s, grid_s - f->cell_s);
        dt_s -= part_s;
        f->cell_s += part_s;
        if (known) {
            f->cell_sum += value * part_s;
            f->cell_known_s += part_s;
        }
        if (f->cell_s < grid_s * WHOLE) {
            continue;
        }
        if (f->cell_known_s >= KNOWN_PU * grid_s) {
            close_step(f, f->cell_sum / f->cell_known_s, false);
        } else {
            fill(f, 1);
        }
        f->cell_s = 0.0;
        f->cell_sum = 0.0;
        f->cell_known_s = 0.0;
    }
}

void forecast_step(struct forecast *f, double value, double dt_s)
{
    double believed = NAN;
    enum clean what = clean_step(&f->clean, value, dt_s, &believed);
    if (!(dt_s > 0.0) || !isfinite(dt_s) || !isfinite(believed)) {
        return;
    }
    bool known = what != CLEAN_NOT_FINITE && what != CLEAN_IMPOSSIBLE;
    f->newest = known ? value : believed;
    if (f->n == 0 || dt_s >= COARSE * f->cfg.grid_s) {
        coarse(f, what, believed, fmin(dt_s, 1e9));
        return;
    }
    slice(f);
    fine(f, known && what != CLEAN_SPIKE, believed, dt_s);
}

struct forecast_at forecast_at(const struct forecast *f, int64_t i)
{
    assert(i >= 0 && i < f->cfg.n_horizons);
    return f->h[i].at;
}
