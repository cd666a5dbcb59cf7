/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "models/forecast_state.h"
#include "models/series_check.h"

static const double VALUE_MAX = 1e15;
static const double SUM_MAX = 1e36; /* of squares of values */
static const double WIDEN_MAX = 2.0;
static const double SPREAD_MAX = 10.0;
static const int64_t COUNT_MAX = INT64_C(1) << 40;

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

static bool counts(int64_t n, int64_t lo, int64_t hi)
{
    return n >= lo && n <= hi;
}

static bool sums(const double *x, int64_t n, double most)
{
    bool ok = true;
    for (int64_t i = 0; i < n; i++) {
        ok = ok && fabs(x[i]) <= most;
    }
    return ok;
}

/* Of a struct of doubles and counts: a count of any sense reads as a tiny
 * number, and one that does not is still far from overflowing. */
static bool words(const void *from, size_t size)
{
    bool ok = true;
    for (size_t i = 0; i < size / sizeof(double); i++) {
        double x;
        memcpy(&x, (const char *)from + i * sizeof(x), sizeof(x));
        ok = ok && fabs(x) <= SUM_MAX;
    }
    return ok;
}

static bool clean_valid(const struct clean_state *c)
{
    const double none[] = {c->believed, c->last};
    const double known[] = {c->lo,     c->hi,        c->held,
                            c->same_s, c->longest_s, c->usual_s};
    bool ok = series_doubles_or_none(none, 2) &&
              series_doubles_or_none(c->window, CLEAN_WINDOW) &&
              sums(known, sizeof(known) / sizeof(known[0]), SUM_MAX) &&
              counts(c->n, 0, COUNT_MAX) && counts(c->holding, 0, 1);
    for (int i = 0; i < CLEAN_COUNT; i++) {
        ok = ok && counts(c->counts[i], 0, COUNT_MAX);
    }
    return ok;
}

/* A lag reaches back to what is known now, and not beyond the history. */
static bool lags_valid(const struct forecast_lag *l, int n, int64_t steps)
{
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok =
            ok && (l[i].lag == 0 || counts(l[i].lag, steps, FORECAST_LAGS - 1));
        ok = ok && l[i].distance >= 0.0; /* may be infinite */
    }
    return ok;
}

static bool trust_valid(const struct forecast_trust *t)
{
    return fabs(t->nowcast) <= VALUE_MAX && fabs(t->usual) <= VALUE_MAX &&
           fabs(t->excursion) <= VALUE_MAX &&
           counts(t->outside, 0, COUNT_MAX) &&
           counts(t->inside, 0, COUNT_MAX) &&
           within(t->relied, 0.0, 1.0 + 1e-9) &&
           counts(t->broke_at, -COUNT_MAX, COUNT_MAX) && counts(t->holds, 0, 1);
}

static bool law_valid(const struct forecast_law *l)
{
    return sums(l->a[0], FORECAST_FEATURES * FORECAST_FEATURES, SUM_MAX) &&
           sums(l->b, FORECAST_FEATURES, SUM_MAX) &&
           sums(l->theta, FORECAST_FEATURES, VALUE_MAX) &&
           within(l->scale, 0.0, VALUE_MAX) &&
           within(l->energy, 0.0, SUM_MAX) && counts(l->n, 0, COUNT_MAX);
}

static bool swings_valid(const struct forecast_swings *s)
{
    bool ok = conformal_valid(&s->peak_to_peak) && conformal_valid(&s->up) &&
              conformal_valid(&s->down);
    for (int i = 0; i < FORECAST_WINDOWS; i++) {
        const struct forecast_range *r = &s->said[i];
        const double said[] = {r->mean, r->peak_to_peak, r->up, r->down};
        ok = ok && counts(s->made[i], 0, COUNT_MAX) && sums(said, 4, VALUE_MAX);
    }
    return ok;
}

static bool horizon_valid(const struct forecast_horizon *h,
                          const struct forecast_horizon *fresh)
{
    const double at[] = {h->at.mean, h->at.q01, h->at.q10,
                         h->at.q50,  h->at.q90, h->at.q99};
    bool ok = h->steps == fresh->steps && counts(h->ahead, 0, FORECAST_LAGS) &&
              h->stride == fresh->stride && h->pool_at == fresh->pool_at &&
              h->pool_n == fresh->pool_n &&
              lags_valid(h->far, FORECAST_COPIES, h->steps) &&
              lags_valid(h->near, FORECAST_NEAREST, h->steps) &&
              trust_valid(&h->trust) && trust_valid(&h->trust_before) &&
              law_valid(&h->law) && conformal_valid(&h->around) &&
              conformal_past_valid(&h->past, fresh->past.delay) &&
              counts(h->n_scored, 0, COUNT_MAX) && swings_valid(&h->swings) &&
              sums(h->widen, 2, WIDEN_MAX) &&
              within(h->unrest, 0.0, VALUE_MAX) &&
              within(h->spread, 0.0, SPREAD_MAX) &&
              sums(h->point, FORECAST_EXPERTS, VALUE_MAX) &&
              series_doubles_or_none(at, sizeof(at) / sizeof(at[0]));
    for (int e = 0; e < FORECAST_EXPERTS; e++) {
        ok = ok && within(h->loss[e], 0.0, VALUE_MAX) &&
             within(h->weight[e], 0.0, 1.0 + 1e-9);
    }
    return ok;
}

static bool horizons_valid(const struct forecast *f,
                           const struct forecast *fresh)
{
    bool ok = true;
    for (int64_t i = 0; ok && i < fresh->cfg.n_horizons; i++) {
        ok = horizon_valid(&f->h[i], &fresh->h[i]);
    }
    return ok;
}

static bool pool_valid(const struct forecast *f)
{
    bool ok = true;
    for (int i = 0; i < FORECAST_POOL; i++) {
        const struct forecast_due *d = &f->pool[i];
        ok = ok && counts(d->made, -1, COUNT_MAX) &&
             fabs((double)d->mean) <= VALUE_MAX &&
             fabs((double)d->q10) <= VALUE_MAX &&
             fabs((double)d->q90) <= VALUE_MAX &&
             within((double)d->spread, 0.0, SPREAD_MAX);
        for (int e = 0; e < FORECAST_EXPERTS; e++) {
            ok = ok && fabs((double)d->expert[e]) <= VALUE_MAX;
        }
    }
    return ok;
}

static bool marks_valid(const struct forecast *f)
{
    bool ok = counts(f->n_marks, 0, COUNT_MAX);
    for (int i = 0; i < FORECAST_MARKS; i++) {
        const struct forecast_mark *m = &f->marks[i];
        ok = ok && counts(m->at, -COUNT_MAX, COUNT_MAX) &&
             counts(m->event, 0, JOB_COUNT - 1) && fabs(m->rise) <= VALUE_MAX;
    }
    for (int i = 0; i < JOB_COUNT; i++) {
        ok = ok && fabs(f->effect[i]) <= VALUE_MAX &&
             counts(f->n_effect[i], 0, COUNT_MAX);
    }
    return ok;
}

static bool history_valid(const struct forecast *f)
{
    return counts(f->now, -1, COUNT_MAX) && counts(f->n, 0, FORECAST_HISTORY) &&
           f->n <= f->now + 1 && counts(f->head, 0, FORECAST_HISTORY - 1) &&
           sums(f->ring, 2 * FORECAST_HISTORY, VALUE_MAX) &&
           sums(f->far, FORECAST_LAGS, VALUE_MAX) &&
           sums(f->near, FORECAST_LAGS, VALUE_MAX) &&
           sums(f->far_least, FORECAST_BLOCKS, VALUE_MAX) &&
           sums(f->near_least, FORECAST_BLOCKS, VALUE_MAX) &&
           within(f->hint, 0.0, FORECAST_LAGS);
}

bool forecast_valid(const struct forecast *f, const struct forecast *fresh)
{
    return memcmp(&f->cfg, &fresh->cfg, sizeof(f->cfg)) == 0 &&
           clean_valid(&f->clean) && fabs(f->cell_sum) <= SUM_MAX &&
           within(f->cell_known_s, 0.0, 1e9) && fabs(f->cell_s) <= 1e9 &&
           !(fabs(f->newest) > VALUE_MAX) && counts(f->suspect, 0, 1) &&
           counts(f->ticks, 0, COUNT_MAX) &&
           counts(f->n_slices, 0, f->cfg.n_horizons) && history_valid(f) &&
           words(&f->level, sizeof(f->level)) &&
           words(&f->level_before, sizeof(f->level_before)) && marks_valid(f) &&
           horizons_valid(f, fresh) && pool_valid(f);
}
