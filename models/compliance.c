/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/compliance.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "models/clamp.h"

static const double window_s = 60.0; /* longest tau, and of the swing */
static const double tolerance = 1.01;

/* Of power limits: what is above by less is rounding. */
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

static void limit_init(struct compliance_limit *l, double average_s,
                       double period_s)
{
    int64_t n = ticks_of(average_s, period_s);
    l->stride = (n + WINDOW_MAX - 1) / WINDOW_MAX;
    window_mean_init(&l->mean, n / l->stride, 0.0);
}

int64_t compliance_bands(const struct site_grid *grid,
                         struct site_band out[SITE_BANDS_MAX])
{
    int64_t n = grid->n_bands;
    for (int64_t i = 0; i < n; i++) {
        out[i] = grid->bands[i];
    }
    if (n > 0) {
        return n;
    }
    n = sizeof(default_bands_hz) / sizeof(default_bands_hz[0]);
    for (int64_t i = 0; i < n; i++) {
        out[i] = (struct site_band){default_bands_hz[i][0],
                                    default_bands_hz[i][1], INFINITY};
    }
    return n;
}

static void bands_init(struct compliance *c)
{
    struct site_band bands[SITE_BANDS_MAX];
    c->n_bands = compliance_bands(&c->grid, bands);
    for (int64_t i = 0; i < c->n_bands; i++) {
        band_init(&c->bands[i], bands[i].from_hz, bands[i].to_hz, c->period_s);
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
    compliance_ramp_init(&c->ramp, grid, period_s,
                         at_most(ticks_of(window_s, period_s), WINDOW_MAX - 1));
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
    *part_pu = max_of(0.0, x - floor(x));
    return (int64_t)floor(x);
}

/* The site as it stood before: everywhere the first value. */
static void stand(struct compliance *c, const struct compliance_in *in)
{
    double grid_w = in->grid_w;
    compliance_ramp_stand(&c->ramp, grid_w);
    window_mean_init(&c->swing_mean, c->swing_mean.n, grid_w);
    window_extreme_init(&c->swing_max, c->swing_max.span, 1.0);
    window_extreme_init(&c->swing_min, c->swing_min.span, -1.0);
    double over_w = grid_w - limit_in_force(c, in);
    window_mean_init(&c->import.mean, c->import.mean.n, over_w);
    c->import.mean_w = over_w;
    over_w = -grid_w - c->grid.export_max_w;
    window_mean_init(&c->export.mean, c->export.mean.n, over_w);
    c->export.mean_w = over_w;
    for (int64_t i = 0; i < c->n_bands; i++) {
        band_stand(&c->bands[i], grid_w);
    }
    c->last_w = grid_w;
    c->fresh = 0;
}

static void stand_demand(struct compliance *c, double grid_w)
{
    double part_pu = 0.0;
    c->demand.number = interval_of(c, &part_pu);
    c->demand.ticks = part_pu * c->grid.demand_interval_s / c->period_s;
    c->demand.sum_w = c->demand.ticks * grid_w;
}

void compliance_resume(struct compliance *c)
{
    c->fresh = 1;
}

/* Notes how a rule stands; 'cause' forced it where it is broken. */
static void judge(struct compliance *c, enum compliance_rule rule,
                  struct compliance_stand stand)
{
    c->stands[rule] = stand.broken != 0 ? stand : (struct compliance_stand){0};
}

static void push_ramp(struct compliance *c, double grid_w)
{
    int64_t tau = compliance_ramp_push(&c->ramp, grid_w);
    int64_t age = c->ticks - c->forced_tick;
    bool forced = tau > 0 && age < tau + c->ramp.mean.n;
    if (forced) {
        c->exempt_by[c->forced_cause]++;
    } else {
        c->ramp_violations += tau > 0;
    }
    judge(c, COMPLIANCE_RULE_RAMP,
          (struct compliance_stand){
              .broken = tau > 0,
              .cause = forced ? c->forced_cause : COMPLIANCE_NONE,
              .value = copysign(c->ramp.worst_w_per_s, c->ramp.now_w_per_s),
              .limit = c->grid.ramp_max_w_per_s});
}

static void push_swing(struct compliance *c, double grid_w)
{
    double mean_w = window_mean_push(&c->swing_mean, grid_w);
    double high_w = window_extreme_push(&c->swing_max, mean_w);
    double low_w = window_extreme_push(&c->swing_min, mean_w);
    c->pp60_max_w = max_of(c->pp60_max_w, high_w - low_w);
    int64_t age = c->ticks - c->forced_tick;
    bool forced = age <= c->swing_max.span + c->swing_mean.n - 1;
    bool over = high_w - low_w > c->grid.swing_max_w * tolerance;
    c->swing_violations += over && !forced;
    judge(c, COMPLIANCE_RULE_SWING,
          (struct compliance_stand){.broken = over,
                                    .cause = forced ? c->forced_cause
                                                    : COMPLIANCE_NONE,
                                    .value = high_w - low_w,
                                    .limit = c->grid.swing_max_w});
}

static void push_bands(struct compliance *c, double grid_w)
{
    struct compliance_stand worst = {0};
    for (int64_t i = 0; i < c->n_bands; i++) {
        struct band *b = &c->bands[i];
        band_push(b, grid_w);
        double most_w = i < c->grid.n_bands ? c->grid.bands[i].rms_max_w : 0.0;
        if (most_w <= 0.0 ||
            b->recent_square <= most_w * most_w * tolerance * tolerance) {
            continue;
        }
        double rms_w = sqrt(b->recent_square);
        if (worst.broken == 0 || rms_w - most_w > worst.value - worst.limit) {
            worst = (struct compliance_stand){1, 0, i, rms_w, most_w};
        }
    }
    c->band_violations += worst.broken;
    judge(c, COMPLIANCE_RULE_BAND, worst);
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
    double most_w = c->grid.export_max_w;
    bool out = push_limit(&c->export, -in->grid_w - most_w, most_w);
    c->import_violations += over || trip;
    c->trip_violations += trip;
    c->export_violations += out;
    judge(c, COMPLIANCE_RULE_IMPORT_MAX,
          (struct compliance_stand){.broken = over,
                                    .value = limit_w + c->import.mean_w,
                                    .limit = limit_w});
    judge(c, COMPLIANCE_RULE_TRIP,
          (struct compliance_stand){.broken = trip,
                                    .value = in->grid_w,
                                    .limit = c->grid.import_trip_w});
    judge(c, COMPLIANCE_RULE_EXPORT_MAX,
          (struct compliance_stand){.broken = out,
                                    .value = most_w + c->export.mean_w,
                                    .limit = most_w});
}

static void push_demand(struct compliance *c, double grid_w)
{
    struct compliance_demand *d = &c->demand;
    double part_pu = 0.0;
    int64_t number = interval_of(c, &part_pu);
    if (number != d->number) {
        double mean_w = d->sum_w / d->ticks;
        d->peak_w = d->done == 0 ? mean_w : max_of(d->peak_w, mean_w);
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
        stand_demand(c, in.grid_w);
    }
    if (c->ticks == 0 || c->fresh != 0) {
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
    push_bands(c, in.grid_w);
    c->import_ws += max_of(0.0, in.grid_w) * c->period_s;
    c->export_ws += max_of(0.0, -in.grid_w) * c->period_s;
    c->peak_tick_w = max_of(c->peak_tick_w, in.grid_w);
    c->edge_max_w = max_of(c->edge_max_w, fabs(in.grid_w - c->last_w));
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
    return whole ? max_of(d->peak_w, mean_w) : d->peak_w;
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
        .band_violations = c->band_violations,
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
            .nyquist_hz = 0.5 / c->period_s,
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

const char *compliance_rule_name(enum compliance_rule rule)
{
#define RULE_TEXT(name, text) [COMPLIANCE_RULE_##name] = text,
    static const char *const names[COMPLIANCE_RULE_COUNT] = {
        COMPLIANCE_RULE_LIST(RULE_TEXT)};
#undef RULE_TEXT
    assert((unsigned)rule < COMPLIANCE_RULE_COUNT);
    return names[rule];
}

const char *compliance_value_text(enum compliance_rule rule, double value,
                                  char *out, size_t size)
{
    static const struct {
        double from_w;
        const char *unit;
    } rows[] = {{1e6, "MW"}, {1e3, "kW"}, {1.0, "W"}};
    if (rule == COMPLIANCE_RULE_RAMP) {
        snprintf(out, size, "%.4g MW/min", value * 60e-6);
        return out;
    }
    size_t i = 0;
    while (i < 2 && fabs(value) < rows[i].from_w) {
        i++;
    }
    snprintf(out, size, "%.6g %s", value / rows[i].from_w, rows[i].unit);
    return out;
}
