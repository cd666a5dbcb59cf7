/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/smooth.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/clamp.h"
#include "models/wide.h"

/* The part of the limit that is used, so that rounding and the meter's own
 * error do not break it. */
static const double USED_PU = 0.985;
/* Room for an edge never takes more than this of what the mean forgives, or the
 * swing limit: where the batteries are too late for their load, more would push
 * the grid away from where it should be for nothing. */
static const double ROOM_MAX_PU = 0.5;

struct bounds {
    double lo_w;
    double hi_w;
};

/* fmax and fmin of numbers without a call, a thousand times a tick. */
static double most(double a, double b)
{
    return a > b ? a : b;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static int64_t ticks_of(double time_s, double period_s)
{
    int64_t n = (int64_t)lround(time_s / period_s);
    return n < 1 ? 1 : n;
}

void smooth_init(struct smooth_cfg *cfg, double period_s,
                 const struct site_grid *grid)
{
    assert(period_s > 0.0 && grid->ramp_max_w_per_s > 0.0);
    int64_t m = ticks_of(60.0, period_s);
    *cfg = (struct smooth_cfg){
        .period_s = period_s,
        .ramp_max_w_per_s = grid->ramp_max_w_per_s,
        .n_average = ticks_of(grid->ramp_average_s, period_s),
        .n_swing = ticks_of(grid->swing_average_s, period_s),
        .swing_max_w = grid->swing_max_w,
    };
    cfg->n_window = m < cfg->n_average ? cfg->n_average : m;
    assert(cfg->n_average + cfg->n_window <= SMOOTH_TICKS);
    cfg->n_swing = cfg->n_swing < cfg->n_window ? cfg->n_swing : cfg->n_window;
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
    s->out_w = grid_w;
    window_extreme_init(&s->highest, cfg->n_window - 1, 1.0);
    window_extreme_init(&s->lowest, cfg->n_window - 1, -1.0);
    window_extreme_push(&s->highest, grid_w);
    window_extreme_push(&s->lowest, grid_w);
    s->swing_sum_w = grid_w * (double)cfg->n_swing;
    window_extreme_init(&s->swing_highest, cfg->n_window, 1.0);
    window_extreme_init(&s->swing_lowest, cfg->n_window, -1.0);
    window_extreme_push(&s->swing_highest, grid_w);
    window_extreme_push(&s->swing_lowest, grid_w);
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
    s->swing_sum_w = 0.0;
    for (int64_t i = keep - cfg->n_swing; i < keep; i++) {
        s->swing_sum_w += s->grid_w[i];
    }
}

static void append(const struct smooth_cfg *cfg, struct smooth_state *s,
                   double grid_w)
{
    if (s->n == 2 * SMOOTH_TICKS) {
        move_to_front(cfg, s);
    }
    s->sum_w += grid_w - s->grid_w[s->n - cfg->n_average];
    s->swing_sum_w += grid_w - s->grid_w[s->n - cfg->n_swing];
    s->grid_w[s->n] = grid_w;
    double mean_w = s->sum_w / (double)cfg->n_average;
    s->mean_w[s->n] = mean_w;
    window_extreme_push(&s->highest, mean_w);
    window_extreme_push(&s->lowest, mean_w);
    if (isfinite(cfg->swing_max_w)) {
        double swing_w = s->swing_sum_w / (double)cfg->n_swing;
        window_extreme_push(&s->swing_highest, swing_w);
        window_extreme_push(&s->swing_lowest, swing_w);
    }
    s->n++;
}

/* What the mean moves at most within its own window. */
static double forgiven_w(const struct smooth_cfg *cfg)
{
    return cfg->ramp_max_w_per_s * (double)cfg->n_average * cfg->period_s;
}

/* Room that a mean over 'n' ticks needs for an edge of 'edge_w'. */
static double room_w(const struct smooth_in *in, double edge_w, int64_t n)
{
    double late = smooth_lag_ticks(in->lag);
    return edge_w * fmin(late / (double)n, 1.0);
}

/* Where the mean may be now, as the means of the last 60 s allow: within
 * ramp * tau of each that lies tau before.  Four at a time: minima and maxima
 * of doubles have an order that the compiler must keep, so it cannot do that
 * by itself. */
WIDE static struct bounds mean_bounds(const struct smooth_cfg *cfg,
                                      const struct smooth_state *s)
{
    double per_tick_w = USED_PU * cfg->ramp_max_w_per_s * cfg->period_s;
    const double *mean_w = s->mean_w + s->n - 1 - cfg->n_window;
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
        hi_w[0] = least(hi_w[0], mean_w[j] + reach_w);
        lo_w[0] = most(lo_w[0], mean_w[j] - reach_w);
    }
    return (struct bounds){
        .lo_w = most(most(lo_w[0], lo_w[1]), most(lo_w[2], lo_w[3])),
        .hi_w = least(least(hi_w[0], hi_w[1]), least(hi_w[2], hi_w[3])),
    };
}

/* Takes over 'b'; where the two do not meet, what is there stays. */
static void narrow(struct bounds *all, struct bounds b)
{
    all->lo_w = least(most(all->lo_w, b.lo_w), all->hi_w);
    all->hi_w = most(least(all->hi_w, b.hi_w), all->lo_w);
}

/* With 'w' inside. */
static struct bounds around(struct bounds b, double w)
{
    return (struct bounds){least(b.lo_w, w), most(b.hi_w, w)};
}

/* What the hold is asked to look at. */
struct ask {
    struct bounds room;
    double fixed_wt; /* on its way to the sum of the coming ticks, and */
    double per_w_wt; /* less this for each W of the reference */
    int64_t deaf;    /* ticks in which no reference is heard yet */
    int64_t gentle;  /* from then on it can be mended gently */
};

/* Below and above the mean, for an edge each way. */
static struct bounds rooms(const struct smooth_cfg *cfg,
                           const struct smooth_in *in)
{
    double most_w = ROOM_MAX_PU * forgiven_w(cfg);
    return (struct bounds){
        .lo_w = fmin(room_w(in, in->drop_w, cfg->n_average), most_w),
        .hi_w = fmin(room_w(in, in->rise_w, cfg->n_average), most_w),
    };
}

static struct ask make_ask(const struct smooth_cfg *cfg,
                           const struct smooth_in *in)
{
    struct ask a = {.room = rooms(cfg, in)};
    smooth_lag_ahead(in->lag, &a.fixed_wt, &a.per_w_wt);
    a.fixed_wt += a.per_w_wt * in->load_w;
    a.deaf = (int64_t)ceil(a.per_w_wt);
    int64_t answered = 1 + (int64_t)ceil(2.0 * a.per_w_wt);
    a.gentle = cfg->n_average / 10;
    a.gentle = a.gentle > answered ? a.gentle : answered;
    a.gentle = a.gentle < cfg->n_average ? a.gentle : cfg->n_average;
    return a;
}

/* True where no mean of the last 60 s is far enough from those to come for
 * any window to bind: the usual case, told without looking at each. */
static bool unbound(const struct smooth_cfg *cfg, const struct smooth_state *s,
                    const struct ask *ask, double grid_w)
{
    double lo_w = window_extreme_now(&s->lowest);
    double hi_w = window_extreme_now(&s->highest);
    const double *leaving_w = s->grid_w + s->n - cfg->n_average;
    double sum_w = s->sum_w + ask->fixed_wt - ask->per_w_wt * grid_w;
    double n = (double)cfg->n_average;
    double least_w = fmin(n * lo_w, sum_w);
    double most_w = fmax(n * hi_w, sum_w);
    for (int64_t j = 0; j < cfg->n_average; j++) {
        sum_w += grid_w - leaving_w[j];
        least_w = sum_w < least_w ? sum_w : least_w;
        most_w = sum_w > most_w ? sum_w : most_w;
    }
    double room_w = fmax(ask->room.lo_w, ask->room.hi_w);
    return most_w - least_w <= n * (USED_PU * forgiven_w(cfg) - room_w);
}

/*
 * The nearest to 'grid_w' that, held, leaves the mean inside its bounds at
 * every tick until all of the present mean is replaced, with 'room' kept below
 * (lo_w) and above (hi_w) it.  Where the coming ticks want different things,
 * the nearest one has its way.  What is too near to be mended gently is not
 * made worse: a single tick that answered with n_average times the error would
 * swing without end.
 *
 * Bounds of a coming tick are those of the one before, a tick's ramp further,
 * and those of the mean that comes into their window.
 */
static double hold(const struct smooth_cfg *cfg, const struct smooth_state *s,
                   const struct ask *ask, double grid_w)
{
    double n = (double)cfg->n_average;
    double tick_w = USED_PU * cfg->ramp_max_w_per_s * cfg->period_s;
    struct bounds mean = mean_bounds(cfg, s);
    struct bounds hard = {-INFINITY, INFINITY};
    struct bounds soft = {-INFINITY, INFINITY};
    double fixed_w = s->mean_w[s->n - 1] + ask->fixed_wt / n;
    for (int64_t h = 1; h <= cfg->n_average; h++) {
        int64_t enters = s->n - 1 + h - cfg->n_average;
        fixed_w -= s->grid_w[enters] / n;
        mean.lo_w = most(mean.lo_w - tick_w, s->mean_w[enters] - tick_w * n);
        mean.hi_w = least(mean.hi_w + tick_w, s->mean_w[enters] + tick_w * n);
        double per_w = n / most((double)h - ask->per_w_wt, 1.0);
        struct bounds b = {(mean.lo_w - fixed_w) * per_w,
                           (mean.hi_w - fixed_w) * per_w};
        if (h <= ask->deaf) {
            continue;
        }
        struct bounds roomy = {b.lo_w + ask->room.lo_w * per_w,
                               b.hi_w - ask->room.hi_w * per_w};
        narrow(&soft, h < ask->gentle ? around(roomy, s->out_w) : roomy);
        narrow(&hard, h < ask->gentle ? around(b, s->out_w) : b);
    }
    grid_w = clamp(grid_w, soft.lo_w, soft.hi_w);
    return clamp(grid_w, hard.lo_w, hard.hi_w);
}

/* Into the bounds; through the middle where an edge broke them. */
static double into(struct bounds b, double grid_w)
{
    return b.lo_w > b.hi_w ? 0.5 * (b.lo_w + b.hi_w)
                           : clamp(grid_w, b.lo_w, b.hi_w);
}

static double hold_mean(const struct smooth_cfg *cfg,
                        const struct smooth_state *s,
                        const struct smooth_in *in, double grid_w)
{
    struct ask ask = make_ask(cfg, in);
    return unbound(cfg, s, &ask, grid_w) ? grid_w : hold(cfg, s, &ask, grid_w);
}

/* Inside the peak to peak of the last minute. */
static double hold_swing(const struct smooth_cfg *cfg,
                         const struct smooth_state *s,
                         const struct smooth_in *in, double grid_w)
{
    if (!isfinite(cfg->swing_max_w)) {
        return grid_w;
    }
    double most_w = USED_PU * cfg->swing_max_w;
    double room_max_w = ROOM_MAX_PU * most_w;
    double up_w = fmin(room_w(in, in->rise_w, cfg->n_swing), room_max_w);
    double down_w = fmin(room_w(in, in->drop_w, cfg->n_swing), room_max_w);
    struct bounds b = {
        .lo_w = window_extreme_now(&s->swing_highest) - most_w + down_w,
        .hi_w = window_extreme_now(&s->swing_lowest) + most_w - up_w,
    };
    return into(b, grid_w);
}

/* The reference itself, toward the target at the ramp limit, less the room for
 * an edge the same way, and not further ahead of the measured mean than a full
 * ramp would put it.  Returns the target inside its bounds. */
static double move_ref(const struct smooth_cfg *cfg, struct smooth_state *s,
                       const struct smooth_in *in, int64_t n_ticks)
{
    double tick_w = cfg->ramp_max_w_per_s * cfg->period_s;
    double n = (double)cfg->n_average;
    double most_w = cfg->limiter ? tick_w * n : USED_PU * forgiven_w(cfg);
    struct bounds room =
        cfg->limiter ? (struct bounds){0.0, 0.0} : rooms(cfg, in);
    double down_w = (most_w - room.lo_w) / n * (double)n_ticks;
    double up_w = (most_w - room.hi_w) / n * (double)n_ticks;
    double target_w = clamp(in->target_w, in->floor_w, in->cap_w);
    s->ref_w += clamp(target_w - s->ref_w, -down_w, up_w);
    if (!cfg->limiter) {
        double lead_w = tick_w * (n * 0.5 + 30.0);
        double mean_w = s->mean_w[s->n - 1];
        s->ref_w = clamp(s->ref_w, mean_w - lead_w, mean_w + lead_w);
    }
    return target_w;
}

void smooth_freeze(const struct smooth_cfg *cfg, struct smooth_state *s,
                   int64_t n_ticks)
{
    int64_t n = n_ticks < cfg->n_window ? n_ticks : cfg->n_window;
    for (int64_t i = 0; i < n && !isnan(s->ref_w); i++) {
        append(cfg, s, s->out_w);
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
    double target_w = move_ref(cfg, s, in, n);
    if (in->urgent) {
        s->ref_w = clamp(s->ref_w, in->floor_w, in->cap_w);
    }
    double grid_w = s->ref_w;
    if (!cfg->limiter) {
        grid_w = hold_swing(cfg, s, in, grid_w);
        grid_w = hold_mean(cfg, s, in, grid_w);
    }
    if (in->urgent) {
        grid_w = clamp(grid_w, in->floor_w, in->cap_w);
    }
    s->out_w = grid_w;
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
