/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/compliance.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double window_s = 60.0; /* longest tau, and of the swing */
static const double tolerance = 1.01;

/* Of power limits and of the steepest ramp so far: what is above by less is
 * rounding. */
static const double rounding = 1.0 + 1e-6;

static const double default_bands_hz[][2] = {
    {0.05, 0.25}, {0.25, 0.8}, {0.8, 2.5}};

static int64_t ticks_of(double duration_s, double period_s)
{
    double n = round(duration_s / period_s);
    return n < 1.0 ? 1 : n > 1e9 ? (int64_t)1e9 : (int64_t)n;
}

static int64_t at_most(int64_t n, int64_t max)
{
    return n < max ? n : max;
}

static void ramp_init(struct compliance_ramp *r, const struct site_grid *grid,
                      double period_s)
{
    int64_t n =
        at_most(ticks_of(grid->ramp_average_s, period_s), WINDOW_MAX - 1);
    int64_t longest = at_most(ticks_of(window_s, period_s), WINDOW_MAX - 1);
    window_mean_init(&r->mean, n, 0.0);
    r->lag_min = n;
    r->lag_max = longest > n ? longest : n;
    for (int64_t i = 0; i < r->lag_max; i++) {
        r->per_tau[i] = 1.0 / ((double)(r->lag_max - i) * period_s);
    }
}

static void limit_init(struct compliance_limit *l, double average_s,
                       double period_s)
{
    int64_t n = ticks_of(average_s, period_s);
    l->stride = (n + WINDOW_MAX - 1) / WINDOW_MAX;
    window_mean_init(&l->mean, n / l->stride, 0.0);
}

static void bands_init(struct compliance *c)
{
    int n_default = sizeof(default_bands_hz) / sizeof(default_bands_hz[0]);
    bool given = c->grid.n_bands > 0;
    c->n_bands = given ? c->grid.n_bands : n_default;
    for (int64_t i = 0; i < c->n_bands; i++) {
        const struct site_band *band = &c->grid.bands[i];
        band_init(&c->bands[i], given ? band->from_hz : default_bands_hz[i][0],
                  given ? band->to_hz : default_bands_hz[i][1], c->period_s);
    }
}

void compliance_init(struct compliance *c, const struct site_grid *grid,
                     double period_s, int64_t start_utc_ms)
{
    assert(period_s >= 0.02 && period_s <= 10.0 && start_utc_ms >= 0);
    assert(grid->demand_interval_s > 0.0);
    memset(c, 0, sizeof(*c));
    c->grid = *grid;
    c->period_s = period_s;
    c->start_utc_ms = start_utc_ms;
    c->forced_tick = INT64_MIN / 2;
    c->peak_tick_w = -INFINITY;
    ramp_init(&c->ramp, grid, period_s);
    window_mean_init(
        &c->swing_mean,
        at_most(ticks_of(grid->swing_average_s, period_s), WINDOW_MAX), 0.0);
    int64_t span = at_most(ticks_of(window_s, period_s), WINDOW_MAX - 1);
    window_extreme_init(&c->swing_max, span, 1.0);
    window_extreme_init(&c->swing_min, span, -1.0);
    limit_init(&c->import, grid->import_average_s, period_s);
    limit_init(&c->export, grid->import_average_s, period_s);
    bands_init(c);
}

static double limit_in_force(const struct compliance *c,
                             const struct compliance_in *in)
{
    return isnan(in->import_max_w) ? c->grid.import_max_w : in->import_max_w;
}

static int64_t interval_of(const struct compliance *c, double *part_pu)
{
    double at_s =
        (double)c->start_utc_ms / 1e3 + (double)c->ticks * c->period_s;
    /* A tick that begins on the boundary must not fall before it. */
    double x = (at_s + 1e-6) / c->grid.demand_interval_s;
    *part_pu = fmax(0.0, x - floor(x));
    return (int64_t)floor(x);
}

/* The site as it stood before: everywhere the first value. */
static void stand(struct compliance *c, const struct compliance_in *in)
{
    double grid_w = in->grid_w;
    struct compliance_ramp *r = &c->ramp;
    window_mean_init(&r->mean, r->mean.n, grid_w);
    for (int64_t i = 0; i < 2 * r->lag_max; i++) {
        r->lags_w[i] = grid_w;
    }
    r->last_w = grid_w;
    window_mean_init(&c->swing_mean, c->swing_mean.n, grid_w);
    double over_w = grid_w - limit_in_force(c, in);
    window_mean_init(&c->import.mean, c->import.mean.n, over_w);
    c->import.mean_w = over_w;
    over_w = -grid_w - c->grid.export_max_w;
    window_mean_init(&c->export.mean, c->export.mean.n, over_w);
    c->export.mean_w = over_w;
    double part_pu = 0.0;
    c->demand.number = interval_of(c, &part_pu);
    c->demand.ticks = part_pu * c->grid.demand_interval_s / c->period_s;
    c->demand.sum_w = c->demand.ticks * grid_w;
    c->last_w = grid_w;
}

/* Lanes, because a plain maximum of doubles is not vectorised. */
static double steepest(const double *from_w, const double *per_tau, int64_t n,
                       double to_w)
{
    enum { LANES = 32 };
    double lanes[LANES] = {0.0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int64_t k = 0; k < LANES; k++) {
            double x = fabs(to_w - from_w[i + k]) * per_tau[i + k];
            lanes[k] = x > lanes[k] ? x : lanes[k];
        }
    }
    for (int64_t k = 0; i < n; i++, k++) {
        lanes[k] = fmax(lanes[k], fabs(to_w - from_w[i]) * per_tau[i]);
    }
    double best = 0.0;
    for (int64_t k = 0; k < LANES; k++) {
        best = fmax(best, lanes[k]);
    }
    return best;
}

/* How far the rises and falls to the newest mean stay under 'slope'. */
static void measure_slack(struct compliance_ramp *r, double slope,
                          double period_s)
{
    const double *from_w = r->lags_w + r->at;
    double up_w = INFINITY;
    double down_w = INFINITY;
    for (int64_t lag = r->lag_min; lag <= r->lag_max; lag++) {
        double rise_w = r->last_w - from_w[r->lag_max - lag];
        double may_w = slope * period_s * (double)lag;
        up_w = may_w - rise_w < up_w ? may_w - rise_w : up_w;
        down_w = may_w + rise_w < down_w ? may_w + rise_w : down_w;
    }
    r->slack_up_w = up_w;
    r->slack_down_w = down_w;
}

/* Ticks of the shortest tau that breaks the limit. */
static int64_t shortest_breach(const struct compliance_ramp *r, double slope)
{
    const double *from_w = r->lags_w + r->at;
    for (int64_t i = r->lag_max - r->lag_min; i >= 0; i--) {
        if (fabs(r->last_w - from_w[i]) * r->per_tau[i] > slope) {
            return r->lag_max - i;
        }
    }
    return r->lag_max;
}

static void count_breach(struct compliance *c, double slope)
{
    int64_t age = c->ticks - c->forced_tick;
    bool recent = age < c->ramp.lag_max + c->ramp.mean.n;
    if (recent && age < shortest_breach(&c->ramp, slope) + c->ramp.mean.n) {
        c->exempt_by[c->forced_cause]++;
    } else {
        c->ramp_violations++;
    }
}

/* All taus at the newest tick. */
static void look_at_all(struct compliance *c, const double *from_w,
                        double limit)
{
    struct compliance_ramp *r = &c->ramp;
    int64_t n = r->lag_max - r->lag_min + 1;
    double worst = steepest(from_w, r->per_tau, n, r->last_w);
    if (worst > r->max_w_per_s) {
        r->max_w_per_s = worst;
        r->max_tick = c->ticks;
    }
    if (worst > limit) {
        count_breach(c, limit);
        r->slack_up_w = -INFINITY; /* look again at the next tick */
    } else {
        measure_slack(r, fmin(limit, r->max_w_per_s * rounding), c->period_s);
    }
}

/*
 * A rise over tau is the rise over tau minus one tick, one tick ago, and what
 * the newest tick adds.  So a lower bound of what is left under a slope needs
 * only that one step and the shortest tau, and all of them are looked at only
 * where the bound is used up.
 */
static void push_ramp(struct compliance *c, double grid_w)
{
    struct compliance_ramp *r = &c->ramp;
    double limit = c->grid.ramp_max_w_per_s * tolerance;
    double mean_w = window_mean_push(&r->mean, grid_w);
    double step_w = mean_w - r->last_w;
    const double *from_w = r->lags_w + r->at; /* lag_max ticks ago */
    double rise_w = mean_w - from_w[r->lag_max - r->lag_min];
    double slope = fmin(limit, r->max_w_per_s * rounding);
    double tick_w = slope * c->period_s;
    double may_w = tick_w * (double)r->lag_min;
    r->slack_up_w = fmin(r->slack_up_w + tick_w - step_w, may_w - rise_w);
    r->slack_down_w = fmin(r->slack_down_w + tick_w + step_w, may_w + rise_w);
    r->last_w = mean_w;
    r->now_w_per_s = rise_w / ((double)r->lag_min * c->period_s);
    if (r->slack_up_w < 0.0 || r->slack_down_w < 0.0) {
        look_at_all(c, from_w, limit);
    }
    r->lags_w[r->at] = mean_w;
    r->lags_w[r->at + r->lag_max] = mean_w;
    r->at = r->at + 1 == r->lag_max ? 0 : r->at + 1;
}

static void push_swing(struct compliance *c, double grid_w)
{
    double mean_w = window_mean_push(&c->swing_mean, grid_w);
    double high_w = window_extreme_push(&c->swing_max, mean_w);
    double low_w = window_extreme_push(&c->swing_min, mean_w);
    c->pp60_max_w = fmax(c->pp60_max_w, high_w - low_w);
    int64_t age = c->ticks - c->forced_tick;
    bool forced = age <= c->swing_max.span + c->swing_mean.n - 1;
    if (!forced && high_w - low_w > c->grid.swing_max_w * tolerance) {
        c->swing_violations++;
    }
}

/* True where the mean lies above the limit. */
static bool push_limit(struct compliance_limit *l, double over_w, double size_w)
{
    l->sum_w += over_w;
    l->held++;
    if (l->held == l->stride) {
        l->mean_w = window_mean_push(&l->mean, l->sum_w / (double)l->stride);
        l->held = 0;
        l->sum_w = 0.0;
    }
    return l->mean_w > fabs(size_w) * (rounding - 1.0) + 1e-3;
}

static void push_limits(struct compliance *c, const struct compliance_in *in)
{
    double limit_w = limit_in_force(c, in);
    bool over = push_limit(&c->import, in->grid_w - limit_w, limit_w);
    bool trip = in->grid_w > c->grid.import_trip_w * rounding + 1e-3;
    c->import_violations += over || trip;
    c->trip_violations += trip;
    c->export_violations += push_limit(
        &c->export, -in->grid_w - c->grid.export_max_w, c->grid.export_max_w);
}

static void push_demand(struct compliance *c, double grid_w)
{
    struct compliance_demand *d = &c->demand;
    double part_pu = 0.0;
    int64_t number = interval_of(c, &part_pu);
    if (number != d->number) {
        double mean_w = d->sum_w / d->ticks;
        d->peak_w = d->done == 0 ? mean_w : fmax(d->peak_w, mean_w);
        d->done++;
        d->number = number;
        d->ticks = 0.0;
        d->sum_w = 0.0;
    }
    d->ticks += 1.0;
    d->sum_w += grid_w;
}

void compliance_push(struct compliance *c, struct compliance_in in)
{
    assert(isfinite(in.grid_w));
    assert(in.forced >= 0 && in.forced < COMPLIANCE_CAUSE_COUNT);
    if (c->ticks == 0) {
        stand(c, &in);
    }
    if (in.forced != COMPLIANCE_NONE) {
        c->forced_tick = c->ticks;
        c->forced_cause = in.forced;
    }
    push_ramp(c, in.grid_w);
    push_swing(c, in.grid_w);
    push_limits(c, &in);
    push_demand(c, in.grid_w);
    for (int64_t i = 0; i < c->n_bands; i++) {
        band_push(&c->bands[i], in.grid_w);
    }
    c->import_ws += fmax(0.0, in.grid_w) * c->period_s;
    c->export_ws += fmax(0.0, -in.grid_w) * c->period_s;
    c->peak_tick_w = fmax(c->peak_tick_w, in.grid_w);
    c->edge_max_w = fmax(c->edge_max_w, fabs(in.grid_w - c->last_w));
    c->last_w = in.grid_w;
    c->ticks++;
}

double compliance_ramp_w_per_s(const struct compliance *c)
{
    return c->ramp.now_w_per_s;
}

double compliance_pp60_w(const struct compliance *c)
{
    if (c->ticks == 0) {
        return 0.0;
    }
    return window_extreme_now(&c->swing_max) -
           window_extreme_now(&c->swing_min);
}

static double demand_peak(const struct compliance *c)
{
    const struct compliance_demand *d = &c->demand;
    double mean_w = d->ticks > 0.0 ? d->sum_w / d->ticks : 0.0;
    if (d->done == 0) {
        return mean_w;
    }
    bool whole = d->ticks * c->period_s > c->grid.demand_interval_s - 1e-6;
    return whole ? fmax(d->peak_w, mean_w) : d->peak_w;
}

struct compliance_result compliance_result(const struct compliance *c)
{
    struct compliance_result out = {
        .duration_s = (double)c->ticks * c->period_s,
        .import_wh = c->import_ws / 3600.0,
        .export_wh = c->export_ws / 3600.0,
        .peak_w = demand_peak(c),
        .peak_tick_w = c->ticks > 0 ? c->peak_tick_w : 0.0,
        .ramp_max_w_per_s = c->ramp.max_w_per_s,
        .ramp_max_tick = c->ramp.max_tick,
        .ramp_violations = c->ramp_violations,
        .pp60_max_w = c->pp60_max_w,
        .swing_violations = c->swing_violations,
        .edge_max_w = c->edge_max_w,
        .import_limit_violations = c->import_violations,
        .trip_violations = c->trip_violations,
        .export_limit_violations = c->export_violations,
        .n_bands = c->n_bands,
    };
    for (int i = 0; i < COMPLIANCE_CAUSE_COUNT; i++) {
        out.exempt_by[i] = c->exempt_by[i];
        out.exempt += c->exempt_by[i];
    }
    for (int64_t i = 0; i < c->n_bands; i++) {
        out.bands[i] = (struct compliance_band){
            .from_hz = c->bands[i].from_hz,
            .to_hz = c->bands[i].to_hz,
            .sight = c->bands[i].sight,
            .rms_w = band_rms(&c->bands[i]),
            .recent_max_w = band_recent_max(&c->bands[i]),
        };
    }
    return out;
}

const char *compliance_cause_name(enum compliance_cause cause)
{
#define CAUSE_TEXT(name, text) [COMPLIANCE_##name] = text,
    static const char *const names[COMPLIANCE_CAUSE_COUNT] = {
        COMPLIANCE_CAUSE_LIST(CAUSE_TEXT)};
#undef CAUSE_TEXT
    assert((unsigned)cause < COMPLIANCE_CAUSE_COUNT);
    return names[cause];
}
