/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "models/series_check.h"

static const double VALUE_MAX = 1e30;
static const int64_t COUNT_MAX = INT64_C(1) << 40;
static const double OFFSET_MAX = 1e3; /* in scales */
static const double SCALE_MAX = 1e16;

static bool within(double x, double lo, double hi)
{
    return x >= lo && x <= hi;
}

static bool counts(int64_t n, int64_t most)
{
    return n >= 0 && n <= most;
}

static bool same(double a, double b)
{
    return !(a < b) && !(a > b) && !isnan(a) && !isnan(b);
}

bool series_doubles(const double *x, int64_t n)
{
    bool ok = true;
    for (int64_t i = 0; i < n; i++) {
        ok = ok && fabs(x[i]) <= VALUE_MAX;
    }
    return ok;
}

bool series_doubles_or_none(const double *x, int64_t n)
{
    bool ok = true;
    for (int64_t i = 0; i < n; i++) {
        ok = ok && !(fabs(x[i]) > VALUE_MAX);
    }
    return ok;
}

bool series_floats_or_none(const float *x, int64_t n)
{
    bool ok = true;
    for (int64_t i = 0; i < n; i++) {
        ok = ok && !(fabs((double)x[i]) > VALUE_MAX);
    }
    return ok;
}

bool conformal_valid(const struct conformal *c)
{
    bool ok = within(c->scale, 0.0, SCALE_MAX) && counts(c->n, COUNT_MAX);
    for (int i = 0; i < CONFORMAL_LEVELS; i++) {
        ok = ok && fabs(c->offset[i]) <= OFFSET_MAX &&
             (i == 0 || c->offset[i] >= c->offset[i - 1]);
    }
    return ok;
}

bool conformal_past_valid(const struct conformal_past *p, int64_t delay)
{
    return p->delay == delay && counts(p->n, COUNT_MAX) &&
           series_doubles(p->offset[0], CONFORMAL_PAST * CONFORMAL_LEVELS);
}

static bool lead_valid(const struct outlook_lead *l,
                       const struct outlook_lead *fresh)
{
    bool ok = l->ahead == fresh->ahead && l->ring == fresh->ring &&
              conformal_valid(&l->conformal) &&
              conformal_past_valid(&l->past, fresh->past.delay) &&
              series_doubles(l->weight[0], OUTLOOK_PURE * OUTLOOK_RESIDUALS) &&
              series_doubles(l->inverse[0], OUTLOOK_PURE * OUTLOOK_RESIDUALS *
                                                OUTLOOK_RESIDUALS) &&
              series_doubles(l->law, OUTLOOK_INPUTS) &&
              series_doubles(l->law_inverse, OUTLOOK_INPUTS * OUTLOOK_INPUTS);
    for (int e = 0; e < OUTLOOK_EXPERTS; e++) {
        ok = ok && within(l->loss[e], 0.0, VALUE_MAX) &&
             counts(l->n_scored[e], COUNT_MAX);
    }
    return ok;
}

static bool leads_valid(const struct outlook *o, const struct outlook *fresh)
{
    bool ok = o->n_leads == fresh->n_leads;
    for (int64_t i = 0; ok && i < fresh->n_leads; i++) {
        ok = lead_valid(&o->leads[i], &fresh->leads[i]);
    }
    return ok;
}

static bool steps_valid(const struct outlook *o)
{
    bool ok = counts(o->n_steps, OUTLOOK_STEPS_MAX);
    for (int64_t i = 0; ok && i < o->n_steps; i++) {
        ok = counts(o->steps[i].at_ms, INT64_MAX / 4) &&
             fabs(o->steps[i].change) <= VALUE_MAX;
    }
    return ok;
}

static bool numbers_valid(const struct outlook *o)
{
    const double none[] = {o->last, o->mean, o->day_mean};
    const double known[] = {o->level,       o->error,    o->rest,
                            o->rest_gain,   o->rest_now, o->rest_own,
                            o->profile_mean};
    bool begun = o->n_finite == 0 || (isfinite(o->last) && isfinite(o->mean));
    return begun &&
           series_doubles_or_none(none, sizeof(none) / sizeof(none[0])) &&
           series_doubles(known, sizeof(known) / sizeof(known[0])) &&
           within(o->scale, 0.0, VALUE_MAX) &&
           within(o->spread, 1e-12, VALUE_MAX) &&
           series_doubles(o->harmonics, OUTLOOK_HARMONICS) &&
           series_doubles(o->harmonics_inverse,
                          OUTLOOK_HARMONICS * OUTLOOK_HARMONICS);
}

static bool arrays_valid(const struct outlook *o, const struct outlook *fresh)
{
    enum { SAID = OUTLOOK_EXPERTS + 1 };
    _Static_assert(sizeof(o->said) == OUTLOOK_RING * SAID * sizeof(float),
                   "nothing but floats");
    const float *said = (const void *)o->said;
    bool ok = series_floats_or_none(o->memory, OUTLOOK_MEMORY) &&
              series_floats_or_none(said, OUTLOOK_RING * SAID) &&
              memcmp(o->sine, fresh->sine, sizeof(o->sine)) == 0;
    for (int i = 0; ok && i < OUTLOOK_DAY_MAX; i++) {
        ok = fabs((double)o->day_season[i]) <= VALUE_MAX &&
             fabs((double)o->profile[i]) <= VALUE_MAX && o->n_days[i] >= 0 &&
             within((double)o->day_spread[i], 0.0, VALUE_MAX);
    }
    for (int i = 0; ok && i < OUTLOOK_WEEK_MAX; i++) {
        ok = fabs((double)o->week_season[i]) <= VALUE_MAX;
    }
    return ok;
}

bool outlook_valid(const struct outlook *o, const struct outlook *fresh)
{
    return same(o->cfg.slot_s, fresh->cfg.slot_s) &&
           o->cfg.n_ahead == fresh->cfg.n_ahead &&
           same(o->cfg.min, fresh->cfg.min) &&
           same(o->cfg.max, fresh->cfg.max) && o->day == fresh->day &&
           o->week == fresh->week && counts(o->newest, COUNT_MAX) &&
           counts(o->n, COUNT_MAX) && counts(o->n_finite, o->n) &&
           counts(o->odd, COUNT_MAX) && counts(o->n_profiled, o->day) &&
           leads_valid(o, fresh) && steps_valid(o) && numbers_valid(o) &&
           arrays_valid(o, fresh);
}

static bool is_share(float x)
{
    return within((double)x, 0.0, 1.0);
}

bool availability_valid(const struct availability *a,
                        const struct availability *fresh)
{
    bool ok = outlook_valid(&a->habit, &fresh->habit) &&
              same(a->nodes, fresh->nodes) && counts(a->heard, COUNT_MAX) &&
              within(a->now.arrived, 0.0, a->nodes) &&
              within(a->now.left, 0.0, a->nodes) &&
              series_floats_or_none(a->said[0], OUTLOOK_RING * 3);
    for (int i = 0; i < AVAILABILITY_BUCKETS; i++) {
        ok = ok && within(a->now.plugged[i], 0.0, a->nodes);
    }
    for (int i = 0; ok && i < OUTLOOK_WEEK_MAX; i++) {
        ok = within((double)a->arrivals[i], 0.0, a->nodes) &&
             is_share(a->leavers[i]);
    }
    for (int64_t i = 0; ok && i < fresh->habit.n_leads; i++) {
        ok = conformal_valid(&a->conformal[i]) &&
             conformal_past_valid(&a->past[i], fresh->past[i].delay) &&
             within(a->loss[i][0], 0.0, VALUE_MAX) &&
             within(a->loss[i][1], 0.0, VALUE_MAX);
    }
    return ok;
}
