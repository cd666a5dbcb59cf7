/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/outlook_experts.h"

#include <math.h>
#include <string.h>

#include "models/rls.h"

/* Smoothing of the double-seasonal Holt-Winters (Taylor 2003, J. Oper. Res.
 * Soc. 54, eq. 4 to 8): a level that follows within a day, seasons within
 * weeks, the error's own memory from slot to slot. */
static const double LEVEL_PER_DAY = 1.2;
static const double DAY_GAIN = 0.12;
static const double WEEK_GAIN = 0.15;
static const double ERROR_KEEP = 0.85; /* an hour */

static const double PROFILE_DAYS = 10.0;   /* in the mean by time of day */
static const double HARMONICS_DAYS = 60.0; /* that they remember */
static const double LAW_DAYS = 90.0;
static const double HUGE_ERROR = 3.0; /* in usual ones */
static const int WEEKS = 4;

enum { DAY_HARMONICS = 4, WEEK_HARMONICS = 3 };

double outlook_value(const struct outlook *o, int64_t slot)
{
    bool kept = slot <= o->newest && slot > o->newest - o->n &&
                slot > o->newest - OUTLOOK_MEMORY;
    return kept ? (double)o->memory[slot & (OUTLOOK_MEMORY - 1)] : NAN;
}

void outlook_experts_init(struct outlook *o)
{
    struct rls r = {o->harmonics, o->harmonics_inverse, OUTLOOK_HARMONICS, 1.0};
    rls_init(&r, 1.0);
    for (int64_t i = 0; i < o->week; i++) {
        o->sine[i] = (float)sin(2.0 * acos(-1.0) * (double)i / (double)o->week);
    }
}

/* The newest known value 'period' slots before 'slot', or twice that, ...: not
 * newer than 'from'. */
static double season_value(const struct outlook *o, int64_t slot,
                           int64_t period, int64_t from)
{
    double x = NAN;
    while (slot > from) {
        slot -= period;
    }
    for (int i = 0; i < WEEKS && !isfinite(x); i++) {
        x = outlook_value(o, slot);
        slot -= period;
    }
    return x;
}

/* Of as many weeks as are known, in that slot of the week. */
static double weeks_median(const struct outlook *o, int64_t slot, int64_t from)
{
    double x[4] = {0};
    int n = 0;
    while (slot > from) {
        slot -= o->week;
    }
    for (int i = 0; i < WEEKS; i++, slot -= o->week) {
        double v = outlook_value(o, slot);
        int at = n;
        for (; isfinite(v) && at > 0 && x[at - 1] > v; at--) {
            x[at] = x[at - 1];
        }
        if (isfinite(v)) {
            x[at] = v;
            n++;
        }
    }
    return n == 0 ? NAN : 0.5 * (x[n / 2] + x[(n - 1) / 2]);
}

/* Mean of the day that ends with 'slot'; NAN with less than half of it. */
static double day_mean(const struct outlook *o, int64_t slot)
{
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t i = 0; i < o->day; i++) {
        double x = outlook_value(o, slot - i);
        if (isfinite(x)) {
            sum += x;
            n++;
        }
    }
    return 2 * n >= o->day ? sum / (double)n : NAN;
}

/* The pure seasons, for 'slot' as seen from 'from'. */
static double season(const struct outlook *o, int i, int64_t slot, int64_t from)
{
    switch (i) {
    case 0:
        return season_value(o, slot, o->day, from);
    case 1:
        return season_value(o, slot, o->week, from);
    case 2:
        return weeks_median(o, slot, from);
    default:
        return o->n_days[slot % o->day] > 0 ? (double)o->profile[slot % o->day]
                                            : NAN;
    }
}

/* How far the series stands off season 'i' at 'from': now, and over a day. */
static bool residuals(const struct outlook *o, int i, int64_t from,
                      double out[OUTLOOK_RESIDUALS])
{
    double now = outlook_value(o, from) - season(o, i, from, from - 1);
    double today = from == o->newest ? o->day_mean : day_mean(o, from);
    double then = i == 3 ? o->profile_mean
                         : day_mean(o, from - (i == 0 ? o->day : o->week));
    out[0] = now / o->spread;
    out[1] = (today - then) / o->spread;
    out[1] = isfinite(out[1]) ? out[1] : 0.0;
    return isfinite(out[0]);
}

/* What the regression looks at, in spreads about the mean. */
static bool inputs(const struct outlook *o, int64_t slot, int64_t from,
                   double x[OUTLOOK_INPUTS])
{
    int64_t weekday = (slot / o->day + 3) % 7; /* 0 is Monday */
    double day = season(o, 0, slot, from);
    double week = season(o, 1, slot, from);
    double median = season(o, 2, slot, from);
    double today = from == o->newest ? o->day_mean : day_mean(o, from);
    double raw[] = {
        outlook_value(o, from),
        outlook_value(o, from - 1),
        day,
        week,
        median,
        today,
    };
    for (int i = 0; i < 6; i++) {
        x[i] = (raw[i] - o->mean) / o->spread;
        if (!isfinite(x[i])) {
            return false;
        }
    }
    x[6] = weekday >= 5 ? 1.0 : 0.0;
    x[7] = weekday == 0 ? 1.0 : 0.0;
    x[8] = 1.0;
    return true;
}

static double seasons_say(const struct outlook *o, int64_t k)
{
    int64_t slot = o->newest + k;
    double hours = (double)k * o->cfg.slot_s / 3600.0;
    return o->level + (double)o->day_season[slot % o->day] +
           (double)o->week_season[slot % o->week] +
           pow(ERROR_KEEP, hours) * o->error;
}

static void waves(const struct outlook *o, int64_t slot,
                  double x[OUTLOOK_HARMONICS])
{
    int64_t at = slot % o->week;
    int64_t quarter = o->week / 4;
    int64_t weekday = (slot / o->day + 3) % 7;
    int n = 0;
    x[n++] = 1.0;
    for (int h = 1; h <= DAY_HARMONICS; h++) {
        x[n++] = (double)o->sine[7 * h * at % o->week];
        x[n++] = (double)o->sine[(7 * h * at + quarter) % o->week];
    }
    for (int h = 1; h <= WEEK_HARMONICS; h++) {
        x[n++] = (double)o->sine[h * at % o->week];
        x[n++] = (double)o->sine[(h * at + quarter) % o->week];
    }
    double weekend = weekday >= 5 ? 1.0 : 0.0;
    x[n++] = weekend;
    x[n++] = weekend * x[1];
    x[n++] = weekend * x[2];
    x[n] = weekend * x[3];
}

static double harmonic_say(const struct outlook *o, int64_t k)
{
    double x[OUTLOOK_HARMONICS];
    waves(o, o->newest + k, x);
    double y = rls_predict(o->harmonics, OUTLOOK_HARMONICS, x) +
               o->rest * pow(o->rest_gain, (double)k);
    return o->mean + o->spread * y;
}

void outlook_experts_say(const struct outlook *o,
                         const struct outlook_lead *lead, int64_t k,
                         double out[OUTLOOK_EXPERTS])
{
    int64_t slot = o->newest + k;
    out[OUTLOOK_LAST] = o->last;
    out[OUTLOOK_LEVEL] = isfinite(o->day_mean) ? o->day_mean : o->mean;
    for (int i = 0; i < OUTLOOK_PURE; i++) {
        double r[OUTLOOK_RESIDUALS];
        double s = season(o, i, slot, o->newest);
        if (residuals(o, i, o->newest, r)) {
            s += o->spread * rls_predict(lead->weight[i], OUTLOOK_RESIDUALS, r);
        }
        out[OUTLOOK_DAY + i] = s;
    }
    bool day_known = o->n_finite >= o->day;
    out[OUTLOOK_SEASONS] = day_known ? seasons_say(o, k) : NAN;
    out[OUTLOOK_HARMONIC] = day_known ? harmonic_say(o, k) : NAN;
    double x[OUTLOOK_INPUTS];
    bool known = inputs(o, slot, o->newest, x);
    double y = known ? rls_predict(lead->law, OUTLOOK_INPUTS, x) : NAN;
    out[OUTLOOK_REGRESSION] = o->mean + o->spread * y;
}

static void learn_seasons(struct outlook *o, double value)
{
    float *day = &o->day_season[o->newest % o->day];
    float *week = &o->week_season[o->newest % o->week];
    if (o->n_finite <= 1) {
        o->level = value;
    }
    double hours = o->cfg.slot_s / 3600.0;
    double e = value - seasons_say(o, 0) + o->error; /* without its memory */
    double next = e - pow(ERROR_KEEP, hours) * o->error;
    double most = HUGE_ERROR * 2.0 * o->spread;
    next = fmax(-most, fmin(next, most));
    o->level += LEVEL_PER_DAY / (double)o->day * next;
    *day = (float)((double)*day + DAY_GAIN * next);
    *week = (float)((double)*week + WEEK_GAIN * next);
    o->error = fmax(-most, fmin(e, most));
}

static void learn_harmonics(struct outlook *o, double value)
{
    double x[OUTLOOK_HARMONICS];
    waves(o, o->newest, x);
    double keep = 1.0 - 1.0 / (HARMONICS_DAYS * (double)o->day);
    struct rls r = {o->harmonics, o->harmonics_inverse, OUTLOOK_HARMONICS,
                    keep};
    double y = (value - o->mean) / o->spread;
    double rest = y - rls_predict(o->harmonics, OUTLOOK_HARMONICS, x);
    rls_learn(&r, x, y, HUGE_ERROR);
    rest = fmax(-HUGE_ERROR, fmin(rest, HUGE_ERROR));
    o->rest_now = keep * o->rest_now + rest * o->rest;
    o->rest_own = keep * o->rest_own + o->rest * o->rest;
    double gain = o->rest_own > 0.0 ? o->rest_now / o->rest_own : 0.0;
    o->rest_gain = fmax(0.0, fmin(gain, 0.999));
    o->rest = rest;
}

static void learn_profile(struct outlook *o, double value)
{
    int64_t i = o->newest % o->day;
    double n = fmin((double)(o->n_days[i] + 1), PROFILE_DAYS);
    double change = (value - (double)o->profile[i]) / n;
    bool first = o->n_days[i] == 0;
    o->profile[i] = (float)((double)o->profile[i] + change);
    o->n_days[i] += o->n_days[i] < INT32_MAX ? 1 : 0;
    o->n_profiled += first ? 1 : 0;
    o->profile_mean +=
        (first ? value - o->profile_mean : change) / (double)o->n_profiled;
}

void outlook_experts_learn(struct outlook *o, double value)
{
    learn_seasons(o, value);
    learn_profile(o, value);
    learn_harmonics(o, value);
    o->day_mean = day_mean(o, o->newest);
}

void outlook_lead_learn(struct outlook *o, struct outlook_lead *lead,
                        double value)
{
    int64_t from = o->newest - lead->ahead;
    double keep = 1.0 - 1.0 / (LAW_DAYS * (double)o->day);
    for (int i = 0; i < OUTLOOK_PURE; i++) {
        double r[OUTLOOK_RESIDUALS];
        double s = season(o, i, o->newest, from);
        if (isfinite(s) && residuals(o, i, from, r)) {
            struct rls fit = {lead->weight[i], lead->inverse[i],
                              OUTLOOK_RESIDUALS, keep};
            rls_learn(&fit, r, (value - s) / o->spread, HUGE_ERROR);
        }
    }
    double x[OUTLOOK_INPUTS];
    if (inputs(o, o->newest, from, x)) {
        struct rls law = {lead->law, lead->law_inverse, OUTLOOK_INPUTS, keep};
        rls_learn(&law, x, (value - o->mean) / o->spread, HUGE_ERROR);
    }
}
