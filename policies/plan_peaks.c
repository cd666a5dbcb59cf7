/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "policies/plan_parts.h"

static const int64_t bin_ms = 300000;

double plan_peak_w(struct plan_peaks *s, int64_t utc_ms, double peak_w)
{
    int64_t now = utc_ms / bin_ms;
    int64_t k = now % PLAN_PEAKS;
    if (s->first == 0 || now < s->first) {
        s->first = now;
    }
    s->peak_w[k] = s->number[k] == now ? fmin(s->peak_w[k], peak_w) : peak_w;
    s->number[k] = now;
    if (now - s->first < PLAN_PEAKS) {
        return peak_w;
    }
    double lowest_w = peak_w;
    for (int64_t i = 0; i < PLAN_PEAKS; i++) {
        bool recent = s->number[i] > now - PLAN_PEAKS && s->number[i] <= now;
        lowest_w = recent ? fmin(lowest_w, s->peak_w[i]) : lowest_w;
    }
    return lowest_w;
}
