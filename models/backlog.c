/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/backlog.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double HOUR_S = 3600.0;
static const double LEAST_PU = 1e-12; /* of what came or went: rounding */

static double bin_length_s(double deadline_s)
{
    return deadline_s / BACKLOG_BINS;
}

/* The bin that is 'age' bins older than the newest. */
static int64_t bin_at(const struct backlog *b, int64_t age)
{
    return (b->newest + BACKLOG_BINS - age) % BACKLOG_BINS;
}

/* Age of a bin's oldest work; of a length without end only the newest is in
 * use. */
static double age_of_s(const struct backlog *b, double length_s, int64_t age)
{
    return age > 0 ? (double)age * length_s + b->bin_s : b->bin_s;
}

static double turn(struct backlog *b, double length_s, double dt_s)
{
    double gone_wh = 0.0;
    b->bin_s += dt_s;
    for (int n = 0; b->bin_s >= length_s && n < BACKLOG_BINS; n++) {
        b->bin_s -= length_s;
        b->newest = (b->newest + 1) % BACKLOG_BINS;
        gone_wh += b->bins_wh[b->newest];
        b->bins_wh[b->newest] = 0.0;
    }
    b->bin_s = fmin(b->bin_s, length_s);
    return gone_wh;
}

static void take(struct backlog *b, double wh)
{
    for (int64_t age = BACKLOG_BINS - 1; age >= 0 && wh > 0.0; age--) {
        double *bin_wh = &b->bins_wh[bin_at(b, age)];
        double part_wh = fmin(*bin_wh, wh);
        *bin_wh -= part_wh;
        wh -= part_wh;
    }
}

double backlog_step(struct backlog *b, const struct backlog_flow *flow)
{
    assert(flow->dt_s > 0.0 && flow->deadline_s > 0.0);
    double asked_wh = flow->asked_w * flow->dt_s / HOUR_S;
    double done_wh = flow->done_w * flow->dt_s / HOUR_S;
    if (!(b->wh > 0.0) && !(asked_wh > done_wh)) {
        return 0.0;
    }
    if (!(b->wh > 0.0)) {
        *b = (struct backlog){.bin_s = 0.0};
    }
    b->wh += asked_wh - done_wh;
    b->bins_wh[b->newest] += asked_wh;
    take(b, done_wh);
    double gone_wh = turn(b, bin_length_s(flow->deadline_s), flow->dt_s);
    b->wh -= gone_wh;
    if (!(b->wh > LEAST_PU * (asked_wh + done_wh + gone_wh))) {
        *b = (struct backlog){.bin_s = 0.0};
    }
    return gone_wh;
}

double backlog_age_s(const struct backlog *b, double deadline_s)
{
    if (!(b->wh > 0.0)) {
        return 0.0;
    }
    int64_t age = BACKLOG_BINS - 1;
    while (age > 0 && !(b->bins_wh[bin_at(b, age)] > 0.0)) {
        age--;
    }
    return age_of_s(b, bin_length_s(deadline_s), age);
}

double backlog_spare_s(const struct backlog *b, double deadline_s,
                       double power_w)
{
    double spare_s = INFINITY;
    if (!(b->wh > 0.0) || !isfinite(deadline_s)) {
        return spare_s;
    }
    double sum_wh = 0.0;
    for (int64_t age = BACKLOG_BINS - 1; age >= 0; age--) {
        double wh = b->bins_wh[bin_at(b, age)];
        sum_wh += wh;
        if (wh > 0.0) {
            double old_s = age_of_s(b, bin_length_s(deadline_s), age);
            double takes_s =
                power_w > 0.0 ? sum_wh * HOUR_S / power_w : INFINITY;
            spare_s = fmin(spare_s, deadline_s - old_s - takes_s);
        }
    }
    return spare_s;
}

double backlog_then_wh(const struct backlog *b, double deadline_s, double in_s)
{
    double wh = 0.0;
    for (int64_t age = 0; age < BACKLOG_BINS; age++) {
        double old_s = age_of_s(b, bin_length_s(deadline_s), age);
        wh += old_s + in_s < deadline_s ? b->bins_wh[bin_at(b, age)] : 0.0;
    }
    return wh;
}

bool backlog_valid(const struct backlog *b)
{
    static const double MOST_WH = 1e15;
    static const double LONG_S = 1e12;
    bool ok = b->wh >= 0.0 && b->wh <= MOST_WH && b->newest >= 0 &&
              b->newest < BACKLOG_BINS && b->bin_s >= 0.0 && b->bin_s <= LONG_S;
    for (int i = 0; ok && i < BACKLOG_BINS; i++) {
        ok = b->bins_wh[i] >= 0.0 && b->bins_wh[i] <= MOST_WH;
    }
    return ok;
}
