/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/lead.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

static const double FOLLOWS_S = 10.0; /* the level, after a jump */

void lead_add(struct lead *l, struct lead_jump jump)
{
    assert(!isnan(jump.in_s) && !isnan(jump.by_w));
    if (jump.in_s < 0.0) {
        jump.by_w *= fmax(1.0 + jump.in_s / FOLLOWS_S, 0.0);
        jump.in_s = 0.0;
    }
    if (!(fabs(jump.by_w) > 0.0)) {
        return;
    }
    bool full = l->n == LEAD_JUMPS_MAX;
    if (full && jump.in_s >= l->jumps[l->n - 1].in_s) {
        return;
    }
    int64_t at = full ? l->n - 1 : l->n++;
    while (at > 0 && l->jumps[at - 1].in_s > jump.in_s) {
        l->jumps[at] = l->jumps[at - 1];
        at--;
    }
    l->jumps[at] = jump;
}

double lead_w(const struct lead *l, double ramp_w_per_s)
{
    assert(ramp_w_per_s > 0.0);
    if (l->n == 0) {
        return 0.0;
    }
    double sign = l->jumps[0].by_w > 0.0 ? 1.0 : -1.0;
    double sum_w = 0.0;
    double moment_ws = 0.0;
    double most_w = 0.0;
    int64_t i = 0;
    for (; i < l->n && sign * l->jumps[i].by_w > 0.0; i++) {
        double by_w = fabs(l->jumps[i].by_w);
        sum_w += by_w;
        moment_ws += by_w * l->jumps[i].in_s;
        double centre_s = moment_ws / sum_w;
        most_w = fmax(most_w, 0.5 * sum_w - ramp_w_per_s * centre_s);
    }
    if (i < l->n) {
        double lasts_s = l->jumps[i].in_s - l->jumps[0].in_s;
        most_w = fmin(most_w, 0.5 * ramp_w_per_s * lasts_s);
    }
    return sign * most_w;
}
