/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/backtest.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "models/conformal.h"

/* What a way said at one step of one later one. */
struct said {
    double mean, q01, q10, q50, q90, q99;
};

/* Sums over the forecasts scored. */
struct sums {
    double pape, square, size, pinball, width;
    int64_t n, n_pape, in80, in98, n98;
};

/* One horizon: what was said of the steps to come, in a ring. */
struct ahead {
    int64_t lead;
    struct said (*said)[BACKTEST_WAYS]; /* [lead], owned */
    bool *usable;                       /* [lead], owned */
    struct conformal around[BACKTEST_WAYS];
    struct conformal_past past[BACKTEST_WAYS];
    struct sums sums[BACKTEST_WAYS];
    int64_t n_unscored;
};

struct run {
    const struct backtest_cfg *cfg;
    const struct observed *series;
    struct backtest_drawn *drawn;
    struct ahead ahead[FORECAST_HORIZONS_MAX];
    double last; /* newest value that was measured */
    bool any_negative;
};

const char *backtest_way_name(enum backtest_way w)
{
#define BACKTEST_WAY_TEXT(name, text) text,
    static const char *const texts[BACKTEST_WAYS] = {
        BACKTEST_WAY_LIST(BACKTEST_WAY_TEXT)};
#undef BACKTEST_WAY_TEXT
    return texts[w];
}

static bool runs(const struct run *r, enum backtest_way w)
{
    return w != BACKTEST_SEASONAL_LONG || r->cfg->season_long_s > 0.0;
}

static void add(struct sums *s, const struct said *f, double y)
{
    double e = y - f->mean;
    s->n++;
    s->square += e * e;
    s->size += fabs(e);
    if (y != 0.0) {
        s->pape += fabs(e / y);
        s->n_pape++;
    }
    s->pinball +=
        (conformal_pinball(0.1, f->q10, y) + conformal_pinball(0.5, f->q50, y) +
         conformal_pinball(0.9, f->q90, y)) /
        3.0;
    s->width += f->q90 - f->q10;
    s->in80 += y >= f->q10 && y <= f->q90;
    s->n98 += isfinite(f->q01) && isfinite(f->q99);
    s->in98 += y >= f->q01 && y <= f->q99;
}

/* What was said of step k, now that 'y' has come. */
static void compare(struct run *r, struct ahead *a, int64_t k, double y)
{
    int64_t made = k - a->lead;
    if (made < 0) {
        return;
    }
    const struct said *said = a->said[k % a->lead];
    bool whole = a->usable[k % a->lead] && !isnan(y) &&
                 r->series->part[k] == r->series->part[made];
    bool warm = ((double)made + 1e-6) * r->series->step_s >= r->cfg->warmup_s;
    a->n_unscored += warm && !whole;
    for (int w = 0; w < BACKTEST_WAYS; w++) {
        if (!runs(r, (enum backtest_way)w)) {
            continue;
        }
        if (warm && whole) {
            add(&a->sums[w], &said[w], y);
        }
        if (w != BACKTEST_OURS) {
            conformal_feed_late(&a->around[w], &a->past[w],
                                whole ? y - said[w].mean : NAN, 1.0);
        }
    }
}

/* The value one season, or as many as it takes, before step k + lead. */
static double season(const struct run *r, int64_t k, int64_t lead,
                     double season_s)
{
    double step_s = r->series->step_s;
    if (!(season_s >= step_s)) {
        return r->last;
    }
    double times = ceil((double)lead * step_s / season_s - 1e-9);
    int64_t back = llround(fmin(times * season_s / step_s, 1e15));
    int64_t at = k + lead - (back < lead ? lead : back);
    double y = at >= 0 ? r->series->y[at] : NAN;
    return isnan(y) ? r->last : y;
}

static struct said banded(const struct ahead *a, enum backtest_way w,
                          double mean)
{
    const struct conformal *c = &a->around[w];
    return (struct said){
        .mean = mean,
        .q01 = mean + conformal_offset(c, CONFORMAL_Q01, 1.0),
        .q10 = mean + conformal_offset(c, CONFORMAL_Q10, 1.0),
        .q50 = mean + conformal_offset(c, CONFORMAL_Q50, 1.0),
        .q90 = mean + conformal_offset(c, CONFORMAL_Q90, 1.0),
        .q99 = mean + conformal_offset(c, CONFORMAL_Q99, 1.0),
    };
}

static void ask(struct run *r, int i, int64_t k, double learned_s)
{
    struct ahead *a = &r->ahead[i];
    const struct backtest_cfg *cfg = r->cfg;
    struct forecast_at f = cfg->model.ask(cfg->model.state, i);
    struct said *said = a->said[k % a->lead];
    double season_s = cfg->season_s > 0.0 ? cfg->season_s : learned_s;
    said[BACKTEST_OURS] =
        (struct said){f.mean, f.q01, f.q10, f.q50, f.q90, f.q99};
    said[BACKTEST_PERSISTENCE] = banded(a, BACKTEST_PERSISTENCE, r->last);
    said[BACKTEST_SEASONAL] =
        banded(a, BACKTEST_SEASONAL, season(r, k, a->lead, season_s));
    said[BACKTEST_SEASONAL_LONG] = banded(
        a, BACKTEST_SEASONAL_LONG, season(r, k, a->lead, cfg->season_long_s));
    a->usable[k % a->lead] = !isnan(r->series->y[k]) && isfinite(f.mean) &&
                             isfinite(f.q10) && isfinite(f.q90);
    if (i == 0 && r->drawn != NULL && k + a->lead < (int64_t)r->series->n) {
        r->drawn->mean[k + a->lead] = f.mean;
        r->drawn->q10[k + a->lead] = f.q10;
        r->drawn->q90[k + a->lead] = f.q90;
    }
}

static void step(struct run *r, int64_t k)
{
    const struct backtest_cfg *cfg = r->cfg;
    double y = r->series->y[k];
    double periods_s[FORECAST_PERIODS_MAX];
    for (int i = 0; i < cfg->n_leads; i++) {
        compare(r, &r->ahead[i], k, y);
    }
    cfg->model.feed(cfg->model.state, y);
    if (!isnan(y)) {
        r->last = y;
        r->any_negative |= y < 0.0;
    }
    int n = cfg->model.periods(cfg->model.state, periods_s);
    for (int i = 0; i < cfg->n_leads; i++) {
        ask(r, i, k, n > 0 ? periods_s[0] : 0.0);
    }
}

static struct backtest_score score_of(const struct run *r, const struct sums *s)
{
    double n = s->n > 0 ? (double)s->n : NAN;
    bool no_mape = s->n_pape == 0 || r->any_negative;
    return (struct backtest_score){
        .mape_pu = no_mape ? NAN : s->pape / (double)s->n_pape,
        .rmse_w = sqrt(s->square / n),
        .mae_w = s->size / n,
        .pinball_w = s->pinball / n,
        .in80_pu = (double)s->in80 / n,
        .in98_pu = s->n98 > 0 ? (double)s->in98 / (double)s->n98 : NAN,
        .mean_width_w = s->width / n,
    };
}

static enum err open_ahead(struct ahead *a, int64_t lead)
{
    assert(lead >= 1);
    *a = (struct ahead){.lead = lead};
    a->said = calloc((size_t)lead, sizeof(*a->said));
    a->usable = calloc((size_t)lead, sizeof(*a->usable));
    for (int w = 0; w < BACKTEST_WAYS; w++) {
        conformal_init(&a->around[w]);
        conformal_past_init(&a->past[w], lead);
    }
    return a->said == NULL || a->usable == NULL ? ERR_MEMORY : ERR_NONE;
}

static void clear_drawn(struct backtest_drawn *drawn, size_t n)
{
    for (size_t k = 0; drawn != NULL && k < n; k++) {
        drawn->mean[k] = drawn->q10[k] = drawn->q90[k] = NAN;
    }
}

static void conclude(const struct run *r, struct backtest_result *out,
                     struct backtest_periods *periods)
{
    const struct backtest_cfg *cfg = r->cfg;
    for (int i = 0; i < cfg->n_leads; i++) {
        const struct ahead *a = &r->ahead[i];
        out[i] = (struct backtest_result){.n = a->sums[BACKTEST_OURS].n,
                                          .n_unscored = a->n_unscored};
        for (int w = 0; w < BACKTEST_WAYS; w++) {
            out[i].score[w] = score_of(r, &a->sums[w]);
        }
    }
    *periods = (struct backtest_periods){.n = 0};
    periods->n = cfg->model.periods(cfg->model.state, periods->s);
}

enum err backtest_run(const struct backtest_cfg *cfg,
                      struct backtest_result *out,
                      struct backtest_periods *periods,
                      struct backtest_drawn *drawn)
{
    assert(cfg->n_leads >= 1 && cfg->n_leads <= FORECAST_HORIZONS_MAX);
    struct run *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return ERR_MEMORY;
    }
    r->cfg = cfg;
    r->series = cfg->series;
    r->drawn = drawn;
    r->last = NAN;
    clear_drawn(drawn, cfg->series->n);
    enum err e = ERR_NONE;
    for (int i = 0; i < cfg->n_leads && e == ERR_NONE; i++) {
        e = open_ahead(&r->ahead[i], cfg->lead[i]);
    }
    for (size_t k = 0; k < cfg->series->n && e == ERR_NONE; k++) {
        step(r, (int64_t)k);
    }
    if (e == ERR_NONE) {
        conclude(r, out, periods);
    }
    for (int i = 0; i < cfg->n_leads; i++) {
        free(r->ahead[i].said);
        free(r->ahead[i].usable);
    }
    free(r);
    return e;
}

double backtest_mase(const struct backtest_cfg *cfg,
                     const struct backtest_result *r)
{
    enum backtest_way season =
        cfg->season_long_s > 0.0 ? BACKTEST_SEASONAL_LONG : BACKTEST_SEASONAL;
    return r->score[BACKTEST_OURS].mae_w / r->score[season].mae_w;
}
