/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/compliance_ramp.h"

#include <math.h>

#include "models/clamp.h"
#include "models/wide.h"

static const double tolerance = 1.01;

/* What is above the steepest ramp so far by less is rounding. */
static const double rounding = 1.0 + 1e-6;

void compliance_ramp_init(struct compliance_ramp *r,
                          const struct site_grid *grid, double period_s,
                          int64_t longest)
{
    double average = round(grid->ramp_average_s / period_s);
    int64_t n = (int64_t)min_of(max_of(average, 1.0), WINDOW_MAX - 1);
    window_mean_init(&r->mean, n, 0.0);
    r->period_s = period_s;
    r->limit_w_per_s = grid->ramp_max_w_per_s * tolerance;
    r->lag_min = n;
    r->lag_max = longest > n ? longest : n;
    for (int64_t i = 0; i < r->lag_max; i++) {
        r->per_tau[i] = 1.0 / ((double)(r->lag_max - i) * period_s);
    }
}

void compliance_ramp_stand(struct compliance_ramp *r, double grid_w)
{
    window_mean_init(&r->mean, r->mean.n, grid_w);
    for (int64_t i = 0; i < 2 * r->lag_max; i++) {
        r->lags_w[i] = grid_w;
    }
    r->last_w = grid_w;
}

/* Lanes, because a plain maximum of doubles is not vectorised. */
WIDE static double steepest(const double *from_w, const double *per_tau,
                            int64_t n, double to_w)
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
        lanes[k] = max_of(lanes[k], fabs(to_w - from_w[i]) * per_tau[i]);
    }
    double best = 0.0;
    for (int64_t k = 0; k < LANES; k++) {
        best = max_of(best, lanes[k]);
    }
    return best;
}

/* How far the rises and falls to the newest mean stay under 'slope'; four at a
 * time, as above. */
WIDE static void measure_slack(struct compliance_ramp *r, double slope)
{
    enum { LANES = 4 };
    const double *from_w = r->lags_w + r->at;
    double tick_w = slope * r->period_s;
    double up_w[LANES] = {INFINITY, INFINITY, INFINITY, INFINITY};
    double down_w[LANES] = {INFINITY, INFINITY, INFINITY, INFINITY};
    int64_t n = r->lag_max - r->lag_min + 1;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int64_t k = 0; k < LANES; k++) {
            double rise_w = r->last_w - from_w[i + k];
            double may_w = tick_w * (double)(r->lag_max - i - k);
            double up = may_w - rise_w;
            double down = may_w + rise_w;
            up_w[k] = up < up_w[k] ? up : up_w[k];
            down_w[k] = down < down_w[k] ? down : down_w[k];
        }
    }
    for (; i < n; i++) {
        double rise_w = r->last_w - from_w[i];
        double may_w = tick_w * (double)(r->lag_max - i);
        up_w[0] = min_of(up_w[0], may_w - rise_w);
        down_w[0] = min_of(down_w[0], may_w + rise_w);
    }
    r->slack_up_w = min_of(min_of(up_w[0], up_w[1]), min_of(up_w[2], up_w[3]));
    r->slack_down_w =
        min_of(min_of(down_w[0], down_w[1]), min_of(down_w[2], down_w[3]));
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

/* All taus at the newest tick. */
static int64_t look_at_all(struct compliance_ramp *r, const double *from_w)
{
    int64_t n = r->lag_max - r->lag_min + 1;
    double worst = steepest(from_w, r->per_tau, n, r->last_w);
    if (worst > r->max_w_per_s) {
        r->max_w_per_s = worst;
        r->max_tick = r->ticks;
    }
    if (worst > r->limit_w_per_s) {
        r->worst_w_per_s = worst;
        r->slack_up_w = -INFINITY; /* look again at the next tick */
        return shortest_breach(r, r->limit_w_per_s);
    }
    measure_slack(r, min_of(r->limit_w_per_s, r->max_w_per_s * rounding));
    return 0;
}

/*
 * A rise over tau is the rise over tau minus one tick, one tick ago, and what
 * the newest tick adds.  So a lower bound of what is left under a slope needs
 * only that one step and the shortest tau, and all of them are looked at only
 * where the bound is used up.
 */
int64_t compliance_ramp_push(struct compliance_ramp *r, double grid_w)
{
    double mean_w = window_mean_push(&r->mean, grid_w);
    double step_w = mean_w - r->last_w;
    const double *from_w = r->lags_w + r->at; /* lag_max ticks ago */
    double rise_w = mean_w - from_w[r->lag_max - r->lag_min];
    double slope = min_of(r->limit_w_per_s, r->max_w_per_s * rounding);
    double tick_w = slope * r->period_s;
    double may_w = tick_w * (double)r->lag_min;
    r->slack_up_w = min_of(r->slack_up_w + tick_w - step_w, may_w - rise_w);
    r->slack_down_w = min_of(r->slack_down_w + tick_w + step_w, may_w + rise_w);
    r->last_w = mean_w;
    r->now_w_per_s = rise_w / ((double)r->lag_min * r->period_s);
    int64_t breach = 0;
    if (r->slack_up_w < 0.0 || r->slack_down_w < 0.0) {
        breach = look_at_all(r, from_w);
    }
    r->lags_w[r->at] = mean_w;
    r->lags_w[r->at + r->lag_max] = mean_w;
    r->at = r->at + 1 == r->lag_max ? 0 : r->at + 1;
    r->ticks++;
    return breach;
}
