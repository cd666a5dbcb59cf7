/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/forecast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/clamp.h"
#include "models/forecast_parts.h"

static const double WHOLE = 1.0 - 1e-9; /* of a step, for rounding */
static const double COARSE = 0.5;       /* of a step: a sample is a step */
static const double SOON_PU = 0.2;      /* of a step, to tell a jump by */
static const double JUMP = 12.0;        /* usual changes of a step */
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
    h->steps = (int64_t)round(max_of(1.0, min_of(steps, FORECAST_LAGS / 2)));
    h->weight[FORECAST_BY_PERSISTENCE] = 1.0;
    h->at = (struct forecast_at){NAN, NAN, NAN, NAN, NAN, NAN};
    conformal_init(&h->around);
    forecast_swing_init(&h->swings);
}

void forecast_init(struct forecast *f, const struct forecast_cfg *cfg)
{
    assert(cfg->grid_s > 0.0);
    assert(cfg->n_horizons >= 1 && cfg->n_horizons <= FORECAST_HORIZONS_MAX);
    memset(f, 0, sizeof(*f));
    f->cfg = *cfg;
    f->now = -1;
    f->newest = NAN;
    f->n_slices = cfg->n_horizons;
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

/* What can wait: a horizon's learning each. */
static void slices(struct forecast *f, int64_t n)
{
    struct forecast_law *laws[FORECAST_HORIZONS_MAX];
    int n_laws = 0;
    struct forecast_choice choice;
    choice.far.shortest = choice.near.shortest = 0;
    for (; n > 0 && f->n_slices < f->cfg.n_horizons; n--) {
        struct forecast_horizon *h = &f->h[f->n_slices];
        if (f->suspect == 0 && forecast_score(f, h)) {
            laws[n_laws++] = &h->law;
        }
        forecast_choose(f, h, &choice);
        forecast_swing_step(f, h);
        f->n_slices++;
    }
    forecast_law_solve(laws, n_laws);
}

static void finish_slices(struct forecast *f)
{
    slices(f, FORECAST_HORIZONS_MAX);
}

/* The steps of the horizon and 'further' ones. */
static void look_ahead(struct forecast *f, int64_t further)
{
    for (int i = 0; i < f->cfg.n_horizons; i++) {
        struct forecast_horizon *h = &f->h[i];
        h->ahead = h->steps + further;
        forecast_predict(f, h);
        h->trust.nowcast = forecast_nowcast(f, h);
    }
}

/* The newest step and where it leaves the load, without learning from it. */
static void follow(struct forecast *f, double value)
{
    finish_slices(f);
    forecast_push(f, value);
    forecast_marks_pass(f);
    f->level_before = f->level;
    forecast_follow(f, value);
    for (int i = 0; i < f->cfg.n_horizons; i++) {
        forecast_judge(f, &f->h[i]);
    }
}

/* A step has been measured.  A stuck sensor tells where the load is, if it is
 * still, but not what it does. */
static void close_step(struct forecast *f, double value, enum clean what)
{
    follow(f, value);
    if (what != CLEAN_STUCK) {
        forecast_compare(f);
        f->n_slices = 0;
    }
    if (f->ticks < f->cfg.n_horizons) {
        finish_slices(f); /* no ticks to come in which to do it */
    }
    f->ticks = 0;
    look_ahead(f, 0);
    for (int i = 0; i < f->cfg.n_horizons && what != CLEAN_STUCK; i++) {
        forecast_keep(f, &f->h[i]);
    }
}

/* Steps that were not measured: what repeats, if it does, else the same. */
static void fill(struct forecast *f, double steps)
{
    finish_slices(f);
    const struct forecast_horizon *h = &f->h[0];
    bool repeats = h->trust.holds != 0 && forecast_pattern_weight(h) > 0.5;
    int64_t n = (int64_t)min_of(steps, (double)FORECAST_HISTORY);
    for (int64_t i = 0; i < n; i++) {
        double same = forecast_past(f)[0];
        forecast_push(f, repeats ? forecast_nowcast(f, h) : same);
    }
    look_ahead(f, 0);
}

/* The last step turned out to have been a lone spike. */
static void take_back(struct forecast *f, double value)
{
    double y = 0.5 * (value + forecast_past(f)[1]);
    f->ring[f->head] = y;
    f->ring[f->head + FORECAST_HISTORY] = y;
    f->level = f->level_before;
    for (int i = 0; i < f->cfg.n_horizons; i++) {
        f->h[i].trust = f->h[i].trust_before;
        f->h[i].trust.nowcast = forecast_nowcast(f, &f->h[i]);
    }
}

static bool is_known(enum clean what)
{
    return what != CLEAN_NOT_FINITE && what != CLEAN_IMPOSSIBLE;
}

/* A sample of about a step or more: where it comes, a step ends.  One that may
 * be a lone spike counts until the next tells. */
static void coarse(struct forecast *f, enum clean what, double dt_s)
{
    f->cell_s += dt_s;
    double steps = floor(f->cell_s / f->cfg.grid_s + 0.5);
    f->cell_s -= steps * f->cfg.grid_s;
    f->cell_sum = 0.0;
    f->cell_known_s = 0.0;
    double missing = steps - (is_known(what) ? 1.0 : 0.0);
    if (missing >= 1.0) {
        fill(f, missing);
    }
    if (steps < 1.0 || !is_known(what)) {
        return;
    }
    double value = f->newest;
    const double *y = forecast_past(f);
    if (f->suspect != 0 && what == CLEAN_OK && missing < 1.0 &&
        fabs(value - y[1]) < fabs(value - y[0])) {
        take_back(f, value);
    }
    f->suspect = what == CLEAN_SPIKE;
    close_step(f, value, what);
}

static void close_fine(struct forecast *f, enum clean what)
{
    if (f->cell_known_s >= KNOWN_PU * f->cfg.grid_s) {
        close_step(f, f->cell_sum / f->cell_known_s, what);
    } else {
        fill(f, 1.0);
    }
    f->cell_s = 0.0;
    f->cell_sum = 0.0;
    f->cell_known_s = 0.0;
}

/* A sample of less than a step: a step is their mean. */
static void fine(struct forecast *f, enum clean what, double dt_s)
{
    double grid_s = f->cfg.grid_s;
    f->suspect = 0;
    slices(f, 1);
    if (f->ticks++ == 0) {
        look_ahead(f, 1); /* now lies within the next step */
    }
    while (dt_s > 0.0) {
        double part_s = min_of(dt_s, grid_s - f->cell_s);
        dt_s -= part_s;
        f->cell_s += part_s;
        if (is_known(what) && what != CLEAN_SPIKE) {
            f->cell_sum += f->newest * part_s;
            f->cell_known_s += part_s;
        }
        if (f->cell_s >= grid_s * WHOLE) {
            close_fine(f, what);
        }
    }
}

/* The first sample is a step of its own, so that there is a forecast. */
static void begin(struct forecast *f, enum clean what, double dt_s)
{
    close_step(f, f->newest, what);
    if (dt_s < COARSE * f->cfg.grid_s) {
        f->cell_s = dt_s;
        f->cell_known_s = dt_s;
        f->cell_sum = f->newest * dt_s;
    }
}

void forecast_step(struct forecast *f, double value, double dt_s)
{
    double believed = NAN;
    enum clean what = clean_step(&f->clean, value, dt_s, &believed);
    if (!(dt_s > 0.0) || !isfinite(dt_s) || !isfinite(believed)) {
        return;
    }
    f->newest = is_known(what) ? value : believed;
    if (f->n == 0) {
        begin(f, what, dt_s);
    } else if (dt_s >= COARSE * f->cfg.grid_s) {
        coarse(f, what, min_of(dt_s, 1e9));
    } else {
        fine(f, what, dt_s);
    }
}

/* How far the step being filled has jumped from the one before: what does not
 * follow from a pattern follows it at once. */
static double jumped(const struct forecast *f)
{
    if (f->cell_known_s < SOON_PU * f->cfg.grid_s) {
        return 0.0;
    }
    double off = f->cell_sum / f->cell_known_s - forecast_past(f)[0];
    return fabs(off) > JUMP * f->level.noise ? off : 0.0;
}

struct forecast_at forecast_at(const struct forecast *f, int64_t i)
{
    assert(i >= 0 && i < f->cfg.n_horizons);
    const struct forecast_horizon *h = &f->h[i];
    struct forecast_at at = h->at;
    double shift = jumped(f) * (1.0 - forecast_pattern_weight(h));
    at.mean += shift;
    at.q01 += shift;
    at.q10 += shift;
    at.q50 += shift;
    at.q90 += shift;
    at.q99 += shift;
    return at;
}
