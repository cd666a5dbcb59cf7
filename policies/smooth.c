/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/smooth.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/clamp.h"

/* The part of the limit that is used, so that rounding and the meter's own
 * error do not break it. */
static const double USED_PU = 0.97;
/* An edge leaks 1.58 ticks of its height before the battery has answered (one
 * tick, then a first-order response of one period).  Half of that is kept
 * free: on the measured 512-GPU trace this is the least that gives no
 * violation on both runs, and it ramps a fifth faster than all of it. */
static const double LEAK_TICKS = 0.8;
/* Room for a coming edge never takes more than this of the limit, or a large
 * edge in memory would stop all movement. */
static const double ROOM_MAX_PU = 0.6;

struct bounds {
    double lo_w;
    double hi_w;
};

void smooth_init(struct smooth_cfg *cfg, double period_s,
                 double ramp_max_w_per_s, double ramp_average_s)
{
    assert(period_s > 0.0 && ramp_max_w_per_s > 0.0);
    int64_t n = (int64_t)lround(ramp_average_s / period_s);
    int64_t m = (int64_t)lround(60.0 / period_s);
    *cfg = (struct smooth_cfg){
        .period_s = period_s,
        .ramp_max_w_per_s = ramp_max_w_per_s,
        .n_average = n < 1 ? 1 : n,
    };
    cfg->n_window = m < cfg->n_average ? cfg->n_average : m;
    assert(cfg->n_average + cfg->n_window <= SMOOTH_TICKS);
}

void smooth_reset(struct smooth_state *s)
{
    memset(s, 0, sizeof(*s));
    s->ref_w = NAN;
}

/* Before the first tick the site stood where it was found. */
static void fill(const struct smooth_cfg *cfg, struct smooth_state *s,
                 double grid_w)
{
    s->n = cfg->n_average + cfg->n_window;
    for (int64_t i = 0; i < s->n; i++) {
        s->grid_w[i] = grid_w;
        s->mean_w[i] = grid_w;
    }
    s->sum_w = grid_w * (double)cfg->n_average;
    s->ref_w = grid_w;
    window_extreme_init(&s->highest, cfg->n_window - 1, 1.0);
    window_extreme_init(&s->lowest, cfg->n_window - 1, -1.0);
    window_extreme_push(&s->highest, grid_w);
    window_extreme_push(&s->lowest, grid_w);
}

/* Make room at the end and take the rounding out of the running sum. */
static void move_to_front(const struct smooth_cfg *cfg, struct smooth_state *s)
{
    int64_t keep = cfg->n_average + cfg->n_window;
    memmove(s->grid_w, s->grid_w + s->n - keep, (size_t)keep * sizeof(double));
    memmove(s->mean_w, s->mean_w + s->n - keep, (size_t)keep * sizeof(double));
    s->n = keep;
    s->sum_w = 0.0;
    for (int64_t i = keep - cfg->n_average; i < keep; i++) {
        s->sum_w += s->grid_w[i];
    }
}

static void append(const struct smooth_cfg *cfg, struct smooth_state *s,
                   double grid_w)
{
    if (s->n == 2 * SMOOTH_TICKS) {
        move_to_front(cfg, s);
    }
    s->sum_w += grid_w - s->grid_w[s->n - cfg->n_average];
    s->grid_w[s->n] = grid_w;
    double mean_w = s->sum_w / (double)cfg->n_average;
    s->mean_w[s->n] = mean_w;
    window_extreme_push(&s->highest, mean_w);
    window_extreme_push(&s->lowest, mean_w);
    s->n++;
}

/* Room in the mean that one more edge of 'edge_w' needs. */
static double edge_room_w(const struct smooth_cfg *cfg, double edge_w)
{
    double room_w = edge_w * LEAK_TICKS / (double)cfg->n_average;
    double all_w =
        cfg->ramp_max_w_per_s * (double)cfg->n_average * cfg->period_s;
    return fmin(room_w, ROOM_MAX_PU * all_w);
}

/* Where the mean may be 'h' ticks from now, h <= n_average, as the means of
 * the last 60 s allow: within ramp * tau of each that lies tau before.  Four
 * at a time: minima and maxima of doubles have an order that the compiler
 * must keep, so it cannot do that by itself. */
static struct bounds mean_bounds(const struct smooth_cfg *cfg,
                                 const struct smooth_state *s, int64_t h)
{
    double per_tick_w = USED_PU * cfg->ramp_max_w_per_s * cfg->period_s;
    const double *mean_w = s->mean_w + s->n - 1 + h - cfg->n_window;
    int64_t n = cfg->n_window - cfg->n_average + 1;
    double far_w = per_tick_w * (double)cfg->n_window; /* of the oldest */
    double lo_w[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    double hi_w[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
        for (int i = 0; i < 4; i++) {
            double reach_w = far_w - per_tick_w * (double)(j + i);
            double up_w = mean_w[j + i] + reach_w;
            double down_w = mean_w[j + i] - reach_w;
            hi_w[i] = up_w < hi_w[i] ? up_w : hi_w[i];
            lo_w[i] = down_w > lo_w[i] ? down_w : lo_w[i];
        }
    }
    for (; j < n; j++) {
        double reach_w = far_w - per_tick_w * (double)j;
        hi_w[0] = fmin(hi_w[0], mean_w[j] + reach_w);
        lo_w[0] = fmax(lo_w[0], mean_w[j] - reach_w);
    }
    return (struct bounds){
        .lo_w = fmax(fmax(lo_w[0], lo_w[1]), fmax(lo_w[2], lo_w[3])),
        .hi_w = fmin(fmin(hi_w[0], hi_w[1]), fmin(hi_w[2], hi_w[3])),
    };
}

/* The constant grid power over the next 'h' ticks that leaves the mean inside
 * its bounds then, 'room_w' kept for an edge. */
static struct bounds grid_bounds(const struct smooth_cfg *cfg,
                                 const struct smooth_state *s, int64_t h,
                                 double room_w)
{
    double out_w = 0.0; /* what leaves the mean's window meanwhile */
    for (int64_t i = 0; i < h; i++) {
        out_w += s->grid_w[s->n - cfg->n_average + i];
    }
    struct bounds b = mean_bounds(cfg, s, h);
    double mean_w = s->mean_w[s->n - 1];
    double n = (double)cfg->n_average;
    return (struct bounds){
        .lo_w = (out_w + n * (b.lo_w + room_w - mean_w)) / (double)h,
        .hi_w = (out_w + n * (b.hi_w - room_w - mean_w)) / (double)h,
    };
}

/* True where no mean of the last 60 s is far enough from 'grid_w' for any
 * window to bind: the usual case, told without looking at each of them. */
static bool unbound(const struct smooth_cfg *cfg, const struct smooth_state *s,
                    double grid_w, double room_w)
{
    double lo_w = fmin(grid_w, window_extreme_now(&s->lowest));
    double hi_w = fmax(grid_w, window_extreme_now(&s->highest));
    double all_w = USED_PU * cfg->ramp_max_w_per_s * cfg->period_s *
                   (double)cfg->n_average;
    return hi_w - lo_w <= all_w - room_w;
}

static double hold_mean(const struct smooth_cfg *cfg,
                        const struct smooth_state *s, double edge_w,
                        double grid_w)
{
    double room_w = edge_room_w(cfg, edge_w);
    if (unbound(cfg, s, grid_w, room_w)) {
        return grid_w;
    }
    /* Soon, halfway, and when all of the present mean is replaced.  A single
     * tick ahead would answer with n_average times the error and swing. */
    const int64_t ahead[] = {cfg->n_average / 5, cfg->n_average / 2,
                             cfg->n_average};
    double lo_w = -INFINITY;
    double hi_w = INFINITY;
    for (int i = 0; i < 3; i++) {
        int64_t h = ahead[i] < 1 ? 1 : ahead[i];
        struct bounds b = grid_bounds(cfg, s, h, room_w);
        lo_w = fmax(lo_w, b.lo_w);
        hi_w = fmin(hi_w, b.hi_w);
    }
    if (lo_w > hi_w) { /* an edge broke it: come back through the middle */
        return 0.5 * (lo_w + hi_w);
    }
    return clamp(grid_w, lo_w, hi_w);
}

/* The reference itself, toward the target at the ramp limit, and not further
 * ahead of the measured mean than a full ramp would put it. */
static void move_ref(const struct smooth_cfg *cfg, struct smooth_state *s,
                     double target_w, int64_t n_ticks)
{
    double used = cfg->limiter ? 1.0 : USED_PU;
    double step_w =
        used * cfg->ramp_max_w_per_s * cfg->period_s * (double)n_ticks;
    s->ref_w += clamp(target_w - s->ref_w, -step_w, step_w);
    if (!cfg->limiter) {
        double lead_w = cfg->ramp_max_w_per_s * cfg->period_s *
                        ((double)cfg->n_average * 0.5 + 30.0);
        double mean_w = s->mean_w[s->n - 1];
        s->ref_w = clamp(s->ref_w, mean_w - lead_w, mean_w + lead_w);
    }
}

struct smooth_out smooth_step(const struct smooth_cfg *cfg,
                              struct smooth_state *s,
                              const struct smooth_in *in, int64_t n_ticks)
{
    assert(n_ticks >= 1 && isfinite(in->grid_w) && isfinite(in->target_w));
    if (isnan(s->ref_w)) {
        fill(cfg, s, in->grid_w);
    }
    int64_t n = n_ticks < cfg->n_window ? n_ticks : cfg->n_window;
    for (int64_t i = 0; i < n; i++) {
        append(cfg, s, in->grid_w);
    }
    double before_w = s->ref_w;
    double target_w = clamp(in->target_w, in->floor_w, in->cap_w);
    move_ref(cfg, s, target_w, n);
    if (in->urgent) {
        s->ref_w = clamp(s->ref_w, in->floor_w, in->cap_w);
    }
    double grid_w = s->ref_w;
    if (!cfg->limiter && !in->urgent) {
        grid_w = hold_mean(cfg, s, in->edge_w, grid_w);
    }
    double mean_w = s->mean_w[s->n - 1];
    double then_w = s->mean_w[s->n - 1 - cfg->n_average];
    return (struct smooth_out){
        .grid_w = grid_w,
        .mean_w = mean_w,
        .ramp_w_per_s =
            (mean_w - then_w) / ((double)cfg->n_average * cfg->period_s),
        .ramping = fabs(target_w - before_w) >
                   2.0 * cfg->ramp_max_w_per_s * cfg->period_s,
    };
}
