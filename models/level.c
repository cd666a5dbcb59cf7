/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/level.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/clamp.h"

static const double FADE_S = 1800.0;      /* of the band */
static const double CONFIRM_S = 30.0;     /* outside the band: a new level */
static const int64_t LEARN = 20;          /* seconds before judging */
static const double BAND_MARGIN = 1.25;   /* of the widest usual deviation */
static const double BAND_FLOOR_PU = 0.05; /* of the level */

void level_init(struct level *l)
{
    memset(l, 0, sizeof(*l));
    l->level_w = NAN;
}

/* Mean of the newest 'n' seconds. */
static double recent_mean(const struct level *l, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 1; i <= n; i++) {
        sum += l->ring_w[(l->next - i + LEVEL_WINDOW) % LEVEL_WINDOW];
    }
    return sum / (double)n;
}

static void append(struct level *l, double second_w)
{
    if (l->n == LEVEL_WINDOW) {
        l->sum_w -= l->ring_w[l->next];
    } else {
        l->n++;
    }
    l->ring_w[l->next] = second_w;
    l->sum_w += second_w;
    l->next = (l->next + 1) % LEVEL_WINDOW;
}

/* Forget all but the newest 'keep' seconds. */
static void start_anew(struct level *l, int64_t keep)
{
    l->n = keep;
    l->sum_w = recent_mean(l, keep) * (double)keep;
    l->outside_s = 0.0;
    l->excursion_w = 0.0;
    l->n_regimes++;
}

/* Only a swing that came back is usual: learning from one that is still going
 * out would widen the band along with a load that leaves for good. */
static void learn(struct level *l, double deviation_w, double near_w)
{
    l->excursion_w = max_of(l->excursion_w, deviation_w);
    if (deviation_w <= near_w) {
        l->band_w = max_of(l->band_w, l->excursion_w);
        l->excursion_w = 0.0;
    }
}

static void judge(struct level *l)
{
    int64_t n = l->n < LEVEL_RECENT ? l->n : LEVEL_RECENT;
    double recent_w = recent_mean(l, n);
    double mean_w = l->sum_w / (double)l->n;
    double near_w = BAND_FLOOR_PU * fabs(mean_w);
    double deviation_w = fabs(recent_w - mean_w);
    l->level_w = mean_w;
    if (l->n < LEARN) {
        return;
    }
    bool outside = deviation_w > BAND_MARGIN * l->band_w + near_w;
    learn(l, deviation_w, near_w);
    if (!outside) {
        l->outside_s = 0.0;
        return;
    }
    l->outside_s += 1.0;
    l->level_w = recent_w;
    if (l->outside_s >= CONFIRM_S) {
        start_anew(l, LEVEL_RECENT);
    }
}

static void close_second(struct level *l, double second_w)
{
    append(l, second_w);
    l->band_w *= exp(-1.0 / FADE_S);
    judge(l);
}

double level_step(struct level *l, double load_w, double dt_s)
{
    assert(dt_s > 0.0);
    if (!isfinite(load_w)) {
        return l->level_w;
    }
    if (isnan(l->level_w)) {
        l->level_w = load_w;
    }
    l->bin_ws += load_w * dt_s;
    l->bin_s += dt_s;
    if (l->bin_s >= 1.0 - 1e-9) {
        double second_w = l->bin_ws / l->bin_s;
        l->bin_ws = 0.0;
        l->bin_s = 0.0;
        close_second(l, second_w);
    }
    return l->level_w;
}
