/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "policies/plan_parts.h"

static const int64_t quarter_ms = 900000;

static double mean_of_day(const struct plan_past *s)
{
    double sum = 0.0;
    for (int i = 0; i < PLAN_DAY; i++) {
        sum += s->load_w[i];
    }
    return sum / (double)PLAN_DAY;
}

void plan_past_see(struct plan_past *s, const struct problem *p)
{
    int64_t now = p->start_at_ms / quarter_ms;
    if (now < s->now || now > s->now + PLAN_DAY) { /* a clock that jumped */
        *s = (struct plan_past){.first = now, .now = now - 1};
    }
    if (p->billed_s > s->billed_s) { /* a new month, a new peak */
        s->heaviest_w = 0.0;
    }
    s->billed_s = p->billed_s;
    int64_t n = now - s->now;
    for (int64_t k = s->now + (n > 0 ? 1 : 0); k <= now; k++) {
        s->load_w[k % PLAN_DAY] = p->total_w; /* what was not seen, too */
    }
    s->now = now;
    if (n > 0 && now - s->first >= PLAN_DAY - 1) {
        s->heaviest_w = fmax(s->heaviest_w, mean_of_day(s));
    }
}
